"""The written form that the tune model reads and writes: a melody relative to its tonic, bar by bar.

A piece is a header (style, mode, metre, bars, pickup, density, register, form, range) and sections. A section opens
with its length, then an upbeat if there is one, then its bars, each named by how many are left to the section's end.
Inside a bar a note is two tokens: its step (semitones above the tonic, a rest, or the hold of the note before) and the
place in the bar where it ends, so the model always sees where it stands. Keys are outside the text: a transposition
changes nothing.

A bar may be left blank: a numbered blank stands for its notes, and what belongs there follows after all sections, blank
by blank. So one model writes from nothing, goes on, answers and writes any bars anew with both sides in view.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from genai_studio.score.model import METRES, SCALES

STYLES = ("reel", "jig", "slip jig", "hornpipe", "strathspey", "march", "waltz", "air")
MODES = tuple(SCALES)
PICKUPS = (0, 3, 6, 9, 12, 18, 24, 36, 48)  # ticks
DENSITIES = ("sparse", "medium", "dense")
REGISTERS = ("low", "middle", "high")
RANGES = ("narrow", "medium", "wide")
WRITTEN_FORMS = ("A", "AB", "ABC", "ABCD", "ABCDE", "ABCDEF", "ABCDEFG", "ABCDEFGH")
LOWEST_STEP, HIGHEST_STEP = -12, 28
MAX_SECTION_BARS = 16
BARS = tuple(range(4, 65, 4))
POSITIONS = tuple(tick for tick in range(1, 109) if tick % 3 == 0 or tick % 4 == 0)
MAX_TOKENS = 1024
BLANKS = 16
"""Blanks are numbered 1 to this, then again from 1."""

ANY = "any"
PAD, BEGIN, END, REST, HOLD, FILL = "pad", "begin", "end", "rest", "hold", "fill"

Place = tuple[int, int]
"""A bar: number of the section, number of the bar in it, both from 0; bar -1 is the section's upbeat."""


def _vocabulary() -> list[str]:
    words = [PAD, BEGIN, END, REST, HOLD, FILL]
    words += [f"style:{name}" for name in (ANY, *STYLES)]
    words += [f"mode:{name}" for name in (ANY, *MODES)]
    words += [f"metre:{name}" for name in METRES]
    words += [f"bars:{count}" for count in (ANY, *BARS)]
    words += [f"pickup:{ticks}" for ticks in PICKUPS]
    words += [f"upbeat:{ticks}" for ticks in PICKUPS if ticks]
    words += [f"density:{name}" for name in (ANY, *DENSITIES)]
    words += [f"register:{name}" for name in (ANY, *REGISTERS)]
    words += [f"form:{name}" for name in (ANY, *WRITTEN_FORMS)]
    words += [f"range:{name}" for name in (ANY, *RANGES)]
    words += [f"section:{count}" for count in range(1, MAX_SECTION_BARS + 1)]
    words += [f"bar:{left}" for left in range(MAX_SECTION_BARS, 0, -1)]
    words += [f"blank:{number}" for number in range(1, BLANKS + 1)]
    words += [f"step:{step}" for step in range(LOWEST_STEP, HIGHEST_STEP + 1)]
    words += [f"until:{tick}" for tick in POSITIONS]
    return words


WORDS = tuple(_vocabulary())
IDS = {word: index for index, word in enumerate(WORDS)}


@dataclass(frozen=True)
class TuneNote:
    """A sounding note: `step` in semitones from the tonic, `start` and `end` in ticks from the section's bar 1.

    An upbeat note starts before zero.
    """

    step: int
    start: int
    end: int


@dataclass(frozen=True)
class Section:
    """`bars` bars with an upbeat of `pickup` ticks before the first; the last bar is short by the tune's pickup."""

    bars: int
    pickup: int
    notes: tuple[TuneNote, ...]

    @property
    def first_bar(self) -> int:
        """-1 where the section has an upbeat, else 0."""
        return -1 if self.pickup else 0


