"""The score as it stands on paper: measures of events with plain note values, ties, triplets and beams.

Music on the grid of sixteenths, thirty-seconds and triplets is written as it is. What lies between (a recording, a
foreign file) is moved to the nearest place that note values can say, for the page only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from genai_studio.score.model import TICKS, Note, Part, Score

PLAIN = {3: ("32nd", 0), 6: ("16th", 0), 9: ("16th", 1), 12: ("eighth", 0), 18: ("eighth", 1), 21: ("eighth", 2),
         24: ("quarter", 0), 36: ("quarter", 1), 42: ("quarter", 2), 48: ("half", 0), 72: ("half", 1), 84: ("half", 2),
         96: ("whole", 0), 144: ("whole", 1)}  # fmt: skip
"""Ticks to the name of a note value and its dots."""
TRIPLET = {2: "32nd", 4: "16th", 8: "eighth", 16: "quarter", 32: "half"}
"""Ticks to the name of a note value, three in the time of two."""
_FLAGS = {"eighth": 1, "16th": 2, "32nd": 3}
_GROUPS = (6, 12, 24, 48, 96)
"""Ticks that a triplet may fill."""


@dataclass(frozen=True)
class Measure:
    """One measure from `start` to `end` in ticks. `first` is where it would start if it were full: before `start` in
    the pickup, which has number 0; the last is short by the pickup."""

    number: int
    start: int
    end: int
    first: int


@dataclass(frozen=True)
class Event:
    """Notes (or a rest, without pitches) of one length inside one measure."""

    start: int
    duration: int
    pitches: tuple[int, ...]
    tied_from: bool = False
    tied_to: bool = False
    whole_measure: bool = False

    @property
    def triplet(self) -> bool:
        """Whether it is one of three in the time of two."""
        return self.duration not in PLAIN

    @property
    def name(self) -> str:
        """MusicXML's name of its note value."""
        return TRIPLET[self.duration] if self.triplet else PLAIN[self.duration][0]

    @property
    def dots(self) -> int:
        """Dots behind it."""
        return 0 if self.triplet else PLAIN[self.duration][1]


def measures(score: Score) -> list[Measure]:
    """Every measure; the pickup, where there is one, is the first."""
    pickup, length = score.pickup, score.bar_ticks
    found = [Measure(0, 0, pickup, pickup - length)] if pickup else []
    for bar in range(score.bars):
        start = pickup + bar * length
        found.append(Measure(bar + 1, start, min(start + length, score.ticks), start))
    return [measure for measure in found if measure.end > measure.start]


def staff(score: Score, part: Part) -> list[list[Event]]:
    """The part's events, measure by measure; each measure is filled, rests included."""
    notes = _on_paper(part.notes, score)
    starts = [note.start for note in notes]
    held: list[Note] = []
    staves = []
    for measure in measures(score):
        held = [note for note in held if note.end > measure.start]
        held += notes[bisect_left(starts, measure.start) : bisect_left(starts, measure.end)]
        staves.append(_fill(held, measure, score))
    return staves


