"""Writes tunes, and blank bars in tunes: several side by side under the rules, then the one that reads best first."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genai_studio.models.tunes.blanks import BlankGrammar, blank_places, filled_tune, legible, window
from genai_studio.models.tunes.form import Form
from genai_studio.models.tunes.grammar import Grammar, draw_recalls
from genai_studio.models.tunes.judgement import judge, leads_on
from genai_studio.models.tunes.sampling import GUESSES, Row, draw_all
from genai_studio.models.tunes.stepper import Stepper
from genai_studio.models.tunes.tokens import (
    ANY,
    IDS,
    MAX_TOKENS,
    WRITTEN_FORMS,
    Header,
    Place,
    SectionReader,
    Tune,
    TuneNote,
    decode,
)
from genai_studio.models.tunes.weights import Weights

Written = Callable[[int, int, TuneNote | None], None]
"""Told at every step: the section's index, bars written so far in the first tune, and the note that it just got."""
_ROUNDS = 4
_LEADING = 2.0
"""What a nat a word in the bars after a blank is worth, beside a nat a word of its own notes."""
_SPARE = 3
"""Fills drawn for each that is asked for: some are alike, and the best are kept."""


@dataclass(frozen=True)
class Proposal:
    """A finished tune with its mean log-likelihood a free token and its score, higher is better."""

    tune: Tune
    likelihood: float
    score: float


def write(
    network: Weights,
    header: Header,
    form: Form,
    *,
    lowest: int,
    highest: int,
    temperature: float,
    top_p: float,
    seed: int,
    proposals: int = 4,
    written: Written | None = None,
) -> list[Proposal]:
    """Writes `proposals` tunes of `form` at once; returns them best first.

    `lowest` and `highest` are steps from the tonic. Temperature 0 takes the likeliest word each time, so one proposal
    is all there is. Random numbers come from a generator seeded with `seed`. `written` may raise to stop.
    """
    count = 1 if temperature == 0 else proposals
    sections = len(form.lengths)
    header = replace(header, form=WRITTEN_FORMS[sections - 1] if sections <= len(WRITTEN_FORMS) else ANY)
    follow = _Follower(header, written)
    draws = _draws(seed, count)
    rows = [
        Row(
            Grammar(
                header,
                form,
                lowest=lowest,
                highest=highest,
                recalls=draw_recalls(form, random.Random(f"{seed if temperature else 0}/{number}")),
            ),
            draws[number],
            follow.read if number == 0 else None,
        )
        for number in range(count)
    ]
    draw_all(Stepper(network, count, MAX_TOKENS + GUESSES), rows, temperature, top_p)
    found = [_judged(network, decode(row.ids), row.likelihood) for row in rows]
    return sorted(found, key=lambda proposal: -proposal.score)


