"""Line: what the waiting jobs are told, how many go before them and how long that takes."""

from __future__ import annotations

import threading

from genai_studio.domain.events import Queued
from genai_studio.domain.job import Job, JobState
from genai_studio.engine.estimate import Estimator
from genai_studio.engine.feed import Feed
from genai_studio.engine.ledger import Ledger


class Line:
    def __init__(self, ledger: Ledger, feed: Feed, estimator: Estimator, workers: int) -> None:
        self._ledger, self._feed, self._estimator = ledger, feed, estimator
        self._workers = max(1, workers)
        self._lock = threading.Lock()
        self._told: dict[str, int] = {}

    def announce(self) -> None:
        """Tell every waiting job its place, where that has changed."""
        with self._lock:
            places = {job_id: place for place, job_id in enumerate(self._ledger.order())}
            for job_id, ahead in places.items():
                if self._told.get(job_id) != ahead:
                    self._feed.publish(Queued(job=job_id, ahead=ahead))
            self._told = places

    def seconds_left(self, job: Job) -> float | None:
        """Until `job` ends; None while too little is known, and for an ended one."""
        if job.state is JobState.RUNNING:
            return self._estimator.seconds_left(job.id, job.request.model)
        if job.state is not JobState.QUEUED:
            return None
        order = list(self._ledger.order())
        before = set(order[: order.index(job.id) + 1]) if job.id in order else {job.id}
        waiting = [other for other in self._ledger.list([JobState.QUEUED], limit=None) if other.id in before]
        running = self._ledger.list([JobState.RUNNING], limit=None)
        times = [self._estimator.usual(other.request.model) for other in waiting]
        times += [self._estimator.seconds_left(other.id, other.request.model) for other in running]
        known = [seconds for seconds in times if seconds is not None]
        return sum(known) / self._workers if len(known) == len(times) else None
