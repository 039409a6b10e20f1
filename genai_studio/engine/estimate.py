"""Estimator: how long a job still takes, from its own measured steps or from earlier jobs of the same model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from genai_studio.domain.events import Progress

Durations = Callable[[str], Sequence[float]]
"""Model id to the seconds that its last finished jobs took."""


@dataclass
class _Run:
    model: str
    count: int
    began: float
    first: tuple[float, int] | None = None
    """Time and number of the first step that was seen, after loading."""
    steps: int = 0
    """Done so far, over all outputs."""
    total: int = 0
    outputs: set[int] = field(default_factory=set)


class Estimator:
    """Fed by the dispatchers; read from any thread."""

    def __init__(self, durations: Durations) -> None:
        self._durations = durations
        self._running: dict[str, _Run] = {}
        self._one_by_one: set[str] = set()
        """Models that were seen to make their outputs one after the other."""

    def begin(self, job: str, model: str, count: int) -> None:
        self._running[job] = _Run(model, count, time.monotonic())

    def end(self, job: str) -> None:
        self._running.pop(job, None)

    def saw(self, event: Progress) -> None:
        run = self._running.get(event.job)
        if run is None or event.total <= 0:
            return
        run.outputs.add(event.index)
        if event.index > 0:
            self._one_by_one.add(run.model)
        run.steps = event.index * event.total + event.step
        run.total = event.total * (run.count if run.model in self._one_by_one else 1)
        if run.first is None:
            run.first = (time.monotonic(), run.steps)

    def seconds_left(self, job: str, model: str) -> float | None:
        """For a running job. None while nothing is known."""
        run = self._running.get(job)
        now = time.monotonic()
        if run is not None and run.first is not None and run.steps > run.first[1]:
            since, done = run.first
            return max(0.0, (now - since) / (run.steps - done) * (run.total - run.steps))
        usual = self.usual(model)
        return None if usual is None or run is None else max(0.0, usual - (now - run.began))

    def usual(self, model: str) -> float | None:
        """Median seconds of the model's last jobs."""
        durations = self._durations(model)
        return median(durations) if durations else None
