"""The child process that holds one device: reads jobs from its standard input, says what happens on its standard
output, and ends when the input closes, because then the studio is gone. It writes no rows and holds no lock."""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

from genai_studio.engine.device import pick_device
from genai_studio.engine.manager import ModelManager
from genai_studio.engine.messages import TO_WORKER, Cancel, Ended, FromWorker, Run
from genai_studio.engine.runner import run
from genai_studio.errors import StudioError
from genai_studio.settings import Settings


class Worker:
    def __init__(self, settings: Settings, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._settings = settings
        self._incoming, self._outgoing = incoming, outgoing
        self._jobs: queue.SimpleQueue[Run] = queue.SimpleQueue()
        self._cancelled = ""
        """The job that was cancelled last; there is never more than one to stop."""
        self._manager: ModelManager | None = None

    def serve(self) -> None:
        """Run jobs one after the other, for ever: the reading thread ends the process."""
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        while True:
            work = self._jobs.get()
            try:
                if self._manager is None:
                    self._manager = ModelManager(self._settings, pick_device(self._settings.device))
            except StudioError as error:
                self._say(Ended.failed(work.job, error))
                continue
            self._say(run(work, self._manager, self._say, lambda job=work.job: self._cancelled == job))  # type: ignore[misc]

    def _read(self) -> None:
        for line in self._incoming:
            message = TO_WORKER.validate_json(line)
            if isinstance(message, Cancel):
                self._cancelled = message.job
            else:
                self._jobs.put(message)
        # At once, whatever the model is doing: nobody is left to hear about it.
        os._exit(0)

    def _say(self, message: FromWorker) -> None:
        try:
            self._outgoing.write(message.model_dump_json().encode() + b"\n")
            self._outgoing.flush()
        except BrokenPipeError:
            os._exit(0)


def main() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Ctrl+C in a terminal reaches the whole group; the studio ends its workers by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries that print must not write into the stream of messages: their standard output is the log from here on.
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(Settings.read(), sys.stdin.buffer, outgoing).serve()


if __name__ == "__main__":
    main()
