"""Figures for the model card: held-out loss a note against a five-gram, copied runs, and how tunes are spread."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from genai_studio.models.tunes.tokens import (
    FILL,
    HEADER_WORDS,
    IDS,
    WORDS,
    Place,
    Tune,
    TuneNote,
    decode,
    encode,
    is_note,
    notes_at,
)

_GIVEN = HEADER_WORDS + 1  # `begin` and the header are given, not predicted
_SEED_RUN = 5
_DISCOUNT = 0.8


@dataclass(frozen=True)
class Spread:
    """Means over tunes: entropy of the twelve pitch classes in bits, notes a bar, size of a step in semitones, share
    of notes in the scale, share of bars whose rhythm is that of the bar before."""

    pitch_class_entropy: float
    notes_a_bar: float
    interval: float
    in_scale: float
    groove: float


def notes_in(ids: Sequence[int]) -> int:
    """How many notes (held parts and rests included) a text has."""
    return sum(WORDS[index].startswith("until:") for index in ids)


def network_loss(folder: Path, held_out: Sequence[Sequence[int]]) -> float:
    """The network's loss in nats a note over the held-out texts, everything after the header counted."""
    total = sum(sum(losses[_GIVEN - 1 :]) for losses in _losses(folder, held_out))
    return total / sum(notes_in(ids) for ids in held_out)


def blank_losses(
    folder: Path, held_out: Sequence[Sequence[int]], blanks: Sequence[Collection[Place]]
) -> tuple[float, float]:
    """The loss in nats a note of the bars at `blanks`: filled with both sides in view, and written in their turn.

    A written bar has only what comes before it in view. One set of blanks a text.
    """
    filled = written = 0.0
    notes = 0
    blanked = [encode(decode(ids), places) for ids, places in zip(held_out, blanks, strict=True)]
    for ids, places, losses in zip(held_out, blanks, _losses(folder, held_out), strict=True):
        inside = notes_at(ids, places)
        written += sum(loss for loss, counts in zip(losses, inside[1:], strict=True) if counts)
        notes += sum(WORDS[index].startswith("until:") for index, counts in zip(ids, inside, strict=True) if counts)
    for ids, losses in zip(blanked, _losses(folder, blanked), strict=True):
        cut = ids.index(IDS[FILL])
        filled += sum(loss for loss, index in zip(losses[cut:], ids[cut + 1 :], strict=True) if is_note(index))
    return filled / notes, written / notes


def _losses(folder: Path, texts: Sequence[Sequence[int]]) -> Iterator[list[float]]:
    """For each text the loss in nats of its words, the first not counted."""
    import torch

    from genai_studio.models.tunes.network import load_network

    network = load_network(folder)
    for ids in texts:
        row = torch.tensor([list(ids)])
        with torch.no_grad():
            chances = torch.log_softmax(network(input_ids=row[:, :-1]).logits[0].double(), -1)
        losses: list[float] = (-chances.gather(1, row[0, 1:, None])[:, 0]).tolist()
        yield losses


def five_gram_loss(training: Sequence[Sequence[int]], held_out: Sequence[Sequence[int]], order: int = 5) -> float:
    """The loss in nats a note of an n-gram over the same words, by absolute discounting (Ney, Essen, Kneser 1994).

    Only contexts that the held-out texts have are counted, which changes nothing and keeps it small.
    """
    wanted: set[tuple[int, ...]] = set()
    for ids in held_out:
        for place in range(_GIVEN, len(ids)):
            wanted.update(_contexts(ids, place, order))
    counts: Mapping[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for ids in training:
        for place in range(_GIVEN, len(ids)):
            for context in _contexts(ids, place, order):
                if context in wanted:
                    counts[context][ids[place]] += 1
    total = 0.0
    for ids in held_out:
        for place in range(_GIVEN, len(ids)):
            chance = 1 / len(IDS)
            for context in _contexts(ids, place, order):
                seen = counts.get(context)
                if not seen:
                    break
                own = max(0.0, seen[ids[place]] - _DISCOUNT)
                chance = (own + _DISCOUNT * len(seen) * chance) / seen.total()
            total -= math.log(chance)
    return total / sum(notes_in(ids) for ids in held_out)


def _contexts(ids: Sequence[int], place: int, order: int) -> list[tuple[int, ...]]:
    """The words before `place`: none, one, two ... `order - 1` of them."""
    return [tuple(ids[place - size : place]) for size in range(min(order, place + 1))]


def longest_copies(tunes: Iterable[Tune], training: Iterable[Tune]) -> list[int]:
    """For each tune the longest run of notes (step and length alike) that some training tune has too."""
    shelves = [_events(tune) for tune in training]
    places: dict[tuple[tuple[int, int], ...], list[tuple[int, int]]] = defaultdict(list)
    for number, events in enumerate(shelves):
        for start in range(len(events) - _SEED_RUN + 1):
            places[tuple(events[start : start + _SEED_RUN])].append((number, start))
    longest = []
    for tune in tunes:
        events, best = _events(tune), 0
        for start in range(len(events) - _SEED_RUN + 1):
            for number, there in places.get(tuple(events[start : start + _SEED_RUN]), ()):
                length, other = _SEED_RUN, shelves[number]
                while (
                    start + length < len(events)
                    and there + length < len(other)
                    and events[start + length] == other[there + length]
                ):
                    length += 1
                best = max(best, length)
        longest.append(best)
    return longest


def _events(tune: Tune) -> list[tuple[int, int]]:
    return [(note.step, note.end - note.start) for note in tune.notes]


def spread(tunes: Sequence[Tune], scales: Mapping[str, Sequence[int]]) -> Spread:
    """The figures of `Spread` over `tunes`; `scales` maps a mode to its steps."""
    rows = [_spread_of(tune, scales[tune.header.mode]) for tune in tunes]
    return Spread(*(sum(column) / len(rows) for column in zip(*rows, strict=True)))


def _spread_of(tune: Tune, scale: Sequence[int]) -> tuple[float, float, float, float, float]:
    notes = tune.notes
    shares = [count / len(notes) for count in Counter(note.step % 12 for note in notes).values()]
    bars = sum(section.bars for section in tune.sections)
    steps = [abs(after.step - before.step) for before, after in pairwise(notes)]
    rhythms = [rhythm for section in tune.sections for rhythm in _rhythms(section.notes, section.bars, tune)]
    same = sum(first == second for first, second in pairwise(rhythms))
    return (
        -sum(share * math.log2(share) for share in shares),
        len(notes) / bars,
        sum(steps) / max(1, len(steps)),
        sum(note.step % 12 in scale for note in notes) / len(notes),
        same / max(1, len(rhythms) - 1),
    )


def _rhythms(notes: Sequence[TuneNote], bars: int, tune: Tune) -> list[tuple[int, ...]]:
    length = tune.header.bar_ticks
    return [tuple(note.start % length for note in notes if note.start // length == bar) for bar in range(bars)]
