"""Puts chords on pitches: close positions that move little, four-part writing without parallel fifths or octaves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from genai_studio.score.model import Chord

Voices = tuple[int, ...]
_SECOND, _VIOLA, _CELLO = range(55, 79), range(48, 70), range(36, 56)
"""MIDI pitches that the lower three of a quartet use in block writing."""
_PARALLEL = 1000.0
"""Cost of a pair of parallels: more than everything else together."""


def close_position(chord: Chord, centre: int, before: Voices | None, size: int = 3) -> Voices:
    """`size` neighbouring chord tones near MIDI pitch `centre`, the inversion that moves least from `before`.

    Of a chord with more tones than that, the third and the seventh stay and the root goes: the bass has it.
    """
    wanted = _colour(chord, size)
    tones = [pitch for pitch in range(centre - 13, centre + 14) if pitch % 12 in wanted]
    shapes = [tuple(tones[index : index + size]) for index in range(len(tones) - size + 1)]
    return min(shapes, key=lambda shape: (_distance(shape, before or (centre,) * size) + _drift(shape, centre), shape))


def _colour(chord: Chord, size: int) -> set[int]:
    """The pitch classes that `size` voices play of a chord."""
    tones = chord.pitch_classes
    if len(tones) <= size:
        return set(tones)
    third, fifth, seventh = tones[1:4]
    order = (third, seventh, *tones[4:], fifth, tones[0]) if size < 4 or len(tones) > 4 else tones
    return set(order[:size])


def bass_note(chord: Chord, lowest: int, tone: int = 0) -> int:
    """The chord's root (or its tone number `tone`) as the first pitch from `lowest` up."""
    pitch_class = chord.pitch_classes[tone % len(chord.pitch_classes)]
    return lowest + (pitch_class - lowest) % 12


def three_below(chords: Sequence[Chord], tops: Sequence[tuple[int, int, int]]) -> list[Voices]:
    """Second violin, viola and cello under a first violin: for each chord (second, viola, cello) as MIDI pitches.

    `tops` are the first violin's pitches just before and at each chord's start, and its lowest until the next. The
    cheapest way through all chords (Viterbi): what voices move, missing thirds, voices that cross, and far above all
    fifths or octaves that two of the four voices keep while both move.
    """
    columns = [_candidates(chord, top, lowest) for chord, (_, top, lowest) in zip(chords, tops, strict=True)]
    total = columns[0][1]
    origins: list[NDArray[np.int64]] = []
    for (before, _), (after, own), top in zip(columns, columns[1:], tops[1:], strict=False):
        costs: NDArray[np.float64] = np.add(total[:, None], _step_costs(before, after, top))
        origins.append(costs.argmin(axis=0))
        total = costs.min(axis=0) + own
    place = int(total.argmin())
    path = [place]
    for origin in reversed(origins):
        place = int(origin[place])
        path.append(place)
    return [
        tuple(int(pitch) for pitch in voices[index]) for (voices, _), index in zip(columns, reversed(path), strict=True)
    ]


def _candidates(chord: Chord, top: int, lowest: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Every (second, viola, cello) of a chord under a melody, shape (n, 3), and what each costs alone, shape (n,)."""
    names = chord.pitch_classes
    voices: list[Voices] = []
    costs: list[float] = []
    ranges = (_SECOND, _VIOLA, _CELLO)
    upper, middle, lower = ([pitch for pitch in pitches if pitch % 12 in names] for pitches in ranges)
    for second, viola, cello in product(upper, middle, lower):
        if not cello < viola < second:
            continue
        classes = {second % 12, viola % 12, cello % 12, top % 12}
        cost = (
            3.0 * (second > top)
            + 0.8 * max(0, second - lowest)
            + 0.4 * max(0, viola - lowest)
            + 0.15 * abs(second - viola - 5)
        )
        cost += 5.0 * (cello % 12 != names[0]) + 4.0 * (cello % 12 not in names[:2])
        cost += 4.0 * (names[1] not in classes) + 3.0 * len(set(names) - classes)
        cost += 0.1 * (abs(second - 66) + abs(viola - 58)) + 0.4 * max(0, viola - cello - 19)
        voices.append((second, viola, cello))
        costs.append(cost)
    return np.array(voices, dtype=np.int64), np.array(costs)


def _step_costs(before: NDArray[np.int64], after: NDArray[np.int64], top: tuple[int, int, int]) -> NDArray[np.float64]:
    """What it costs to go from each voicing (rows) to each next one (columns)."""
    moved = after[None, :, :] - before[:, None, :]
    distance = np.abs(moved)
    costs = np.asarray(0.5 * distance[:, :, :2].sum(axis=2) + 0.2 * distance[:, :, 2], dtype=np.float64)
    old = np.concatenate([np.full((len(before), 1), top[0]), before], axis=1)
    new = np.concatenate([np.full((len(after), 1), top[1]), after], axis=1)
    for first in range(4):
        for second in range(first + 1, 4):
            intervals = (old[:, first] - old[:, second])[:, None] % 12, (new[:, first] - new[:, second])[None, :] % 12
            same = (intervals[0] == intervals[1]) & ((intervals[0] == 0) | (intervals[0] == 7))
            one = new[None, :, first] - old[:, None, first]
            other = new[None, :, second] - old[:, None, second]
            costs += _PARALLEL * (same & (one * other > 0))
    return costs


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
