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

from genai_studio.errors import ModelUnavailable
from genai_studio.models.tunes import data
from genai_studio.models.tunes.network import new_network, save_network
from genai_studio.models.tunes.tokens import ANY, IDS, PAD, Tune, decode, encode

log = logging.getLogger(__name__)
_DROPPED = {
    "style": 0.15,
    "mode": 0.1,
    "density": 0.3,
    "register": 0.3,
    "bars": 0.1,
}  # chance that a header word is `any`


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
    steps: int = 2400,
    batch_tokens: int = 1024,
    learning_rate: float = 9e-4,
    seed: int = 0,
    threads: int = 1,
    report_every: int = 250,
) -> TrainingReport:
    """Trains on what `prepare` wrote to `prepared`; weights go to `output`, a checkpoint to go on from to `work`.

    `steps` batches of about `batch_tokens` tokens; AdamW, cosine decay to nothing, a running average of the weights.
    Every `report_every` steps it measures the held-out loss, writes a checkpoint and, where it is the best so far,
    saves the averaged weights.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    network = new_network()
    average = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    groups = [
        {"params": [p for p in network.parameters() if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in network.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.97), fused=True)
    work.mkdir(parents=True, exist_ok=True)
    checkpoint = work / "checkpoint.pt"
    step, before, best = 0, 0.0, math.inf
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        average, step, before, best = saved["average"], saved["step"], saved["seconds"], saved["best"]
    started = time.monotonic()
    batches = training_batches([decode(ids) for ids in read_prepared(prepared, "training")], batch_tokens, seed + step)
    held_out = read_prepared(prepared, "held_out")
    loss_sum = 0.0
    while step < steps:
        warm = min(1.0, (step + 1) / 150)
        rate = learning_rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids = next(batches)
        network.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = network(input_ids=ids[:, :-1], use_cache=False).logits
        loss = token_loss(logits, ids)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 4 == 0:
            share = max(0.008, 1 - step / (step + 80))
            for name, tensor in network.state_dict().items():
                average[name].lerp_(tensor, share)
        loss_sum += loss.item()
        if step % 50 == 0:
            log.info("step %d loss %.4f lr %.5f %.0f s", step, loss_sum / 50, rate, before + time.monotonic() - started)
            loss_sum = 0.0
        if step % report_every == 0 or step == steps:
            live = {name: tensor.clone() for name, tensor in network.state_dict().items()}
            network.load_state_dict(average)
            loss_now = measure(network, held_out)
            if not loss_now >= best:
                best = loss_now
                save_network(network, output)
            network.load_state_dict(live)
            seconds = before + time.monotonic() - started
            log.info("step %d held-out loss %.4f a token, %.0f s", step, loss_now, seconds)
            torch.save(
                {
                    "network": live,
                    "optimizer": optimizer.state_dict(),
                    "average": average,
                    "step": step,
                    "seconds": seconds,
                    "best": best,
                },
                checkpoint,
            )
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return TrainingReport(step, before + time.monotonic() - started, parameters, best)


def token_loss(logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy in nats; `logits` (batch, length, words) for `ids` (batch, length + 1), padding ignored."""
    return cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten(), ignore_index=IDS[PAD])


def measure(network: torch.nn.Module, tunes: Sequence[Sequence[int]]) -> float:
    """Mean loss in nats a token over `tunes`, the header's seven words not counted."""
    network.eval()
    total, count = 0.0, 0
    for ids in tunes:
        row = torch.tensor([list(ids)])
        with torch.no_grad():
            logits = network(input_ids=row[:, :-1], use_cache=False).logits
        total += cross_entropy(logits[0, 7:].float(), row[0, 8:], reduction="sum").item()
        count += row.shape[1] - 8
    return total / count if count else math.nan


def training_batches(tunes: Sequence[Tune], batch_tokens: int, seed: int) -> Iterator[torch.Tensor]:
    """Endless batches of ids (tunes, longest), right-padded: tunes of like length together, in new order each time."""
    draw = random.Random(seed)
    while True:
        rows = sorted((varied(tune, draw) for tune in tunes), key=lambda ids: (len(ids) // 16, draw.random()))
        batches: list[list[list[int]]] = [[]]
        for ids in rows:
            if batches[-1] and len(ids) * (len(batches[-1]) + 1) > batch_tokens:
                batches.append([])
            batches[-1].append(ids)
        draw.shuffle(batches)
        for batch in batches:
            longest = max(len(ids) for ids in batch)
            yield torch.tensor([ids + [IDS[PAD]] * (longest - len(ids)) for ids in batch])


def varied(tune: Tune, draw: random.Random) -> list[int]:
    """One reading of a tune: now and then only some of its sections, with some of its header left to the writer."""
    sections = tune.sections
    if len(sections) > 1 and draw.random() < 0.3:
        first = draw.randrange(len(sections))
        last = draw.randrange(first + 1, len(sections) + 1)
        tune = replace(tune, sections=sections[first:last])
        tune = replace(tune, header=data.describe(tune))
    dropped: dict[str, Any] = {name: ANY for name, chance in _DROPPED.items() if draw.random() < chance}
    return encode(replace(tune, header=replace(tune.header, **dropped)))
