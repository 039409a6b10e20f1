"""Blank bars in a tune: the text around them, the rules for what fills them, and the tune with them filled.

Whatever stands outside the blanks is kept note for note. A kept note that sounds into a blank sounds on; a note that
is held from a blank into a kept bar stays held, so the blank has to land on it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from genai_studio.models.tunes.bar_rules import Bar, Landing, Steps
from genai_studio.models.tunes.grammar import LAST_NOTE, TOKENS_A_BAR, nearly_full
from genai_studio.models.tunes.tokens import (
    ANY,
    BARS,
    BEGIN,
    FILL,
    HEADER_WORDS,
    HIGHEST_STEP,
    HOLD,
    LOWEST_STEP,
    MAX_SECTION_BARS,
    MAX_TOKENS,
    MODES,
    POSITIONS,
    REST,
    WORDS,
    WRITTEN_FORMS,
    Place,
    Section,
    Tune,
    TuneNote,
    bar_words,
    blank_word,
    encode,
    opening_word,
)
from genai_studio.score.model import SCALES

MAX_BLANKS = 64
_TIE = 6
"""Ticks that the note before a kept tie sounds in its own bar, or more."""
_GRID = {0, *POSITIONS}


def blank_places(tune: Tune, blanks: Collection[Place]) -> list[Place]:
    """`blanks` in order, with the upbeats of sections that have nothing written yet.

    Raises ValueError where there is none, one that the tune does not have, or more than `MAX_BLANKS`.
    """
    places = set(blanks)
    for number, bar in places:
        if not 0 <= number < len(tune.sections):
            raise ValueError(f"The tune has no section {number + 1}.")
        section = tune.sections[number]
        if not section.first_bar <= bar < section.bars:
            raise ValueError(f"Section {number + 1} has no bar {bar + 1}.")
    for number, section in enumerate(tune.sections):
        if section.pickup and not section.notes and (number, 0) in places:
            places.add((number, -1))
    if not 0 < len(places) <= MAX_BLANKS:
        raise ValueError(f"Between 1 and {MAX_BLANKS} bars can be written anew at once.")
    if any(section.bars > MAX_SECTION_BARS for section in tune.sections):
        raise ValueError(f"A section has {MAX_SECTION_BARS} bars at most.")
    return sorted(places)


def window(tune: Tune, blanks: Collection[Place]) -> range:
    """The sections that fit into the text around the blanks, the nearest first.

    Raises ValueError where the sections that hold the blanks alone are too long.
    """
    costs = [1 + sum(len(words) + 2 for _, words in bar_words(section, tune.header)) for section in tune.sections]
    holders = {number for number, _ in blanks}
    first, last = min(holders), max(holders)
    room = MAX_TOKENS - HEADER_WORDS - 3 - len(blanks) * (TOKENS_A_BAR + 2) - sum(costs[first : last + 1])
    if room < -len(blanks) * (TOKENS_A_BAR - 4):
        raise ValueError("These bars are too far apart to be written anew together.")
    while first or last + 1 < len(costs):
        before = costs[first - 1] if first else room + 1
        after = costs[last + 1] if last + 1 < len(costs) else room + 1
        if min(before, after) > room:
            break
        if before <= room:
            first, room = first - 1, room - before
        else:
            last, room = last + 1, room - after
    return range(first, last + 1)


def legible(tune: Tune) -> Tune:
    """The tune in the model's words: steps in its reach, notes on its grid, one at a time. Mostly the tune itself."""
    return replace(tune, sections=tuple(_legible(section, tune.header.bar_ticks) for section in tune.sections))


