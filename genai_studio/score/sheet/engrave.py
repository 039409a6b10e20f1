"""Sheet music: the score engraved by verovio as SVG, with where each bar stands and what sounds when, and as PDF.

Every sign is a path or plain text, so that a page, a picture and a PDF show the same without the music font. Verovio
is one object behind one lock: it keeps state and is not made for several threads.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from genai_studio.score.formats.musicxml import musicxml_of
from genai_studio.score.model import Score
from genai_studio.score.sheet.glyphs import SVG, drawn, has_signs
from genai_studio.score.sheet.staff import measures
from genai_studio.score.sheet.typeset import pdf_of
from genai_studio.score.sound.performance import seconds_at

Which = Literal["lead", "all"]
_SCALE = 40
"""Verovio's units to CSS pixels, in percent: a staff of 29 px."""
_FULL_SCALE = 30
"""The same for a score of all parts."""
_A4 = (2100, 2970)
"""In tenths of a millimetre, which are verovio's units."""
_STYLE = (
    ".engraving g.tempo,.engraving g.reh{font-weight:bold}.engraving g.mNum{font-style:italic}"
    ".engraving path,.engraving rect,.engraving polygon,.engraving polyline,.engraving ellipse{stroke:currentColor}"
    ".engraving path.glyph{stroke:none}"
)
_LEFT_OUT = {f"{SVG}desc", f"{SVG}style", f"{SVG}title"}
_lock = threading.Lock()


@dataclass(frozen=True)
class BarBox:
    """A measure on the page: `id` of its SVG group, `number` as printed (0 is the pickup), its time in ticks from
    the score's start and in seconds of the performance, and its staves' box in units of the SVG's viewBox."""

    id: str
    number: int
    first_tick: int
    ticks: int
    seconds: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Engraving:
    """`svg` is safe to set inside a page; `width` and `height` are its viewBox in CSS pixels. `events` tells which
    elements light up at which second of the performance, in order."""

    svg: str
    width: float
    height: float
    bars: list[BarBox]
    events: list[tuple[float, list[str]]]
    cursor: list[tuple[float, float, float, float]]
    """Where a cursor stands: (second, x, y of its top, height) for each event, in units of the viewBox."""


def engrave(
    score: Score, *, width: int = 1000, parts: Which = "lead", title: bool = False, prefix: str = "s-"
) -> Engraving:
    """The score on one page of `width` CSS pixels (200 to 4000), as high as it needs to be.

    "lead" is the melody with chord names, "all" every part. Ids begin with `prefix`, so that several scores can stand
    in one document; the same score gives the same SVG.
    """
    if not 200 <= width <= 4000:
        raise ValueError(f"A score cannot be {width} pixels wide; allowed is 200 to 4000.")
    scale = _SCALE if parts == "lead" else _FULL_SCALE
    options = {
        "pageWidth": round(width * 100 / scale),
        "pageHeight": 60_000,
        "adjustPageHeight": True,
        "scale": scale,
        "header": "auto" if title else "none",
        "pageMarginLeft": 50,
        "pageMarginRight": 30,
        "pageMarginTop": 30,
        "pageMarginBottom": 30,
    }
    (root,) = _pages(chosen(score, parts), options, prefix)
    width_of, height_of = (float(number) for number in root.get("viewBox", "0 0 0 0").split()[2:])
    bars = list(_boxes(root, score, prefix))
    places = _noteheads(root, prefix)
    starts: dict[int, list[str]] = {}
    for name in places:
        starts.setdefault(int(name.removeprefix(prefix).split("-")[1]), []).append(name)
    events = [(round(seconds_at(score, tick), 3), starts[tick]) for tick in sorted(starts)]
    cursor = []
    for tick in sorted(starts):
        bar = next(bar for bar in reversed(bars) if bar.first_tick <= tick)
        cursor.append(
            (round(seconds_at(score, tick), 3), min(places[name] for name in starts[tick]), bar.y, bar.height)
        )
    return Engraving(_text_of(root), width_of, height_of, bars, events, cursor)


def pdf(score: Score, *, parts: Which = "lead") -> bytes:
    """The score as vector PDF on A4, with its title, and page numbers where there are several pages."""
    size = 1.0 if parts == "lead" else 0.7
    options = {
        "pageWidth": round((_A4[0] - 300) / size),
        "pageHeight": round((_A4[1] - 380) / size),
        "scale": 100,
        "header": "auto",
        "pageMarginLeft": 40,
        "pageMarginRight": 0,
        "pageMarginTop": 0,
        "pageMarginBottom": 0,
    }
    pages = _pages(chosen(score, parts), options, "p-")
    for later in pages[1:]:  # verovio numbers its pages too
        for parent in list(later.iter()):
            for head in [child for child in parent if "pgHead" in child.get("class", "")]:
                parent.remove(head)
    return pdf_of([_text_of(root) for root in pages], score.title)


