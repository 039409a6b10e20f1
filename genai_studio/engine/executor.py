"""Executor: how a worker is reached. ProcessExecutor keeps one child process for a device and replaces it when it
dies or stops answering; InlineExecutor runs in the calling thread."""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pydantic import ValidationError

from genai_studio.engine.device import pick_device
from genai_studio.engine.manager import ModelManager
from genai_studio.engine.messages import FROM_WORKER, Cancel, Ended, FromWorker, Run
from genai_studio.engine.runner import run
from genai_studio.errors import WorkerDied
from genai_studio.settings import PREFIX, Settings

log = logging.getLogger(__name__)

Say = Callable[[FromWorker], None]

GRACE = 5.0
"""Seconds in which a worker must answer a cancel before it is replaced."""
SILENCE = 600.0
"""Seconds without a word about the running job after which the worker counts as hung; a large model loads for
minutes without one."""
TICK = 0.25
"""Seconds between two looks at the clock while the worker says nothing. Messages wake at once."""
LOG_LIMIT = 2_000_000
"""Bytes of the worker's log file above which it starts afresh."""


class Executor(Protocol):
    """Runs one job at a time. `run` is called from one thread, the rest from any."""

    name: str

    def start(self) -> None:
        """Get ready, without waiting for it."""

    def run(self, work: Run, say: Say, stopped: Callable[[], bool]) -> Ended:
        """Run `work`, passing on what is said about it. Raises WorkerDied when the worker was lost."""

    def cancel(self, job: str) -> None:
        """`stopped()` of the running job has become true: act on it now."""

    def close(self) -> None:
        """Stop at once, whatever runs."""


class InlineExecutor:
    """For tests, and for hosts that lend a GPU to the calling process only."""

    def __init__(self, settings: Settings) -> None:
        self.name = "inline"
        self.manager = ModelManager(settings, pick_device(settings.device))
        self._closed = False

    def start(self) -> None:
        pass

    def run(self, work: Run, say: Say, stopped: Callable[[], bool]) -> Ended:
        return run(work, self.manager, say, lambda: self._closed or stopped())

    def cancel(self, job: str) -> None:
        pass

    def close(self) -> None:
        self._closed = True


class ProcessExecutor:
    """One child process, started afresh whenever it is needed and gone.

    `command` starts a worker that speaks on its standard input and output; tests put a faulty one here.
    """

    def __init__(
        self,
        settings: Settings,
        device: str,
        *,
        command: Sequence[str] = (sys.executable, "-m", "genai_studio.engine.worker"),
        grace: float = GRACE,
        silence: float = SILENCE,
    ) -> None:
        self.name = device
        self._command = command
        self._environment = worker_environment(settings, device)
        self._log = settings.home / "worker.log"
        self.grace, self.silence = grace, silence
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        worker = self._worker
        return worker.process.pid if worker else None

    def start(self) -> None:
        self._ready()

    def run(self, work: Run, say: Say, stopped: Callable[[], bool]) -> Ended:
        if stopped():
            return Ended(job=work.job, outcome="cancelled")
        worker = self._ready()
        worker.send(work)
        heard, asked = time.monotonic(), None
        while True:
            message = worker.next(TICK)
            now = time.monotonic()
            if isinstance(message, _Gone):
                self._replace(worker)
                if stopped():
                    return Ended(job=work.job, outcome="cancelled")
                raise WorkerDied(*_last_words(message.code))
            if message is not None and message.job == work.job:
                heard = now
                if isinstance(message, Ended):
                    return message
                say(message)
            if stopped():
                if asked is None:
                    worker.send(Cancel(job=work.job))
                    asked = now
                if now - asked > self.grace:
                    log.warning("worker %s does not answer a cancel and is replaced", self.name)
                    self._replace(worker)
                    return Ended(job=work.job, outcome="cancelled")
            elif now - heard > self.silence:
                self._replace(worker)
                raise WorkerDied(
                    f"The model said nothing for {self.silence:.0f} seconds and was stopped.",
                    "What was made before is kept. Run the job again, or with fewer steps.",
                )

    def cancel(self, job: str) -> None:
        with self._lock:
            if self._worker is not None:
                self._worker.send(Cancel(job=job))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._worker is not None:
                self._worker.kill()

    def _ready(self) -> _Worker:
        """The worker, started if there is none or it died while idle."""
        with self._lock:
            if self._closed:
                raise WorkerDied("The studio is closing.")
            if self._worker is None or not self._worker.alive:
                self._worker = _Worker(self._command, self._environment, self._log)
            return self._worker

    def _replace(self, worker: _Worker) -> None:
        """Kill, and start the next one at once: its imports are done by the time the next job comes."""
        worker.kill()
        if not self._closed:
            self._ready()


