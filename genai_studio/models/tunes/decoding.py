"""Writes tunes: several side by side under the grammar's rules, then chooses the one that reads best.

Imports torch; only the family's functions import this module.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch
from transformers import LlamaForCausalLM

from genai_studio.models.tunes.form import Form
from genai_studio.models.tunes.grammar import Grammar, draw_recalls
from genai_studio.models.tunes.network import Stepper
from genai_studio.models.tunes.tokens import (
    IDS,
    MAX_TOKENS,
    WORDS,
    Header,
    Section,
    SectionReader,
    Tune,
    TuneNote,
    decode,
)

Written = Callable[[int, int, TuneNote | None], None]
"""Told at every step: the section's index, bars written so far in the first tune, and the note that it just got."""


@dataclass(frozen=True)
class Proposal:
    """A finished tune with its mean log-likelihood a free token and its score after the rules, higher is better."""

    tune: Tune
    likelihood: float
    score: float


def write(
    network: LlamaForCausalLM,
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
    is all there is. Random numbers come from a CPU generator seeded with `seed`. `written` may raise to stop.
    """
    rows = 1 if temperature == 0 else proposals
    grammars = [
        Grammar(
            header,
            form,
            lowest=lowest,
            highest=highest,
            recalls=draw_recalls(form, random.Random(f"{seed if temperature else 0}/{row}")),
        )
        for row in range(rows)
    ]
    generator = torch.Generator().manual_seed(seed)
    stepper = Stepper(network, rows, MAX_TOKENS)
    ids: list[list[int]] = [[] for _ in range(rows)]
    sums, counts = [0.0] * rows, [0] * rows
    follow = _Follower(header, written)
    logits: torch.Tensor | None = None
    for _ in range(MAX_TOKENS - 1):
        allowed = [grammar.allowed() if not grammar.finished else ("pad",) for grammar in grammars]
        chosen, likelihoods = _choose(logits, allowed, temperature, top_p, generator)
        for row, grammar in enumerate(grammars):
            if grammar.finished:
                continue
            word = WORDS[chosen[row]]
            grammar.push(word)
            ids[row].append(int(chosen[row]))
            if len(allowed[row]) > 1:
                sums[row] += float(likelihoods[row])
                counts[row] += 1
            if row == 0:
                follow.read(word)
        if all(grammar.finished for grammar in grammars):
            break
        logits = stepper.step(chosen)
    finished = [row for row, grammar in enumerate(grammars) if grammar.finished]
    found = []
    for row in finished:
        tune, likelihood = decode(ids[row]), sums[row] / max(1, counts[row])
        found.append(Proposal(tune, likelihood, likelihood + rules(tune)))
    return sorted(found, key=lambda proposal: -proposal.score)


def _choose(
    logits: torch.Tensor | None,
    allowed: list[tuple[str, ...]],
    temperature: float,
    top_p: float,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One id a row out of its allowed words, (rows,), and its log-likelihood under the unmasked network, (rows,)."""
    mask = torch.stack([_mask(words) for words in allowed])
    if logits is None:
        return mask.int().argmax(-1), torch.zeros(len(allowed))
    free = torch.log_softmax(logits, -1)
    held = logits.masked_fill(~mask, -torch.inf)
    if temperature == 0:
        chosen = held.argmax(-1)
    else:
        chances, order = torch.softmax(held / temperature, -1).sort(dim=-1, descending=True, stable=True)
        keep = chances.cumsum(-1) - chances < top_p
        drawn = torch.multinomial(chances * keep, 1, generator=generator)
        chosen = order.gather(-1, drawn)[:, 0]
    return chosen, free.gather(-1, chosen[:, None])[:, 0]


@lru_cache(maxsize=4096)
def _mask(words: tuple[str, ...]) -> torch.Tensor:
    mask = torch.zeros(len(WORDS), dtype=torch.bool)
    mask[[IDS[word] for word in words]] = True
    return mask


class _Follower:
    """Reads the first tune along while it is written and reports its notes."""

    def __init__(self, header: Header, written: Written | None) -> None:
        self.header, self.written = header, written
        self.section, self.bars = -1, 0
        self.reader: SectionReader | None = None

    def read(self, word: str) -> None:
        note = None
        if word.startswith("section:"):
            self.section += 1
            self.reader = SectionReader(int(word[8:]), self.header)
        elif self.reader is not None and word != "end":
            self.bars += word.startswith("bar:")
            note = self.reader.read(word)
        if self.written is not None:
            self.written(self.section, self.bars, note)


def rules(tune: Tune) -> float:
    """What a listener would hold for or against a tune, on the scale of a log-likelihood a token.

    For: bars that come back, as tunes repeat their opening. Against: leaps beyond an octave, one pitch hammered,
    a range under a sixth, sections that are the same, notes of the kind that stops the flow.
    """
    notes = tune.notes
    leaps = [abs(after.step - before.step) for before, after in pairwise(notes)]
    still = sum(1 for first, second in pairwise(leaps) if first == second == 0)
    score = -0.6 * sum(leap > 12 for leap in leaps) / len(notes) * 10 - 0.5 * still / len(notes)
    span = max(note.step for note in notes) - min(note.step for note in notes)
    score -= 0.2 * max(0, 9 - span) / 9
    bars = [_bars(section, tune.header.bar_ticks) for section in tune.sections]
    if len(bars) > 1:
        pairs = [(first, second) for index, first in enumerate(bars) for second in bars[index + 1 :]]
        score -= 0.4 * max(_shared(first, second) for first, second in pairs)
    repeats = [sum(half[index] == half[index + 4] for index in range(3)) for half in bars if len(half) == 8]
    score += 0.05 * sum(min(count, 2) for count in repeats) / max(1, len(repeats))
    return score


def _bars(section: Section, length: int) -> list[tuple[tuple[int, int, int], ...]]:
    """The notes of each bar as (step, start in the bar, end in the bar)."""
    bars: list[list[tuple[int, int, int]]] = [[] for _ in range(section.bars)]
    for note in section.notes:
        if note.start >= 0:
            bar, start = divmod(note.start, length)
            bars[bar].append((note.step, start, start + note.end - note.start))
    return [tuple(bar) for bar in bars]


def _shared(first: list[tuple[tuple[int, int, int], ...]], second: list[tuple[tuple[int, int, int], ...]]) -> float:
    """Share of bars in the same place that are the same, the last two aside: tunes may end their sections alike."""
    pairs = list(zip(first, second, strict=False))[:-2]
    return sum(a == b for a, b in pairs) / max(1, len(pairs))
