"""From printed tune books to training tunes: read, cut into sections, named, deduplicated, split.

Sources are three collections in the music21 wheel's corpus, of music printed from 1782 to 1903. Whatever does not fit
the grid, the vocabulary or the bar arithmetic is left out and counted, never bent until it fits.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from genai_studio.models.tunes.tokens import (
    ANY,
    BARS,
    HIGHEST_STEP,
    LOWEST_STEP,
    MAX_SECTION_BARS,
    MAX_TOKENS,
    MODES,
    PICKUPS,
    POSITIONS,
    WRITTEN_FORMS,
    Header,
    Section,
    Tune,
    TuneNote,
    encode,
)
from genai_studio.models.tunes.twins import clusters_of, without_copies
from genai_studio.score.formats.abc import AbcBar, AbcError, AbcKey, AbcTune, parse_tune, split_tunes
from genai_studio.score.model import METRES, TICKS

COLLECTIONS = {
    "ryansMammoth": "Ryan's Mammoth Collection, Boston 1883",
    "oneills1850": "O'Neill's Music of Ireland (1850 melodies), Chicago 1903",
    "airdsAirs": "Aird's Selection of Scotch, English, Irish and Foreign Airs, Glasgow 1782-1801",
}
"""Folder in music21's corpus to the book."""
_GRID = {0, *POSITIONS}
_BOUNDARY = re.compile(r":|\|\||\|\]|\[\|")
_RHYTHMS = (
    ("slip jig", r"slip ?jig|hop jig"),
    ("strathspey", r"strathspey|fling|highland schottische"),
    ("hornpipe", r"hornpipe|clog"),
    ("march", r"march|quick ?step|troop|retreat|grenadier|parade|r[ea]veill|slow step|walk ?around"),
    ("waltz", r"waltz|minuet"),
    ("jig", r"\bjig|jigg|slide"),
    ("reel", r"\breel"),
    ("air", r"\bair\b|planxty|lament|slow"),
)
_NATURAL_METRES = {
    "reel": ("4/4", "2/4"),
    "hornpipe": ("4/4", "2/4"),
    "strathspey": ("4/4", "2/4"),
    "jig": ("6/8",),
    "slip jig": ("9/8",),
    "waltz": ("3/4",),
    "march": ("4/4", "2/4", "6/8"),
}
_ONEILL_CHAPTERS = (("air", 1, 692), ("reel", 1176, 1555), ("hornpipe", 1556, 1780))  # the book's own chapters
_DOUBLED = ("reel", "hornpipe", "strathspey")  # printed in 2/4 with sixteenths by some, in 4/4 with eighths by most


@dataclass(frozen=True)
class SourceTune:
    """A training tune and where it was printed."""

    tune: Tune
    title: str
    collection: str
    number: int
    file: str


@dataclass(frozen=True)
class Corpus:
    """Training and held-out tunes: no tune of one has a near twin in the other. `left_out` counts reasons."""

    training: list[SourceTune]
    held_out: list[SourceTune]
    left_out: Counter[str]


def read_corpus(folder: Path, held_out_share: float = 0.05) -> Corpus:
    """The three collections under `folder` (music21's `corpus`), deduplicated and split by near-duplicate cluster."""
    left_out: Counter[str] = Counter()
    found: list[SourceTune] = []
    for collection in COLLECTIONS:
        for path in sorted((folder / collection).glob("*.abc")):
            for text in split_tunes(path.read_text(encoding="utf-8", errors="replace")):
                try:
                    printed = parse_tune(text)
                    tune = tune_from_print(printed, collection)
                except AbcError as error:
                    left_out[str(error).replace(text[:20], "")] += 1
                    continue
                found.append(SourceTune(tune, printed.title, collection, printed.number, path.name))
    clusters = clusters_of(found)
    training: list[SourceTune] = []
    held_out: list[SourceTune] = []
    for cluster in clusters:
        kept = without_copies([found[index] for index in cluster])
        left_out["The same tune is printed twice."] += len(cluster) - len(kept)
        name = min(f"{source.collection}/{source.file}/{source.number}" for source in kept)
        draw = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
        (held_out if draw < held_out_share else training).extend(kept)
    return Corpus(training, held_out, left_out)


def manifest(corpus: Corpus) -> list[dict[str, str | int]]:
    """One row a tune: split, file in music21's corpus, number and title; the provenance of the weights."""
    return [
        {"split": split, "file": f"{source.collection}/{source.file}", "number": source.number, "title": source.title}
        for split, sources in (("training", corpus.training), ("held out", corpus.held_out))
        for source in sources
    ]


