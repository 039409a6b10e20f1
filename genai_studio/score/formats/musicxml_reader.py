"""Reads MusicXML and compressed MusicXML that anyone may have written: its melody, with the repeats played out.

Source of the elements: https://www.w3.org/2021/06/musicxml40/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree.ElementTree import Element

from genai_studio.errors import InvalidInput
from genai_studio.score.document import MAX_BARS, MAX_NOTES
from genai_studio.score.formats.abc import LETTER_SEMITONES
from genai_studio.score.formats.foreign import Foreign, Heard, Voice, leading, letters, metre_changes
from genai_studio.score.formats.musicxml import SECTION_NAMES
from genai_studio.score.formats.played import Signs, played
from genai_studio.score.formats.untrusted_xml import parse, unpacked
from genai_studio.score.model import KEYS, SCALES, Key

_MAX_PARTS = 64
_UNITS = {
    "whole": Fraction(4), "half": Fraction(2), "quarter": Fraction(1), "eighth": Fraction(1, 2), "16th": Fraction(1, 4)
}  # fmt: skip
_NEAR_MODES = {"ionian": "major", "aeolian": "minor", "lydian": "major", "phrygian": "minor"}


@dataclass
class _Bar:
    """One measure of one part; times from its start, in quarters."""

    duration: Fraction = Fraction(0)
    notes: list[tuple[str, Heard, bool]] = field(default_factory=list)
    """(staff, note, whether it goes on from the one before)."""
    opens: bool = False
    times: int = 0
    rounds: tuple[int, ...] = ()
    mark: str = ""


@dataclass
class _Reading:
    """What carries from measure to measure of one part, and what the piece says on the way."""

    divisions: Fraction = Fraction(1)
    transpose: int = 0
    rounds: tuple[int, ...] = ()
    metres: list[tuple[int, str]] = field(default_factory=list)
    key: Key | None = None
    fifths: int | None = None
    tempo: float = 0.0


def read_musicxml(content: bytes, title: str = "") -> Foreign:
    """The melody of a score, its repeats played out. Raises InvalidInput with one sentence for anything that is not a
    score in one metre with notes."""
    root = parse(unpacked(content) if content[:2] == b"PK" else content)
    if root.tag == "score-timewise":
        raise InvalidInput("This MusicXML is ordered by time; allowed is the usual order, by part.")
    if root.tag != "score-partwise":
        raise InvalidInput("This is not a MusicXML score.")
    names = {entry.get("id", ""): entry.findtext("part-name") or "" for entry in root.iter("score-part")}
    parts: list[tuple[str, list[_Bar]]] = []
    first = _Reading()
    if len(root.findall("part")) > _MAX_PARTS:
        raise InvalidInput(f"This score has {len(root.findall('part')):,} parts; allowed are {_MAX_PARTS}.")
    for number, part in enumerate(root.findall("part")):
        reading = _Reading() if number else first
        parts.append(
            (
                names.get(part.get("id", ""), ""),
                [_bar(measure, place, reading) for place, measure in enumerate(part.findall("measure"))],
            )
        )
    if not any(bars for _, bars in parts):
        raise InvalidInput("This score has no notes.")
    order = _order([bars for _, bars in parts])
    if len(order) > 2 * MAX_BARS:
        raise InvalidInput(f"This score has {len(order):,} bars with its repeats; allowed are {MAX_BARS}.")
    if sum(len(bars[place].notes) for _, bars in parts for place, _ in order if place < len(bars)) > MAX_NOTES:
        raise InvalidInput(f"This score has more than {MAX_NOTES:,} notes, which is the most allowed.")
    lengths = _durations([bars for _, bars in parts])
    voices = [voice for name, bars in parts for voice in _voices(name, bars, order, lengths)]
    if not voices:
        raise InvalidInput("This score has no notes.")
    found = Foreign(
        root.findtext("work/work-title") or root.findtext("movement-title") or title, leading(voices).notes,
        key=first.key, fifths=first.fifths, tempo=first.tempo,
    )  # fmt: skip
    _set_time(found, first, [bars for _, bars in parts], order, lengths)
    return found


def _bar(measure: Element, place: int, reading: _Reading) -> _Bar:
    """One measure, read from left to right."""
    bar = _Bar()
    at = latest = Fraction(0)
    previous = Fraction(0)
    for element in measure:
        if element.tag == "attributes":
            _attributes(element, place, reading)
        elif element.tag == "note" and element.find("grace") is None:
            length = _length(element, reading)
            chord = element.find("chord") is not None
            start = previous if chord else at
            if not chord:
                previous, at = at, at + length
            pitch = _pitch(element.find("pitch"), reading.transpose)
            if pitch is not None and length > 0 and element.find("cue") is None:
                held = any(tie.get("type") == "stop" for tie in element.findall("tie"))
                bar.notes.append((element.findtext("staff") or "1", Heard(start, length, pitch), held))
        elif element.tag == "backup":
            at = max(Fraction(0), at - _length(element, reading))
        elif element.tag == "forward":
            at += _length(element, reading)
        elif element.tag == "barline":
            _barline(element, bar, reading)
        elif element.tag in ("direction", "sound"):
            _direction(element, bar, reading)
        latest = max(latest, at)
    bar.duration = latest
    bar.rounds = bar.rounds or reading.rounds
    return bar


def _length(element: Element, reading: _Reading) -> Fraction:
    return max(Fraction(0), _number(element.findtext("duration"))) / reading.divisions


def _number(text: str | None) -> Fraction:
    """A decimal number; 0 for none. Raises InvalidInput for what is no number."""
    text = (text or "0").strip()
    try:
        if len(text) > 20 or "/" in text or "e" in text.lower():
            raise ValueError
        return Fraction(text)
    except ValueError:
        raise InvalidInput(f"This MusicXML is broken: {text[:20]!r} is not a number.") from None


def _pitch(element: Element | None, transpose: int) -> int | None:
    """The sounding pitch; None for a rest and for drums."""
    if element is None:
        return None
    step = (element.findtext("step") or "").strip()
    if step not in LETTER_SEMITONES:
        raise InvalidInput(f"This MusicXML is broken: {step[:8]!r} is not a note.")
    octave, alter = int(_number(element.findtext("octave"))), round(_number(element.findtext("alter")))
    pitch = 12 * (octave + 1) + LETTER_SEMITONES[step] + alter + transpose
    if not 0 <= pitch <= 127:
        raise InvalidInput("This MusicXML has a note that no instrument can play.")
    return pitch


def _attributes(element: Element, place: int, reading: _Reading) -> None:
    if element.find("divisions") is not None:
        divisions = _number(element.findtext("divisions"))
        if divisions <= 0:
            raise InvalidInput("This MusicXML is broken: a quarter note has no length.")
        reading.divisions = divisions
    time = element.find("time")
    if time is not None:
        beats, unit = time.findtext("beats") or "", time.findtext("beat-type") or ""
        if not beats.strip().isdigit() or not unit.strip().isdigit() or len(time.findall("beats")) != 1:
            raise InvalidInput("This score has a metre that is not plain; allowed is one such as 3/4.")
        metre = f"{int(beats[:4])}/{int(unit[:4])}"
        if not reading.metres or reading.metres[-1][1] != metre:
            reading.metres.append((place, metre))
    key = element.find("key")
    if key is not None and reading.fifths is None and key.find("fifths") is not None:
        reading.fifths = max(-7, min(7, int(_number(key.findtext("fifths")))))
        reading.key = _key(reading.fifths, (key.findtext("mode") or "").strip())
    transpose = element.find("transpose")
    if transpose is not None:
        octaves = int(_number(transpose.findtext("octave-change")))
        reading.transpose = int(_number(transpose.findtext("chromatic"))) + 12 * octaves


def _key(fifths: int, mode: str) -> Key | None:
    """The key of that signature and mode, where it is one of ours; None where the notes must tell."""
    mode = _NEAR_MODES.get(mode, mode)
    signed = [Key(tonic, mode) for tonic in KEYS] if mode in SCALES else []
    return next((key for key in signed if (key.fifths - fifths) % 12 == 0), None)


def _barline(element: Element, bar: _Bar, reading: _Reading) -> None:
    ending = element.find("ending")
    if ending is not None:
        if ending.get("type") == "start":
            numbers = (ending.get("number") or "1").replace(",", " ").split()
            reading.rounds = tuple(int(number) for number in numbers if number.isdigit())[:16]
            bar.rounds = reading.rounds
        else:
            bar.rounds = bar.rounds or reading.rounds
            reading.rounds = ()
    repeat = element.find("repeat")
    if repeat is not None and repeat.get("direction") == "forward":
        bar.opens = True
    elif repeat is not None:
        times = repeat.get("times", "2")
        bar.times = min(16, int(times[:3])) if times.isdigit() else 2


def _direction(element: Element, bar: _Bar, reading: _Reading) -> None:
    """A rehearsal mark, and the first tempo of the piece."""
    mark = (element.findtext("direction-type/rehearsal") or "").strip()
    if mark:
        bar.mark = next((letter for letter, name in SECTION_NAMES.items() if name == mark), mark)[:4]
    sound = element if element.tag == "sound" else element.find("sound")
    if not reading.tempo and sound is not None and sound.get("tempo"):
        reading.tempo = float(_number(sound.get("tempo")))
    metronome = element.find("direction-type/metronome")
    if not reading.tempo and metronome is not None and (metronome.findtext("per-minute") or "").strip().isdigit():
        unit = _UNITS.get(metronome.findtext("beat-unit") or "quarter", Fraction(1))
        dotted = Fraction(3, 2) if metronome.find("beat-unit-dot") is not None else 1
        reading.tempo = float(_number(metronome.findtext("per-minute")) * unit * dotted)


def _order(parts: list[list[_Bar]]) -> list[tuple[int, int]]:
    """The order of play; a sign in any part is a sign for all."""
    signs = []
    for place in range(max(len(bars) for bars in parts)):
        bars = [part[place] for part in parts if place < len(part)]
        rounds = next((bar.rounds for bar in bars if bar.rounds), ())
        signs.append(Signs(any(bar.opens for bar in bars), max(bar.times for bar in bars), rounds))
    return played(signs)


def _durations(parts: list[list[_Bar]]) -> list[Fraction]:
    return [max(part[place].duration for part in parts if place < len(part)) for place in range(max(map(len, parts)))]


def _voices(name: str, bars: list[_Bar], order: list[tuple[int, int]], lengths: list[Fraction]) -> Iterator[Voice]:
    """One voice for each staff of a part that has notes, ties joined."""
    staves: dict[str, list[Heard]] = {}
    at = Fraction(0)
    for place, _ in order:
        if place >= len(bars):
            continue
        for staff, note, held in bars[place].notes:
            line = staves.setdefault(staff, [])
            start = at + note.start
            before = next((old for old in reversed(line[-12:]) if old.pitch == note.pitch), None) if held else None
            if before is not None and before.end == start:
                before.duration += note.duration
            else:
                line.append(Heard(start, note.duration, note.pitch))
        at += lengths[place]
    for staff, line in staves.items():
        yield Voice(name if staff == "1" else f"{name} bass", line)


def _set_time(
    found: Foreign,
    reading: _Reading,
    parts: list[list[_Bar]],
    order: list[tuple[int, int]],
    lengths: list[Fraction],
) -> None:
    """Metre, pickup and sections. Raises InvalidInput where the metre changes."""
    metres = reading.metres or [(0, "4/4")]
    if len(metres) > 1 and metres[1][0] == 1 and lengths[0] < _quarters(metres[1][1]):
        metres = metres[1:]
    if len(metres) > 1:
        raise InvalidInput(metre_changes(metres[0][1], metres[1][1]))
    found.metre = metres[0][1]
    if lengths[0] < _quarters(found.metre) and len(lengths) > 1:
        found.pickup = lengths[0]
    marked = any(bar.mark for bars in parts for bar in bars)
    repeated = any(place != number for number, (place, _) in enumerate(order))
    names: dict[int, str] = {}
    letter = letters()
    at = Fraction(0)
    for number, (place, start) in enumerate(order):
        mark = next((part[place].mark for part in parts if place < len(part) and part[place].mark), "")
        if marked and mark:
            found.marks.append((at, mark))
        elif not marked and repeated and (place == start or number == 0):
            if start not in names:
                names[start] = next(letter)
            found.marks.append((at, names[start]))
        at += lengths[place]


def _quarters(metre: str) -> Fraction:
    beats, unit = metre.split("/")
    return Fraction(4 * int(beats), max(1, int(unit)))
