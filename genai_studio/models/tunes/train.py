"""Prepares the training tunes and trains the tune writer. One CPU thread and about an hour make the shipped weights."""

from __future__ import annotations

import csv
import json
import logging
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM

from genai_studio.errors import ModelUnavailable
from genai_studio.models.tunes import data
from genai_studio.models.tunes.network import load_network, new_network, save_network
from genai_studio.models.tunes.novelty import KnownRuns
from genai_studio.models.tunes.tokens import (
    ANY,
    BLANKS,
    FILL,
    HEADER_WORDS,
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

log = logging.getLogger(__name__)
_DROPPED = {
    "style": 0.15,
    "mode": 0.1,
    "density": 0.3,
    "register": 0.3,
    "bars": 0.1,
    "form": 0.3,
    "range": 0.4,
}  # chance that a header word is `any`
IGNORED = -100


@dataclass(frozen=True)
class TrainingReport:
    """What a training run came to: losses are nats a token on the held-out tunes."""

    steps: int
    seconds: float
    parameters: int
    held_out_loss: float


def corpus_folder() -> Path:
    """The tune books that the music21 wheel carries. Raises ModelUnavailable without that package."""
    spec = find_spec("music21")
    if spec is None or spec.origin is None:
        raise ModelUnavailable("The tune books come with music21.", "Install it: pip install 'music21>=9,<11'.")
    return Path(spec.origin).parent / "corpus"


def prepare(*, output: Path, corpus: Path | None = None) -> data.Corpus:
    """Reads the tune books into `output`: `training.jsonl`, `held_out.jsonl` (token ids), `provenance.tsv`.

    Raises ModelUnavailable where music21, which carries the books, is not installed and no `corpus` is given.
    """
    found = data.read_corpus(corpus or corpus_folder())
    output.mkdir(parents=True, exist_ok=True)
    for name, sources in (("training", found.training), ("held_out", found.held_out)):
        lines = "".join(json.dumps(encode(source.tune)) + "\n" for source in sources)
        (output / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    with (output / "provenance.tsv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ("split", "file", "number", "title"), dialect="excel-tab", lineterminator="\n")
        table.writeheader()
        table.writerows(data.manifest(found))
    log.info(
        "%d training tunes, %d held out; left out: %s", len(found.training), len(found.held_out), dict(found.left_out)
    )
    return found


def read_prepared(folder: Path, name: str) -> list[list[int]]:
    """The token ids of each tune in `training` or `held_out`. Raises FileNotFoundError before `prepare`."""
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def train(
    *,
    prepared: Path,
    output: Path,
    work: Path,
    start: Path | None = None,
    minutes: float = 45.0,
    steps: int = 20_000,
    batch_tokens: int = 1024,
    learning_rate: float = 9e-4,
    seed: int = 0,
    threads: int = 1,
    report_every: int = 500,
) -> TrainingReport:
    """Trains on what `prepare` wrote to `prepared`; weights go to `output`, a checkpoint to go on from to `work`.

    From the weights in `start`, or from nothing. Batches of about `batch_tokens` tokens until `minutes` or `steps` are
    reached, whichever is first; AdamW, cosine decay to nothing, a running average of the weights. Every
    `report_every` steps it measures the held-out loss, writes a checkpoint and, where it is the best so far, saves the
    averaged weights. The runs of notes that the tunes have are written beside them.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    network = load_network(start) if start else new_network()
    network.set_attn_implementation("eager")  # on one thread, texts this short: a fifth faster than the fused kernel
    run = _Run(network, work / "checkpoint.pt", learning_rate)
    work.mkdir(parents=True, exist_ok=True)
    tunes = [decode(ids) for ids in read_prepared(prepared, "training")]
    batches = training_batches(tunes, batch_tokens, seed + run.step)
    output.mkdir(parents=True, exist_ok=True)
    KnownRuns.of(tunes).save(output)
    held_out = read_prepared(prepared, "held_out")
    blanked = with_blanks(held_out)
    share, loss_sum = 0.0, 0.0
    while share < 1:
        share = max((run.step + 1) / steps, run.seconds / (60 * minutes))
        loss_sum += run.take(*next(batches), share)
        if run.step % 50 == 0:
            log.info("step %d loss %.4f lr %.5f %.0f s", run.step, loss_sum / 50, run.rate, run.seconds)
            loss_sum = 0.0
        if run.step % report_every == 0 or share >= 1:
            run.report(held_out, blanked, output)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return TrainingReport(run.step, run.seconds, parameters, run.best)


class _Run:
    """A network on its way: the optimizer, the running average, the clock, and the checkpoint that holds them all."""

    def __init__(self, network: LlamaForCausalLM, checkpoint: Path, learning_rate: float) -> None:
        self.network, self.checkpoint, self.learning_rate = network, checkpoint, learning_rate
        groups = [
            {"params": [p for p in network.parameters() if p.dim() >= 2], "weight_decay": 0.1},
            {"params": [p for p in network.parameters() if p.dim() < 2], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.97), fused=True)
        self.average = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        self.step, self.best, self.rate = 0, math.inf, 0.0
        before = 0.0
        if checkpoint.exists():
            saved = torch.load(checkpoint, weights_only=True)
            network.load_state_dict(saved["network"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.average, self.step, self.best = saved["average"], saved["step"], saved["best"]
            before = saved["seconds"]
        self._began = time.monotonic() - before

    @property
    def seconds(self) -> float:
        """Time spent, earlier sittings included."""
        return time.monotonic() - self._began

    def take(self, ids: torch.Tensor, wanted: torch.Tensor, share: float) -> float:
        """One step, `share` (0 to 1) of the way through; returns the batch's loss in nats a token."""
        warm = min(1.0, (self.step + 1) / 150)
        self.rate = self.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        self.network.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.network(input_ids=ids, use_cache=False).logits
        loss = cross_entropy(logits.flatten(0, 1).float(), wanted.flatten(), ignore_index=IGNORED)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        if self.step % 4 == 0:
            pace = max(0.008, 1 - self.step / (self.step + 80))
            for name, tensor in self.network.state_dict().items():
                self.average[name].lerp_(tensor, pace)
        return loss.item()

    def report(self, held_out: Sequence[Sequence[int]], blanked: Sequence[Sequence[int]], output: Path) -> None:
        """Measures the averaged weights, saves them to `output` where they are the best, writes the checkpoint."""
        live = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        plain, filling = measure(self.network, held_out), measure(self.network, blanked)
        log.info("step %d held out: %.4f nats a token, %.4f in blanks, %.0f s", self.step, plain, filling, self.seconds)
        if not plain + filling >= self.best:
            self.best = plain + filling
            save_network(self.network, output)
        self.network.load_state_dict(live)
        torch.save(
            {
                "network": live,
                "optimizer": self.optimizer.state_dict(),
                "average": self.average,
                "step": self.step,
                "seconds": self.seconds,
                "best": self.best,
            },
            self.checkpoint,
        )


def with_blanks(texts: Sequence[Sequence[int]]) -> list[list[int]]:
    """The texts with one drawn set of blanks each, always the same; without those that grow too long."""
    blanked = [encode(decode(ids), places) for ids, places in zip(texts, fixed_blanks(texts), strict=True)]
    return [ids for ids in blanked if len(ids) <= MAX_TOKENS]


def fixed_blanks(texts: Sequence[Sequence[int]]) -> list[set[Place]]:
    """A set of blanks for each text, always the same and never empty."""
    return [draw_blanks(decode(ids), random.Random(number)) or {(0, 0)} for number, ids in enumerate(texts)]


def measure(network: torch.nn.Module, texts: Sequence[Sequence[int]]) -> float:
    """Mean loss in nats a token: of what fills the blanks where a text has any, else of all after the header."""
    network.eval()
    total, count = 0.0, 0
    for ids in texts:
        row = torch.tensor([list(ids)])
        given = ids.index(IDS[FILL]) if IDS[FILL] in ids else HEADER_WORDS
        with torch.no_grad():
            logits = network(input_ids=row[:, :-1], use_cache=False).logits
        wanted = targets(row[0, given + 1 :])
        total += cross_entropy(logits[0, given:].float(), wanted, ignore_index=IGNORED, reduction="sum").item()
        count += int((wanted != IGNORED).sum())
    return total / count if count else math.nan


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
