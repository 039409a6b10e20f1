"""Texts in the music font as paths and plain words: verovio sets the flats of chord names and the note of a tempo as
letters of a font that only it has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SVG = "{http://www.w3.org/2000/svg}"


def has_signs(text: Element) -> bool:
    """Whether a text element has a sign of the music font in it."""
    return any(_musical(words) for words, _ in _runs(text))


def _runs(text: Element) -> list[tuple[str, float]]:
    """A text element's pieces with their sizes in px; pieces in the same font are one."""
    runs: list[tuple[str, float]] = []

    def walk(element: Element, size: float) -> None:
        size = float(element.get("font-size", "0px").removesuffix("px")) or size
        words = element.text or ""
        if size and words and "\n" not in words:
            if runs and runs[-1][1] == size and not _musical(words) and not _musical(runs[-1][0]):
                words = runs.pop()[0] + words
            runs.append((words, size))
        for child in element:
            walk(child, size)

    walk(text, 0.0)
    return runs


def _musical(words: str) -> bool:
    return any("\ue000" <= letter <= "\uf8ff" for letter in words)


def drawn(text: Element) -> Iterator[Element]:
    """The same words as plain text elements, and paths for the signs of the music font, one after the other."""
    x, y = float(text.get("x", "0")), float(text.get("y", "0"))
    for words, size in _runs(text):
        if not _musical(words):
            wide = sum(_width(letter) for letter in words) * size
            if words.strip():
                indent = (len(words) - len(words.lstrip())) * _width(" ") * size
                element = Element(f"{SVG}text", x=f"{x + indent:.0f}", y=f"{y:.0f}")
                element.set("font-size", f"{size:g}px")
                element.text = words.strip()
                yield element
            x += wide
            continue
        for letter in words:
            path, advance = _glyph(f"{ord(letter):04X}")
            scale = size / 1000 * (0.8 if letter in "\ue260\ue261\ue262" else 1.0)
            place = f"translate({x:.0f},{y:.0f}) scale({scale:.4f},{-scale:.4f})"
            yield Element(f"{SVG}path", {"class": "glyph", "transform": place, "d": path})
            x += (advance + 20) * scale


@lru_cache(maxsize=64)
def _glyph(code: str) -> tuple[str, float]:
    """A sign of the music font: its outline and its advance, in thousandths of the font's size."""
    import verovio

    font = Path(verovio.__file__).parent / "data"
    drawing = ElementTree.parse(font / "Leipzig" / f"{code}.xml").getroot()
    outline = next((path.get("d", "") for path in drawing.iter("path")), "")
    return outline, _advances("Leipzig.xml", 1.0).get(code, 500.0)


def _width(letter: str) -> float:
    """How far a letter of Times moves on, as a share of the font's size."""
    return _advances("text/Times.xml", 2048.0).get(f"{ord(letter):X}", 0.5)


@lru_cache(maxsize=2)
def _advances(name: str, per_em: float) -> dict[str, float]:
    import verovio

    table = ElementTree.parse(Path(verovio.__file__).parent / "data" / name).getroot()
    return {glyph.get("c", ""): float(glyph.get("h-a-x") or glyph.get("w") or 0) / per_em for glyph in table.iter("g")}
