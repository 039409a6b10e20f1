"""What may be written next inside one bar: note values that fill it, notes of the scale, and where it has to land."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from genai_studio.models.tunes.tokens import HOLD, POSITIONS, REST
from genai_studio.score.model import SCALES

_PASSING: Mapping[str, tuple[int, ...]] = {"major": (6, 10), "minor": (9, 11), "dorian": (), "mixolydian": ()}
"""Steps outside the scale that the old tunes use in passing; one a bar, so that the mode stays what it is."""
_SHORTEST = 3
_ROOM = 12
"""Ticks before its last note in which a bar that has to land writes nothing else."""


@dataclass(frozen=True)
class Steps:
    """The words for the steps of a mode within a range: its scale, what may pass, and the tonics."""

    scale: tuple[str, ...]
    passing: tuple[str, ...]
    home: tuple[str, ...]

    @classmethod
    def of(cls, mode: str, lowest: int, highest: int) -> Steps:
        """Raises ValueError where the range (steps from the tonic) holds no tonic."""
        reach = range(lowest, highest + 1)
        home = _words(reach, (0,))
        if not home:
            raise ValueError("The range holds no tonic to end on.")
        return cls(_words(reach, SCALES[mode]), _words(reach, _PASSING[mode]), home)


@dataclass(frozen=True)
class Landing:
    """How a bar has to end: on one of these words, sounding for `ticks` or more."""

    words: tuple[str, ...]
    ticks: int


class Bar:
    """Follows one bar from `start` to `end` (ticks in the bar), word by word.

    `sounding` says whether a note came before that may be held on or be followed by a rest; `holds` whether it may be
    held. `hurry` asks for long notes, when the text is nearly full.
    """

    def __init__(
        self,
        steps: Steps,
        start: int,
        end: int,
        *,
        sounding: bool = False,
        holds: bool = True,
        landing: Landing | None = None,
    ) -> None:
        self.steps, self.start, self.end, self.landing = steps, start, end, landing
        self.sounding, self.holds = sounding, holds
        self.hurry = False
        self.words: list[str] = []
        self._position = start
        self._word = ""
        self._triplet = _triplet_around(start)

    @property
    def finished(self) -> bool:
        """Whether the bar is full."""
        return self._position >= self.end

    def allowed(self) -> tuple[str, ...]:
        """The words that may come next, never none."""
        return self._ends() if self._word else self._starts()

    def push(self, word: str) -> None:
        """Takes the word that was chosen."""
        self.words.append(word)
        if not self._word:
            self._word = word
            return
        end = int(word[6:])
        self._triplet = _triplet_after(self._position, end, self._triplet)
        self.sounding = self._word != REST
        self._position, self._word = end, ""

    def takes(self, words: list[str]) -> bool:
        """Whether the words of another bar would do for this one."""
        if not words or words[0] == HOLD or words[-1] != f"until:{self.end}":
            return False
        if self.landing is not None:
            starts = int(words[-3][6:]) if len(words) > 2 else 0
            if words[-2] not in self.landing.words or self.end - starts < self.landing.ticks or REST in words:
                return False
        return self.sounding or words[0] != REST

    def _starts(self) -> tuple[str, ...]:
        left = self.end - self._position
        if self.landing is not None and left < self.landing.ticks + _ROOM:
            return self.landing.words
        words = self.steps.scale
        if not any(word in self.steps.passing for word in self.words):
            words = (*words, *self.steps.passing)
        if self._triplet or self.landing is not None:
            return words
        if self.sounding and self.holds and self._position == 0:
            words = (*words, HOLD)
        if self.sounding and left > 6:
            words = (*words, REST)
        return words

    def _ends(self) -> tuple[str, ...]:
        """Places where the note that was started may end."""
        ends = _ends_from(self._position, self.end, self._triplet)
        if self.landing is not None:
            latest = self.end - min(self.landing.ticks, self.end)
            lands = self._word in self.landing.words and self.end in ends and self._position <= latest
            ends = tuple(end for end in ends if end <= latest and self._leads_on(end, latest))
            ends = (*ends, self.end) if lands else ends or (self.end,)
        elif self.hurry:
            ends = ends[-1:]
        return tuple(f"until:{end}" for end in ends)

    def _leads_on(self, end: int, latest: int) -> bool:
        """Whether after `end` a long enough last note can still be written."""
        triplet = _triplet_after(self._position, end, self._triplet)
        return end % 3 == 0 and (latest - end) % 3 == 0 if triplet is None else triplet[1] <= latest


def _words(reach: range, degrees: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"step:{step}" for step in reach if step % 12 in degrees)


def _triplet_around(position: int) -> tuple[int, int] | None:
    """The triplet that a position off the plain grid lies in."""
    return None if position % 3 == 0 else (4, position // 12 * 12 + 12)


def _triplet_after(position: int, end: int, triplet: tuple[int, int] | None) -> tuple[int, int] | None:
    """The triplet that is open after a note from `position` to `end`: (ticks of its unit, where it closes)."""
    if triplet is None and (end - position) % 3:
        unit = 8 if (end - position) in (8, 16) else 4
        triplet = (unit, position + 3 * unit)
    return None if triplet is None or end >= triplet[1] else triplet


@cache
def _ends_from(position: int, bar_end: int, triplet: tuple[int, int] | None) -> tuple[int, ...]:
    """Where a note from `position` may end so that the rest of the bar can still be written in plain note values."""
    if triplet is not None and triplet[1] <= bar_end:
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
    return tuple(ends) or (bar_end,)
