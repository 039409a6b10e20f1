"""How a score is played: timing and dynamics that a person would give it, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

from genai_studio.score.model import TICKS, Part, Score

_LATE = 0.008
"""Standard deviation of an onset, in seconds; trained players keep within about ten milliseconds."""
_TOUCH = 3.5
"""Standard deviation of a velocity."""
_SLOWING = {"plain": (1, 0.32), "ritardando": (3, 0.9), "tag": (4, 0.55)}
"""By ending: over how many last bars it slows down, and by how much of its pace at the very end."""
_STRUMMED = {24: 0.009, 25: 0.009, 46: 0.014}
"""By General MIDI program: seconds from one string of a chord to the next."""
_LEAN = {("lo-fi", "melody"): 0.014, ("lo-fi", "drums"): 0.008, ("jazz trio", "melody"): 0.012}
"""By ensemble and role: seconds that a player lies behind the beat."""
_LILTS = {
    "jig": (36, (12, 13.2), (24, 24.6)),
    "slip jig": (36, (12, 13.2), (24, 24.6)),
    "waltz band": (72, (24, 22.8), (48, 47.2)),
}
"""By style or ensemble: a stretch of ticks, and where in it players put two places: the first eighth of a jig's beat is
long, and a waltz band hurries to its second beat."""
_DETACHED = 0.94
"""Share of a melody note's length that sounds in a dance."""
_AGAIN = 0.85
"""Share of a note's length that sounds where the same pitch is struck again at once."""


@dataclass(frozen=True)
class PlayedNote:
    """`start` and `duration` in seconds."""

    start: float
    duration: float
    pitch: int
    velocity: int


def seconds_at(score: Score, tick: float, *, closing: bool = True) -> float:
    """When a tick sounds, in seconds from the start: with the swing and the slowing down at the end, without what a
    seed adds. Grows with the tick; `closing=False` goes through the end in time."""
    at = _swung(score, tick)
    bars, slower = _SLOWING[score.ending]
    span = min(score.ticks, bars * score.bar_ticks)
    after = at - (score.ticks - span)
    if closing and after > 0:
        at += slower * after**2 / (2 * span)
    return at * 60 / score.quarters_per_minute / TICKS


def _swung(score: Score, tick: float) -> float:
    """The tick moved by the style's lilt or by the swing of off-beat eighths; what lies between moves in proportion."""
    lilt = _LILTS.get(score.ensemble) or _LILTS.get(score.style)
    if lilt and score.bar_ticks % lilt[0] == 0 and (score.compound or score.metre == "3/4"):
        period, *moved = lilt
    elif score.swing and not score.compound:
        period, moved = TICKS, [(TICKS // 2, TICKS / 2 * (1 + score.swing))]
    else:
        return float(tick)
    place = (tick - score.pickup) % period
    points = [(0, 0.0), *moved, (period, float(period))]
    for (start, at), (end, until) in pairwise(points):
        if place <= end:
            return tick - place + at + (until - at) * (place - start) / (end - start)
    return float(tick)


def perform(score: Score, part: Part, seed: int, *, closing: bool = True) -> list[PlayedNote]:
    """The part as played: small differences of onset and velocity by `seed`, a slow drift about the beat, swing, the
    ending. One played note for each written one, in the same order.

    Notes that start together in one part stay together within a few milliseconds; strings of a chord are strummed.
    """
    draw = random.Random(f"{seed}/{part.name}/{part.program}")
    lean = _LEAN.get((score.ensemble, part.role), 0.0)
    touch = _DETACHED if part.role == "melody" and score.style not in ("air", "waltz", "") else part.length
    strum = _STRUMMED.get(part.program, 0.0) * (part.role == "chords")
    onsets: dict[int, float] = {}
    strings: dict[int, int] = {}
    wander = 0.0
    next_start = _struck_again(part)
    played = []
    for number, note in enumerate(part.notes):
        if note.start not in onsets:
            wander = 0.8 * wander + draw.gauss(0, _LATE * 0.5)
            onsets[note.start] = wander + draw.gauss(0, _LATE * (0.4 if part.drums else 0.8)) + lean
        string = strings[note.start] = strings.get(note.start, -1) + 1
        late = onsets[note.start] + draw.uniform(0, 0.004) + string * strum
        start = seconds_at(score, note.start, closing=closing)
        end = seconds_at(score, note.end, closing=closing)
        share = min(touch, _AGAIN) if number in next_start else touch
        length = max(0.03, (end - start) * share - string * strum)
        velocity = min(127, max(12, round(note.velocity + draw.gauss(0, _TOUCH))))
        played.append(PlayedNote(max(0.0, start + late), length, note.pitch, velocity))
    return played


def _struck_again(part: Part) -> set[int]:
    """Numbers of the notes of a line whose pitch is struck again the moment they end; chords have their pedal."""
    if part.role not in ("melody", "harmony"):
        return set()
    begins = {(note.start, note.pitch) for note in part.notes}
    return {number for number, note in enumerate(part.notes) if (note.end, note.pitch) in begins}
