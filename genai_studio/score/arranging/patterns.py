"""Accompaniment figures written as text: a character for each equal part of a bar, read against the chords.

`.` is silence and `-` holds on. For single notes a digit or letter names a tone of the chord above its root: `1` the
root, `3`, `5`, `7`, `8` the octave, `a` the tenth, `c` the twelfth, `f` two octaves; `v` is the fifth as a bass plays
it, below the root where there is room, and `>` steps to the next root. For chords and drums `X`, `x` and `o` are loud,
plain and soft. A figure of several bars is a tuple and starts over.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from genai_studio.score.arranging.voicing import Voices, bass_note, close_position
from genai_studio.score.model import Chord, Note, Score

Figure = Mapping[str, str | tuple[str, ...]]
"""By metre: one bar or several."""
_ABOVE = {"1": 0, "8": 12, "f": 24}
_TONES = {"3": (1, 0), "5": (2, 0), "v": (2, 0), "7": (3, 0), "a": (1, 12), "c": (2, 12)}
_LOUD = {"X": 12, "x": 0, "o": -16}


@dataclass(frozen=True)
class Stroke:
    """One place where a figure sounds: its mark, the harmony there, and its tick in the bar."""

    tick: int
    duration: int
    mark: str
    chord: Chord
    place: int


def chord_at(chords: Sequence[Chord], tick: int) -> Chord | None:
    """The harmony that sounds at `tick`."""
    index = bisect_right(chords, tick, key=lambda chord: chord.start) - 1
    return chords[index] if index >= 0 and tick < chords[index].end else None


def strokes(score: Score, figure: Figure, bars: Iterable[int]) -> Iterator[Stroke]:
    """The figure over `bars`; a stroke that a change of harmony falls into is struck again there."""
    patterns = figure[score.metre]
    cycle = (patterns,) if isinstance(patterns, str) else patterns
    length = score.bar_ticks
    for bar in bars:
        pattern = cycle[bar % len(cycle)]
        step = length // len(pattern)
        opens = score.pickup + bar * length
        for index, mark in enumerate(pattern):
            tick = opens + index * step
            if mark in ".-":
                continue
            held = index + 1
            while held < len(pattern) and pattern[held] == "-":
                held += 1
            end = min(opens + held * step, score.ticks)
            while tick < end and (chord := chord_at(score.chords, tick)):
                yield Stroke(tick, min(end, chord.end) - tick, mark, chord, tick - opens)
                tick = chord.end


def line(
    score: Score, figure: Figure, bars: Iterable[int], lowest: int, *, velocity: int = 76, ring: int = 1
) -> list[Note]:
    """Single notes. Roots lie within an octave from `lowest`; where the harmony changes, the root is struck.

    `ring` lets each note sound for so many times its length, at most to the next harmony.
    """
    notes: list[Note] = []
    for stroke in strokes(score, figure, bars):
        chord = stroke.chord
        mark = "1" if stroke.mark in "35v>" and stroke.tick == chord.start else stroke.mark
        pitch = _pitch(score, chord, mark, lowest, notes[-1].pitch if notes else lowest + 7)
        loud = velocity + (8 if stroke.place == 0 else 3 if stroke.place % score.beat_ticks == 0 else -3)
        notes.append(Note(stroke.tick, min(stroke.duration * ring, chord.end - stroke.tick), pitch, loud))
    return notes


def _pitch(score: Score, chord: Chord, mark: str, lowest: int, before: int) -> int:
    root = bass_note(chord, lowest)
    if mark == ">":
        following = chord_at(score.chords, chord.end) or chord
        target = bass_note(following, lowest)
        return score.key.neighbour(target, 1 if before > target else -1)
    if mark in _ABOVE:
        return root + _ABOVE[mark]
    index, octave = _TONES[mark]
    if index >= len(chord.tones):
        return root + 12  # a triad has no seventh
    above = root + chord.tones[index] + octave
    return above - 12 if mark == "v" and above - 12 >= lowest else above


def block(
    score: Score, figure: Figure, bars: Iterable[int], centre: int, *, velocity: int = 64, size: int = 3
) -> list[Note]:
    """Chords of `size` tones around `centre`, voiced to move little."""
    notes: list[Note] = []
    voices: Voices | None = None
    for stroke in strokes(score, figure, bars):
        voices = close_position(stroke.chord, centre, voices, size)
        loud = velocity + _LOUD[stroke.mark]
        notes += [Note(stroke.tick, stroke.duration, pitch, loud) for pitch in voices]
    return notes


def drum(score: Score, figure: Figure, bars: Iterable[int], sound: int, *, velocity: int = 74) -> list[Note]:
    """One sound of the kit, by its General MIDI number."""
    return [
        Note(stroke.tick, min(6, stroke.duration), sound, velocity + _LOUD[stroke.mark])
        for stroke in strokes(score, figure, bars)
    ]


def in_order(notes: Sequence[Note]) -> tuple[Note, ...]:
    """By time and pitch, each pitch struck once at a time and cut where it is struck again."""
    ordered: list[Note] = []
    sounding: dict[int, int] = {}
    for note in sorted(notes, key=lambda note: (note.start, note.pitch, -note.duration)):
        before = sounding.get(note.pitch)
        if before is not None and ordered[before].start == note.start:
            continue
        if before is not None and ordered[before].end > note.start:
            ordered[before] = replace(ordered[before], duration=note.start - ordered[before].start)
        sounding[note.pitch] = len(ordered)
        ordered.append(note)
    return tuple(ordered)
