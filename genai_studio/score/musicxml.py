"""MusicXML 4.0: the score as sheet music for any notation program. Repeats are written out, as the parts differ.

Source of the element order and names: https://www.w3.org/2021/06/musicxml40/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from genai_studio.score.model import TICKS, Chord, Part, Score

_PLAIN = {3: ("32nd", 0), 6: ("16th", 0), 9: ("16th", 1), 12: ("eighth", 0), 18: ("eighth", 1), 21: ("eighth", 2),
          24: ("quarter", 0), 36: ("quarter", 1), 42: ("quarter", 2), 48: ("half", 0), 72: ("half", 1), 84: ("half", 2),
          96: ("whole", 0), 144: ("whole", 1)}  # fmt: skip
_TRIPLET = {2: "32nd", 4: "16th", 8: "eighth", 16: "quarter", 32: "half"}
_FLAGS = {"eighth": 1, "16th": 2, "32nd": 3}
_DRUM_LINES = {35: ("E", 4), 36: ("F", 4), 38: ("C", 5), 41: ("A", 4), 42: ("G", 5), 43: ("D", 5)}
_KINDS = {"major": "", "minor": "m", "dominant": "7", "diminished": "dim"}


@dataclass
class _Event:
    """Notes (or a rest) of one length inside one bar, as they will stand on the staff."""

    start: int
    duration: int
    pitches: tuple[int, ...]
    tied_from: bool = False
    tied_to: bool = False

    @property
    def name(self) -> str:
        return _PLAIN[self.duration][0] if self.duration in _PLAIN else _TRIPLET[self.duration]

    @property
    def triplet(self) -> bool:
        return self.duration in _TRIPLET


def write_musicxml(score: Score, path: Path) -> None:
    """Writes one uncompressed file. The same score gives the same bytes: no date and no random name is in it."""
    root = Element("score-partwise", version="4.0")
    work = SubElement(root, "work")
    SubElement(work, "work-title").text = score.title
    encoding = SubElement(SubElement(root, "identification"), "encoding")
    SubElement(encoding, "software").text = "GenAI Studio"
    names = SubElement(root, "part-list")
    for index, part in enumerate(score.parts):
        _declare(names, part, index)
    for index, part in enumerate(score.parts):
        element = SubElement(root, "part", id=f"P{index + 1}")
        for number, start, end in _measures(score):
            _measure(element, score, part, index, number, start, end)
    indent(root)
    doctype = (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<!DOCTYPE score-partwise PUBLIC '
        '"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
    )
    with path.open("wb") as file:
        file.write(doctype.encode())
        ElementTree(root).write(file, encoding="UTF-8", xml_declaration=False)


def _measures(score: Score) -> list[tuple[int, int, int]]:
    """(number, start, end) of every measure; the pickup is measure 0 and the last one is short by it."""
    pickup, length = score.pickup, score.bar_ticks
    measures = [(0, 0, pickup)] if pickup else []
    for bar in range(score.bars):
        start = pickup + bar * length
        measures.append((bar + 1, start, min(start + length, score.ticks)))
    return measures


def _declare(names: Element, part: Part, index: int) -> None:
    """The part's entry in the part list, with its General MIDI sound; drums name each of their sounds."""
    identity = f"P{index + 1}"
    entry = SubElement(names, "score-part", id=identity)
    SubElement(entry, "part-name").text = part.name
    sounds = sorted({note.pitch for note in part.notes}) if part.drums else [0]
    for sound in sounds:
        instrument = SubElement(entry, "score-instrument", id=f"{identity}-I{sound}")
        SubElement(instrument, "instrument-name").text = part.name if not part.drums else f"{part.name} {sound}"
    channel = 10 if part.drums else index % 15 + 1 + (index % 15 >= 9)
    for sound in sounds:
        midi = SubElement(entry, "midi-instrument", id=f"{identity}-I{sound}")
        SubElement(midi, "midi-channel").text = str(channel)
        SubElement(midi, "midi-program").text = str(part.program + 1)
        if part.drums:
            SubElement(midi, "midi-unpitched").text = str(sound + 1)


