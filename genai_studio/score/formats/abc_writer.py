"""ABC notation: the melody with its chord symbols as text that folk musicians share and edit.

Source of the rules: https://abcnotation.com/wiki/abc:standard:v2.1
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from genai_studio.score.formats.musicxml import printable
from genai_studio.score.model import Key, Part, Score
from genai_studio.score.sheet.staff import PLAIN, TRIPLET, Event, Measure, measures, staff, tuplets

_UNIT = 12
"""Ticks of the unit note length, an eighth."""
_BARS_A_LINE = 4
_SIGNS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
_FLATS, _SHARPS = "BEADGCF", "FCGDAEB"
_MODES = {"major": "", "minor": "m", "dorian": "dor", "mixolydian": "mix"}


def write_abc(score: Score, path: Path) -> None:
    """Writes one tune as UTF-8. The same score gives the same bytes. A score without melody writes its first part."""
    path.write_text(abc_of(score), encoding="utf-8", newline="\n")


def abc_of(score: Score) -> str:
    """The tune's text: header, then four bars a line, each section beginning a line of its own."""
    lead = next((part for part in score.parts if part.role == "melody"), score.parts[0] if score.parts else None)
    beat = "3/8" if score.compound else "1/4"
    lines = ["X:1", f"T:{_line(score.title)}"]
    lines += [f"R:{_line(score.style)}"] if score.style else []
    lines += [f"M:{score.metre}", "L:1/8", f"Q:{beat}={score.tempo:g}", f"K:{key_name(score.key)}"]
    part = lead or Part("", "melody", 0, ())
    sections = {section.first_bar + 1: section.letter for section in score.sections}
    row: list[str] = []
    bars_in_row = 0
    for measure, events in zip(measures(score), staff(score, part), strict=True):
        letter = sections.get(measure.number)
        if row and (letter or bars_in_row == _BARS_A_LINE) and measure.number > 1:
            lines.append(" ".join(row))
            row, bars_in_row = [], 0
        if letter and measure.number > 1:
            lines.append(f"P:{_line(letter)}")
        elif measure.start == 0 and sections.get(1):
            lines.append(f"P:{_line(sections[1])}")
        row.append(_measure(score, measure, events) + (" |]" if measure.end == score.ticks else " |"))
        bars_in_row += measure.number > 0
    return "\n".join([*lines, " ".join(row)]) + "\n"


def key_name(key: Key) -> str:
    """`Bbm`, `D`, `Ador`: the key as ABC says it, with the tonic spelled as its signature does."""
    letter, alteration, _ = key.spell(60 + key.pitch_class)
    return letter + {-1: "b", 0: "", 1: "#"}[alteration] + _MODES[key.mode]


def _line(text: str) -> str:
    """Text that stays on its line: `%` would begin a comment."""
    return " ".join(printable(text.replace("\n", " ")).replace("%", "\uff05").split())


def _measure(score: Score, measure: Measure, events: Sequence[Event]) -> str:
    words: list[str] = []
    sounding: dict[tuple[str, int], int] = {}
    brackets = tuplets(events)
    for place, event in enumerate(events):
        word = "".join(
            f'"{_chord_name(score.key, chord.root)}{chord.suffix}"'
            for chord in score.chords
            if event.start <= chord.start < event.start + event.duration
        )
        if brackets.get(place) == "start":
            stop = next((later for later in range(place, len(events)) if brackets.get(later) == "stop"), place)
            count = stop - place + 1
            word += "(3" if count == 3 else f"(3:2:{count}"
        notes = [_pitch(score.key, pitch, sounding) for pitch in event.pitches]
        word += f"[{''.join(notes)}]" if len(notes) > 1 else notes[0] if notes else "z"
        words.append(word + _length(event) + ("-" if event.tied_to and notes else ""))
        beat = score.beat_ticks
        if (event.start + event.duration - measure.first) % beat == 0:
            words.append(" ")
    return "".join(words).strip()


def _chord_name(key: Key, root: int) -> str:
    letter, alteration, _ = key.spell(60 + root)
    return letter + ("#" * alteration if alteration > 0 else "b" * -alteration)


def _pitch(key: Key, pitch: int, sounding: dict[tuple[str, int], int]) -> str:
    """A note's letter and octave, with its sign where it is not the signature's, or the bar so far says another.

    Some readers forget a sign inside a triplet, so a chromatic note bears its own each time.
    """
    letter, alteration, octave = key.spell(pitch)
    signed = letter in (_SHARPS[: key.fifths] if key.fifths > 0 else _FLATS[: -key.fifths])
    signature = (1 if key.fifths > 0 else -1) if signed else 0
    said = sounding.get((letter, octave), signature) == alteration and alteration == signature
    sign = "" if said else _SIGNS[alteration]
    sounding[(letter, octave)] = alteration
    if octave >= 5:
        return sign + letter.lower() + "'" * (octave - 5)
    return sign + letter + "," * (4 - octave)


def _length(event: Event) -> str:
    """The written value in units: inside a triplet half as long again as it sounds."""
    whole = event.whole_measure or event.duration in PLAIN or event.duration not in TRIPLET
    units = Fraction(event.duration, _UNIT) * (1 if whole else Fraction(3, 2))
    if units == 1:
        return ""
    return str(units.numerator) if units.denominator == 1 else f"{units.numerator}/{units.denominator}"