def _on_paper(notes: Sequence[Note], score: Score) -> list[Note]:
    """The notes in order, with each end on the grid of its beat: thirty-seconds, or triplets."""
    places: dict[int, set[int]] = {}
    for note in notes:
        for tick in (note.start, note.end):
            places.setdefault((tick - score.pickup) // TICKS, set()).add((tick - score.pickup) % TICKS)
    grids = {beat: _grid(found) for beat, found in places.items()}

    def placed(tick: int) -> int:
        beat, place = divmod(tick - score.pickup, TICKS)
        size = grids[beat]
        return min(score.ticks, max(0, score.pickup + beat * TICKS + (place + size // 2) // size * size))

    moved = []
    for note in notes:
        start, end = placed(note.start), placed(note.end)
        if end <= start:
            end = min(score.ticks, start + grids[(start - score.pickup) // TICKS] if note.duration > 2 else start)
        if end > start:
            moved.append(replace(note, start=start, duration=end - start))
    return sorted(moved, key=lambda note: (note.start, note.pitch))


def _grid(places: set[int]) -> int:
    """The widest step, in ticks, that every place of a beat is on; the nearest of 3 and 4 where there is none."""
    for size in (3, 4, 2):
        if all(place % size == 0 for place in places) and (size != 2 or all(place % 3 for place in places if place)):
            return size
    return min((3, 4), key=lambda size: sum(min(place % size, -place % size) for place in places))


def _fill(notes: Sequence[Note], measure: Measure, score: Score) -> list[Event]:
    """The measure as events that fill it: notes that start together are one, gaps are rests."""
    start, end = measure.start, measure.end
    onsets = sorted({max(start, note.start) for note in notes})
    if not onsets:
        return [Event(start, end - start, (), whole_measure=True)] if measure.number and _full(measure, score) else [
            Event(low, high - low, ()) for low, high in _pieces(start, end, measure.first, score)
        ]  # fmt: skip
    events: list[Event] = []
    at = start
    for place, onset in enumerate(onsets):
        sounding = [note for note in notes if max(start, note.start) == onset]
        until = min([end, *onsets[place + 1 : place + 2], max(note.end for note in sounding)])
        if onset > at:
            events += [Event(low, high - low, ()) for low, high in _pieces(at, onset, measure.first, score)]
        pitches = tuple(sorted({note.pitch for note in sounding}))
        held = any(note.start < start for note in sounding)
        goes_on = until == end and any(note.end > end for note in sounding)
        pieces = _pieces(onset, until, measure.first, score)
        for number, (low, high) in enumerate(pieces):
            first, last = number == 0, number == len(pieces) - 1
            events.append(Event(low, high - low, pitches, held if first else True, goes_on if last else True))
        at = until
    if at < end:
        events += [Event(low, high - low, ()) for low, high in _pieces(at, end, measure.first, score)]
    return events


def _full(measure: Measure, score: Score) -> bool:
    return measure.end - measure.start == score.bar_ticks


def _pieces(start: int, end: int, first: int, score: Score) -> list[tuple[int, int]]:
    """One stretch as the fewest note values, to be tied together, parted where the measure's beats are."""
    low, high = start - first, end - first
    if _written(low, high, score):
        return [(start, end)]
    sizes = (score.beat_ticks, 12, 6, 3) if score.compound else (48 if score.metre == "4/4" else 24, 24, 12, 6, 3)
    for size in sizes:
        boundary = (low // size + 1) * size
        if boundary < high:
            return _pieces(start, first + boundary, first, score) + _pieces(first + boundary, end, first, score)
    longest = max((value for value in (*PLAIN, *TRIPLET) if value <= high - low), default=0)
    return [(start, start + longest), *_pieces(start + longest, end, first, score)] if longest else []


def _written(low: int, high: int, score: Score) -> bool:
    """Whether one note value says the stretch, in ticks from the measure's start."""
    duration = high - low
    if duration in PLAIN and low % 3 == 0 and high % 3 == 0:
        beat = score.beat_ticks
        across = low // beat != (high - 1) // beat
        return not score.compound or not across or (low % beat == 0 and high % beat == 0)
    return duration in TRIPLET and any(
        low // size == (high - 1) // size and low % (size // 3) == 0 and high % (size // 3) == 0 for size in _GROUPS
    )


def beams(events: Sequence[Event], measure: Measure, score: Score) -> list[list[str]]:
    """For each event its beams, first level first, joining what shares a beat (half a measure in 4/4)."""
    span = 48 if score.metre == "4/4" else score.beat_ticks
    groups: dict[int, list[int]] = {}
    for place, event in enumerate(events):
        if event.pitches and event.name in _FLAGS:
            groups.setdefault((event.start - measure.first) // span, []).append(place)
    marks: list[list[str]] = [[] for _ in events]
    for group in groups.values():
        for run in _runs(group):
            for level in range(1, 4):
                for start, stop in _stretches([_FLAGS[events[place].name] >= level for place in run]):
                    if stop - start > 1:
                        for number in range(start, stop):
                            kind = "begin" if number == start else "end" if number == stop - 1 else "continue"
                            marks[run[number]].append(kind)
                    elif level > 1 and len(run) > 1:
                        marks[run[start]].append("backward hook" if start else "forward hook")
    return marks


def _runs(places: Sequence[int]) -> list[list[int]]:
    """Places in rows without a gap (a rest or a long note between)."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _stretches(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """The (start, stop) of each stretch of True."""
    stretches: list[tuple[int, int]] = []
    start: int | None = None
    for place, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = place
        elif not flag and start is not None:
            stretches.append((start, place))
            start = None
    return stretches


def tuplets(events: Sequence[Event]) -> dict[int, str]:
    """Places where a triplet bracket starts or stops."""
    marks: dict[int, str] = {}
    filled = 0
    for place, event in enumerate(events):
        if not event.triplet:
            filled = 0
            continue
        if filled == 0:
            marks[place] = "start"
        filled += event.duration
        if filled % 3 == 0:
            marks[place] = "stop"
            filled = 0
    return marks
