"""How the training reads its tunes: varied, in part, with header words left out and bars left blank; in batches."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from genai_studio.models.tunes import data
from genai_studio.models.tunes.tokens import (
    ANY,
    BLANKS,
    HIGHEST_STEP,
    IDS,
    LOWEST_STEP,
    MAX_TOKENS,
    PAD,
    Place,
    Tune,
    decode,
    encode,
)

IGNORED = -100
"""Stands where a target is not to be learned."""
_DROPPED = {
    "style": 0.15,
    "mode": 0.1,
    "density": 0.3,
    "register": 0.3,
    "bars": 0.1,
    "form": 0.3,
    "range": 0.4,
}  # chance that a header word is `any`


def training_batches(
    tunes: Sequence[Tune], batch_tokens: int, seed: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches of ids and targets, both (tunes, longest), right-padded; texts of like length together.

    A target is the id that follows, or `IGNORED` where there is nothing to learn: padding and the places of blanks.
    """
    draw = random.Random(seed)
    while True:
        rows = sorted((reading(tune, draw) for tune in tunes), key=lambda ids: (len(ids) // 16, draw.random()))
        batches: list[list[list[int]]] = [[]]
        for ids in rows:
            if batches[-1] and len(ids) * (len(batches[-1]) + 1) > batch_tokens:
                batches.append([])
            batches[-1].append(ids)
        draw.shuffle(batches)
        for batch in batches:
            longest = max(len(ids) for ids in batch)
            ids = torch.tensor([ids + [IDS[PAD]] * (longest - len(ids)) for ids in batch])
            yield ids[:, :-1], targets(ids[:, 1:])


def targets(ids: torch.Tensor) -> torch.Tensor:
    """What is to be learned of `ids`: not padding, and not where a blank stands, which nothing foretells."""
    return ids.masked_fill((ids == IDS[PAD]) | ((ids >= IDS["blank:1"]) & (ids <= IDS[f"blank:{BLANKS}"])), IGNORED)


def reading(tune: Tune, draw: random.Random) -> list[int]:
    """One reading of a tune: now and then only some of its sections or another octave, with some of its header left to
    the writer; half of the readings leave bars blank and fill them at the end."""
    if len(tune.sections) > 1 and draw.random() < 0.3:
        first = draw.randrange(len(tune.sections))
        last = draw.randrange(first + 1, len(tune.sections) + 1)
        tune = replace(tune, sections=tune.sections[first:last])
    if draw.random() < 0.1:
        tune = _in_another_octave(tune, draw.choice((-12, 12)))
    tune = replace(tune, header=data.describe(tune))
    dropped: dict[str, Any] = {name: ANY for name, chance in _DROPPED.items() if draw.random() < chance}
    tune = replace(tune, header=replace(tune.header, **dropped))
    blanks = draw_blanks(tune, draw) if draw.random() < 0.5 else set()
    ids = encode(tune, blanks)
    return ids if len(ids) <= MAX_TOKENS else encode(tune)


def draw_blanks(tune: Tune, draw: random.Random) -> set[Place]:
    """Bars to leave blank, as people choose them: a run of bars, everything from a bar on, a section, or here and
    there."""
    places = [
        (number, bar) for number, section in enumerate(tune.sections) for bar in range(section.first_bar, section.bars)
    ]
    kind = draw.random()
    if kind < 0.5:
        first = draw.randrange(len(places))
        return set(places[first : first + draw.randint(1, 8)])
    if kind < 0.7:
        return set(places[draw.randrange(len(places) // 4, len(places)) :])
    if kind < 0.85:
        chosen = draw.randrange(len(tune.sections))
        return {place for place in places if place[0] == chosen}
    share = draw.uniform(0.1, 0.6)
    return {place for place in places if draw.random() < share}


def _in_another_octave(tune: Tune, steps: int) -> Tune:
    """The tune `steps` higher, or as it is where that leaves the vocabulary."""
    if not all(LOWEST_STEP <= note.step + steps <= HIGHEST_STEP for note in tune.notes):
        return tune
    moved = [
        replace(section, notes=tuple(replace(note, step=note.step + steps) for note in section.notes))
        for section in tune.sections
    ]
    return replace(tune, sections=tuple(moved))


def with_blanks(texts: Sequence[Sequence[int]]) -> list[list[int]]:
    """The texts with one drawn set of blanks each, always the same; without those that grow too long."""
    blanked = [encode(decode(ids), places) for ids, places in zip(texts, fixed_blanks(texts), strict=True)]
    return [ids for ids in blanked if len(ids) <= MAX_TOKENS]


def fixed_blanks(texts: Sequence[Sequence[int]]) -> list[set[Place]]:
    """A set of blanks for each text, always the same and never empty."""
    return [draw_blanks(decode(ids), random.Random(number)) or {(0, 0)} for number, ids in enumerate(texts)]
