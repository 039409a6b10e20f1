"""Exported files read by programs that are not ours: MIDI by mido, MusicXML and ABC by music21."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

INTRODUCTION, TAG = "I", "Z"


@dataclass(frozen=True)
class Reading:
    """What a file says. `fifths` is its signature; `mode` and `tonic` are empty where the format cannot say them.

    `letters` are the sections as marked. `melody` holds (onset, length, MIDI pitch), in quarters from the start.
    """

    fifths: int
    mode: str
    tonic: str
    metre: str
    quarters_per_minute: float
    bars: int
    letters: str
    melody: tuple[tuple[Fraction, Fraction, int], ...]
    whole: bool = True
    """Whether every bar has exactly the length that the metre says, pickup and last bar together."""


def read_midi(path: Path) -> Reading:
    """The first track with notes is the melody. Markers name the sections."""
    import mido

    file = mido.MidiFile(str(path))
    said: dict[str, Any] = {}
    letters, metres, end = "", [], Fraction(0)
    melody: list[tuple[Fraction, Fraction, int]] = []
    for track in file.tracks:
        at, notes, sounding = 0, [], {}
        for message in track:
            at += message.time
            if message.type in ("set_tempo", "key_signature"):
                said[message.type] = message
            elif message.type == "time_signature":
                metres.append((at, f"{message.numerator}/{message.denominator}"))
            elif message.type == "marker":
                letters += message.text
            elif message.type == "note_on" and message.velocity:
                sounding[message.note] = at
            elif message.type in ("note_on", "note_off") and message.note in sounding:
                start = sounding.pop(message.note)
                notes.append((_quarters(start, file), _quarters(at - start, file), message.note))
        end = max([end, *(onset + length for onset, length, _ in notes)])
        melody = melody or sorted(notes)
    begins, metre = metres[-1]
    beats, unit = (int(number) for number in metre.split("/"))
    name = said["key_signature"].key
    bar = Fraction(4 * beats, unit)
    bars = -(-(end - _quarters(begins, file)) // bar)
    fifths = _FIFTHS[name.removesuffix("m")] - 3 * name.endswith("m")
    return Reading(fifths, "", "", metre, 60e6 / said["set_tempo"].tempo, int(bars), letters, tuple(melody))


_FIFTHS = {"Cb": -7, "Gb": -6, "Db": -5, "Ab": -4, "Eb": -3, "Bb": -2, "F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4,
           "B": 5, "F#": 6, "C#": 7, "G#": 8, "D#": 9, "A#": 10}  # fmt: skip
"""Sharps of a major key; its minor key of the same name has three fewer."""


def _quarters(ticks: int, file: Any) -> Fraction:
    return Fraction(ticks, file.ticks_per_beat)


def read_sheet(path: Path) -> Reading:
    """A MusicXML or ABC file through music21; its first part is the melody."""
    import music21

    piece = music21.converter.parse(str(path), forceSource=True)
    parts = list(piece.parts)
    measures = list(parts[0].getElementsByClass("Measure"))
    flat = parts[0].flatten()
    signature = flat.getElementsByClass("KeySignature")[0]
    metre = flat.getElementsByClass("TimeSignature")[-1].ratioString
    bar = Fraction(flat.getElementsByClass("TimeSignature")[-1].barDuration.quarterLength)
    mark = next(iter(piece.flatten().getElementsByClass("MetronomeMark")))
    lengths = [[Fraction(measure.highestTime) for measure in part.getElementsByClass("Measure")] for part in parts]
    pickup = lengths[0][0] if lengths[0][0] < bar else Fraction(0)
    return Reading(
        signature.sharps, getattr(signature, "mode", None) or "", _tonic(signature), metre,
        float(mark.getQuarterBPM()), len(measures) - bool(pickup), _letters(path, parts[0]), _melody(parts[0]),
        all(_whole(row, bar, pickup) for row in lengths),
    )  # fmt: skip


def _whole(lengths: list[Fraction], bar: Fraction, pickup: Fraction) -> bool:
    full = lengths[1:-1] if pickup else lengths[:-1]
    return (
        all(length == bar for length in full) and lengths[-1] == bar - pickup and (not pickup or lengths[0] == pickup)
    )


def _tonic(signature: Any) -> str:
    tonic = getattr(signature, "tonic", None)
    return tonic.name.replace("-", "b") if tonic is not None else ""


_NAMES = {"Intro": INTRODUCTION, "Ending": TAG}


def _letters(path: Path, part: Any) -> str:
    """Rehearsal marks; of ABC its own lines, which music21 does not always keep."""
    if path.suffix == ".abc":
        lines = path.read_text(encoding="utf-8").splitlines()
        return "".join(line[2:].strip() for line in lines if line.startswith("P:"))
    marks = [*part.recurse().getElementsByClass("RehearsalMark")]
    marks.sort(key=lambda mark: mark.getOffsetInHierarchy(part))
    return "".join(_NAMES.get(str(mark.content), str(mark.content)) for mark in marks)


def _melody(part: Any) -> tuple[tuple[Fraction, Fraction, int], ...]:
    notes = []
    for note in part.stripTies().flatten().notes:
        if "Chord" not in note.classes or note.classes[0] == "Chord":
            notes += [(Fraction(note.offset), Fraction(note.quarterLength), pitch.midi) for pitch in note.pitches]
    return tuple(sorted(notes))
