"""What a training run keeps: a checkpoint to resume from, averaged weights, and its loss curve as CSV."""

from __future__ import annotations

import csv
import logging
import os
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

log = logging.getLogger(__name__)


class Run:
    """A resumable training run of a fixed length in seconds of work; time spent stopped does not count."""

    def __init__(self, folder: Path, name: str, seconds: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.pt"
        self.curve = folder / f"{name}-loss.csv"
        self.seconds = seconds
        self.step = 0
        self.samples = 0
        self._before = 0.0
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        return self._before + time.monotonic() - self._started

    @property
    def share(self) -> float:
        """How much of the run is over, 0 to 1."""
        return min(1.0, self.elapsed / self.seconds)

    def restore(self, **parts: Any) -> bool:
        """Load the checkpoint into `parts` (modules and optimisers by name); False when there is none."""
        if not self.path.is_file():
            return False
        state = torch.load(self.path, weights_only=True, map_location="cpu")  # each part moves it to its own device
        for name, part in parts.items():
            part.load_state_dict(state[name])
        self.step, self.samples, self._before = state["step"], state["samples"], state["elapsed"]
        self._started = time.monotonic()
        return True

    def save(self, **parts: Any) -> None:
        """Write the checkpoint; a kill during the write leaves the old one."""
        state = {name: part.state_dict() for name, part in parts.items()}
        state |= {"step": self.step, "samples": self.samples, "elapsed": self.elapsed}
        partial = self.path.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, self.path)

    def record(self, **values: float) -> None:
        """One row of the loss curve, also logged."""
        row = {"step": self.step, "samples": self.samples, "seconds": round(self.elapsed)} | {
            name: round(value, 5) for name, value in values.items()
        }
        fresh = not self.curve.is_file()
        with self.curve.open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        log.info("%s: %s", self.path.stem, " ".join(f"{name}={value}" for name, value in row.items()))


@torch.no_grad()
def average(into: nn.Module, model: nn.Module, step: int, longest: float) -> None:
    """Exponential moving average of the weights, with a short memory at first."""
    decay = min(longest, (step + 1) / (step + 10))
    for kept, new in zip(into.parameters(), model.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)
