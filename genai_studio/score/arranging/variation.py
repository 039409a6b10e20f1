"""How players vary a strain when it comes back: passing notes, neighbours, turns, other rhythms, a bar an octave away.

What sounds on the first beat of a bar, the last bar, the range, the scale and where there are rests all stay.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from genai_studio.score.model import METRES, TICKS, Key, Note

_OCTAVE_FROM = 0.5
"""From this amount on a bar may move by an octave."""
_WIDEST = 12
"""Semitones that a varied note may be from its neighbours."""


@dataclass(frozen=True)
class _Strain:
    key: Key
    metre: str
    lowest: int
    highest: int
    dotted: bool
    """Whether it has long and short pairs already."""

    @property
    def beat(self) -> int:
        return TICKS * 3 // 2 if self.metre in ("6/8", "9/8") else TICKS

    def fits(self, pitch: int, *others: int) -> bool:
        """Whether a new pitch is in the range and no wide leap from the notes beside it."""
        return self.lowest <= pitch <= self.highest and all(abs(pitch - other) <= _WIDEST for other in others)


def varied(
    notes: Sequence[Note],
    key: Key,
    metre: str,
    *,
    seed: int | str,
    amount: float,
    lowest: int | None = None,
    highest: int | None = None,
) -> list[Note]:
    """A repeat of the strain `notes` (one voice, in order, in ticks from its first bar line; an upbeat is negative).

    `amount` is the share of bars that change, 0 to 1; 0 changes nothing. New notes are in the scale and from `lowest`
    to `highest` (else the strain's own range). The same arguments give the same notes.
    """
    if not notes or amount <= 0:
        return list(notes)
    draw = random.Random(f"variation/{seed}")
    pitches = [note.pitch for note in notes]
    strain = _Strain(
        key,
        metre,
        min(pitches) if lowest is None else lowest,
        max(pitches) if highest is None else highest,
        any(note.duration == 18 for note in notes),
    )
    length = METRES[metre]
    last_bar = (notes[-1].end - 1) // length
    bars: dict[int, list[Note]] = {}
    for note in notes:
        bars.setdefault(note.start // length, []).append(note)
    following = {before: bars[after][0] for before, after in zip(bars, list(bars)[1:], strict=False)}
    result: list[Note] = []
    for number, bar in bars.items():
        changed = bar
        if 0 <= number < last_bar:
            for chance in (amount, amount / 2):
                if draw.random() < chance:
                    changed = _one_change(changed, following.get(number), strain, draw)
            if amount >= _OCTAVE_FROM and draw.random() < amount * 0.15:
                changed = _octave(changed, result[-1:], following.get(number), strain)
        result += changed
    return result


Change = Callable[[Note, "Note | None", "Note | None", _Strain, random.Random], "list[Note] | None"]


def _one_change(bar: list[Note], following: Note | None, strain: _Strain, draw: random.Random) -> list[Note]:
    """The bar with one of its notes (or pairs) changed, or as it was where nothing offers itself."""
    offers: list[tuple[float, int, int, list[Note]]] = []
    length = METRES[strain.metre]
    for place, note in enumerate(bar):
        if note.end > (note.start // length + 1) * length:
            continue  # it is held over the bar line
        after = bar[place + 1] if place + 1 < len(bar) else following
        before = bar[place - 1] if place else None
        for weight, taken, change in _CHANGES:
            if taken == 2 and (after is None or place + 1 == len(bar)):
                continue
            new = change(note, before, after, strain, draw)
            if new is not None:
                offers.append((weight, place, taken, new))
    if not offers:
        return bar
    _, place, taken, new = draw.choices(offers, [offer[0] for offer in offers])[0]
    return [*bar[:place], *new, *bar[place + taken :]]


def _passing(
    note: Note, _before: Note | None, after: Note | None, strain: _Strain, _draw: random.Random
) -> list[Note] | None:
    """A third is filled with the note between."""
    if after is None or after.start != note.end or note.duration not in (12, 24, 36, 48):
        return None
    direction = 1 if after.pitch > note.pitch else -1
    between = strain.key.neighbour(note.pitch, direction)
    if strain.key.neighbour(between, direction) != after.pitch or not strain.fits(between, note.pitch):
        return None
    tail = 6 if note.duration == 12 else 12
    return [replace(note, duration=note.duration - tail), Note(note.end - tail, tail, between, note.velocity)]


def _neighbour(
    note: Note, _before: Note | None, _after: Note | None, strain: _Strain, draw: random.Random
) -> list[Note] | None:
    """A long note goes to its neighbour and comes back."""
    sizes = {36: (12, 12, 12), 48: (24, 12, 12), 24: (12, 6, 6), 72: (36, 12, 24)}.get(note.duration)
    pitch = strain.key.neighbour(note.pitch, draw.choice((1, 1, -1)))
    if sizes is None or not strain.fits(pitch, note.pitch):
        return None
    return _in_row(note, sizes, (note.pitch, pitch, note.pitch))


def _turn(
    note: Note, _before: Note | None, _after: Note | None, strain: _Strain, _draw: random.Random
) -> list[Note] | None:
    """A quarter on the beat becomes a triplet round its upper neighbour, as fiddlers and pipers do."""
    pitch = strain.key.neighbour(note.pitch, 1)
    if note.duration != TICKS or note.start % TICKS or strain.beat != TICKS or not strain.fits(pitch, note.pitch):
        return None
    return _in_row(note, (8, 8, 8), (note.pitch, pitch, note.pitch))


def _dotted(
    note: Note, _before: Note | None, after: Note | None, strain: _Strain, _draw: random.Random
) -> list[Note] | None:
    """Two even notes become a long and a short one, where the strain has such pairs."""
    if after is None or after.start != note.end or not strain.dotted or strain.beat != TICKS or note.start % TICKS:
        return None
    if (note.duration, after.duration) != (12, 12):
        return None
    return [replace(note, duration=18), replace(after, start=note.start + 18, duration=6)]


def _merged(
    note: Note, _before: Note | None, after: Note | None, strain: _Strain, _draw: random.Random
) -> list[Note] | None:
    """Two short notes within a beat become one: repeats breathe too."""
    if after is None or after.start != note.end or (note.duration, after.duration) != (12, 12):
        return None
    if note.start % strain.beat or abs(after.pitch - note.pitch) > 4:
        return None
    return [replace(note, duration=24)]


def _other_tone(
    note: Note, before: Note | None, after: Note | None, strain: _Strain, draw: random.Random
) -> list[Note] | None:
    """A short note off the beat goes another way."""
    if before is None or after is None or note.start % strain.beat == 0 or note.duration > 12:
        return None
    pitch = strain.key.neighbour(note.pitch, draw.choice((-2, -1, 1, 2)))
    if pitch in (before.pitch, after.pitch) or not strain.fits(pitch, before.pitch, after.pitch):
        return None
    return [replace(note, pitch=pitch)]


_CHANGES: tuple[tuple[float, int, Change], ...] = (
    (3.0, 1, _passing),
    (2.0, 1, _neighbour),
    (1.0, 1, _turn),
    (0.7, 2, _dotted),
    (0.7, 2, _merged),
    (0.6, 1, _other_tone),
)
"""How often each change is taken where it offers itself, how many notes it stands for, and the change."""


def _octave(bar: list[Note], before: list[Note], following: Note | None, strain: _Strain) -> list[Note]:
    """The bar an octave up or down, where it stays in range and joins what is around it."""
    for shift in (12, -12):
        moved = [replace(note, pitch=note.pitch + shift) for note in bar]
        joins = [(before[0].pitch, moved[0].pitch)] if before else []
        joins += [(moved[-1].pitch, following.pitch)] if following else []
        if all(strain.fits(note.pitch) for note in moved) and all(abs(a - b) <= _WIDEST for a, b in joins):
            return moved
    return bar


def _in_row(note: Note, sizes: Sequence[int], pitches: Sequence[int]) -> list[Note]:
    row: list[Note] = []
    at = note.start
    for size, pitch in zip(sizes, pitches, strict=True):
        row.append(Note(at, size, pitch, note.velocity))
        at += size
    return row
