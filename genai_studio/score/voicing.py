"""Puts chords on pitches: close positions that move little, four-part writing without parallel fifths or octaves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from genai_studio.score.model import Chord

Voices = tuple[int, ...]


def close_position(chord: Chord, centre: int, before: Voices | None, size: int = 3) -> Voices:
    """`size` neighbouring chord tones near MIDI pitch `centre`, the inversion that moves least from `before`."""
    tones = sorted(
        pitch for pitch in range(centre - 12, centre + 13) if pitch % 12 in {tone % 12 for tone in chord.pitch_classes}
    )
    shapes = [tuple(tones[index : index + size]) for index in range(len(tones) - size + 1)]
    return min(shapes, key=lambda shape: (_distance(shape, before or (centre,) * size) + _drift(shape, centre), shape))


def bass_note(chord: Chord, lowest: int, tone: int = 0) -> int:
    """The chord's root (or its tone number `tone`) as the first pitch from `lowest` up."""
    pitch_class = chord.pitch_classes[tone % len(chord.pitch_classes)]
    return lowest + (pitch_class - lowest) % 12


def three_below(chord: Chord, top: int, before: tuple[int, Voices] | None) -> Voices:
    """Second violin, viola and cello under a first violin on `top`: (second, viola, cello) as MIDI pitches.

    `before` is the chord before as (its top, its three). Costs: distance moved, a missing third, voices that cross,
    and, far above all, fifths or octaves that two voices keep while both move.
    """
    names = [tone % 12 for tone in chord.pitch_classes]
    seconds = [pitch for pitch in range(55, 77) if pitch % 12 in names]
    violas = [pitch for pitch in range(48, 68) if pitch % 12 in names]
    cellos = [pitch for pitch in range(36, 54) if pitch % 12 in names[:2]]
    best, best_cost = (seconds[0], violas[0], cellos[0]), float("inf")
    for second, viola, cello in product(seconds, violas, cellos):
        if not cello < viola < second <= top + 5:
            continue
        cost = 3.0 * (second > top) + 4.0 * (cello % 12 != names[0]) + 0.15 * abs(second - viola - 5)
        cost += 4.0 * (names[1] not in {second % 12, viola % 12, cello % 12, top % 12})
        cost += 2.0 * (len({second % 12, viola % 12, cello % 12}) < 3) + 0.1 * (abs(second - 66) + abs(viola - 58))
        if before is not None:
            cost += 0.5 * _distance((second, viola), before[1][:2]) + 0.2 * abs(cello - before[1][2])
            cost += 20.0 * parallels((before[0], *before[1]), (top, second, viola, cello))
        if cost < best_cost:
            best, best_cost = (second, viola, cello), cost
    return best


def parallels(before: Voices, after: Voices) -> int:
    """Pairs of voices that move in the same direction from a fifth, octave or unison into the same interval."""
    count = 0
    for first in range(len(before)):
        for second in range(first + 1, len(before)):
            one, other = after[first] - before[first], after[second] - before[second]
            interval = (before[first] - before[second]) % 12
            kept = interval == (after[first] - after[second]) % 12 and interval in (0, 7)
            count += kept and one * other > 0
    return count


def _distance(shape: Sequence[int], before: Sequence[int]) -> float:
    return float(sum(abs(a - b) for a, b in zip(shape, before, strict=False)))


def _drift(shape: Sequence[int], centre: int) -> float:
    return 0.4 * abs(sum(shape) / len(shape) - centre)
