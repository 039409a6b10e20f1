"""Between a score and what the writer reads: the melody as a tune around chosen bars, and new bars back into place.

The writer sees a tidied copy (its grid, its range, its window of text); what goes back into the score are only the
bars it wrote, so every other note stays exactly as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from genai_studio.models.tunes.tokens import (
    HIGHEST_STEP,
    LOWEST_STEP,
    MAX_SECTION_BARS,
    MAX_TOKENS,
    PICKUPS,
    POSITIONS,
    Header,
    Tune,
    TuneNote,
    encode,
)
from genai_studio.models.tunes.tokens import Section as Written
from genai_studio.score.model import INTRODUCTION, METRES, SCALES, TAG, Chord, Key, Note, Score, Section

PHRASE = 8
"""Bars of a section where a piece does not say how it is built."""
_GRID = (0, *POSITIONS)
_ROOM = MAX_TOKENS // 3
"""Tokens kept free for the bars that are written anew."""


@dataclass(frozen=True)
class Melody:
    """A score's tune without its players: notes in the score's ticks, and the sections they fall into.

    Bar b begins at `origin + b * length`; `sections` never hold an introduction.
    """

    notes: tuple[Note, ...]
    sections: tuple[Section, ...]
    key: Key
    metre: str
    origin: int

    @property
    def length(self) -> int:
        """Ticks of a bar."""
        return METRES[self.metre]

    @property
    def end_bar(self) -> int:
        """The bar after the last."""
        return self.sections[-1].end_bar

    def opens(self, bar: int) -> int:
        """The tick at which a bar begins."""
        return self.origin + bar * self.length


def melody_of(score: Score) -> Melody:
    """The melody of a score, in sections of eight bars where the score names none."""
    sections = tuple(section for section in score.sections if section.letter != INTRODUCTION)
    return Melody(score.melody, sections or _phrases(score.bars), score.key, score.metre, score.pickup)


def body_of(score: Score) -> Melody:
    """The melody without what was built around it: no introduction, no tag; bar 0 is its own first."""
    whole = melody_of(score)
    sections = whole.sections
    if score.ending == "tag" and len(sections) > 1 and sections[-1].letter == TAG:
        sections = sections[:-1]
    first = sections[0].first_bar
    return trimmed(replace(whole, sections=sections), first)


def trimmed(melody: Melody, first: int) -> Melody:
    """The melody from bar `first` (with its upbeat) to the end of its last section, counted from its own first bar."""
    shift = first * melody.length
    sections = tuple(replace(section, first_bar=section.first_bar - first) for section in melody.sections)
    end = sections[-1].end_bar * melody.length
    notes = tuple(
        replace(note, start=note.start - shift, duration=min(note.end - shift, end) - (note.start - shift))
        for note in melody.notes
        if 0 <= note.start - shift < end
    )
    return replace(melody, notes=notes, sections=sections)


def fitting_tonic(melody: Melody) -> int:
    """The MIDI pitch of the tonic around which most of the melody lies in the writer's range."""
    choices = [melody.key.pitch_class + octave for octave in (60, 48, 72, 36, 84, 24, 96)]

    def strain(tonic: int) -> int:
        return sum(not LOWEST_STEP <= note.pitch - tonic <= HIGHEST_STEP for note in melody.notes)

    return min(choices, key=strain)


def _phrases(bars: int) -> tuple[Section, ...]:
    starts = list(range(0, bars, PHRASE))
    if len(starts) > 1 and bars - starts[-1] < PHRASE // 2:
        starts.pop()  # a short rest belongs to the phrase before it
    ends = [*starts[1:], bars]
    letters = (chr(ord("A") + number % 25) for number in range(len(starts)))
    return tuple(Section(letter, first, end - first) for letter, first, end in zip(letters, starts, ends, strict=True))


def chosen_bars(melody: Melody, first_bar: int, last_bar: int, *, repeats: bool) -> list[list[int]]:
    """The bars to write anew (from 0), and with `repeats` the same bars wherever their section comes back.

    Each list is one set of bars that are to be the same music; its bars are in order. `first_bar` and `last_bar` count
    from 1. Raises ValueError where they are not bars of the melody.
    """
    lowest, highest = melody.sections[0].first_bar + 1, melody.end_bar
    if not lowest <= first_bar <= last_bar <= highest:
        raise ValueError(f"Bars {first_bar} to {last_bar} are not in the melody; it has bars {lowest} to {highest}.")
    bars = list(range(first_bar - 1, last_bar))
    sets = [bars]
    owner = next(section for section in melody.sections if section.first_bar <= bars[0] < section.end_bar)
    if repeats and bars[-1] < owner.end_bar and owner.letter != TAG:
        sets += [
            [bar - owner.first_bar + section.first_bar for bar in bars]
            for section in melody.sections
            if section.letter == owner.letter and section != owner and section.bars == owner.bars
        ]
    return sets


