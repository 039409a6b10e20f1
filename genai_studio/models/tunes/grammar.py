"""What may be written next: the rules that keep a tune's bars full, its range, its scale and its ending exact.

One `Grammar` follows one tune while it is written. `allowed()` lists the words that keep every promise; whatever the
network prefers among them, the bars add up, the form is the one asked for and the last note is the tonic.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random

from genai_studio.models.tunes.form import Form
from genai_studio.models.tunes.tokens import (
    BEGIN,
    END,
    HIGHEST_STEP,
    HOLD,
    LOWEST_STEP,
    MAX_TOKENS,
    PICKUPS,
    POSITIONS,
    REST,
    Header,
)
from genai_studio.score.model import SCALES, TICKS

_PASSING: Mapping[str, tuple[int, ...]] = {"major": (6, 10), "minor": (9, 11), "dorian": (), "mixolydian": ()}
"""Steps outside the scale that the old tunes use in passing; one a bar, so that the mode stays what it is."""
_SHORTEST = 3
_LAST_NOTE = TICKS
_TOKENS_A_BAR = 16
"""Kept free for every bar that is still to come; a bar of long notes needs fewer."""
_WHOLE_PICKUPS = tuple(ticks for ticks in PICKUPS if ticks % 12 == 0)

Place = tuple[int, int]
"""A written bar: number of the section, number of the bar in it, both from 0."""


class Grammar:
    """Follows one tune from its header on. `lowest` and `highest` bound the steps (semitones from the tonic).

    `recalls` names bars that repeat an earlier one, by (section, bar) from 0, where the earlier one can stand there.
    """

    def __init__(
        self,
        header: Header,
        form: Form,
        *,
        lowest: int = LOWEST_STEP,
        highest: int = HIGHEST_STEP,
        recalls: Mapping[Place, Place] | None = None,
    ) -> None:
        self.header, self.form, self.recalls = header, form, recalls or {}
        self.pickup = header.pickup
        self.finished = False
        scale, passing = SCALES[header.mode], _PASSING[header.mode]
        self.steps = tuple(f"step:{step}" for step in range(lowest, highest + 1) if step % 12 in scale)
        self.passing = tuple(f"step:{step}" for step in range(lowest, highest + 1) if step % 12 in passing)
        self.home = tuple(f"step:{step}" for step in range(lowest, highest + 1) if step % 12 == 0)
        if not self.home:
            raise ValueError("The range holds no tonic to end on.")
        self._tokens = 0
        self._bars_to_come = form.written_bars
        self._letters = list(form.lengths)
        self._header_words = [BEGIN, *header.words()]
        self._written = 0
        self._queue: list[str] = []
        self._section = -1
        self._bars_left = 0
        self._position = self._bar_end = 0
        self._word = ""
        self._sounding = False
        self._triplet: tuple[int, int] | None = None
        self._bars: dict[Place, list[str]] = {}
        self._place: Place = (0, -1)
        self._recalled: list[str] = []

    def allowed(self) -> tuple[str, ...]:
        """The words that may come next, never none."""
        if self._written < len(self._header_words):
            if self._header_words[self._written].startswith("pickup:"):
                return tuple(f"pickup:{ticks}" for ticks in _WHOLE_PICKUPS if ticks < self.header.bar_ticks // 2)
            return (self._header_words[self._written],)
        if self._queue:
            return (self._queue[0],)
        if self._recalled:
            return (self._recalled[0],)
        return self._ends() if self._word else self._starts()

    def push(self, word: str) -> None:
        """Takes the word that was chosen from `allowed()`."""
        self._tokens += 1
        if self._written < len(self._header_words):
            self._written += 1
            if word.startswith("pickup:"):
                self.pickup = int(word[7:])
            if self._written == len(self._header_words):
                self._next_section()
            return
        if self._queue:
            self._queue.pop(0)
            self._open(word)
            return
        self._recalled = self._recalled[1:]
        self._bars.setdefault(self._place, []).append(word)
        if not self._word:
            self._word = word
        else:
            self._close(int(word[6:]))

    @property
    def _closing_bar(self) -> bool:
        return self._bars_left == 1 and self._letters[self._section] == self.form.closing

    def _next_section(self) -> None:
        self._section += 1
        if self._section == len(self._letters):
            self._queue = [END]
            return
        bars = self.form.lengths[self._letters[self._section]]
        self._queue = [f"section:{bars}", f"upbeat:{self.pickup}" if self.pickup else f"bar:{bars}"]

    def _open(self, word: str) -> None:
        kind, _, value = word.partition(":")
        if kind == END:
            self.finished = True
        elif kind == "section":
            self._bars_left = int(value) + 1
            self._sounding = False
        elif kind == "upbeat":
            self._position = self.header.bar_ticks - int(value)
            self._bar_end = self.header.bar_ticks
            self._place = (self._section, -1)
        elif kind == "bar":
            self._bars_left = int(value)
            self._bars_to_come -= 1
            self._position = 0
            self._bar_end = self.header.bar_ticks - (self.pickup if self._bars_left == 1 else 0)
            self._place = (self._section, self.form.lengths[self._letters[self._section]] - self._bars_left)
            self._recalled = self._recall(self._bars.get(self.recalls.get(self._place, self._place), []))

    def _recall(self, words: list[str]) -> list[str]:
        """The words of an earlier bar where they keep the promises of this one, else none."""
        if not words or words[0] == HOLD or words[-1] != f"until:{self._bar_end}":
            return []
        if self._closing_bar:
            starts = int(words[-3][6:]) if len(words) > 2 else 0
            if words[-2] not in self.home or self._bar_end - starts < _LAST_NOTE or REST in words:
                return []
        full = self._tokens + len(words) + self._bars_to_come * _TOKENS_A_BAR > MAX_TOKENS - 3 * _TOKENS_A_BAR
        if full or (not self._sounding and words[0] == REST):
            return []
        return list(words)

    def _starts(self) -> tuple[str, ...]:
        """Words that start a note here."""
        if self._closing_bar and self._bar_end - self._position < _LAST_NOTE + 12:
            return self.home
        words = self.steps
        if not any(word in self.passing for word in self._bars.get(self._place, ())):
            words = (*words, *self.passing)
        if self._triplet or self._closing_bar:
            return words
        if self._sounding and self._position == 0:
            words = (*words, HOLD)
        if self._sounding and self._bar_end - self._position > 6:
            words = (*words, REST)
        return words

    def _ends(self) -> tuple[str, ...]:
        """Places where the note that was started may end."""
        ends = _ends_from(self._position, self._bar_end, self._triplet)
        if not self._closing_bar and self._tokens + self._bars_to_come * _TOKENS_A_BAR > MAX_TOKENS - 3 * _TOKENS_A_BAR:
            ends = ends[-1:]  # the text is nearly full: long notes from here
        if self._closing_bar:
            latest = self._bar_end - min(_LAST_NOTE, self._bar_end)
            at_home = self._word in self.home and self._bar_end in ends
            last = (self._bar_end,) if at_home and self._position <= latest else ()
            ends = tuple(end for end in ends if end <= latest and self._leads_on(end, latest)) + last
            ends = ends or (self._bar_end,)
        return tuple(f"until:{end}" for end in ends)

    def _leads_on(self, end: int, latest: int) -> bool:
        """Whether after `end`, in the last bar, a long enough last note can still be written."""
        triplet = _triplet_after(self._position, end, self._triplet)
        return end % 3 == 0 and (latest - end) % 3 == 0 if triplet is None else triplet[1] <= latest

    def _close(self, end: int) -> None:
        self._triplet = _triplet_after(self._position, end, self._triplet)
        self._sounding = self._word != REST
        self._position, self._word = end, ""
        if end < self._bar_end:
            return
        if self._bars_left == 1:
            self._next_section()
        else:
            self._queue = [f"bar:{self._bars_left - 1}"]


def _triplet_after(position: int, end: int, triplet: tuple[int, int] | None) -> tuple[int, int] | None:
    """The triplet that is open after a note from `position` to `end`: (ticks of its unit, where it closes)."""
    if triplet is None and (end - position) % 3:
        unit = 8 if (end - position) in (8, 16) else 4
        triplet = (unit, position + 3 * unit)
    return None if triplet is None or end >= triplet[1] else triplet


@cache
def _ends_from(position: int, bar_end: int, triplet: tuple[int, int] | None) -> tuple[int, ...]:
    """Where a note from `position` may end so that the rest of the bar can still be written in plain note values."""
    if triplet is not None:
        unit, closes = triplet
        return tuple(range(position + unit, closes + 1, unit))
    ends = []
    for end in POSITIONS:
        length = end - position
        if end > bar_end or length < _SHORTEST:
            continue
        if length % 3:
            span = 24 if length in (8, 16) else 12
            fits = length in (4, 8, 16) and position % 12 == 0 and position + span <= bar_end
        elif position % 6 == 3:
            fits = length == 3 or (length == 9 and end % 12 == 0)
        elif position % 12 == 6:
            fits = length in (3, 6) or (end % 12 == 0 and length in (18, 30))
        else:
            fits = length in (3, 6, 9, 18, 21) or length % 12 == 0
        if fits:
            ends.append(end)
    return tuple(ends)


_OPENING = {0: 36, 1: 22, 2: 28, 3: 14}
_ENDING = {0: 44, 1: 24, 2: 21, 3: 4, 4: 7}


def draw_recalls(form: Form, draw: Random) -> dict[Place, Place]:
    """Which bars of the form come back, as often as they do in the training tunes.

    The second half of an eight-bar section opens as its first did, for 0 to 3 bars (`_OPENING`, in percent of
    sections); a later section ends as the first one did, for 0 to 4 bars (`_ENDING`).
    """
    recalls: dict[Place, Place] = {}
    for section, bars in enumerate(form.lengths.values()):
        if bars != 8:
            continue
        ending = draw.choices(list(_ENDING), list(_ENDING.values()))[0] if section else 0
        opening = draw.choices(list(_OPENING), list(_OPENING.values()))[0]
        recalls |= {(section, 8 - back): (0, 8 - back) for back in range(1, ending + 1)}
        recalls |= {(section, 4 + bar): (section, bar) for bar in range(min(opening, 4 - ending))}
    return recalls
