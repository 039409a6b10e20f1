"""Dispatcher: the owner's side of one worker. It takes the next job from the ledger, passes on what the worker says,
hands in what it made, and writes how it ended. Nothing a job does ends its thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

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
from genai_studio.engine.desk import Desk
from genai_studio.engine.estimate import Estimator
from genai_studio.engine.executor import Executor
from genai_studio.engine.feed import Feed
from genai_studio.engine.ledger import Ledger, wanted_outputs
from genai_studio.engine.messages import Drafted, Ended, FromWorker, Run, error_named
from genai_studio.errors import GenerationFailed, StorageFailed, StudioError

log = logging.getLogger(__name__)

HEARTBEAT = 10.0
"""Least seconds between two heartbeats in the ledger; each is a commit."""
PAUSE_AFTER_MISTAKE = 1.0
"""Seconds, so that a fault that stays (a full disk) does not fill the log."""


class Dispatcher:
    def __init__(
        self,
        executor: Executor,
        ledger: Ledger,
        feed: Feed,
        desk: Desk,
        estimator: Estimator,
        queue_changed: Callable[[], None],
    ) -> None:
        self.name = executor.name
        self._executor, self._ledger, self._feed, self._desk = executor, ledger, feed, desk
        self._estimator, self._queue_changed = estimator, queue_changed
        self._work = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        """Held while a job is taken, so that a cancel finds it either queued or here."""
        self._current: _Running | None = None
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
        self._closing.set()
        self._work.set()
        self._executor.close()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._work.clear()
            try:
                if self._next():
                    self._work.set()
            except Exception:
                log.exception("dispatcher %s", self.name)
                self._closing.wait(PAUSE_AFTER_MISTAKE)
                self._work.set()
            self._work.wait()

    def _next(self) -> bool:
        """Run one job to its end; False when there is none."""
        while self._unwritten:
            self._unwritten[-1]()
            self._unwritten.pop()
        with self._lock:
            job = None if self._closing.is_set() else self._ledger.claim(self.name)
            if job is None:
                return False
            running = self._current = _Running(job, self._ledger, self._feed, self._desk, self._estimator)
        try:
            running.end(self._run(running), closing=self._closing.is_set())
        finally:
            with self._lock:
                self._current = None
            self._desk.ended(job, kept=isinstance(running.failure, StorageFailed))
            if running.unwritten is not None:
                self._unwritten.append(running.unwritten)
        return True

    def _run(self, running: _Running) -> Ended:
        job = running.job
        try:
            self._queue_changed()
            running.work = self._desk.prepare(job)
            return self._executor.run(running.work, running.hear, running.stopped.is_set)
        except StudioError as error:
            return Ended.failed(job.id, error)
        except Exception:
            log.exception("job %s", job.id)
            mistake = GenerationFailed("The studio made a mistake with this job.", "Details are in the log.")
            return Ended.failed(job.id, mistake)


class _Running:
    """One job between claim and end. A cancel ends it at once for everybody who watches, wherever the worker is;
    outputs and ends are written under one lock, so that nothing is published after the end."""

    def __init__(self, job: Job, ledger: Ledger, feed: Feed, desk: Desk, estimator: Estimator) -> None:
        self.job = job
        self.work: Run | None = None
        self.stopped = threading.Event()
        """Read by the executor: the worker shall stop."""
        self.failure: StudioError | None = None
        """Why the outputs cannot be handed in."""
        self.unwritten: Callable[[], object] | None = None
        """How the ledger is told the end, when it could not be told at once."""
        self._ledger, self._feed, self._desk, self._estimator = ledger, feed, desk, estimator
        self._wanted, self._saved = wanted_outputs(job), set[int]()
        self._lock = threading.Lock()
        self._over = self._cancelled = False
        self._began = self._beat = time.monotonic()
        estimator.begin(job.id, job.request.model, job.request.count)

    def hear(self, message: FromWorker) -> None:
        """What the worker says, in its order."""
        with self._lock:
            if self._over or isinstance(message, Ended):
                return
            if isinstance(message, Drafted):
                self._hand_in(message)
            else:
                if isinstance(message.event, Progress):
                    self._estimator.saw(message.event)
                self._feed.publish(message.event)
        if time.monotonic() - self._beat > HEARTBEAT:
            self._beat = time.monotonic()
            self._ledger.heartbeat(self.job.id)

    def cancel(self) -> None:
        # Before the lock, which the other thread may take many times in a row: no further output is handed in.
        self._cancelled = True
        self.stopped.set()
        with self._lock:
            if not self._over:
                self._conclude_cancelled()

    def end(self, ended: Ended, closing: bool) -> None:
        """Write how it ended, unless a cancel did so already."""
        job = self.job.id
        with self._lock:
            if self._over:
                return
            if self._wanted <= self._saved:
                seconds = round(time.monotonic() - self._began, 3)
                self._conclude(lambda: self._ledger.finish(job), Finished(job=job, seconds=seconds))
            elif self._cancelled:
                self._conclude_cancelled()
            elif closing:
                self._conclude(lambda: self._ledger.interrupt(job), InterruptedEvent(job=job))
            else:
                error = self.failure or _why(ended)
                self._conclude(lambda: self._ledger.fail(job, error), _failed(job, error))

    def _hand_in(self, draft: Drafted) -> None:
        # When one output of a batch is made again, the others are not wanted a second time.
        if self.stopped.is_set() or draft.index not in self._wanted or self.work is None:
            return
        try:
            record = self._desk.publish(self.job, self.work.spec, draft)
        except StudioError as error:
            self.failure = error
        except Exception:
            log.exception("output %s of job %s", draft.index, self.job.id)
            self.failure = GenerationFailed("An output could not be saved.", "Details are in the log.")
        else:
            self._saved.add(draft.index)
            self._feed.publish(Output(job=self.job.id, record=record, index=draft.index))
        if self.failure is not None or (self.job.again_of and self._wanted <= self._saved):
            self.stopped.set()

    def _conclude_cancelled(self) -> None:
        self._conclude(lambda: self._ledger.cancel(self.job.id), CancelledEvent(job=self.job.id))

    def _conclude(self, write: Callable[[], object], event: Event) -> None:
        """The ledger first, then the watchers. A ledger that cannot be written now is written later."""
        self._over = True
        self._estimator.end(self.job.id, finished=isinstance(event, Finished))
        try:
            write()
        except Exception as error:
            log.exception("the end of job %s could not be written", self.job.id)
            self.unwritten = write
            sentence = error if isinstance(error, StudioError) else StorageFailed("The queue could not be written.")
            event = _failed(self.job.id, sentence)
        self._feed.publish(event)


def _why(ended: Ended) -> StudioError:
    if ended.outcome == "failed":
        return error_named(ended.error, ended.message, ended.hint)
    return GenerationFailed("The model ended before its outputs were made.", "Run it again.")


def _failed(job: str, error: StudioError) -> Failed:
    return Failed(job=job, error=type(error).__name__, message=error.message, hint=error.hint)