def _measure(parent: Element, score: Score, part: Part, index: int, number: int, start: int, end: int) -> None:
    attributes = {"number": str(number)}
    if number == 0:
        attributes["implicit"] = "yes"
    measure = SubElement(parent, "measure", attributes)
    if start == 0:
        _opening(measure, score, part, first=index == 0)
    if index == 0 and (number - 1) in score.section_starts and number > 1:
        direction = SubElement(SubElement(measure, "direction", placement="above"), "direction-type")
        SubElement(direction, "rehearsal").text = str(score.section_starts.index(number - 1) + 1)
    events = _events(part, start, end)
    beams = _beams(events, score, start if number else end - score.bar_ticks)
    tuplets = _tuplets(events)
    for place, event in enumerate(events):
        if index == 0:
            for chord in score.chords:
                if event.start <= chord.start < event.start + event.duration:
                    _harmony(measure, score, chord, chord.start - event.start)
        _notes(measure, score, part, index, event, beams[place], tuplets.get(place))
    if end == score.ticks:
        bar = SubElement(measure, "barline", location="right")
        SubElement(bar, "bar-style").text = "light-heavy"


def _opening(measure: Element, score: Score, part: Part, *, first: bool) -> None:
    attributes = SubElement(measure, "attributes")
    SubElement(attributes, "divisions").text = str(TICKS)
    key = SubElement(attributes, "key")
    SubElement(key, "fifths").text = str(score.key.fifths)
    SubElement(key, "mode").text = score.key.mode
    beats, unit = score.metre.split("/")
    time = SubElement(attributes, "time")
    SubElement(time, "beats").text = beats
    SubElement(time, "beat-type").text = unit
    clef = SubElement(attributes, "clef")
    mean = sum(note.pitch for note in part.notes) / max(1, len(part.notes))
    sign, line = ("percussion", 0) if part.drums else ("G", 2) if mean >= 57 else ("F", 4)
    SubElement(clef, "sign").text = sign
    if line:
        SubElement(clef, "line").text = str(line)
    if first:
        direction = SubElement(measure, "direction", placement="above")
        metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
        SubElement(metronome, "beat-unit").text = "quarter"
        if score.compound:
            SubElement(metronome, "beat-unit-dot")
        SubElement(metronome, "per-minute").text = f"{score.tempo:g}"
        SubElement(direction, "sound", tempo=f"{score.quarters_per_minute:g}")


def _events(part: Part, start: int, end: int) -> list[_Event]:
    """The bar from `start` to `end` as events that fill it: notes that start together are one, gaps are rests."""
    onsets = sorted({max(start, note.start) for note in part.notes if note.end > start and note.start < end})
    events: list[_Event] = []
    at = start
    for place, onset in enumerate(onsets):
        sounding = [note for note in part.notes if max(start, note.start) == onset and note.end > onset]
        until = min([end, *onsets[place + 1 : place + 2], max(note.end for note in sounding)])
        if onset > at:
            events += _split(at, onset, (), False, False)
        pitches = tuple(sorted(note.pitch for note in sounding))
        held = any(note.start < start for note in sounding)
        goes_on = until == end and any(note.end > end for note in sounding)
        events += _split(onset, until, pitches, held, goes_on)
        at = until
    if at < end:
        events += _split(at, end, (), False, False)
    return events


def _split(start: int, end: int, pitches: tuple[int, ...], held: bool, goes_on: bool) -> list[_Event]:
    """One stretch as the fewest plain note values, tied together; triplets stay whole."""
    pieces: list[int] = []
    left = end - start
    while left:
        size = left if left in _PLAIN or left in _TRIPLET else max(value for value in (*_PLAIN, 2, 1) if value < left)
        pieces.append(size)
        left -= size
    events = []
    at = start
    for number, size in enumerate(pieces):
        first, last = number == 0, number == len(pieces) - 1
        events.append(_Event(at, size, pitches, held if first else True, goes_on if last else True))
        at += size
    return events