@dataclass(frozen=True)
class Reading:
    """What the writer is given: the tune, the (section, bar) places to fill in, and where they lie in the score."""

    tune: Tune
    blanks: tuple[tuple[int, int], ...]
    bars: tuple[int, ...]
    """The score's bar of each of `blanks`."""
    ends: bool
    """Whether the tune goes to the end of the melody."""
    tonic: int
    """MIDI pitch of step 0."""


def reading(melody: Melody, bars: Sequence[int], style: str, tonic: int) -> Reading:
    """The melody around `bars` as a tune with places to fill in; as many sections before and after as fit the text."""
    pieces = _split(melody.sections)
    inside = [
        number for number, piece in enumerate(pieces) if any(piece.first_bar <= bar < piece.end_bar for bar in bars)
    ]
    first, last = inside[0], inside[-1] + 1
    tune = _tune(melody, pieces[first:last], style, tonic)
    for _ in pieces:
        for wider in ((first - 1, last), (first, last + 1)):
            if not 0 <= wider[0] < wider[1] <= len(pieces):
                continue
            candidate = _tune(melody, pieces[wider[0] : wider[1]], style, tonic)
            if len(encode(candidate)) + _ROOM <= MAX_TOKENS:
                (first, last), tune = wider, candidate
    blanks, places = [], []
    for number, piece in enumerate(pieces[first:last]):
        for bar in bars:
            if piece.first_bar <= bar < piece.end_bar:
                blanks.append((number, bar - piece.first_bar))
                places.append(bar)
    return Reading(tune, tuple(blanks), tuple(places), last == len(pieces), tonic)


def _split(sections: Sequence[Section]) -> list[Section]:
    """Sections no longer than the writer can name."""
    return [
        Section(section.letter, first, min(MAX_SECTION_BARS, section.end_bar - first))
        for section in sections
        for first in range(section.first_bar, section.end_bar, MAX_SECTION_BARS)
    ]


def _tune(melody: Melody, pieces: Sequence[Section], style: str, tonic: int) -> Tune:
    pickup = _pickup(melody)
    header = Header(melody.metre, style=style, mode=melody.key.mode, pickup=pickup)
    return Tune(header, tuple(_written(melody, piece, pickup, tonic) for piece in pieces))


