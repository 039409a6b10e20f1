"""The music room in a real browser: hear, see, choose bars, change them, compare, keep, take away, bring along."""

from __future__ import annotations

from pathlib import Path

import pytest
from rooms import NARROW, WIDE, enter, generate

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
pytestmark = pytest.mark.browser

ABC = "X:1\nT:A tune of my own\nM:3/4\nL:1/4\nK:D\n" + "|".join(["d e f", "g a b", "a f d", "e2 c"] * 2) + "|]\n"


def compose(page, prompt: str) -> None:
    """A piece of eight bars, engraved, with nothing chosen."""
    generate(page, "music", prompt)
    expect(page.locator("#music-score .title")).to_have_text(title_of(prompt))
    expect(page.locator("#music-stop")).to_be_disabled()
    expect(page.locator("#music-score .paper svg").first).to_be_visible()
    expect(page.locator("#music-score .bar")).to_have_count(8)
    let_go = page.locator("#music-score .drop")
    if let_go.is_visible():
        let_go.click()


def title_of(prompt: str) -> str:
    """As the page calls a piece that only style and key are asked of: "a jig in G major"."""
    words = prompt.split()
    return f"{words[1].capitalize()} {' '.join(words[2:5])}"


def bar(page, number: int):
    return page.locator(f"#music-score .bar[aria-label='Bar {number}']")


def tool(page, action: str):
    return page.locator(f"#music-score [data-action='{action}']")


def test_bars_are_chosen_and_heard_by_mouse_and_by_keyboard(open_page):
    page = open_page()
    compose(page, "a jig in G major")
    expect(tool(page, "repaint")).to_be_disabled()
    bar(page, 3).hover()
    page.mouse.down()
    bar(page, 5).hover()
    page.mouse.up()
    expect(tool(page, "repaint")).to_have_text("Repaint bars 3–5")
    assert bar(page, 4).get_attribute("aria-selected") == "true"
    bar(page, 6).click()
    expect(tool(page, "repaint")).to_have_text("Repaint bar 6")
    expect(page.locator("#music-score .sheet .cursor")).to_be_visible()
    expect(page.locator("#music-score .sounding").first).to_be_visible()
    expect(page.locator("#music-sound .time")).not_to_contain_text("0:00 /")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(tool(page, "repaint")).to_have_text("Repaint bars 5–7")
    page.keyboard.press("Escape")
    expect(tool(page, "repaint")).to_be_disabled()
    page.keyboard.press(" ")
    expect(page.locator("#music-sound .player.playing")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.locator("#music-sound .player.playing")).to_have_count(0)


def test_proposals_are_compared_and_one_is_kept(open_page, running):
    page = open_page()
    compose(page, "a reel in A minor")
    before = running.remote.gallery.page(limit=1).records[0]
    bar(page, 2).click()
    bar(page, 3).click(modifiers=["Shift"])
    tool(page, "repaint").click()
    tabs = page.locator("#music-result [role=tab]")
    expect(page.locator("#music-result .keep")).to_have_text("Keep proposal 1")
    expect(tabs).to_have_count(4)
    expect(page.locator("#music-score .bar.fresh").first).to_be_visible()
    tabs.filter(has_text="Before").click()
    expect(page.locator("#music-result .keep")).to_be_disabled()
    expect(page.locator("#music-score .bar.fresh")).to_have_count(0)
    tabs.filter(has_text="Proposal 3").click()
    page.locator("#music-result .keep").click()
    expect(page.locator("#music-result .compare")).to_be_hidden()
    expect(page.locator("#music-versions .versions li")).to_have_text(["1Composed", "2Bars 2–3 anew"])
    kept = running.remote.gallery.page(limit=1).records[0]
    assert kept.parents == [before.id]
    assert kept.output_index == 2
    assert running.remote.gallery.page(trashed=True, limit=2).records[0].job == kept.job
    page.locator("#music-versions .versions button").first.click()
    expect(page.locator("#music-versions [aria-current]")).to_contain_text("Composed")


def test_proposals_that_please_nobody_go_and_the_piece_stays(open_page):
    page = open_page()
    compose(page, "a march in F major")
    tool(page, "continue").click()
    expect(page.locator("#music-score .facts")).to_contain_text("16 bars")
    page.locator("#music-result .leave").click()
    expect(page.locator("#music-score .facts")).to_contain_text("8 bars")
    expect(page.locator("#music-versions .versions")).to_be_hidden()


def test_the_same_tune_is_arranged_in_another_key_for_others(open_page):
    page = open_page()
    compose(page, "a waltz in D major")
    page.locator("#music-prompt textarea").fill("in F major for string quartet")
    expect(page.locator("#music-chips .wish[data-field=key] select")).to_have_value("F")
    tool(page, "arrange").click()
    expect(page.locator("#music-score .facts")).to_contain_text("F major")
    expect(page.locator("#music-score .facts")).to_contain_text("String quartet")
    expect(page.locator("#music-versions .versions li")).to_have_text(["1Composed", "2Arranged"])


def test_chips_say_what_was_understood_and_change_it(open_page):
    page = open_page()
    enter(page, "music")
    box = page.locator("#music-prompt textarea")
    box.fill("a sad jig in D minor, 16 bars")
    style = page.locator("#music-chips .wish[data-field=style]")
    expect(style.locator("select")).to_have_value("jig")
    expect(page.locator("#music-chips .wish[data-field=bars] input")).to_have_value("16")
    style.locator("select").select_option("slip jig")
    expect(style).to_have_class("wish set")
    style.get_by_role("button").click()
    expect(style).to_have_class("wish")
    page.locator("#music-chips .wish[data-field=bars]").get_by_role("button").click()
    expect(box).to_have_value("a sad jig in D minor")
    box.fill("a waltz in 4/4")
    expect(page.locator("#music-chips .problem")).to_contain_text("waltz")
    page.locator("#music-chips .surprise").click()
    expect(page.locator("#music-chips .problem")).to_be_empty()
    expect(box).not_to_have_value("a waltz in 4/4")
    chips = page.locator("#music-chips .wish.set")
    expect(chips.first).to_be_visible()
    for left in reversed(range(chips.count())):
        chips.first.get_by_role("button").click()
        expect(chips).to_have_count(left)


