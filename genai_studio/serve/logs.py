"""Log: one rotating file in the data folder takes what libraries log, warn and print, so that the terminal shows
only sentences that were meant for a person."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

from genai_studio.errors import StorageFailed

LOG_BYTES = 5 * 1024**2
LOG_FILES = 3


def log_to(home: Path) -> Path:
    """Send all logging to `home/studio.log`. Raises StorageFailed when the folder cannot be written."""
    path = home / "studio.log"
    try:
        home.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8", delay=False)
    except OSError as error:
        raise StorageFailed(
            f"The data folder {home} cannot be written: {error.strerror or error}.",
            "Choose another one with --home or GENAI_STUDIO_HOME.",
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, RotatingFileHandler)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    for noisy in ("httpx", "httpcore", "alembic", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return path


@contextlib.contextmanager
def printed_to_log() -> Iterator[None]:
    """Lines that libraries print to stderr (Gradio prints tracebacks of handlers) become log entries."""
    with contextlib.redirect_stderr(_Lines(logging.getLogger("printed"))):
        yield


class _Lines(io.TextIOBase):
    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in filter(str.strip, lines):
            self._log.warning("%s", line)
        return len(text)