def fill(
    network: Weights,
    tune: Tune,
    blanks: Sequence[Place],
    *,
    lowest: int,
    highest: int,
    temperature: float,
    top_p: float,
    seed: int,
    proposals: int = 3,
    closing: int | None = -1,
    written: Written | None = None,
) -> list[Proposal]:
    """Writes the bars at `blanks`, (section, bar) from 0, anew; returns `proposals` tunes that differ, best first:
    those that lead on to the bars that follow, and are as a tune should be.

    A section without notes has its upbeat written too. All notes outside the blanks stay as they are; the last bar of
    section `closing` (from the end where negative; None for no section) ends on the tonic if it is among the blanks.
    `temperature` 0 gives one proposal. Bars with few ways to be filled may give fewer than asked, bars that a kept note
    holds through only what was there.
    Raises ValueError where the blanks are none, too many or not in the tune, or the range holds no tonic.
    """
    places = blank_places(tune, blanks)
    shown = window(tune, places)
    text = legible(replace(tune, sections=tune.sections[shown.start : shown.stop]))
    inside = [(number - shown.start, bar) for number, bar in places]
    home = None if closing is None else closing % len(tune.sections) - shown.start
    wanted = 1 if temperature == 0 else proposals
    follow = _BlankFollower(tune, places, written)
    taken = {filled_key(tune, places)}
    found: list[tuple[Tune, float]] = []
    for attempt in range(1 if temperature == 0 else _ROUNDS):
        count = 1 if temperature == 0 else wanted * _SPARE
        draws = _draws(seed + 7919 * attempt, count)
        grammars = [BlankGrammar(text, inside, lowest=lowest, highest=highest, closing=home) for _ in draws]
        rows = [
            Row(rules, draws[number], follow.reading(rules) if number == attempt == 0 else None)
            for number, rules in enumerate(grammars)
        ]
        stepper = Stepper(network, count, MAX_TOKENS + GUESSES)
        stepper.start([IDS[word] for word in grammars[0].known])
        draw_all(stepper, rows, temperature * (1 + 0.25 * attempt), top_p)
        for row, rules in zip(rows, grammars, strict=True):
            whole = filled_tune(tune, places, rules.filled)
            if temperature == 0 or (key := filled_key(whole, places)) not in taken:
                taken |= {key} if temperature else set()
                found.append((whole, row.likelihood))
        if len(found) >= wanted:
            break
    if not found:  # there is one way only, the one that was there
        found = [(whole, rows[0].likelihood)]
    parts = [legible(replace(whole, sections=whole.sections[shown.start : shown.stop])) for whole, _ in found]
    judged = [_judged(network, *proposal) for proposal in found]
    judged = [
        replace(proposal, score=proposal.score + _LEADING * bonus)
        for proposal, bonus in zip(judged, leads_on(network, parts, inside), strict=True)
    ]
    return sorted(judged, key=lambda proposal: -proposal.score)[:wanted]


def filled_key(tune: Tune, places: Sequence[Place]) -> tuple[tuple[int, TuneNote], ...]:
    """The notes that start in `places`, to tell fills apart."""
    length = tune.header.bar_ticks
    return tuple(
        (number, note)
        for number, section in enumerate(tune.sections)
        for note in section.notes
        if (number, note.start // length) in places
    )


def _judged(network: Weights, tune: Tune, likelihood: float) -> Proposal:
    return Proposal(tune, likelihood, judge(tune, likelihood, network.folder))


def _draws(seed: int, rows: int) -> list[list[float]]:
    """A number from 0 to 1 for each word of each row."""
    drawn: list[list[float]] = np.random.default_rng(seed).random((rows, MAX_TOKENS)).tolist()
    return drawn


class _Follower:
    """Reads the first tune along while it is written and reports its notes."""

    def __init__(self, header: Header, written: Written | None) -> None:
        self.header, self.written = header, written
        self.section, self.bars = -1, 0
        self.reader: SectionReader | None = None

    def read(self, word: str) -> None:
        """Takes the next word."""
        note = None
        if word.startswith("section:"):
            self.section += 1
            self.reader = SectionReader(int(word[8:]), self.header)
        elif self.reader is not None and word != "end":
            self.bars += word.startswith("bar:")
            note = self.reader.read(word)
        if self.written is not None:
            self.written(self.section, self.bars, note)


class _BlankFollower:
    """Reads the first row's fills along and reports their notes in their sections' time."""

    def __init__(self, tune: Tune, places: Sequence[Place], written: Written | None) -> None:
        self.tune, self.places, self.written = tune, places, written
        self.reader: SectionReader | None = None
        self.section = -1

    def reading(self, rules: BlankGrammar) -> Callable[[str], None]:
        """What to call with every word that `rules` has taken."""

        def read(word: str) -> None:
            note = None
            if not word.startswith("blank:"):
                done = len(rules.filled)
                section = self.places[min(done, len(self.places) - 1)][0]
                if word.startswith(("upbeat:", "bar:")) and section != self.section:
                    self.section = section
                    self.reader = SectionReader(self.tune.sections[section].bars, self.tune.header)
                if self.reader is not None:
                    note = self.reader.read(word)
            if self.written is not None:
                self.written(self.section, len(rules.filled), note)

        return read