@dataclass(frozen=True)
class Header:
    """What the writer is told before the first note. `ANY` leaves the choice to the model."""

    metre: str
    bars: int | str = ANY
    style: str = ANY
    mode: str = ANY
    pickup: int = 0
    density: str = ANY
    register: str = ANY
    form: str = ANY
    """The sections that are written, from `WRITTEN_FORMS`; repeats are not in the text."""
    range: str = ANY

    @property
    def bar_ticks(self) -> int:
        """Ticks in a full bar."""
        return METRES[self.metre]

    def words(self) -> list[str]:
        """The header's tokens, in the order the model learned."""
        bars = self.bars if self.bars in BARS else ANY
        form = self.form if self.form in WRITTEN_FORMS else ANY
        return [
            f"style:{self.style}",
            f"mode:{self.mode}",
            f"metre:{self.metre}",
            f"bars:{bars}",
            f"pickup:{self.pickup}",
            f"density:{self.density}",
            f"register:{self.register}",
            f"form:{form}",
            f"range:{self.range}",
        ]


HEADER_WORDS = 9
"""Words of a header; `begin` comes before them."""


@dataclass(frozen=True)
class Tune:
    """A melody as written, its sections in order, repeats not played out."""

    header: Header
    sections: tuple[Section, ...] = field(default_factory=tuple)

    @property
    def notes(self) -> list[TuneNote]:
        """Every note of every section, each in its section's own time."""
        return [note for section in self.sections for note in section.notes]


def encode(tune: Tune, blanks: Collection[Place] = ()) -> list[int]:
    """The token ids of a tune, from `begin` to `end`; bars at `blanks` come after the sections.

    Raises KeyError for a note that the vocabulary cannot hold.
    """
    words = [BEGIN, *tune.header.words()]
    filled: list[str] = []
    number = 0
    for index, section in enumerate(tune.sections):
        words.append(f"section:{section.bars}")
        for bar, notes in bar_words(section, tune.header):
            opener = opening_word(section, bar)
            if (index, bar) in blanks:
                words += [opener, blank_word(number)]
                filled += [blank_word(number), opener, *notes]
                number += 1
            else:
                words += [opener, *notes]
    if filled:
        words += [FILL, *filled]
    return [IDS[word] for word in (*words, END)]


def blank_word(number: int) -> str:
    """The word of the blank `number`, counted from 0 through the whole tune."""
    return f"blank:{number % BLANKS + 1}"


def opening_word(section: Section, bar: int) -> str:
    """The word that opens a bar of `section`; -1 is its upbeat."""
    return f"upbeat:{section.pickup}" if bar < 0 else f"bar:{section.bars - bar}"


def bar_words(section: Section, header: Header) -> Iterator[tuple[int, list[str]]]:
    """Each bar's number and tokens. Gaps between notes become rests; a note over a bar line is held in the next bar."""
    length = header.bar_ticks
    last_end = max([section.bars * length - header.pickup, *(note.end for note in section.notes)])
    for bar in range(section.first_bar, section.bars):
        opens, closes = bar * length, (bar + 1) * length
        at = -section.pickup if bar < 0 else opens
        stop = min(closes, last_end)
        words: list[str] = []
        for note in section.notes:
            if note.end <= at or note.start >= stop:
                continue
            if note.start > at:
                words += [REST, f"until:{note.start - opens}"]
                at = note.start
            word = HOLD if note.start < at or note.start < opens <= at else f"step:{note.step}"
            at = min(note.end, stop)
            words += [word, f"until:{at - opens}"]
        if at < stop:
            words += [REST, f"until:{stop - opens}"]
        yield bar, words


