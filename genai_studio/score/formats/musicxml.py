"""MusicXML 4.0: the score as sheet music for any notation program. Repeats are written out, as the parts differ.

Source of the element order and names: https://www.w3.org/2021/06/musicxml40/
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from genai_studio.score.model import INTRODUCTION, TAG, TICKS, Chord, Part, Score
from genai_studio.score.sheet.staff import Event, Measure, beams, measures, staff, tuplets

_DRUM_LINES = {35: ("E", 4), 36: ("F", 4), 38: ("C", 5), 41: ("A", 4), 42: ("G", 5), 43: ("D", 5)}
SECTION_NAMES = {INTRODUCTION: "Intro", TAG: "Ending"}
"""What stands over the sections that are not called by their letter."""
_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<!DOCTYPE score-partwise PUBLIC '
    '"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)


def write_musicxml(score: Score, path: Path) -> None:
    """Writes one uncompressed file. The same score gives the same bytes: no date and no random name is in it."""
    root = musicxml_of(score)
    indent(root)
    with path.open("wb") as file:
        file.write(_DOCTYPE.encode())
        ElementTree(root).write(file, encoding="UTF-8", xml_declaration=False)


def musicxml_of(score: Score, *, ids: str = "") -> Element:
    """The document's root. With `ids`, measures are called "<ids>m<number>" and notes "<ids>n<part>-<tick>-<pitch>",
    the tick being where the written note (not what it is tied to) starts."""
    root = Element("score-partwise", version="4.0")
    work = SubElement(root, "work")
    SubElement(work, "work-title").text = printable(score.title)
    encoding = SubElement(SubElement(root, "identification"), "encoding")
    SubElement(encoding, "software").text = "GenAI Studio"
    names = SubElement(root, "part-list")
    for index, part in enumerate(score.parts):
        _declare(names, part, index)
    for index, part in enumerate(score.parts):
        element = SubElement(root, "part", id=f"P{index + 1}")
        for measure, events in zip(measures(score), staff(score, part), strict=True):
            _measure(element, score, index, measure, events, ids)
    return root


def printable(text: str) -> str:
    """`text` without what XML cannot hold: control characters and halves of letters."""
    return "".join(
        letter
        for letter in text
        if letter >= " " and letter not in "\x7f\ufffe\uffff" and not "\ud800" <= letter <= "\udfff"
    )


def _declare(names: Element, part: Part, index: int) -> None:
    """The part's entry in the part list, with its General MIDI sound; drums name each of their sounds."""
    identity = f"P{index + 1}"
    entry = SubElement(names, "score-part", id=identity)
    SubElement(entry, "part-name").text = printable(part.name)
    sounds = sorted({note.pitch for note in part.notes}) if part.drums else [0]
    for sound in sounds:
        instrument = SubElement(entry, "score-instrument", id=f"{identity}-I{sound}")
        SubElement(instrument, "instrument-name").text = printable(part.name) + (f" {sound}" if part.drums else "")
    channel = 10 if part.drums else index % 15 + 1 + (index % 15 >= 9)
    for sound in sounds:
        midi = SubElement(entry, "midi-instrument", id=f"{identity}-I{sound}")
        SubElement(midi, "midi-channel").text = str(channel)
        SubElement(midi, "midi-program").text = str(part.program + 1)
        if part.drums:
            SubElement(midi, "midi-unpitched").text = str(sound + 1)


def _measure(parent: Element, score: Score, index: int, measure: Measure, events: Sequence[Event], ids: str) -> None:
    """One measure of one part; the first part also carries the rehearsal marks, the tempo and the chord names."""
    part = score.parts[index]
    element = SubElement(parent, "measure", number=str(measure.number))
    if measure.number == 0:
        element.set("implicit", "yes")
    if ids and index == 0:
        element.set("id", f"{ids}m{measure.number}")
    if measure.start == 0:
        _opening(element, score, part)
    # On the studio's own pages the tempo stands over the first full bar, where chord names keep clear of it.
    if index == 0 and (measure.number == 1 if ids else measure.start == 0):
        _tempo(element, score)
    section = next((section for section in score.sections if section.first_bar == measure.number - 1), None)
    if index == 0 and section and len(score.sections) > 1:
        direction = SubElement(SubElement(element, "direction", placement="above"), "direction-type")
        SubElement(direction, "rehearsal").text = printable(SECTION_NAMES.get(section.letter, section.letter))
    chords = [chord for chord in score.chords if measure.start <= chord.start < measure.end] if index == 0 else []
    marked, brackets = beams(events, measure, score), tuplets(events)
    for place, event in enumerate(events):
        for chord in chords:
            if event.start <= chord.start < event.start + event.duration:
                _harmony(element, score, chord, chord.start - event.start)
        name = f"{ids}n{index}-{event.start}-" if ids else ""
        _notes(element, score, index, event, marked[place], brackets.get(place), name)
    if measure.end == score.ticks:
        bar = SubElement(element, "barline", location="right")
        SubElement(bar, "bar-style").text = "light-heavy"


def _opening(measure: Element, score: Score, part: Part) -> None:
    attributes = SubElement(measure, "attributes")
    SubElement(attributes, "divisions").text = str(TICKS)
    key = SubElement(attributes, "key")
    SubElement(key, "fifths").text = "0" if part.drums else str(score.key.fifths)
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


def _tempo(measure: Element, score: Score) -> None:
    direction = SubElement(measure, "direction", placement="above")
    metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
    SubElement(metronome, "beat-unit").text = "quarter"
    if score.compound:
        SubElement(metronome, "beat-unit-dot")
    SubElement(metronome, "per-minute").text = f"{score.tempo:g}"
    SubElement(direction, "sound", tempo=f"{score.quarters_per_minute:g}")


def _notes(
    measure: Element, score: Score, index: int, event: Event, marked: Sequence[str], bracket: str | None, name: str
) -> None:
    """The event's note elements, in the order that the schema asks for."""
    part = score.parts[index]
    for place, pitch in enumerate(event.pitches or (None,)):
        note = SubElement(measure, "note")
        if name:
            note.set("id", f"{name}{'r' if pitch is None else pitch}")
        if place:
            SubElement(note, "chord")
        if pitch is None:
            SubElement(note, "rest", {"measure": "yes"} if event.whole_measure else {})
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
        if not event.whole_measure:
            _value(note, event)
        if place == 0:
            for level, beam in enumerate(marked):
                SubElement(note, "beam", number=str(level + 1)).text = beam
        if ties or (bracket and place == 0):
            notations = SubElement(note, "notations")
            for kind in ties:
                SubElement(notations, "tied", type=kind)
            if bracket and place == 0:
                SubElement(notations, "tuplet", type=bracket)


def _value(note: Element, event: Event) -> None:
    SubElement(note, "type").text = event.name
    for _ in range(event.dots):
        SubElement(note, "dot")
    if event.triplet:
        modification = SubElement(note, "time-modification")
        SubElement(modification, "actual-notes").text = "3"
        SubElement(modification, "normal-notes").text = "2"


def _harmony(measure: Element, score: Score, chord: Chord, offset: int) -> None:
    letter, alteration, _ = score.key.spell(60 + chord.root)
    harmony = SubElement(measure, "harmony")
    root = SubElement(harmony, "root")
    SubElement(root, "root-step").text = letter
    if alteration:
        SubElement(root, "root-alter").text = str(alteration)
    SubElement(harmony, "kind", text=chord.suffix).text = chord.kind
    if offset:
        SubElement(harmony, "offset").text = str(offset)
