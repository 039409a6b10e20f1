"""Dispatcher: the owner's side of one worker. It takes the next job from the ledger, passes on what the worker says,
publishes what it made, and writes how it ended. Nothing a job does ends its thread."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from genai_studio.domain.events import (
    CancelledEvent,
    Event,
    Failed,
    Finished,
    InterruptedEvent,
    Output,
    Progress,
)
from genai_studio.domain.job import Job
from genai_studio.domain.recipe import Recipe
from genai_studio.engine.estimate import Estimator
from genai_studio.engine.executor import Executor
from genai_studio.engine.feed import Feed
from genai_studio.engine.ledger import Ledger, wanted_outputs
from genai_studio.engine.messages import Drafted, Ended, FromWorker, Run, Said, error_named
from genai_studio.errors import GenerationFailed, StorageFailed, StudioError
from genai_studio.models.base import ModelSpec

log = logging.getLogger(__name__)

HEARTBEAT = 10.0
"""Least seconds between two heartbeats in the ledger; each is a commit."""
FOLDERS_KEPT = 8
"""Staging folders of ended jobs that stay, because a page may still be fetching their last previews."""


class Desk(Protocol):
    """What a dispatcher asks of the studio that it works for."""

    def spec(self, job: Job) -> ModelSpec:
        """The model. Raises NotFound when it is gone since the job was submitted."""

    def inputs(self, job: Job) -> Mapping[str, Path]:
        """Files of the input records. Raises NotFound when one is gone."""

    def publish(self, job: Job, recipe: Recipe, draft: Drafted) -> str:
        """Put the output into the gallery; the record's id. Raises StorageFailed, GenerationFailed."""

    def queue_changed(self) -> None:
        """A job was taken from the queue."""


class Dispatcher:
    def __init__(
        self, executor: Executor, ledger: Ledger, feed: Feed, estimator: Estimator, desk: Desk, staging: Path
    ) -> None:
        self.name = executor.name
        self._executor, self._ledger, self._feed = executor, ledger, feed
        self._estimator, self._desk, self._staging = estimator, desk, staging
        self._work = threading.Event()
        self._closing = False
        self._lock = threading.Lock()
        """Held while a job is taken, so that a cancel finds it either queued or here."""
        self._current: _Running | None = None
        self._folders: deque[Path] = deque()
        self._unwritten: list[Callable[[], object]] = []
        self._thread = threading.Thread(target=self._serve, name=f"dispatcher-{self.name}", daemon=True)

    def start(self) -> None:
        self._executor.start()
        self._thread.start()
        self.wake()

    def wake(self) -> None:
        """There may be something to do."""
        self._work.set()

    def cancel(self, job_id: str) -> bool:
        """Whether the job runs here; it is cancelled when this returns, its worker stops at the next step."""
        with self._lock:
            running = self._current
        if running is None or running.job.id != job_id:
            return False
        running.cancel()
        self._executor.cancel(job_id)
        return True

    def close(self) -> None:
        """Stop the worker; the job that runs becomes interrupted."""
        self._closing = True
        self._work.set()
        self._executor.close()
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        while not self._closing:
            self._work.clear()
            try:
                if self._next():
                    self._work.set()
            except Exception:
                log.exception("dispatcher %s", self.name)
                time.sleep(1.0)
                self._work.set()
            self._work.wait()

    def _next(self) -> bool:
        """Run one job to its end; False when there is none."""
        while self._unwritten:
            self._unwritten[-1]()
            self._unwritten.pop()
        with self._lock:
            job = self._ledger.claim(self.name)
            if job is None:
                return False
            running = _Running(job, self._ledger, self._feed, self._desk, self._estimator)
            self._current = running
        try:
            running.end(self._run(job, running), closing=self._closing)
        finally:
            with self._lock:
                self._current = None
            self._tidy(job.id, keep=running.storage_failed)
            if running.unwritten is not None:
                self._unwritten.append(running.unwritten)
        return True

    def _run(self, job: Job, running: _Running) -> Ended:
        """1. announce, 2. everything the worker needs, 3. the run."""
        self._desk.queue_changed()
        folder = self._staging / job.id
        try:
            spec = self._desk.spec(job)
            inputs = dict(self._desk.inputs(job))
            folder.mkdir(parents=True, exist_ok=True)
            running.licence = spec.licence
            work = Run(job=job.id, spec=spec, request=job.request, inputs=inputs, staging=folder)
            return self._executor.run(work, running.hear, running.stopped.is_set)
        except StudioError as error:
            return Ended.failed(job.id, error)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            return Ended.failed(
                job.id,
                StorageFailed(f"The staging folder cannot be written: {reason}.", "Free some space, then retry."),
            )
        except Exception:
            log.exception("job %s", job.id)
            return Ended.failed(
                job.id,
                GenerationFailed("The studio made a mistake with this job.", "Run it again; details are in the log."),
            )

    def _tidy(self, job_id: str, keep: bool) -> None:
        """Remove old staging folders, but never one whose output could not be saved."""
        if not keep:
            self._folders.append(self._staging / job_id)
        while len(self._folders) > FOLDERS_KEPT:
            shutil.rmtree(self._folders.popleft(), ignore_errors=True)


