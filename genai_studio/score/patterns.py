"""Accompaniment figures: what a left hand, a strummed guitar, a harp or a drum plays under chords, metre by metre."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genai_studio.score.model import METRES, Chord, Note
from genai_studio.score.voicing import Voices, bass_note, close_position

BOOM = {"2/4": (0, 24), "3/4": (0,), "4/4": (0, 48), "6/8": (0, 36), "9/8": (0, 36, 72)}
"""By metre: ticks in the bar where the bass falls."""
CHUCK = {"2/4": (12, 36), "3/4": (24, 48), "4/4": (24, 72), "6/8": (24, 60), "9/8": (24, 60, 96)}
"""By metre: ticks in the bar where the chord answers."""
DRUM = {"2/4": (0, 12, 18, 24, 36, 42), "3/4": (0, 24, 48), "4/4": (0, 24, 36, 48, 72, 84), "6/8": (0, 24, 36, 60),
        "9/8": (0, 24, 36, 60, 72, 96)}  # fmt: skip
"""By metre: ticks in the bar where a frame drum strikes; the bass beats of `BOOM` are its strong ones."""


def chord_at(chords: Sequence[Chord], tick: int) -> Chord | None:
    """The harmony that sounds at `tick`."""
    return next((chord for chord in chords if chord.start <= tick < chord.end), None)


def beats(chords: Sequence[Chord], metre: str, places: Sequence[int]) -> Iterator[tuple[int, int, int, Chord]]:
    """Every (tick, place in the bar, bar number, chord) at `places` of each bar, from the first chord's bar line."""
    first, end, length = chords[0].start, chords[-1].end, METRES[metre]
    for bar, start in enumerate(range(first, end, length)):
        for place in places:
            chord = chord_at(chords, start + place)
            if chord is not None and start + place < end:
                yield start + place, place, bar, chord


def boom(chords: Sequence[Chord], metre: str, lowest: int, *, duration: int, velocity: int = 82) -> list[Note]:
    """Bass on the strong beats: the root on the first of a bar or of a new chord, else the fifth."""
    notes = []
    for tick, place, _, chord in beats(chords, metre, BOOM[metre]):
        root = place == 0 or tick == chord.start
        notes.append(Note(tick, _cut(duration, tick, chords), bass_note(chord, lowest, 0 if root else 2),
                          velocity if place == 0 else velocity - 8))  # fmt: skip
    return notes


def chuck(chords: Sequence[Chord], metre: str, centre: int, *, duration: int, velocity: int = 66) -> list[Note]:
    """Short chords between the bass notes, voiced to move little."""
    notes: list[Note] = []
    voices: Voices | None = None
    for tick, _, _, chord in beats(chords, metre, CHUCK[metre]):
        voices = close_position(chord, centre, voices)
        notes += [Note(tick, _cut(duration, tick, chords), pitch, velocity) for pitch in voices]
    return notes


def arpeggio(
    chords: Sequence[Chord], metre: str, lowest: int, *, step: int = 12, ring: int = 1, velocity: int = 66
) -> list[Note]:
    """Broken chords: root, fifth, octave, tenth and back, a note every `step` ticks, each ringing for `ring` steps.

    The last chord is rolled upwards and left to ring.
    """
    notes = []
    end = chords[-1].end
    length = METRES[metre]
    last_bar = chords[0].start + (end - chords[0].start - 1) // length * length
    for tick, place, _, chord in beats(chords, metre, range(0, length, step)):
        if tick >= last_bar:
            continue
        root = bass_note(chord, lowest)
        third = root + 12 + chord.tones[1]
        ladder = (root, root + 7, root + 12, third, root + 12, root + 7)
        index = (tick - max(chord.start, tick - place)) // step
        notes.append(Note(tick, min(step * ring, end - tick), ladder[index % len(ladder)],
                          velocity + (8 if place == 0 else 0)))  # fmt: skip
    root = bass_note(chords[-1], lowest)
    for index, pitch in enumerate((root, root + 7, root + 12, root + 12 + chords[-1].tones[1], root + 24)):
        start = min(last_bar + index * step // 2, end - 3)
        notes.append(Note(start, end - start, pitch, velocity))
    return notes


def pads(chords: Sequence[Chord], centre: int, velocity: int = 50) -> list[Note]:
    """Held chords."""
    notes: list[Note] = []
    voices: Voices | None = None
    for chord in chords:
        voices = close_position(chord, centre, voices)
        notes += [Note(chord.start, chord.duration, pitch, velocity) for pitch in voices]
    return notes


def _cut(duration: int, tick: int, chords: Sequence[Chord]) -> int:
    return min(duration, chords[-1].end - tick)
