"""The gallery in a real browser: settings, verdicts, trash and undo, dropped files, search, and the keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from rooms import NARROW, WIDE, card, enter_gallery, open_large

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
pytestmark = pytest.mark.browser

ATTACK = "<img src=x onerror=window.__pwned=1> in a file"
DROP = """async ([name, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name));
    const target = document.querySelector("#gallery-grid .gallery").parentElement;
    for (const kind of ["dragenter", "dragover", "drop"])
        target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def gallery(open_page):
    """`gallery(size)` gives a page that shows the whole gallery."""

    def open_gallery(size=WIDE):
        page = open_page(size)
        enter_gallery(page)
        return page

    return open_gallery


def drop(page, path: Path) -> None:
    page.evaluate(DROP, [path.name, list(path.read_bytes())])


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_use_settings_fills_the_room_it_came_from(gallery, running, size):
    running.make("demo-music", f"a slow waltz for {size[0]}", seed=77, tempo_bpm=90)
    page = gallery(size)
    open_large(page, f"a slow waltz for {size[0]}").get_by_role("button", name="Use settings").click()
    expect(page.locator("#music-prompt textarea")).to_have_value(f"a slow waltz for {size[0]}")
    expect(page.locator("#music-room").get_by_label("Seed", exact=True)).to_have_value("77")
    expect(page.locator("#music-room").get_by_label("number input for Tempo")).to_have_value("90")


def test_make_again_says_identical(gallery, running):
    running.make("demo-image", "twice the same", seed=5)
    page = gallery()
    dialog = open_large(page, "twice the same")
    dialog.get_by_role("button", name="Make again").click()
    expect(dialog.locator(".note")).to_contain_text("Identical")
    page.keyboard.press("Escape")
    expect(page.locator("#gallery-grid .card", has=page.get_by_text("twice the same", exact=True))).to_have_count(2)


def test_enlarge_opens_the_larger_picture(gallery, running):
    running.make("demo-image", "small at first", seed=6, side=128)
    page = gallery()
    dialog = open_large(page, "small at first")
    dialog.get_by_role("button", name="Enlarge 2×").click()
    expect(dialog.locator(".facts")).to_contain_text("256 × 256")
    expect(dialog.locator(".family")).to_contain_text("Made from")


def test_delete_undo_and_for_good(gallery, running):
    running.make("demo-image", "one that stays")
    running.make("demo-text", "soon gone")
    page = gallery()
    open_large(page, "soon gone").get_by_role("button", name="Delete").click()
    expect(card(page, "soon gone")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(card(page, "soon gone")).to_be_visible()
    card(page, "soon gone").locator(".open").focus()
    page.keyboard.press("Delete")
    expect(card(page, "soon gone")).to_have_count(0)
    page.get_by_role("button", name="Trash", exact=True).click()
    dialog = open_large(page, "soon gone")
    dialog.get_by_role("button", name="Delete for good").click()
    dialog.get_by_role("button", name="Really?").click()
    expect(card(page, "soon gone")).to_have_count(0)
    page.get_by_role("button", name="Trash", exact=True).click()
    expect(card(page, "one that stays")).to_be_visible()
    expect(card(page, "soon gone")).to_have_count(0)


def test_a_dropped_file_of_ours_restores_its_settings(gallery, running, tmp_path):
    record = running.make("demo-image", ATTACK, seed=41)[0]
    foreign = tmp_path / "foreign.png"
    foreign.write_bytes(b"\x89PNG\r\n\x1a\n" + b"nonsense")
    page = gallery()
    drop(page, foreign)
    expect(page.get_by_text("This file carries no recipe of the studio.")).to_be_visible()
    drop(page, running.remote.gallery.open(record.id))
    expect(page.locator("#image-prompt textarea")).to_have_value(ATTACK)
    expect(page.locator("#image-room").get_by_label("Seed", exact=True)).to_have_value("41")
    assert page.locator("img[src='x']").count() == 0


def test_search_star_and_filters(gallery, running):
    running.make("demo-image", "a violet whale", seed=1)
    running.make("demo-music", "a violet waltz", seed=1)
    page = gallery()
    page.locator("#gallery-grid .searchbox input").fill("violet")
    cards, filters = page.locator("#gallery-grid .card"), page.get_by_role("group", name="Filter")
    expect(cards).to_have_count(2)
    filters.get_by_role("button", name="Music").click()
    expect(cards).to_have_count(1)
    filters.get_by_role("button", name="All").click()
    expect(cards).to_have_count(2)
    card(page, "a violet whale").hover()
    card(page, "a violet whale").get_by_role("button", name="Star").click()
    filters.get_by_role("button", name="Starred").click()
    expect(cards).to_have_count(1)
    expect(card(page, "a violet whale")).to_be_visible()
    page.locator("#gallery-grid .searchbox input").fill("violet and nothing like it")
    page.get_by_role("button", name="Show everything").click()
    expect(card(page, "a violet waltz")).to_be_visible()


def test_the_whole_gallery_by_keyboard(gallery, running):
    for name in ("first by key", "second by key"):
        running.make("demo-image", name, seed=3)
    page = gallery()
    card(page, "second by key").locator(".open").focus()
    page.keyboard.press("ArrowRight")
    expect(card(page, "first by key").locator(".open")).to_be_focused()
    page.keyboard.press("s")
    expect(card(page, "first by key").locator(".star")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    dialog = page.locator("#gallery-grid dialog.large")
    expect(dialog.locator(".prompt")).to_have_text("first by key")
    page.keyboard.press("ArrowLeft")
    expect(dialog.locator(".prompt")).to_have_text("second by key")
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(card(page, "second by key").locator(".open")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#gallery-grid .searchbox input")).to_be_focused()


def test_the_grid_goes_on_while_one_scrolls(gallery, running):
    running.make("demo-text", "the oldest of many", count=16)
    for _ in range(4):
        running.make("demo-image", "one of many", count=16, side=64, num_inference_steps=1)
    page = gallery()
    page.locator("#gallery-grid .searchbox input").fill("of many")
    cards = page.locator("#gallery-grid .card")
    expect(cards).to_have_count(48)
    page.locator("#gallery-grid .sentinel").scroll_into_view_if_needed()
    expect(cards).to_have_count(80)
    expect(page.get_by_text("the oldest of many", exact=True)).to_have_count(16)


def test_what_others_make_appears_while_one_looks(gallery, running):
    page = gallery()
    expect(page.locator("#gallery-grid .card").first).to_be_visible()
    running.make("demo-image", "from the command line")
    expect(card(page, "from the command line")).to_be_visible()


def test_a_tune_plays_and_the_cursor_follows(gallery, running):
    running.make("demo-music", "to be heard", seed=8)
    page = gallery()
    dialog = open_large(page, "to be heard")
    dialog.get_by_role("button", name="Play").click()
    expect(dialog.get_by_role("button", name="Pause")).to_be_visible()
    expect(dialog.locator(".cursor")).to_be_visible()
    dialog.get_by_role("slider").press("End")
    expect(dialog.get_by_role("button", name="Play")).to_be_visible()
    expect(dialog.get_by_role("link", name="MIDI")).to_be_visible()
