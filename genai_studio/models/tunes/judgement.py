"""What a listener would hold for or against a tune, beside how likely the network finds it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np

from genai_studio.models.tunes.novelty import known_runs
from genai_studio.models.tunes.stepper import Stepper, log_sums
from genai_studio.models.tunes.tokens import MAX_TOKENS, Place, Section, Tune, encode, notes_at
from genai_studio.models.tunes.weights import Weights

_TYPICAL = -0.66
"""Median log-likelihood, in nats a word of its notes, of the held-out tunes under the shipped weights. The likeliest of
several proposals is the plainest one, and the one that copies most."""
_COMMON_RUN = 10
"""Notes in a row that two old tunes share as a matter of course."""
_COPY = 0.04
_AFTER = 2
"""Bars after a blank that tell how well it leads on."""


def judge(tune: Tune, likelihood: float, folder: str) -> float:
    """A score, higher is better: as likely as real tunes are, within the `rules`, without a long copy.

    `likelihood` is the mean log-likelihood in nats a freely chosen word; `folder` is where the network and the runs it
    knows came from.
    """
    known = known_runs(folder)
    copied = known.longest_copy(tune) if known else 0
    return rules(tune) - abs(likelihood - _TYPICAL) - _COPY * max(0, copied - _COMMON_RUN)


def leads_on(network: Weights, tunes: Sequence[Tune], blanks: Collection[Place]) -> list[float]:
    """How well each of `tunes`, the same but for their `blanks`, leads on to the bars that follow the blanks.

    That is the mean log-likelihood in nats a word of the two bars after each; 0 for all where nothing follows.
    """
    after = {(number, bar + step) for number, bar in blanks for step in range(1, _AFTER + 1)} - set(blanks)
    texts = [encode(tune) for tune in tunes]
    wanted = [np.array(notes_at(ids, after)) for ids in texts]
    if not all(mask.any() for mask in wanted) or max(map(len, texts)) > MAX_TOKENS:
        return [0.0] * len(tunes)
    alike = next((place for place, words in enumerate(zip(*texts, strict=False)) if len(set(words)) > 1), MAX_TOKENS)
    known = min(alike, *(int(mask.argmax()) for mask in wanted)) - 1
    ends = [int(mask.nonzero()[0][-1]) for mask in wanted]
    stepper = Stepper(network, len(texts), MAX_TOKENS)
    stepper.start(texts[0][:known])
    feeds = [ids[known:end] for ids, end in zip(texts, ends, strict=True)]
    logits = stepper.feed(feeds)
    found, at = [], 0
    for ids, mask, end in zip(texts, wanted, ends, strict=True):
        own = logits[at : at + end - known]
        at += end - known
        chosen = own[np.arange(len(own)), ids[known + 1 : end + 1]] - log_sums(own)
        found.append(float(chosen[mask[known + 1 : end + 1]].mean()))
    return found


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
