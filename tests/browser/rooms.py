"""What a person does on the page, in the words of the tests."""

from __future__ import annotations

from typing import Any

WIDE, NARROW = (1440, 900), (390, 844)


def enter(page: Any, room: str) -> None:
    """Go to a room by its tab, whatever the language."""
    page.locator(f"#{room}-room-button").click()


def generate(page: Any, room: str, prompt: str) -> None:
    enter(page, room)
    box = page.locator(f"#{room}-prompt textarea")
    box.fill(prompt)
    box.press("Control+Enter")


def card(page: Any, title: str) -> Any:
    """The newest card with these words below it."""
    return page.locator("#gallery-grid .card", has=page.get_by_text(title, exact=True)).first


def open_large(page: Any, title: str) -> Any:
    """Open a card and wait until the large view knows everything."""
    card(page, title).locator(".open").click()
    dialog = page.locator("#gallery-grid dialog.large")
    dialog.locator("summary").first.wait_for()
    return dialog


def enter_gallery(page: Any) -> None:
    """The gallery with every record in it, looked at afresh."""
    enter(page, "models")
    enter(page, "gallery")
    grid = page.locator("#gallery-grid")
    grid.locator(".searchbox input").fill("")
    for name in ("Starred", "Trash"):
        chip = grid.get_by_role("button", name=name, exact=True)
        if chip.get_attribute("aria-pressed") == "true":
            chip.click()
    grid.get_by_role("button", name="All", exact=True).click()