def chosen(score: Score, parts: Which) -> Score:
    """The score with the melody alone, or as it is; a score without melody keeps its first part."""
    if parts == "all":
        return score
    lead = [part for part in score.parts if part.role == "melody"] or list(score.parts)
    return replace(score, parts=tuple(lead[:1]))


def _pages(score: Score, options: dict[str, Any], prefix: str) -> list[Element]:
    """The pages as SVG trees, cleaned: own ids only, no fonts, no colours but the page's."""
    fixed = {
        "inputFrom": "musicxml",
        "breaks": "auto",
        "footer": "none",
        "svgViewBox": True,
        "svgRemoveXlink": True,
        "smuflTextFont": "none",
        "font": "Leipzig",
        "xmlIdSeed": 1,
        "mnumInterval": 0,
        "condense": "none",
    }
    document = ElementTree.tostring(musicxml_of(score, ids=prefix), encoding="unicode")
    with _lock:
        toolkit = _toolkit()
        toolkit.resetOptions()
        toolkit.setOptions({**fixed, **options})
        if not toolkit.loadData(document):
            raise ValueError("The score could not be engraved.")
        pages = [toolkit.renderToSVG(number + 1) for number in range(toolkit.getPageCount())]
    return [_cleaned(ElementTree.fromstring(page), prefix) for page in pages]


@lru_cache(maxsize=1)
def _toolkit() -> Any:
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    return verovio.toolkit()


def _cleaned(root: Element, prefix: str) -> Element:
    """1. texts in the music font become paths, 2. ids are ours or gone, 3. colours follow the page."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in _LEFT_OUT or "placeholder" in child.get("class", ""):
                parent.remove(child)
            elif child.tag == f"{SVG}text" and has_signs(child):
                place = list(parent).index(child)
                parent.remove(child)
                for offset, element in enumerate(drawn(child)):
                    parent.insert(place + offset, element)
    for element in root.iter():
        name = element.get("id", "")
        if name and not name.startswith(prefix):
            if element.tag == f"{SVG}g" and re.fullmatch(r"[0-9A-F]{4,5}-\w+", name):
                element.set("id", prefix + name.split("-")[0])
            else:
                del element.attrib["id"]
        if element.tag == f"{SVG}use":
            element.set("href", f"#{prefix}{element.get('href', '')[1:].split('-')[0]}")
        if element.get("color") == "black":
            element.set("color", "currentColor")
            element.set("fill", "currentColor")
    root.set("class", "engraving")
    root.attrib.pop("overflow", None)
    root.insert(0, Element(f"{SVG}style"))
    root[0].text = _STYLE
    return root


def _text_of(root: Element) -> str:
    ElementTree.register_namespace("", SVG.strip("{}"))
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", text)


def _placement(root: Element) -> tuple[float, float, float]:
    """The margin's x and y in the drawing's own units, and how many units of the viewBox one of them is."""
    view = float(root.get("viewBox", "0 0 1 1").split()[2])
    inner = next(element for element in root.iter(f"{SVG}svg") if element is not root)
    margin = next(group for group in root.iter(f"{SVG}g") if group.get("class") == "page-margin")
    x, y = (float(number) for number in re.findall(r"-?[\d.]+", margin.get("transform", "0 0")))
    return x, y, view / float(inner.get("viewBox", "0 0 1 1").split()[2])


def _boxes(root: Element, score: Score, prefix: str) -> Iterator[BarBox]:
    """Each measure's box, read from the lines of its staves."""
    known = {f"{prefix}m{measure.number}": measure for measure in measures(score)}
    left, top, scale = _placement(root)
    for group in root.iter(f"{SVG}g"):
        measure = known.get(group.get("id", ""))
        if measure is None:
            continue
        lines = [line.get("d", "") for staff in group if staff.get("class") == "staff" for line in staff]
        numbers = [[float(number) for number in re.findall(r"-?[\d.]+", line)] for line in lines if line]
        xs = [number for line in numbers for number in line[0::2]]
        ys = [number for line in numbers for number in line[1::2]]
        yield BarBox(
            f"{prefix}m{measure.number}",
            measure.number,
            measure.start,
            measure.end - measure.start,
            round(seconds_at(score, measure.start), 3),
            round((min(xs) + left) * scale, 1),
            round((min(ys) + top) * scale, 1),
            round((max(xs) - min(xs)) * scale, 1),
            round((max(ys) - min(ys)) * scale, 1),
        )


def _noteheads(root: Element, prefix: str) -> dict[str, float]:
    """The ids of the notes on the page (rests are silent and not among them), with the x of their heads."""
    left, _, scale = _placement(root)
    places: dict[str, float] = {}
    for element in root.iter(f"{SVG}g"):
        name = element.get("id", "")
        if re.fullmatch(re.escape(prefix) + r"n\d+-\d+-\d+", name):
            head = next((use.get("transform", "") for use in element.iter(f"{SVG}use")), "")
            numbers = re.findall(r"-?[\d.]+", head)
            if numbers:
                places[name] = round((float(numbers[0]) + left) * scale, 1)
    return places