def tune_from_print(printed: AbcTune, collection: str) -> Tune:
    """A printed tune to a training tune. Raises `AbcError` with the reason when it does not fit."""
    metre = f"{printed.metre[0]}/{printed.metre[1]}"
    if metre not in METRES:
        raise AbcError("The metre is not one of the five.")
    style = _style(printed, collection, metre)
    factor = 1
    if metre == "2/4" and style in _DOUBLED:
        metre, factor = "4/4", 2
    bars = [_ticks(bar, factor) for bar in printed.bars]
    pieces = _sections(printed.bars, bars, METRES[metre])
    if not pieces:
        raise AbcError("No section adds up to whole bars.")
    key = _true_key(printed.key, pieces)
    if key.mode not in MODES:
        raise AbcError("The mode is not one of the four.")
    tonic = 60 + key.tonic
    sections = [_section(piece, tonic, METRES[metre]) for piece in pieces]
    pickup = sections[0].pickup
    tune = Tune(Header(metre, style=style, mode=key.mode, pickup=pickup), tuple(sections))
    while len(encode(tune)) > MAX_TOKENS - 8:
        if len(tune.sections) == 1:
            raise AbcError("The tune is too long.")
        tune = replace(tune, sections=tune.sections[:-1])
    return replace(tune, header=describe(tune))


def describe(tune: Tune) -> Header:
    """The tune's header with bars, form, density, register and range measured from its notes."""
    bars = sum(section.bars for section in tune.sections)
    notes = tune.notes
    steps = [note.step for note in notes]
    span = max(steps) - min(steps)
    eighths = bars * tune.header.bar_ticks / (TICKS / 2)
    rate = len(notes) / eighths
    mean = sum(steps) / len(steps)
    return replace(
        tune.header,
        bars=bars if bars in BARS else ANY,
        density="sparse" if rate < 0.7 else "medium" if rate < 0.92 else "dense",
        register="low" if mean < 5 else "middle" if mean < 9 else "high",
        form=WRITTEN_FORMS[len(tune.sections) - 1] if len(tune.sections) <= len(WRITTEN_FORMS) else ANY,
        range="narrow" if span < 16 else "medium" if span < 19 else "wide",
    )


def _style(printed: AbcTune, collection: str, metre: str) -> str:
    for text in (printed.rhythm, printed.title):
        for style, pattern in _RHYTHMS:
            if re.search(pattern, text, re.IGNORECASE) and metre in _NATURAL_METRES.get(style, (metre,)):
                return style
    if metre == "9/8":
        return "slip jig"
    if collection == "oneills1850":
        for style, first, last in _ONEILL_CHAPTERS:
            if first <= printed.number <= last and metre in _NATURAL_METRES.get(style, (metre,)):
                return style
    if metre == "6/8":
        return "jig"
    if collection == "ryansMammoth" and metre in ("4/4", "2/4"):
        return "reel"
    return "waltz" if metre == "3/4" else ANY


def _ticks(bar: AbcBar, factor: int) -> list[tuple[int | None, int, int, bool]]:
    """A bar's notes as (pitch, start, end, tied) in ticks from the bar's start; raises `AbcError` off the grid."""
    notes: list[tuple[int | None, int, int, bool]] = []
    at = Fraction(0)
    for note in bar.notes:
        end = at + note.duration * TICKS * factor
        if end.denominator != 1 or at.denominator != 1:
            raise AbcError("A note is off the grid.")
        notes.append((note.pitch, int(at), int(end), note.tied))
        at = end
    return notes


Piece = list[list[tuple[int | None, int, int, bool]]]


def _length(bar: Sequence[tuple[int | None, int, int, bool]]) -> int:
    return bar[-1][2]


