"""The three rooms in a real browser: make something in each, stop, reload, find it all in the gallery."""

from __future__ import annotations

import pytest
from rooms import NARROW, WIDE, card, enter, generate

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
pytestmark = pytest.mark.browser

MADE = {"image": "#image-result .tile img[alt]", "text": "#text-result", "music": "#music-sound .player"}
SLOW = {"num_inference_steps": 150, "step_seconds": 1.0}


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_make_something_in_each_room_and_find_it_all(open_page, size):
    page = open_page(size)
    for room, noun in (("image", "picture"), ("text", "poem"), ("music", "tune")):
        generate(page, room, f"a {noun} made at {size[0]}")
        expect(page.locator(MADE[room]).first).to_be_visible()
        expect(page.locator(f"#{room}-stop")).to_be_disabled()
    enter(page, "gallery")
    for noun in ("picture", "poem", "tune"):
        expect(card(page, f"a {noun} made at {size[0]}")).to_be_visible()


def test_stop_ends_what_runs_and_the_next_one_begins(open_page, running):
    page = open_page()
    slow = running.submit("demo-image", "a slow picture", **SLOW)
    generate(page, "image", "the next picture")
    status, stop = page.locator("#image-result .status"), page.locator("#image-stop")
    expect(status).to_contain_text("of 150")
    expect(stop).to_be_enabled()
    stop.press("Enter")
    expect(page.locator("#image-result img[alt='the next picture']")).to_be_visible()
    expect(status).to_contain_text("Done")
    expect(stop).to_be_disabled()
    assert running.remote.job(slow).state == "cancelled"


def test_a_reloaded_page_finds_its_job_and_its_form_again(open_page, running):
    page = open_page()
    enter(page, "image")
    page.locator("#image-prompt textarea").fill("kept over a reload")
    page.locator("#image-prompt textarea").blur()
    job = running.submit("demo-image", "a slow picture", **SLOW)
    page.reload()
    expect(page.locator("#image-prompt textarea")).to_have_value("kept over a reload")
    expect(page.locator("#image-result .status")).to_contain_text("of 150")
    expect(page.locator("#image-result .picture.coming img")).to_be_visible()
    page.locator("#image-stop").press("Enter")
    expect(page.locator("#image-result .status")).to_have_text("Stopped")
    assert running.remote.job(job).state == "cancelled"


def test_the_language_is_the_browsers_and_can_be_switched(open_page):
    page = open_page(locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#image-room-button")).not_to_contain_text("Image")
    enter(page, "gallery")
    expect(page.locator("#gallery-grid .chip").first).not_to_have_text("All")
    page.locator("#studio-header .language").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#image-room-button")).to_contain_text("Image")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_room_fits_and_follows_the_sheet(open_page, size, scheme):
    page = open_page(size)
    page.emulate_media(color_scheme=scheme)
    for room in ("image", "text", "music", "gallery", "models"):
        enter(page, room)
        expect(page.locator(f"#{room}-room")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0], f"{room} is {wide} px wide"
    expect(page.locator("#model-shelf article").first).to_be_visible()
    paper = {"light": "rgb(251, 249, 245)", "dark": "rgb(21, 20, 18)"}[scheme]
    expect(page.locator(".gradio-container")).to_have_css("background-color", paper)


def test_a_prompt_is_never_markup(open_page, running):
    attack = "<img src=x onerror=window.__pwned=1>"
    page = open_page()
    for room in ("image", "text", "music"):
        generate(page, room, attack)
        expect(page.locator(MADE[room]).first).to_be_visible()
        expect(page.locator(f"#{room}-stop")).to_be_disabled()
    enter(page, "gallery")
    expect(card(page, attack)).to_be_visible()
    assert page.locator("img[src='x']").count() == 0