def _pickup(melody: Melody) -> int:
    """Ticks of the upbeat before the first section, as long as the writer knows them."""
    first = melody.opens(melody.sections[0].first_bar)
    before = max((first - note.start for note in melody.notes if note.start < first), default=0)
    return next((ticks for ticks in PICKUPS if ticks >= before and ticks < melody.length // 2), 0)


def _written(melody: Melody, piece: Section, pickup: int, tonic: int) -> Written:
    """One section as the writer reads it: one voice, on its grid, in its range, an upbeat before and short by it."""
    opens = melody.opens(piece.first_bar)
    stop = piece.bars * melody.length - pickup
    notes: list[TuneNote] = []
    for note in sorted(melody.notes, key=lambda note: (note.start, -note.pitch)):
        start = max(_snapped(note.start - opens, melody.length), notes[-1].end if notes else -pickup)
        end = min(_snapped(note.end - opens, melody.length), stop)
        if note.start - opens >= -pickup and end > start:
            notes.append(TuneNote(_step(note.pitch - tonic), start, end))
    return Written(piece.bars, pickup, tuple(notes))


def _snapped(tick: int, length: int) -> int:
    bar, place = divmod(tick, length)
    return bar * length + min(_GRID, key=lambda grid: (abs(grid - place), grid))


def _step(step: int) -> int:
    """A step in the writer's range, by octaves."""
    while step < LOWEST_STEP:
        step += 12
    while step > HIGHEST_STEP:
        step -= 12
    return step


@dataclass(frozen=True)
class FreshBar:
    """A bar that was written: its notes in ticks from its beginning (the last may hold on beyond it), and how many
    ticks of the bar it fills, less than a whole one where the next section's upbeat follows."""

    notes: tuple[Note, ...]
    ticks: int


def new_bars(read: Reading, filled: Tune) -> dict[int, FreshBar]:
    """What `filled` has in the blank bars, by the score's bar; the upbeat of a new section stands before its first."""
    header = filled.header
    found: dict[int, FreshBar] = {}
    for (number, bar), place in zip(read.blanks, read.bars, strict=True):
        section, opens = filled.sections[number], bar * header.bar_ticks
        ticks = header.bar_ticks - (header.pickup if bar == section.bars - 1 else 0)
        upbeat = header.pickup if bar == 0 and not read.tune.sections[number].notes else 0
        notes = [note for note in section.notes if opens - upbeat <= note.start < opens + ticks]
        fresh = (Note(note.start - opens, note.end - note.start, read.tonic + note.step) for note in notes)
        found[place] = FreshBar(tuple(fresh), ticks)
    return found


def spans_of(melody: Melody, written: Mapping[int, FreshBar]) -> list[tuple[int, int]]:
    """The ticks from and to which bars were written, in order; bars in a row are one span."""
    spans: list[tuple[int, int]] = []
    for bar in sorted(written):
        opens = melody.opens(bar)
        closes = opens + written[bar].ticks
        if spans and spans[-1][1] == opens:
            opens = spans.pop()[0]
        spans.append((opens, closes))
    return spans


def with_bars(melody: Melody, written: Mapping[int, FreshBar]) -> tuple[Note, ...]:
    """The melody's notes with `written` in place of those bars; no new note holds on into a bar that stays."""
    spans = spans_of(melody, written)
    notes = [piece for note in melody.notes for piece in _outside(note, spans)]
    for bar, fresh in written.items():
        opens = melody.opens(bar)
        limit = next(closes for start, closes in spans if start <= opens < closes)
        notes += [
            replace(note, start=opens + note.start, duration=min(note.duration, limit - opens - note.start))
            for note in fresh.notes
        ]
    return tuple(sorted(notes, key=lambda note: (note.start, note.pitch)))


def _outside(note: Note, spans: Iterable[tuple[int, int]]) -> list[Note]:
    """What of a note lies outside the spans."""
    pieces = [(note.start, note.end)]
    for opens, closes in spans:
        pieces = [
            part
            for start, end in pieces
            for part in ((start, min(end, opens)), (max(start, closes), end))
            if part[1] > part[0] and not (part[0] >= opens and part[1] <= closes)
        ]
    return [replace(note, start=start, duration=end - start) for start, end in dict.fromkeys(pieces)]


def kept_chords(before: Sequence[Chord], after: Sequence[Chord], spans: Sequence[tuple[int, int]]) -> tuple[Chord, ...]:
    """`before` outside the spans of ticks and `after` inside them, so that only what was rewritten gets new harmony."""
    found: list[Chord] = []
    edges = sorted({edge for span in spans for edge in span})
    for chords, wanted in ((before, False), (after, True)):
        for chord in chords:
            cuts = [chord.start, *(edge for edge in edges if chord.start < edge < chord.end), chord.end]
            for start, end in pairwise(cuts):
                if any(opens <= start < closes for opens, closes in spans) == wanted:
                    found.append(replace(chord, start=start, duration=end - start))
    found.sort(key=lambda chord: chord.start)
    merged: list[Chord] = []
    for chord in found:
        last = merged[-1] if merged else None
        if last and last.end == chord.start and (last.root, last.tones) == (chord.root, chord.tones):
            merged[-1] = replace(last, duration=last.duration + chord.duration)
        else:
            merged.append(chord)
    return tuple(merged)


def moved(notes: Iterable[Note], before: Key, after: Key) -> tuple[Note, ...]:
    """A melody in another key: its scale steps become those of the new mode, the whole moves the shorter way."""
    shift = (after.pitch_class - before.pitch_class + 6) % 12 - 6
    old, new = SCALES[before.mode], SCALES[after.mode]

    def pitch(note: Note) -> int:
        octave, step = divmod(note.pitch - before.pitch_class, 12)
        if step in old:
            step = new[old.index(step)]
        return before.pitch_class + 12 * octave + step + shift

    return tuple(replace(note, pitch=max(0, min(127, pitch(note)))) for note in notes)


def in_range(notes: Sequence[Note], lowest: int, highest: int) -> tuple[Note, ...]:
    """The melody moved by octaves to where most of it fits an instrument; what still does not is moved by itself."""
    if not notes:
        return ()

    def outside(shift: int) -> int:
        return sum(not lowest <= note.pitch + shift <= highest for note in notes)

    shift = min((0, 12, -12, 24, -24, 36, -36), key=lambda octaves: (outside(octaves), abs(octaves)))
    fitted = []
    for note in notes:
        pitch = note.pitch + shift
        while pitch < lowest:
            pitch += 12
        while pitch > highest:
            pitch -= 12
        fitted.append(replace(note, pitch=max(0, min(127, pitch))))
    return tuple(fitted)
