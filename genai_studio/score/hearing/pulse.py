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
    lasting = np.array([note.end - note.start for note in notes])
    pitches = np.array([note.pitch for note in notes])
    compound = metre in ("6/8", "9/8") if metre else None
    best = -np.inf
    for tried, parts in _candidates(starts, np.minimum(lasting, 1.0) + 0.3, 60 / tempo if tempo else 0.0, compound):
        followed, even, error = _followed(starts, lasting, tried, 3 if parts == 3 else 4)
        rated = _rated(followed, lasting / even, pitches, even, error, parts == 3)
        if rated > best:
            best, places, period, thirds = rated, followed, even, parts == 3
    lengths = np.array([(note.end - note.start) / period for note in notes])
    step = 1 / 3 if thirds else 1 / 4
    ends = np.append(places[1:], places[-1] + max(1.0, lengths[-1]))
    held = np.clip(np.round(lengths / step) * step, step, None)
    # a short breath before the next note is articulation, not a rest
    held = np.where(ends - places - held < 0.6, ends - places, np.minimum(held, ends - places))
    held[-1] = max(step, round(lengths[-1]) or step)
    keep = held > 1e-6
    metre, pickup, _ = _bars(places[keep], held[keep], pitches[keep], thirds, metre)
    unit = 1.5 if thirds else 1.0
    put = [
        (float(place * unit), float(length * unit), note.pitch, note.velocity)
        for place, length, note, kept in zip(places - places[0], held, notes, keep, strict=True)
        if kept
    ]
    return Beats(put, metre, pickup * unit, 60 / period * unit)


def _candidates(starts: Floats, weights: Floats, given: float, compound: bool | None) -> list[tuple[float, int]]:
    """Periods of a beat in seconds, each with the parts (2 or 3) that it may divide into. Where the starts of notes lie
    on a beat, its halves or thirds and its quarters or sixths, their phases agree: the sum over windows of how well
    they do has its peaks at the periods worth a closer look, and at their simple fractions."""
    kinds = (2, 3) if compound is None else (3,) if compound else (2,)
    if given:
        return [(given, parts) for parts in kinds]
    periods = np.geomspace(_FASTEST, _SLOWEST, 400)
    scores = {parts: np.zeros(len(periods)) for parts in kinds}
    for first in np.arange(starts[0], max(starts[-1] - _WINDOW / 2, starts[0] + 0.1), _WINDOW / 2):
        inside = (starts >= first) & (starts < first + _WINDOW)
        if inside.sum() < 3:
            continue
        times, share = starts[inside], weights[inside] / weights[inside].sum()
        turns = np.exp(2j * np.pi * times[None, :] / periods[:, None])
        beat = turns @ share
        phase = beat / np.maximum(np.abs(beat), 1e-9)
        for parts in kinds:
            divided = np.real((turns**parts @ share) * np.conj(phase) ** parts)
            finer = np.real((turns ** (2 * parts) @ share) * np.conj(phase) ** (2 * parts))
            scores[parts] += np.abs(beat) + 0.8 * divided + 0.4 * finer
    found: set[tuple[float, int]] = set()
    for score in scores.values():
        peaks = [place for place in range(1, len(score) - 1) if score[place] == score[place - 1 : place + 2].max()]
        for place in sorted(peaks, key=lambda place: -score[place])[:4]:
            for times_as_long in (1.0, 2.0, 0.5, 1.5, 2 / 3, 3.0, 1 / 3):
                longer = float(periods[place]) * times_as_long
                if _FASTEST <= longer <= _SLOWEST:
                    found |= {(longer, parts) for parts in kinds}
    return sorted(found) or [(_USUAL, kinds[0])]


def _rated(
    places: Floats, lengths: Floats, pitches: NDArray[np.int64], period: float, error: float, thirds: bool
) -> float:
    """How good a beat is: notes that begin on it are long, most beats have one, few notes begin off it and sound over
    it, the starts lie near its parts, bars on it make sense, and it is one that people tap."""
    accents = np.minimum(lengths, 2.0) + 0.25
    on = np.abs(places - np.round(places)) < 0.01
    on[0] |= not on.any()
    span = max(1.0, places[-1] - places[0])
    held = np.minimum(lengths, np.append(np.diff(places), lengths[-1]))
    over = ~on & (np.floor(places) != np.floor(places + held - 0.05))
    usual = np.exp(-0.5 * (np.log(period / _USUAL) / 0.5) ** 2)
    _, _, barred = _bars(places, held, pitches, thirds, "")
    return float(
        accents[on].mean() / accents.mean()
        + 0.8 * min(1.0, on.sum() / span)
        - 2.0 * over.mean()
        - error
        + 0.8 * usual
        + 0.4 * barred
        - (0.1 if (~on).mean() > 0.1 else 0.7) * thirds
    )


def _followed(starts: Floats, weights: Floats, period: float, parts: int) -> tuple[Floats, float, float]:
    """Each start as a place in beats, on the grid of `parts` a beat, following a player who is not quite even. Returns
    the places, the period over all, and how far the starts are from the grid: 1 where they ignore it."""
    window = starts < starts[0] + _WINDOW
    turn = (np.exp(2j * np.pi * starts[window] / period) * (np.minimum(weights[window], 1.0) + 0.3)).sum()
    at = starts[0] / period - np.angle(turn) / (2 * np.pi)
    at -= np.floor(at + 0.5 / parts)
    grid, errors = [round(at * parts) / parts], [0.0]
    local = period
    for before, start in pairwise(starts.tolist()):
        moved = (start - before) / local
        at += moved
        nearest = round(at * parts) / parts
        error = at - nearest
        local *= 1 + 0.12 * error / max(1.0, moved)
        local = min(period * 1.25, max(period * 0.8, local))
        at -= 0.35 * error
        grid.append(nearest)
        errors.append(abs(error))
    places = np.array(grid)
    span = places[-1] - places[0]
    even = float((starts[-1] - starts[0]) / span) if span > 0 else period
    return places, even, float(np.mean(errors)) * parts * 4


def _bars(
    places: Floats, held: Floats, pitches: NDArray[np.int64], thirds: bool, metre: str
) -> tuple[str, float, float]:
    """The metre, the pickup in beats, and how sure that is: bar lines are where long notes begin and the tune comes
    back to itself, and seldom inside a note."""
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
    return names[best[1]], best[2], best[0]


def _likeness(places: Floats, pitches: NDArray[np.int64], size: int) -> float:
    """How often the same pitch begins one, two or four bars later: the share of the best of them."""
    known = {(round(float(place) * 12), int(pitch)) for place, pitch in zip(places, pitches, strict=True)}
    shares = [
        sum((place + bars * size * 12, pitch) in known for place, pitch in known) / len(known) for bars in (1, 2, 4)
    ]
    return max(shares)
