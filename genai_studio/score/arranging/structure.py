"""What stands around a tune's form, and how a piece grows: introduction, tag, passages, the closing strokes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from genai_studio.score.arranging.harmony import cadence, closing_chord, is_rich, joined
from genai_studio.score.model import INTRODUCTION, TAG, Chord, Ending, Note, Score, Section

INTRODUCTION_BARS = TAG_BARS = 4
_PHRASE = 8


@dataclass(frozen=True)
class Passage:
    """Bars `first_bar` to `end_bar` that are played in one way. `level` is how full, 0 (bare) to 1 (everybody)."""

    letter: str
    first_bar: int
    end_bar: int
    level: float
    closes: bool
    """Whether its last bar ends a section, so that players lead over."""

    @property
    def bars(self) -> range:
        """Its bars."""
        return range(self.first_bar, self.end_bar)


def passages(score: Score) -> tuple[Passage, ...]:
    """The piece in passages of at most eight bars: it starts lightly, and each section is a little fuller."""
    sections = score.sections or (Section("A", 0, score.bars),)
    pieces: list[tuple[Section, int, int]] = []
    for section in sections:
        starts = list(range(section.first_bar, section.end_bar, _PHRASE))
        pieces += [(section, start, min(start + _PHRASE, section.end_bar)) for start in starts]
    form = [piece for piece in pieces if piece[0].letter not in (INTRODUCTION, TAG)]
    found = []
    for piece in pieces:
        section, start, end = piece
        if section.letter == INTRODUCTION:
            level = 0.3
        elif section.letter == TAG:
            level = 0.6
        else:
            level = 0.35 + 0.6 * form.index(piece) / (len(form) - 1) if len(form) > 1 else 0.7
        found.append(Passage(section.letter, start, end, level, end == section.end_bar))
    return tuple(found)


def framed(score: Score, melody: Sequence[Note], introduction: int, ending: Ending) -> tuple[Score, tuple[Note, ...]]:
    """The body (with its chords) and its melody, with `introduction` bars before it and a tag where `ending` is one.

    The introduction has the opening's harmony and leads in with its last bar. The tag says the last two bars again and
    holds the last note over the fourth degree and the tonic. Raises ValueError for other lengths than 0 and 4.
    """
    if introduction not in (0, INTRODUCTION_BARS):
        raise ValueError(f"An introduction has {INTRODUCTION_BARS} bars, or there is none.")
    notes, chords = tuple(melody), score.chords
    sections = score.sections or (Section("A", 0, score.bars),)
    bars, length = score.bars, score.bar_ticks
    if ending == "tag" and notes:
        notes, chords = _tagged(score, notes)
        sections += (Section(TAG, bars, TAG_BARS),)
        bars += TAG_BARS
    if introduction:
        shift = introduction * length
        notes = tuple(replace(note, start=note.start + shift) for note in notes)
        opening = _opening(score, introduction)
        chords = joined([*opening, *(replace(chord, start=chord.start + shift) for chord in chords)])
        sections = tuple(replace(section, first_bar=section.first_bar + introduction) for section in sections)
        sections = (Section(INTRODUCTION, 0, introduction), *sections)
        bars += introduction
    return replace(score, bars=bars, chords=chords, sections=sections, ending=ending), notes


def _opening(score: Score, bars: int) -> list[Chord]:
    """The first chords of the body, then a bar that leads in."""
    end = score.pickup + (bars - 1) * score.bar_ticks
    chords = [replace(chord, duration=min(chord.end, end) - chord.start) for chord in score.chords if chord.start < end]
    return chords + cadence(score.key, end, score.bar_ticks, rich=is_rich(score.chords))


def _tagged(score: Score, melody: tuple[Note, ...]) -> tuple[tuple[Note, ...], tuple[Chord, ...]]:
    length, end = score.bar_ticks, score.ticks
    echo, held = end - 2 * length, end + 2 * length
    again = [
        Note(max(note.start, echo) + 2 * length, note.end - max(note.start, echo), note.pitch, note.velocity)
        for note in melody
        if note.end > echo
    ]
    last = again[-1]
    notes = [*melody, *again[:-1], replace(last, duration=end + TAG_BARS * length - last.start)]
    chords = [*score.chords]
    first_full = score.pickup + score.bars * length
    gap = first_full - end  # the last bar of the body is short by the pickup; the tag fills it
    chords[-1] = replace(chords[-1], duration=chords[-1].duration + gap)
    for chord in score.chords:
        start = max(chord.start, first_full - 2 * length)
        if chord.end > start:
            chords.append(
                replace(chord, start=start + 2 * length, duration=chord.end + gap * (chord.end == end) - start)
            )
    fourth = closing_chord(score, last.pitch % 12)
    chords.append(Chord(held + gap, length, *fourth))
    home = score.chords[-1]
    chords.append(Chord(held + gap + length, length - gap, home.root, home.tones))
    return tuple(notes), joined(chords)


def final_strokes(score: Score) -> tuple[tuple[int, int], ...]:
    """(start, duration) of what players strike in the last bar: its first beat, and the melody's last note."""
    opens = score.pickup + (score.bars - 1) * score.bar_ticks
    last = max((note.start for note in score.melody), default=opens)
    if not opens < last < score.ticks - 2:
        return ((opens, score.ticks - opens),)
    return ((opens, last - opens), (last, score.ticks - last))


def body_of(score: Score) -> Score:
    """The score without its introduction and tag, with whatever sounds in between."""
    inner = [section for section in score.sections if section.letter not in (INTRODUCTION, TAG)]
    if not inner or len(inner) == len(score.sections):
        return score
    first, end = inner[0].first_bar, inner[-1].end_bar
    length = score.bar_ticks
    opens, closes = first * length, end * length
    parts = tuple(replace(part, notes=tuple(_cut(part.notes, opens, closes))) for part in score.parts)
    chords = [
        replace(chord, start=max(chord.start, opens + score.pickup) - opens,
                duration=min(chord.end, closes) - max(chord.start, opens + score.pickup))
        for chord in score.chords
        if chord.end > opens + score.pickup and chord.start < closes
    ]  # fmt: skip
    sections = tuple(replace(section, first_bar=section.first_bar - first) for section in inner)
    return replace(score, bars=end - first, parts=parts, chords=tuple(chords), sections=sections)


def _cut(notes: Sequence[Note], opens: int, closes: int) -> list[Note]:
    return [
        replace(note, start=note.start - opens, duration=min(note.end, closes) - note.start)
        for note in notes
        if opens <= note.start < closes
    ]
