"""What may be written next in a tune: the rules that keep its bars full, its range, its scale and its ending exact.

One `Grammar` follows one tune while it is written from nothing, one `BlankGrammar` a tune whose blanks are filled.
`allowed()` lists the words that keep every promise; whatever the network prefers among them, the bars add up, the form
is the one asked for and the last note is the tonic.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from genai_studio.models.tunes.bar_rules import Bar, Landing, Steps
from genai_studio.models.tunes.form import Form
from genai_studio.models.tunes.tokens import (
    BEGIN,
    END,
    HIGHEST_STEP,
    LOWEST_STEP,
    MAX_TOKENS,
    PICKUPS,
    Header,
    Place,
)
from genai_studio.score.model import TICKS

LAST_NOTE = TICKS
"""A tune's last note sounds for a quarter or more."""
TOKENS_A_BAR = 16
"""Kept free for every bar that is still to come; a bar of long notes needs fewer."""
_WHOLE_PICKUPS = tuple(ticks for ticks in PICKUPS if ticks % 12 == 0)


def nearly_full(tokens: int, bars_to_come: int) -> bool:
    """Whether a text of `tokens` has to be brief if `bars_to_come` are still to fit."""
    return tokens + bars_to_come * TOKENS_A_BAR > MAX_TOKENS - 3 * TOKENS_A_BAR


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
        self.steps = Steps.of(header.mode, lowest, highest)
        self.pickup = header.pickup
        self.finished = False
        self._tokens = 0
        self._bars_to_come = form.written_bars
        self._letters = list(form.lengths)
        self._ahead = [BEGIN, *header.words()]
        self._section = -1
        self._bar: Bar | None = None
        self._bars: dict[Place, list[str]] = {}
        self._recalled: list[str] = []

    def allowed(self) -> tuple[str, ...]:
        """The words that may come next, never none."""
        if self._ahead:
            if self._ahead[0].startswith("pickup:"):
                return tuple(f"pickup:{ticks}" for ticks in _WHOLE_PICKUPS if ticks < self.header.bar_ticks // 2)
            return (self._ahead[0],)
        if self._recalled:
            return (self._recalled[0],)
        assert self._bar is not None
        self._bar.hurry = nearly_full(self._tokens, self._bars_to_come)
        return self._bar.allowed()

    def push(self, word: str) -> None:
        """Takes the word that was chosen from `allowed()`."""
        self._tokens += 1
        if self._ahead:
            self._ahead.pop(0)
            self._open(word)
            return
        assert self._bar is not None
        self._recalled = self._recalled[1:]
        self._bar.push(word)
        if self._bar.finished:
            self._close(self._bar)

    def _open(self, word: str) -> None:
        kind, _, value = word.partition(":")
        bar_ticks = self.header.bar_ticks
        if kind == END:
            self.finished = True
        elif kind == "pickup":
            self.pickup = int(value)
        elif kind == "section":
            self._place, self._left, self._bar = (self._section, -1), int(value) + 1, None
        elif kind == "upbeat":
            self._bar = Bar(self.steps, bar_ticks - int(value), bar_ticks)
            self._bars[self._place] = self._bar.words
        elif kind == "bar":
            self._open_bar(int(value))
        elif not self._ahead:
            self._next_section()

    def _open_bar(self, left: int) -> None:
        self._left = left
        self._bars_to_come -= 1
        letter = self._letters[self._section]
        self._place = (self._section, self.form.lengths[letter] - left)
        landing = Landing(self.steps.home, LAST_NOTE) if left == 1 and letter == self.form.closing else None
        end = self.header.bar_ticks - (self.pickup if left == 1 else 0)
        self._bar = Bar(self.steps, 0, end, sounding=self._bar is not None and self._bar.sounding, landing=landing)
        self._bars[self._place] = self._bar.words
        earlier = self._bars.get(self.recalls.get(self._place, self._place), [])
        full = nearly_full(self._tokens + len(earlier), self._bars_to_come)
        self._recalled = list(earlier) if self._bar.takes(earlier) and not full else []

    def _close(self, bar: Bar) -> None:
        if self._left == 1:
            self._next_section()
        else:
            self._ahead = [f"bar:{self._left - 1}"]

    def _next_section(self) -> None:
        self._section += 1
        if self._section == len(self._letters):
            self._ahead = [END]
            return
        bars = self.form.lengths[self._letters[self._section]]
        self._ahead = [f"section:{bars}", f"upbeat:{self.pickup}" if self.pickup else f"bar:{bars}"]


_OPENING = {0: 36, 1: 22, 2: 28, 3: 14}
_ENDING = {0: 44, 1: 24, 2: 21, 3: 4, 4: 7}


def draw_recalls(form: Form, draw: Random) -> dict[Place, Place]:
    """Which bars of the form come back, as often as they do in the training tunes.

    The second half of an eight-bar section opens as its first did, for 0 to 3 bars (`_OPENING`, in percent of
    sections); a later section ends as the first one did, for 0 to 4 bars (`_ENDING`). Sections of other lengths do
    the same by their own halves.
    """
    recalls: dict[Place, Place] = {}
    lengths = list(form.lengths.values())
    for section, bars in enumerate(lengths):
        if bars < 8:
            continue
        half = bars // 2
        ending = draw.choices(list(_ENDING), list(_ENDING.values()))[0] if section else 0
        opening = draw.choices(list(_OPENING), list(_OPENING.values()))[0]
        ending = min(ending, lengths[0])
        recalls |= {(section, bars - back): (0, lengths[0] - back) for back in range(1, ending + 1)}
        recalls |= {(section, half + bar): (section, bar) for bar in range(min(opening, half - ending))}
    return recalls
