"""The beat under a melody that was played or sung: tempo, where the beats are, the metre and its bar lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_FASTEST, _SLOWEST = 0.27, 1.25
"""Seconds of a beat."""
_USUAL = 0.55
"""The beat that listeners tap most readily (Parncutt 1994: around 100 to 120 a minute)."""
_WINDOW = 8.0
"""Seconds in which a player keeps the tempo."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sounded:
    """A note as it was heard, in seconds."""

    start: float
    end: float
    pitch: int
    velocity: int = 80


@dataclass(frozen=True)
class Beats:
    """The notes as (start, length, pitch, velocity) in quarters from the first, the metre, the pickup in quarters and
    the tempo in quarters a minute."""

    notes: list[tuple[float, float, int, int]]
    metre: str
    pickup: float
    quarters: float


def beats_of(notes: Sequence[Sounded], *, tempo: float = 0.0, metre: str = "") -> Beats:
    """Puts notes, of which there is at least one, on beats. `tempo` in beats a minute and `metre` are kept where they
    are given."""
    starts = np.array([note.start for note in notes])
    weights = np.array([min(1.0, note.end - note.start) + 0.3 for note in notes])
    compound = metre in ("6/8", "9/8") if metre else None
    period, thirds = _period(starts, weights, 60 / tempo if tempo else 0.0, compound)
    places, period = _followed(starts, weights, period, 3 if thirds else 4)
    lengths = np.array([(note.end - note.start) / period for note in notes])
    step = 1 / 3 if thirds else 1 / 4
    ends = np.append(places[1:], places[-1] + max(1.0, lengths[-1]))
    held = np.clip(np.round(lengths / step) * step, step, None)
    # a short breath before the next note is articulation, not a rest
    held = np.where(ends - places - held < 0.6, ends - places, np.minimum(held, ends - places))
    held[-1] = max(step, round(lengths[-1]) or step)
    keep = held > 1e-6
    metre, pickup = _bars(places[keep], held[keep], np.array([note.pitch for note in notes])[keep], thirds, metre)
    unit = 1.5 if thirds else 1.0
    put = [
        (float(place * unit), float(length * unit), note.pitch, note.velocity)
        for place, length, note, kept in zip(places - places[0], held, notes, keep, strict=True)
        if kept
    ]
    return Beats(put, metre, pickup * unit, 60 / period * unit)


def _period(starts: Floats, weights: Floats, given: float, compound: bool | None) -> tuple[float, bool]:
    """Seconds of a beat, and whether it divides into three. Where the starts of the notes lie on a beat, its halves or
    thirds and its quarters or sixths, their phases agree: the sum over windows of how well they do decides."""
    periods = np.array([given]) if given else np.geomspace(_FASTEST, _SLOWEST, 400)
    firsts = np.arange(starts[0], max(starts[-1] - _WINDOW / 2, starts[0] + 0.1), _WINDOW / 2)
    scores = {2: np.zeros(len(periods)), 3: np.zeros(len(periods))}
    for first in firsts:
        inside = (starts >= first) & (starts < first + _WINDOW)
        if inside.sum() < 3:
            continue
        times, share = starts[inside], weights[inside] / weights[inside].sum()
        turns = np.exp(2j * np.pi * times[None, :] / periods[:, None])
        beat = turns @ share
        phase = beat / np.maximum(np.abs(beat), 1e-9)
        for parts in scores:
            divided = np.real((turns**parts @ share) * np.conj(phase) ** parts)
            finer = np.real((turns ** (2 * parts) @ share) * np.conj(phase) ** (2 * parts))
            scores[parts] += np.abs(beat) + 0.8 * divided + 0.4 * finer
    usual = np.exp(-0.5 * (np.log(periods / _USUAL) / 0.55) ** 2)
    rated = {parts: scores[parts] / max(1, len(firsts)) * (0.4 + usual) for parts in scores}
    rated[3] = rated[3] * 0.97
    if compound is not None:
        rated = {3 if compound else 2: rated[3 if compound else 2]}
    thirds = max(rated, key=lambda parts: float(rated[parts].max())) == 3
    return float(periods[int(rated[3 if thirds else 2].argmax())]), thirds


def _followed(starts: Floats, weights: Floats, period: float, parts: int) -> tuple[Floats, float]:
    """Each start as a place in beats, on the grid of `parts` a beat, following a player who is not quite even. Returns
    the places, the first in 0 to 1, and the period over all."""
    window = starts < starts[0] + _WINDOW
    turn = (np.exp(2j * np.pi * starts[window] / period) * weights[window]).sum()
    place = starts[0] / period - np.angle(turn) / (2 * np.pi)
    place -= np.floor(place + 0.5 / parts)
    grid = [round(place * parts) / parts]
    at = place
    local = period
    for before, start in pairwise(starts.tolist()):
        moved = (start - before) / local
        at += moved
        nearest = round(at * parts) / parts
        error = at - nearest
        local *= 1 + 0.12 * error / max(1.0, moved) if abs(error) < 0.5 / parts else 1
        local = min(period * 1.25, max(period * 0.8, local))
        at -= 0.35 * error
        grid.append(nearest)
    places = np.array(grid)
    span = places[-1] - places[0]
    return places, float((starts[-1] - starts[0]) / span) if span > 0 else period


def _bars(places: Floats, held: Floats, pitches: NDArray[np.int64], thirds: bool, metre: str) -> tuple[str, float]:
    """The metre and the pickup in beats: bar lines are where long notes begin and the tune comes back to itself, and
    seldom inside a note."""
    names = {2: "6/8", 3: "9/8"} if thirds else {4: "4/4", 3: "3/4"}
    if metre:
        names = {{"2/4": 2, "3/4": 3, "4/4": 4, "6/8": 2, "9/8": 3}[metre]: metre}
    best = (-np.inf, 4, 0.0)
    accents = np.minimum(held, 2.0) + 0.25
    for size in names:
        usual = {"4/4": 0.12, "6/8": 0.15}.get(names[size], 0.0)
        repeats = _likeness(places, pitches, size)
        for shift in range(size):
            on = np.isclose((places - shift) % size, 0, atol=0.01) | np.isclose(
                (places - shift) % size, size, atol=0.01
            )
            inside = np.floor((places - shift + 0.01) / size) != np.floor((places + held - shift - 0.01) / size)
            strong = accents[on].sum() / accents.sum() * size
            final = 0.35 if on[-1] else 0.0
            early = -0.02 * ((shift - places[0]) % size)
            score = strong - 0.8 * inside.mean() + final + usual + 0.8 * repeats + early
            if score > best[0]:
                best = (float(score), size, float((shift - places[0]) % size))
    return names[best[1]], best[2]


def _likeness(places: Floats, pitches: NDArray[np.int64], size: int) -> float:
    """How often the same pitch begins one, two or four bars later: the share of the best of them."""
    known = {(round(float(place) * 12), int(pitch)) for place, pitch in zip(places, pitches, strict=True)}
    shares = [
        sum((place + bars * size * 12, pitch) in known for place, pitch in known) / len(known) for bars in (1, 2, 4)
    ]
    return max(shares)