def _notes(
    measure: Element, score: Score, part: Part, index: int, event: _Event, beams: Sequence[str], tuplet: str | None
) -> None:
    """The event's note elements, in the order that the schema asks for."""
    for place, pitch in enumerate(event.pitches or (None,)):
        note = SubElement(measure, "note")
        if place:
            SubElement(note, "chord")
        if pitch is None:
            SubElement(note, "rest")
        elif part.drums:
            unpitched = SubElement(note, "unpitched")
            step, octave = _DRUM_LINES.get(pitch, ("C", 5))
            SubElement(unpitched, "display-step").text = step
            SubElement(unpitched, "display-octave").text = str(octave)
        else:
            letter, alteration, octave = score.key.spell(pitch)
            element = SubElement(note, "pitch")
            SubElement(element, "step").text = letter
            if alteration:
                SubElement(element, "alter").text = str(alteration)
            SubElement(element, "octave").text = str(octave)
        SubElement(note, "duration").text = str(event.duration)
        ties = [kind for kind, on in (("stop", event.tied_from), ("start", event.tied_to)) if on and pitch is not None]
        for kind in ties:
            SubElement(note, "tie", type=kind)
        if part.drums and pitch is not None:
            SubElement(note, "instrument", id=f"P{index + 1}-I{pitch}")
        SubElement(note, "voice").text = "1"
        SubElement(note, "type").text = event.name
        for _ in range(0 if event.triplet else _PLAIN[event.duration][1]):
            SubElement(note, "dot")
        if event.triplet:
            modification = SubElement(note, "time-modification")
            SubElement(modification, "actual-notes").text = "3"
            SubElement(modification, "normal-notes").text = "2"
        if place == 0:
            for level, beam in enumerate(beams):
                SubElement(note, "beam", number=str(level + 1)).text = beam
        if ties or (tuplet and place == 0):
            notations = SubElement(note, "notations")
            for kind in ties:
                SubElement(notations, "tied", type=kind)
            if tuplet and place == 0:
                SubElement(notations, "tuplet", type=tuplet)


def _harmony(measure: Element, score: Score, chord: Chord, offset: int) -> None:
    letter, alteration, _ = score.key.spell(60 + chord.root)
    harmony = SubElement(measure, "harmony")
    root = SubElement(harmony, "root")
    SubElement(root, "root-step").text = letter
    if alteration:
        SubElement(root, "root-alter").text = str(alteration)
    SubElement(harmony, "kind", text=_KINDS[chord.kind]).text = chord.kind
    if offset:
        SubElement(harmony, "offset").text = str(offset)


def _beams(events: Sequence[_Event], score: Score, bar_start: int) -> list[list[str]]:
    """For each event its beams, first level first, joining what shares a beat (half a bar in 4/4)."""
    span = 48 if score.metre == "4/4" else score.beat_ticks
    groups: dict[int, list[int]] = {}
    for place, event in enumerate(events):
        if event.pitches and event.name in _FLAGS:
            groups.setdefault((event.start - bar_start) // span, []).append(place)
    beams: list[list[str]] = [[] for _ in events]
    for group in groups.values():
        for run in _runs(group):
            for level in range(1, 4):
                for start, stop in _stretches([_FLAGS[events[place].name] >= level for place in run]):
                    if stop - start > 1:
                        for number in range(start, stop):
                            kind = "begin" if number == start else "end" if number == stop - 1 else "continue"
                            beams[run[number]].append(kind)
                    elif level > 1 and len(run) > 1:
                        beams[run[start]].append("backward hook" if start else "forward hook")
    return beams


def _runs(places: Sequence[int]) -> list[list[int]]:
    """Places cut where one is missing (a rest or a long note between)."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _stretches(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """The (start, stop) of each stretch of True."""
    stretches: list[tuple[int, int]] = []
    start: int | None = None
    for place, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = place
        elif not flag and start is not None:
            stretches.append((start, place))
            start = None
    return stretches


def _tuplets(events: Sequence[_Event]) -> dict[int, str]:
    """Places where a triplet bracket starts or stops."""
    marks: dict[int, str] = {}
    filled = 0
    for place, event in enumerate(events):
        if not event.triplet:
            filled = 0
            continue
        if filled == 0:
            marks[place] = "start"
        filled += event.duration
        if filled % 3 == 0:
            marks[place] = "stop"
            filled = 0
    return marks