class _Running:
    """One job between claim and end. A cancel ends it at once for everybody who watches, wherever the worker is;
    outputs and ends are written under one lock, so that nothing is published after the end."""

    def __init__(self, job: Job, ledger: Ledger, feed: Feed, desk: Desk, estimator: Estimator) -> None:
        self.job = job
        self.stopped = threading.Event()
        """Read by the executor: the worker shall stop."""
        self.storage_failed = False
        self.licence = ""
        self.unwritten: Callable[[], object] | None = None
        """How the ledger is told the end, when it could not be told at once."""
        self._ledger, self._feed, self._desk, self._estimator = ledger, feed, desk, estimator
        self._lock = threading.Lock()
        self._over = False
        self._failure: StudioError | None = None
        self._wanted, self._saved = wanted_outputs(job), set[int]()
        self._began = time.monotonic()
        self._beat = self._began
        estimator.begin(job.id, job.request.model, job.request.count)

    def hear(self, message: FromWorker) -> None:
        """What the worker says, in its order."""
        if isinstance(message, Drafted):
            self._draft(message)
        elif isinstance(message, Said):
            if isinstance(message.event, Progress):
                self._estimator.saw(message.event)
            with self._lock:
                if not self._over:
                    self._feed.publish(message.event)
        if time.monotonic() - self._beat > HEARTBEAT:
            self._beat = time.monotonic()
            self._ledger.heartbeat(self.job.id)

    def cancel(self) -> None:
        with self._lock:
            self.stopped.set()
            if not self._over:
                self._conclude(lambda: self._ledger.cancel(self.job.id), CancelledEvent(job=self.job.id))

    def end(self, ended: Ended, closing: bool) -> None:
        """Write how it ended, unless a cancel did so already."""
        job = self.job.id
        with self._lock:
            self._estimator.end(job)
            if self._over:
                return
            failure = self._failure
            if failure is None and ended.outcome == "failed":
                failure = error_named(ended.error, ended.message, ended.hint)
            if self._wanted <= self._saved:
                seconds = round(time.monotonic() - self._began, 3)
                self._conclude(lambda: self._ledger.finish(job), Finished(job=job, seconds=seconds))
            elif closing:
                self._conclude(lambda: self._ledger.interrupt(job), InterruptedEvent(job=job))
            else:
                error = failure or GenerationFailed("The model ended before its outputs were made.", "Run it again.")
                self._conclude(lambda: self._ledger.fail(job, error), _failed(job, error))

    def _draft(self, draft: Drafted) -> None:
        with self._lock:
            # When one output of a batch is made again, the others are not wanted a second time.
            if self._over or self.stopped.is_set() or draft.index not in self._wanted:
                return
            try:
                record = self._desk.publish(self.job, self._recipe(draft), draft)
            except StudioError as error:
                self._failure = error
                self.storage_failed = isinstance(error, StorageFailed)
                self.stopped.set()
                return
            except Exception:
                log.exception("output %s of job %s", draft.index, self.job.id)
                self._failure = GenerationFailed("The output could not be saved.", "Details are in the log.")
                self.stopped.set()
                return
            self._saved.add(draft.index)
            self._feed.publish(Output(job=self.job.id, record=record, index=draft.index))
            if self.job.again_of and self._wanted <= self._saved:
                self.stopped.set()

    def _recipe(self, draft: Drafted) -> Recipe:
        return Recipe(
            request=self.job.request,
            index=draft.index,
            source=draft.facts.source,
            licence=self.licence,
            files=draft.facts.files,
            environment=draft.facts.environment,
            rungs=draft.facts.rungs,
            timings=draft.seconds,
        )

    def _conclude(self, write: Callable[[], object], event: Event) -> None:
        """The ledger first, then the watchers. A ledger that cannot be written now is written later."""
        self._over = True
        try:
            write()
        except StudioError as error:
            log.error("the end of job %s could not be written: %s", self.job.id, error.sentence)
            self.unwritten = write
            event = _failed(self.job.id, error)
        self._feed.publish(event)


def _failed(job: str, error: StudioError) -> Failed:
    return Failed(job=job, error=type(error).__name__, message=error.message, hint=error.hint)
