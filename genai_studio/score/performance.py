"""How a score is played: timing and dynamics that a person would give it, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from genai_studio.score.model import TICKS, Part, Score

_LATE = 0.008
"""Standard deviation of an onset, in seconds; trained players keep within about ten milliseconds."""
_TOUCH = 3.5
"""Standard deviation of a velocity."""


@dataclass(frozen=True)
class PlayedNote:
    """`start` and `duration` in seconds."""

    start: float
    duration: float
    pitch: int
    velocity: int


def perform(score: Score, part: Part, seed: int) -> list[PlayedNote]:
    """The part as played: small differences of onset and velocity by `seed`, swing, a broadening of the last bar.

    Notes that start together in one part stay together within a few milliseconds.
    """
    draw = random.Random(f"{seed}/{part.name}/{part.program}")
    tick_seconds = 60 / score.quarters_per_minute / TICKS
    drift: dict[int, float] = {}
    played = []
    for note in part.notes:
        late = drift.setdefault(note.start, draw.gauss(0, _LATE * (0.5 if part.drums else 1.0)))
        start = _warped(score, note.start) * tick_seconds + late + draw.uniform(0, 0.004)
        end = _warped(score, note.end) * tick_seconds
        length = max(0.03, (end - start) * part.length)
        velocity = min(127, max(12, round(note.velocity + draw.gauss(0, _TOUCH))))
        played.append(PlayedNote(max(0.0, start), length, note.pitch, velocity))
    return played


def _warped(score: Score, tick: int) -> float:
    """The tick as a place in played time: off-beat eighths late by the swing, the last bar slower to its end."""
    place = (tick - score.pickup) % TICKS
    at = float(tick)
    if score.swing and not score.compound:
        half = TICKS / 2
        shift = score.swing * half
        at += shift * place / half if place <= half else shift * (TICKS - place) / half
    slow = score.ticks - score.bar_ticks
    if tick > slow:
        at += 0.16 * (tick - slow) ** 2 / score.bar_ticks
    return at


def seconds_at(score: Score, tick: int) -> float:
    """When a tick of the score sounds, in seconds from the beginning, without the players' small differences."""
    return _warped(score, tick) * 60 / score.quarters_per_minute / TICKS