def _legible(section: Section, length: int) -> Section:
    notes: list[TuneNote] = []
    for note in section.notes:
        step = note.step
        step += 12 * (max(0, LOWEST_STEP - step + 11) // 12) - 12 * (max(0, step - HIGHEST_STEP + 11) // 12)
        start, end = _nearest(note.start, length), _nearest(note.end, length)
        start = max(start, notes[-1].end if notes else -section.pickup)
        if end > start:
            notes.append(TuneNote(step, start, end))
    return replace(section, notes=tuple(notes))


def _nearest(tick: int, length: int) -> int:
    opens = tick // length * length
    return opens + min((place for place in (*_GRID, length) if place <= length), key=lambda p: abs(opens + p - tick))


def mode_of(tune: Tune) -> str:
    """The header's mode, or the one whose scale holds most of the notes."""
    if tune.header.mode in SCALES:
        return tune.header.mode
    return max(MODES, key=lambda mode: sum(note.step % 12 in SCALES[mode] for note in tune.notes))


class BlankGrammar:
    """Follows one tune whose `blanks`, in order, are filled. `closing` is the section that has to come home, if any."""

    def __init__(
        self, tune: Tune, blanks: list[Place], *, lowest: int, highest: int, closing: int | None = None
    ) -> None:
        self.tune, self.blanks = tune, blanks
        self.steps = Steps.of(mode_of(tune), lowest, highest)
        self.closing = closing
        self.finished = False
        self.known = _known_words(tune, blanks)
        self.filled: list[list[str]] = []
        self._tokens = len(self.known)
        self._ahead: list[str] = []
        self._bar: Bar | None = None
        self._open()

    @property
    def place(self) -> Place:
        """The blank that is being filled."""
        return self.blanks[min(len(self.filled), len(self.blanks) - 1)]

    def allowed(self) -> tuple[str, ...]:
        """The words that may come next, never none."""
        if self._ahead or self._bar is None:
            return (self._ahead[0],)
        self._bar.hurry = nearly_full(self._tokens, len(self.blanks) - len(self.filled))
        return self._bar.allowed()

    def push(self, word: str) -> None:
        """Takes the word that was chosen from `allowed()`."""
        self._tokens += 1
        if self._ahead:
            self._ahead.pop(0)
        elif self._bar is not None:
            self._bar.push(word)
        if not self._ahead and (self._bar is None or self._bar.finished):
            self.filled.append(self._held + (self._bar.words if self._bar else []))
            self._sounded = self._bar is None or self._bar.sounding
            if len(self.filled) == len(self.blanks):
                self.finished = True
            else:
                self._open()

    def _open(self) -> None:
        """The words that the next blank has to begin with, and the rules for the rest of its bar."""
        number, bar = self.place
        section, length = self.tune.sections[number], self.tune.header.bar_ticks
        start, end = _bounds(self.tune, number, bar)
        opens = bar * length
        self._ahead = [blank_word(len(self.filled)), opening_word(section, bar)]
        self._held: list[str] = []
        note = self._crossing(number, opens + start, blank=False)
        if note is not None:
            start = min(note.end - opens, end)
            self._held = [HOLD, f"until:{start}"]
            self._ahead += self._held
        before = (number, bar - 1) in self.blanks
        sounding = note is not None or (
            self._sounded if before else any(kept.end == opens + start for kept in self._kept(number))
        )
        tie = self._crossing(number, opens + end, blank=True) if (number, bar + 1) not in self.blanks else None
        landing = None if tie is None else Landing((f"step:{tie.step}",), _TIE)
        if number == self.closing and bar == section.bars - 1:
            landing = Landing(self.steps.home, LAST_NOTE)
        self._bar = None
        if start < end:
            self._bar = Bar(self.steps, start, end, sounding=sounding, holds=before, landing=landing)

    _sounded = False

    def _kept(self, number: int) -> list[TuneNote]:
        length = self.tune.header.bar_ticks
        return [note for note in self.tune.sections[number].notes if (number, note.start // length) not in self.blanks]

    def _crossing(self, number: int, tick: int, *, blank: bool) -> TuneNote | None:
        """The written note that sounds over `tick` and starts in a blank, or in a kept bar."""
        length = self.tune.header.bar_ticks
        for note in self.tune.sections[number].notes:
            if note.start < tick < note.end and ((number, note.start // length) in self.blanks) == blank:
                return note
        return None


def filled_tune(tune: Tune, blanks: list[Place], filled: list[list[str]]) -> Tune:
    """`tune` with the words of `filled` in its `blanks`; every note outside them is the one that was there."""
    length = tune.header.bar_ticks
    sections = []
    for number, section in enumerate(tune.sections):
        own = {place[1]: words for place, words in zip(blanks, filled, strict=True) if place[0] == number}
        kept = [note for note in section.notes if note.start // length not in own]
        notes: list[TuneNote] = []
        for bar, words in sorted(own.items()):
            opens = bar * length
            at = opens + _bounds(tune, number, bar)[0]
            for word, until in zip(words[::2], words[1::2], strict=True):
                end = opens + int(until[6:])
                if word.startswith("step:"):
                    notes.append(TuneNote(int(word[5:]), at, end))
                elif word == HOLD and notes and notes[-1].end == at:
                    notes[-1] = replace(notes[-1], end=end)
                at = end
            tied = [note.end for note in section.notes if note.start // length in own and note.start < at < note.end]
            if tied and bar + 1 not in own and words[-2] != REST and notes:
                notes[-1] = replace(notes[-1], end=tied[0])
        sections.append(replace(section, notes=tuple(sorted((*kept, *notes), key=lambda note: note.start))))
    return replace(tune, sections=tuple(sections))


def _bounds(tune: Tune, number: int, bar: int) -> tuple[int, int]:
    """Where a bar's notes begin and end, in ticks in the bar."""
    section, length = tune.sections[number], tune.header.bar_ticks
    start = length - section.pickup if bar < 0 else 0
    return start, length - (tune.header.pickup if bar == section.bars - 1 else 0)


def _known_words(tune: Tune, blanks: list[Place]) -> list[str]:
    """The text up to where the blanks are filled; the header names the bars and sections that it has."""
    bars, sections = sum(section.bars for section in tune.sections), len(tune.sections)
    header = replace(
        tune.header,
        bars=bars if bars in BARS else ANY,
        form=WRITTEN_FORMS[sections - 1] if sections <= len(WRITTEN_FORMS) else ANY,
    )
    words = [WORDS[index] for index in encode(replace(tune, header=header), blanks)]
    assert words[0] == BEGIN
    return words[: words.index(FILL) + 1]