def _sections(printed: list[AbcBar], bars: Piece, length: int) -> list[tuple[int, Piece]]:
    """Runs of bars between repeat signs or double bars, second endings preferred, as (pickup in ticks, bars)."""
    groups: list[dict[int, Piece]] = []
    previous_ending = 0
    for index, (bar, notes) in enumerate(zip(printed, bars, strict=True)):
        second = bar.ending == 2 or (previous_ending == 2 and bar.ending == 2)
        starts = bool(_BOUNDARY.search(bar.opens)) or (index > 0 and bool(_BOUNDARY.search(printed[index - 1].closes)))
        if not groups or (starts and not second):
            groups.append(defaultdict(list))
        groups[-1][bar.ending].append(notes)
        previous_ending = bar.ending
    pieces = [_whole(group, length) for group in groups]
    merged: list[tuple[int, Piece]] = []
    for pickup, piece in (found for found in pieces if found is not None):
        if (
            merged
            and not pickup
            and (len(piece) < 4 or len(merged[-1][1]) < 4)
            and _length(merged[-1][1][-1]) == length
        ):
            before = merged.pop()
            merged.append((before[0], before[1] + piece))
        else:
            merged.append((pickup, piece))
    split: list[tuple[int, Piece]] = []
    for pickup, piece in merged:
        count = len(piece) - (1 if pickup else 0)
        if count > MAX_SECTION_BARS and not pickup and count % 8 == 0:
            split += [(0, piece[start : start + 8]) for start in range(0, count, 8)]
        elif 4 <= count <= MAX_SECTION_BARS:
            split.append((pickup, piece))
    return split


def _whole(group: dict[int, Piece], length: int) -> tuple[int, Piece] | None:
    """A section's bars with their pickup in ticks, or None where its inner bars are not all full."""
    for ending in (2, 1, 0):
        if ending and not group.get(ending):
            continue
        piece = _join_halves(group.get(0, []) + (group.get(ending, []) if ending else []), length)
        if len(piece) < 2:
            continue
        pickup = _length(piece[0]) if _length(piece[0]) < length else 0
        inner = piece[1 if pickup else 0 : -1]
        last = _length(piece[-1])
        if all(_length(bar) == length for bar in inner) and last <= length and pickup in PICKUPS:
            return pickup, piece
    return None


def _join_halves(piece: Piece, length: int) -> Piece:
    """Two part bars in a row inside a section that make one full bar (a double bar line in its middle) become one."""
    joined: Piece = []
    for index, bar in enumerate(piece):
        before = joined[-1] if len(joined) > 1 and index < len(piece) else None
        if before is not None and _length(before) < length and _length(before) + _length(bar) == length:
            shift = _length(before)
            joined[-1] = before + [(pitch, start + shift, end + shift, tied) for pitch, start, end, tied in bar]
        else:
            joined.append(bar)
    return joined


def _true_key(key: AbcKey, pieces: list[tuple[int, Piece]]) -> AbcKey:
    """The key that the notes speak for: old books print a major signature over tunes in a related mode.

    The tune's last note may name the second (dorian), fifth (mixolydian) or sixth (minor) degree of the signature as
    tonic; it is believed where that degree and its fifth also sound longer than the printed tonic and its fifth.
    """
    if key.mode != "major":
        return key
    weights: Counter[int] = Counter()
    for _, piece in pieces:
        for bar in piece:
            for pitch, start, end, _ in bar:
                if pitch is not None:
                    weights[pitch % 12] += end - start
    last = next((pitch for pitch, *_ in reversed(pieces[-1][1][-1]) if pitch is not None), None)
    degree = None if last is None else (last - key.tonic) % 12
    mode = {2: "dorian", 7: "mixolydian", 9: "minor"}.get(degree) if degree is not None else None
    if mode is None or last is None:
        return key
    tonic = last % 12
    factor = 1.6 if mode == "mixolydian" else 1.0
    spoken = weights[tonic] + weights[(tonic + 7) % 12]
    printed = weights[key.tonic] + weights[(key.tonic + 7) % 12]
    return AbcKey(tonic, key.fifths, mode) if spoken > factor * printed else key


def _section(piece: tuple[int, Piece], tonic: int, length: int) -> Section:
    pickup, bars = piece
    notes: list[TuneNote] = []
    tied = False
    at = -pickup
    for index, bar in enumerate(bars):
        for pitch, start, end, ties in bar:
            if pitch is not None:
                step = pitch - tonic
                if not LOWEST_STEP <= step <= HIGHEST_STEP:
                    raise AbcError("A note is out of range.")
                if tied and notes and notes[-1].step == step and notes[-1].end == at + start:
                    notes[-1] = replace(notes[-1], end=at + end)
                else:
                    notes.append(TuneNote(step, at + start, at + end))
            tied = ties
        at = (index + (0 if pickup else 1)) * length
    if not notes:
        raise AbcError("A section has no notes.")
    for note in notes:
        if note.start % length not in _GRID or (note.end % length not in _GRID):
            raise AbcError("A note is off the grid.")
    return Section(len(bars) - (1 if pickup else 0), pickup, tuple(notes))
