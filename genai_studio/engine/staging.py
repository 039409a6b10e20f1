"""Staging: the folders in which running jobs write, one a job, and when they go."""

from __future__ import annotations

import shutil
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from genai_studio.errors import NotFound, StorageFailed

ENDED_KEPT = 8
"""Folders of ended jobs that stay, because a page may still be fetching their last previews."""


class Staging:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: deque[str] = deque()
        self._lock = threading.Lock()

    def make(self, job_id: str) -> Path:
        """The job's own folder. Raises StorageFailed."""
        folder = self._folder / job_id
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StorageFailed(
                f"The staging folder cannot be written: {reason}.", "Free some space, or make it writable, and retry."
            ) from error
        return folder

    def ended(self, job_id: str) -> None:
        """The job's folder goes when a few more jobs have ended."""
        with self._lock:
            self._ended.append(job_id)
            while len(self._ended) > ENDED_KEPT:
                shutil.rmtree(self._folder / self._ended.popleft(), ignore_errors=True)

    def sweep(self, keep: Callable[[str], bool]) -> None:
        """At start: remove the folders of jobs that `keep` does not ask for."""
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if not keep(folder.name):
                shutil.rmtree(folder, ignore_errors=True)

    def preview(self, relative: str) -> Path:
        """The file of a Preview event. Raises NotFound, also for a path that leads out of the folder."""
        root = self._folder.resolve()
        try:
            path = (root / relative).resolve()
            found = path.is_relative_to(root) and path.is_file()
        except (OSError, ValueError):
            found = False
        if not found:
            raise NotFound("There is no such preview.")
        return path