@dataclass(frozen=True)
class _Gone:
    """The worker's end of the pipe is closed. `code` is its exit code, negative for a signal."""

    code: int


class _Worker:
    """A child process and the thread that reads from it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log_file: Path) -> None:
        with _log_for(log_file) as errors:
            self.process = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=dict(environment)
            )
        self._messages: queue.SimpleQueue[FromWorker | _Gone] = queue.SimpleQueue()
        self._sending = threading.Lock()
        threading.Thread(target=self._read, name=f"worker-{self.process.pid}", daemon=True).start()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, message: Run | Cancel) -> None:
        """A worker that is gone is noticed by its reader; here it is no error."""
        assert self.process.stdin is not None
        with self._sending:
            try:
                self.process.stdin.write(message.model_dump_json().encode() + b"\n")
                self.process.stdin.flush()
            except (BrokenPipeError, ValueError):
                log.info("worker %s is gone", self.process.pid)

    def next(self, timeout: float) -> FromWorker | _Gone | None:
        try:
            return self._messages.get(timeout=timeout)
        except queue.Empty:
            return None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                try:
                    self._messages.put(FROM_WORKER.validate_json(line))
                except ValidationError:
                    log.error("worker %s said something strange: %.200r", self.process.pid, line)
        self._messages.put(_Gone(code=self.process.wait()))
        assert self.process.stdin is not None
        # What could not be written is written again by close, and fails again.
        with suppress(OSError):
            self.process.stdin.close()


def worker_environment(settings: Settings, device: str) -> dict[str, str]:
    """What must be set before the libraries are imported: waiting threads sleep rather than spin, hubs send nothing
    about the user, and code that comes with a model is never run."""
    threads = str(settings.worker_threads)
    package_root = str(Path(__file__).resolve().parents[2])
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # The studio's own variables may have been overridden here, and the logins are nothing to a worker.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "OMP_WAIT_POLICY": "passive",
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "TOKENIZERS_PARALLELISM": "false",
        "DIFFUSERS_DISABLE_REMOTE_CODE": "true",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        # The worker reads its settings as everybody does.
        PREFIX + "HOME": str(settings.home),
        PREFIX + "MODELS": str(settings.models),
        PREFIX + "DEVICE": device,
        PREFIX + "MEMORY": settings.memory,
        PREFIX + "THREADS": threads,
    }


def _log_for(path: Path) -> BinaryIO:
    """The worker's log, to append to; afresh when it has grown large. A disk that refuses it stops no worker."""
    try:
        large = path.exists() and path.stat().st_size > LOG_LIMIT
        return path.open("wb" if large else "ab")
    except OSError:
        log.exception("the worker's log cannot be written")
        return open(os.devnull, "wb")


def _last_words(code: int) -> tuple[str, str]:
    """Sentence and hint for a worker that ended with exit code `code`."""
    if code == -signal.SIGKILL:
        why = "The worker was killed from outside, perhaps because memory ran out."
    elif code < 0:
        why = f"The worker crashed ({signal.Signals(-code).name})."
    else:
        why = f"The worker ended unexpectedly (exit code {code})."
    return why, "The queue goes on with a fresh one. What was made before is kept; run the job again."
