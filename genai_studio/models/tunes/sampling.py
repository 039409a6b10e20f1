"""Draws the words of several tunes side by side under their rules.

Each row feeds the network all words that were certain and a guess at what it will choose next; where the guess is
right, two words cost one pass. What is drawn does not depend on the guesses: every word has its own random number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from genai_studio.models.tunes.stepper import Stepper, log_sums
from genai_studio.models.tunes.tokens import IDS, WORDS

GUESSES = 2
"""Words guessed ahead at most."""


class Rules(Protocol):
    """What a row is written under: a `Grammar` or a `BlankGrammar`."""

    finished: bool

    def allowed(self) -> tuple[str, ...]:
        """The words that may come next."""

    def push(self, word: str) -> None:
        """Takes one of them."""


class Row:
    """One tune on its way: its rules, the ids so far, and the likelihood of those that were chosen freely.

    `draws` are numbers from 0 to 1, one a word. `heard` is told every word.
    """

    def __init__(self, rules: Rules, draws: Sequence[float], heard: Callable[[str], None] | None = None) -> None:
        self.rules, self.draws, self.heard = rules, draws, heard
        self.ids: list[int] = []
        self.total, self.count = 0.0, 0
        self.waiting: list[int] = []
        self.guesses: list[int] = []
        self.habit = _Habit()
        self._certain()

    @property
    def likelihood(self) -> float:
        """Mean log-likelihood in nats of a freely chosen word."""
        return self.total / max(1, self.count)

    def feed(self) -> list[int]:
        """What the network has to hear next: words it has not heard, then guesses."""
        self.guesses = self.habit.guess() if self.waiting else []
        return self.waiting + self.guesses

    def take(self, logits: np.ndarray[Any, Any], sums: np.ndarray[Any, Any], temperature: float, top_p: float) -> int:
        """Chooses on from the logits (words fed, vocabulary); returns how many guesses were wrong.

        `sums` are the logits' log-sum-exp.
        """
        place, used = len(self.waiting) - 1, 0
        self.waiting = []
        while not self.rules.finished:
            allowed = self.rules.allowed()
            if len(allowed) == 1:
                chosen = IDS[allowed[0]]
            else:
                chosen = choose(logits[place], _ids(allowed), temperature, top_p, self.draws[len(self.ids)])
                self.total += float(logits[place, chosen] - sums[place])
                self.count += 1
            self._push(chosen)
            if used == len(self.guesses) or self.guesses[used] != chosen:
                self.waiting = [chosen]
                break
            used, place = used + 1, place + 1
        self._certain()
        return len(self.guesses) - used

    def _certain(self) -> None:
        """Takes the words that leave no choice; the network hears them together."""
        while not self.rules.finished and len(allowed := self.rules.allowed()) == 1:
            self._push(IDS[allowed[0]])
            self.waiting.append(self.ids[-1])
        if self.rules.finished:
            self.waiting = []

    def _push(self, chosen: int) -> None:
        self.rules.push(WORDS[chosen])
        self.ids.append(chosen)
        self.habit.learn(chosen)
        if self.heard is not None:
            self.heard(WORDS[chosen])


def draw_all(stepper: Stepper, rows: Sequence[Row], temperature: float, top_p: float) -> None:
    """Writes all rows to their end. Temperature 0 takes the likeliest word."""
    while not all(row.rules.finished for row in rows):
        feeds = [row.feed() for row in rows]
        logits = stepper.feed(feeds)
        sums = log_sums(logits)
        at = 0
        for number, (row, ids) in enumerate(zip(rows, feeds, strict=True)):
            if ids:
                wrong = row.take(logits[at : at + len(ids)], sums[at : at + len(ids)], temperature, top_p)
                stepper.rewind(number, wrong)
                at += len(ids)


def choose(
    logits: np.ndarray[Any, Any], allowed: np.ndarray[Any, Any], temperature: float, top_p: float, draw: float
) -> int:
    """One of the `allowed` ids, by its chance at `temperature` among the likeliest that make up `top_p`."""
    own = logits[allowed].astype(np.float64)
    if temperature == 0:
        return int(allowed[own.argmax()])
    chances = np.exp((own - own.max()) / temperature)
    order = np.argsort(-chances, kind="stable")
    sums = np.cumsum(chances[order])
    kept = int(np.searchsorted(sums, top_p * sums[-1])) + 1
    pick = int(np.searchsorted(sums[:kept], draw * sums[min(kept, len(sums)) - 1], side="right"))
    return int(allowed[order[min(pick, kept - 1, len(sums) - 1)]])


@lru_cache(maxsize=4096)
def _ids(words: tuple[str, ...]) -> np.ndarray[Any, Any]:
    return np.array([IDS[word] for word in words])


class _Habit:
    """Guesses the next words from what the tune did before: where notes end, and what followed the same notes."""

    def __init__(self) -> None:
        self.ends: dict[int, int] = {}
        self.after: dict[tuple[int, ...], int] = {}
        self.text: list[int] = []

    def learn(self, chosen: int) -> None:
        """Takes the next word."""
        text = self.text
        if len(text) > 3:
            if chosen in _UNTIL:
                self.ends[_place(text[-2])] = chosen
            else:
                for context in _contexts(text):
                    self.after[context] = chosen
        text.append(chosen)

    def guess(self) -> list[int]:
        """Up to `GUESSES` ids that may come next."""
        text = self.text[-8:]
        guesses: list[int] = []
        while len(guesses) < GUESSES and len(text) > 3:
            if text[-1] in _UNTIL or text[-1] in _OPENERS:
                found = next((self.after[key] for key in _contexts(text) if key in self.after), None)
                if found in _OPENERS:
                    found = next((opener + 1 for opener in reversed(text) if opener in _OPENERS), found)
            else:
                found = self.ends.get(_place(text[-2]))
            if found is None:
                break
            guesses.append(found)
            text.append(found)
        return guesses


_UNTIL = frozenset(index for index, word in enumerate(WORDS) if word.startswith("until:"))
_OPENERS = frozenset(index for index, word in enumerate(WORDS) if word.startswith("bar:"))


def _place(before: int) -> int:
    """Where in the bar a note starts, as the word before it says; all bars begin alike."""
    return before if before in _UNTIL else -1


def _contexts(text: list[int]) -> Iterator[tuple[int, ...]]:
    """What stands before the next word, from the longest memory to the shortest; all bars begin alike."""
    tail = [-1 if index in _OPENERS else index for index in text[-5:]]
    yield tuple(tail)
    yield tuple(tail[-3:])
    yield tuple(tail[-2:])
    yield tuple(tail[-1:])