def test_a_tune_of_ones_own_is_arranged_and_one_that_is_none_is_refused(open_page, tmp_path: Path):
    page = open_page()
    enter(page, "music")
    page.locator("#music-prompt textarea").fill("")
    door = page.locator("#music-bring-in")
    for name, content in (("own.abc", ABC), ("broken.mid", "not notes"), ("book.pdf", "%PDF")):
        (tmp_path / name).write_text(content)
    door.locator(".file").set_input_files(tmp_path / "book.pdf")
    expect(door.locator(".note").last).to_contain_text("This is not music")
    door.locator(".file").set_input_files(tmp_path / "own.abc")
    door.get_by_role("button", name="Arrange it").click()
    expect(page.locator("#music-score .title")).to_have_text("A tune of my own")
    expect(page.locator("#music-score .facts")).to_contain_text("D major · 3/4")
    expect(page.locator("#music-stop")).to_be_disabled()
    door.locator(".file").set_input_files(tmp_path / "broken.mid")
    expect(door.locator(".what .name")).to_have_text("broken.mid")
    door.get_by_role("button", name="Continue it").click()
    expect(page.locator("#music-result .status.bad")).to_contain_text("This is not a MIDI file")
    door.get_by_role("button", name="Put it away").click()
    expect(door.locator(".brought")).to_be_hidden()


def test_what_is_hummed_becomes_a_piece(open_page):
    page = open_page()
    page.context.grant_permissions(["microphone"])
    enter(page, "music")
    door = page.locator("#music-bring-in")
    door.get_by_role("button", name="Hum or play").click()
    expect(door.locator(".recording")).to_contain_text("0:01")
    door.get_by_role("button", name="Stop").click()
    expect(door.locator(".what .name")).to_have_text("Recording.wav")
    door.get_by_role("button", name="Harmonise it").click()
    expect(page.locator("#music-score .facts")).to_contain_text("8 bars")
    door.get_by_role("button", name="Put it away").click()


def test_a_piece_is_taken_away_in_any_format(open_page):
    page = open_page()
    compose(page, "a hornpipe in G major")
    page.locator("#music-sound .export").press("Enter")
    formats = page.locator("#music-sound [role=menuitem]")
    assert formats.count() > 10
    expect(formats.first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#music-sound .formats")).to_be_hidden()
    page.locator("#music-sound .export").click()
    with page.expect_download() as download:
        page.locator("#music-sound [data-format=midi]").click()
    assert download.value.suggested_filename.endswith(".mid")
    assert Path(download.value.path()).read_bytes().startswith(b"MThd")
    expect(page.locator("#music-sound .making")).to_have_text("Saved: MIDI")


def test_an_export_that_fails_says_why(open_page):
    page = open_page()
    compose(page, "a reel in D major")
    sentence = "There is no film maker here."
    page.route("**/export/video-score*", lambda route: route.fulfill(status=409, json={"detail": sentence}))
    page.locator("#music-sound .export").click()
    page.locator("#music-sound [data-format=video-score]").click()
    expect(page.locator("#music-sound .making.bad")).to_have_text(sentence)
    page.unroute("**/export/video-score*")


def test_parts_are_muted_alone_and_loud_in_step(open_page, tmp_path: Path):
    import numpy
    import soundfile

    page = open_page()
    compose(page, "a waltz in G major")
    stem = tmp_path / "stem.ogg"
    soundfile.write(stem, numpy.zeros((44_100 * 20, 2)), 44_100, format="OGG", subtype="VORBIS")
    page.route("**/export/stem-*", lambda route: route.fulfill(path=stem, content_type="audio/ogg"))
    mixer = page.locator("#music-sound .mixer")
    first = mixer.locator(".part").first
    page.locator("#music-sound .play").click()
    expect(page.locator("#music-sound .player.playing")).to_be_visible()
    first.locator(".solo").click()
    expect(first.locator(".solo")).to_have_attribute("aria-pressed", "true")
    expect(mixer.locator(".part.silent")).to_have_count(mixer.locator(".part").count() - 1)
    expect(mixer.locator(".mixing")).to_be_empty()
    first.locator(".mute").click()
    expect(first.locator(".solo")).to_have_attribute("aria-pressed", "false")
    first.locator(".mute").click()
    expect(mixer.locator(".part.silent")).to_have_count(0)
    page.locator("#music-sound .play").click()
    page.unroute("**/export/stem-*")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_whole_room_fits_and_everything_has_a_name(open_page, size):
    page = open_page(size)
    compose(page, "a reel in G major")
    bar(page, 4).click()
    for name in ("All parts", "Piano roll", "Score"):
        page.locator("#music-score .views").get_by_role("button", name=name, exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    nameless = page.locator("#music-room").evaluate_all("""() => [...document.querySelectorAll(
        '.room-music button, .room-music select, .room-music input')].filter((node) => node.offsetParent
        && !(node.getAttribute('aria-label') || node.textContent.trim() || node.title || node.labels?.length))
        .map((node) => node.outerHTML.slice(0, 120))""")
    assert nameless == []