def decode(ids: Sequence[int]) -> Tune:
    """A tune from its token ids, blanks filled in. Raises ValueError where the text breaks the grammar."""
    words = [WORDS[index] for index in ids if WORDS[index] not in (PAD, BEGIN, END)]
    values = [word.partition(":")[2] for word in words[:HEADER_WORDS]]
    if len(values) < HEADER_WORDS or not words[0].startswith("style:"):
        raise ValueError("The text has no header.")
    style, mode, metre, bars, pickup, density, register, form, span = values
    count = ANY if bars == ANY else int(bars)
    header = Header(metre, count, style, mode, int(pickup), density, register, form, span)
    sections: list[Section] = []
    reader: SectionReader | None = None
    for word in _in_place(words[HEADER_WORDS:]):
        if word.startswith("section:"):
            if reader is not None:
                sections.append(reader.section())
            reader = SectionReader(int(word[8:]), header)
        elif reader is None:
            raise ValueError("The text has a note before its first section.")
        else:
            reader.read(word)
    if reader is not None:
        sections.append(reader.section())
    return Tune(header, tuple(sections))


def notes_at(ids: Sequence[int], places: Collection[Place]) -> list[bool]:
    """For each token of a text without blanks whether it is of a note, rest or hold in a bar at `places`."""
    inside: list[bool] = []
    section, bars, bar = -1, 0, 0
    for index in ids:
        kind, _, value = WORDS[index].partition(":")
        if kind == "section":
            section, bars = section + 1, int(value)
        elif kind in ("upbeat", "bar"):
            bar = -1 if kind == "upbeat" else bars - int(value)
        inside.append(section >= 0 and is_note(index) and (section, bar) in places)
    return inside


def is_note(index: int) -> bool:
    """Whether a token is of a note, rest or hold: what it is or where it ends."""
    return WORDS[index].startswith(("step:", "until:", REST, HOLD))


def _in_place(words: list[str]) -> list[str]:
    """The sections' words with what follows `fill` put where its blanks stand."""
    if FILL not in words:
        return words
    cut = words.index(FILL)
    fills: list[list[str]] = []
    for word in words[cut + 1 :]:
        if word.startswith("blank:"):
            fills.append([])
        elif not fills:
            raise ValueError("The text fills no blank.")
        else:
            fills[-1].append(word)
    placed: list[str] = []
    for word in words[:cut]:
        if not word.startswith("blank:"):
            placed.append(word)
        elif not fills or fills[0][:1] != placed[-1:]:
            raise ValueError("The text leaves a blank open.")
        else:
            placed += fills.pop(0)[1:]
    return placed


class SectionReader:
    """Turns a section's tokens into notes one at a time, so that a page can draw them while they are written."""

    def __init__(self, bars: int, header: Header) -> None:
        self.bars, self.header = bars, header
        self.notes: list[TuneNote] = []
        self.pickup = 0
        self._bar_start = 0
        self._at = 0
        self._pending: str | None = None

    def read(self, word: str) -> TuneNote | None:
        """Takes one token; returns the note that it completes or lengthens. Raises ValueError out of grammar."""
        kind, _, value = word.partition(":")
        if kind == "upbeat":
            self._bar_start, self.pickup = -self.header.bar_ticks, int(value)
            self._at = -self.pickup
        elif kind == "bar":
            self._bar_start = self._at = (self.bars - int(value)) * self.header.bar_ticks
        elif kind in ("step", REST, HOLD):
            self._pending = word
        elif kind == "until" and self._pending is not None:
            return self._close(self._bar_start + int(value))
        else:
            raise ValueError(f"The token {word!r} is out of place.")
        return None

    def section(self) -> Section:
        """What was read so far."""
        return Section(self.bars, self.pickup, tuple(self.notes))

    def _close(self, end: int) -> TuneNote | None:
        start, word = self._at, self._pending
        self._pending, self._at = None, end
        if end <= start:
            raise ValueError("A note ends before it starts.")
        if word == REST or word is None:
            return None
        if word == HOLD:
            if not self.notes or self.notes[-1].end != start:
                return None
            last = self.notes[-1]
            self.notes[-1] = TuneNote(last.step, last.start, end)
        else:
            self.notes.append(TuneNote(int(word[5:]), start, end))
        return self.notes[-1]
