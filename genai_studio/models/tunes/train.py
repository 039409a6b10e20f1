"""Prepares the training tunes and trains the tune writer. One CPU thread and about an hour make the shipped weights."""

from __future__ import annotations

import csv
import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM

from genai_studio.errors import ModelUnavailable
from genai_studio.models.tunes import data
from genai_studio.models.tunes.network import load_network, new_network, save_network
from genai_studio.models.tunes.novelty import KnownRuns
from genai_studio.models.tunes.readings import IGNORED, targets, training_batches, with_blanks
from genai_studio.models.tunes.tokens import (
    FILL,
    HEADER_WORDS,
    IDS,
    decode,
    encode,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingReport:
    """What a training run came to: losses are nats a token on the held-out tunes, and in blanks in them, at the end."""

    steps: int
    seconds: float
    parameters: int
    held_out_loss: float
    blanks_loss: float


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
    return TrainingReport(run.step, run.seconds, parameters, *run.losses)


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
        self.losses = (math.nan, math.nan)
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
        self.losses = measure(self.network, held_out), measure(self.network, blanked)
        log.info("step %d held out: %.4f nats a token, %.4f in blanks, %.0f s", self.step, *self.losses, self.seconds)
        if not sum(self.losses) >= self.best:
            self.best = sum(self.losses)
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
