"""Estimator: how long a job still takes, from its own measured steps or from earlier jobs of the same model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from genai_studio.domain.events import Progress

Durations = Callable[[str], Sequence[float]]
"""Model id to the seconds that its last finished jobs took."""
EARLY = 0.9
"""Share of its steps below which a finished job ended early."""


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


class Estimator:
    """Fed by the dispatchers; read from any thread."""

    def __init__(self, durations: Durations) -> None:
        self._durations = durations
        self._running: dict[str, _Run] = {}
        self._usual: dict[str, float | None] = {}
        self._one_by_one: set[str] = set()
        """Models that were seen to make their outputs one after the other."""
        self._ends_early: set[str] = set()
        """Models that were seen to finish before the last step they spoke of, as a text does."""

    def begin(self, job: str, model: str, count: int) -> None:
        self._running[job] = _Run(model, count, time.monotonic())

    def end(self, job: str, finished: bool) -> None:
        run = self._running.pop(job, None)
        if run is None or not finished:
            return
        self._usual.pop(run.model, None)
        if run.steps < EARLY * run.total:
            self._ends_early.add(run.model)

    def saw(self, event: Progress) -> None:
        run = self._running.get(event.job)
        if run is None or event.total <= 0:
            return
        if event.index > 0:
            self._one_by_one.add(run.model)
        run.steps = event.index * event.total + event.step
        run.total = event.total * (run.count if run.model in self._one_by_one else 1)
        if run.first is None:
            run.first = (time.monotonic(), run.steps)

    def seconds_left(self, job: str, model: str) -> float | None:
        """For a running job. None while nothing is known."""
        run = self._running.get(job)
        if run is None:
            return None
        now, usual = time.monotonic(), self.usual(model)
        by_habit = None if usual is None else max(0.0, usual - (now - run.began))
        if model in self._ends_early and by_habit is not None:
            return by_habit
        if run.first is not None and run.steps > run.first[1]:
            since, done = run.first
            return max(0.0, (now - since) / (run.steps - done) * (run.total - run.steps))
        return by_habit

    def usual(self, model: str) -> float | None:
        """Median seconds of the model's last jobs."""
        if model not in self._usual:
            durations = self._durations(model)
            self._usual[model] = median(durations) if durations else None
        return self._usual[model]
