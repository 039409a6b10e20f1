"""Exports on demand: each format of a record is made once, kept in the cache, and given again. What takes long is made
in a process of its own, which ends with it; two who ask for the same thing wait for one making."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from genai_studio.domain.modality import MediaKind
from genai_studio.engine.messages import error_named
from genai_studio.errors import InvalidInput, NotFound, StorageFailed, StudioError
from genai_studio.gallery.records import Record
from genai_studio.gallery.store import GalleryStore
from genai_studio.score import exports

log = logging.getLogger(__name__)

TIMEOUT = 420.0
"""Seconds for one export; a video of five minutes takes about two of them on a small machine."""
KEPT_BYTES = 2_000_000_000
"""Exports that the cache may hold; beyond it those of the records that were asked for longest ago go."""
_AT_ONCE = 2
_PACKAGE = Path(__file__).resolve().parents[2]


class Exporter:
    """Thread-safe. `soundfont` finds the sounds that a record was played with."""

    def __init__(self, gallery: GalleryStore, folder: Path, soundfont: Callable[[Record], Path]) -> None:
        self._gallery, self._folder, self._soundfont = gallery, folder, soundfont
        self._guard = threading.Lock()
        self._making: dict[tuple[str, str], threading.Lock] = {}
        self._places = threading.Semaphore(_AT_ONCE)

    def export(self, record: Record, name: str) -> Path:
        """The file of that format. Raises InvalidInput for an unknown format or a record that is no music, NotFound
        where it has no score, StudioError, StorageFailed."""
        wanted = exports.format_of(name)
        if record.kind is not MediaKind.AUDIO:
            raise InvalidInput(f"{wanted.title} is an export of a recording.")
        if name in record.roles:
            return self._gallery.open(record.id, name)
        if not wanted.plain and "score" not in record.roles:
            raise NotFound(f"This record has no score, so it has no {wanted.title}.", "Make it again to get one.")
        path = self._folder / record.id / f"{name}{wanted.suffix}"
        key = (record.id, exports.STEM if wanted is exports.STEM_FORMAT else name)
        with self._guard:
            lock = self._making.setdefault(key, threading.Lock())
        with lock:
            if not path.is_file():
                self._make(record, name, path)
            os.utime(path.parent)
        return path

    def _make(self, record: Record, name: str, path: Path) -> None:
        """1. made in a folder apart, 2. its files appear whole in the record's folder, 3. the cache keeps its size."""
        part = self._folder / f".{secrets.token_hex(8)}.part"
        try:
            part.mkdir(parents=True)
            path.parent.mkdir(exist_ok=True)
            self._written(record, name, part / path.name)
            for file in part.iterdir():
                os.replace(file, path.parent / file.name)
        except OSError as error:
            reason = error.strerror or error
            raise StorageFailed(
                f"The export could not be written: {reason}.", "Free some space, then try again."
            ) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._prune(record.id)

    def _written(self, record: Record, name: str, out: Path) -> None:
        wanted = exports.format_of(name)
        document = self._gallery.open(record.id, "score") if "score" in record.roles else None
        audio = self._gallery.open(record.id)
        if wanted.quick:
            exports.export(document, audio, name, out)
            return
        order = {
            "format": name,
            "document": str(document or ""),
            "audio": str(audio),
            "out": str(out),
            "soundfont": str(self._soundfont(record)) if wanted.needs_sound else "",
            "seed": record.seed,
        }
        with self._places:
            _in_a_process(order, wanted.title)

    def _prune(self, keep: str) -> None:
        """Records that are gone first, then those asked for longest ago; and what a crash left half made."""
        sizes: dict[Path, int] = {}
        for folder in sorted(self._folder.iterdir(), key=lambda folder: folder.stat().st_mtime):
            if folder.name.endswith(".part"):
                if folder.stat().st_mtime < time.time() - 2 * TIMEOUT:
                    shutil.rmtree(folder, ignore_errors=True)
            elif folder.name != keep:
                sizes[folder] = sum(file.stat().st_size for file in folder.iterdir())
        for folder in list(sizes):
            try:
                self._gallery.get(folder.name)
            except NotFound:
                shutil.rmtree(folder, ignore_errors=True)
                del sizes[folder]
        for folder in list(sizes):
            if sum(sizes.values()) > KEPT_BYTES:
                shutil.rmtree(folder, ignore_errors=True)
                del sizes[folder]


def _in_a_process(order: Mapping[str, object], title: str) -> None:
    """Run one order and wait. Raises what it raised, or StudioError when it took too long or broke."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_PACKAGE), os.environ.get("PYTHONPATH")])),
    }
    command = [sys.executable, "-m", "genai_studio.score.exports"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StudioError(f"{title}: making it took longer than {TIMEOUT / 60:.0f} minutes and was stopped.") from None
    if done.returncode == 0:
        return
    try:
        said = json.loads(done.stdout)
        error = error_named(said["error"], said["message"], said["hint"])
    except (ValueError, KeyError, TypeError):
        log.error("export %s failed: %s", order["format"], done.stderr[-4000:])
        raise StudioError(f"{title} could not be made.", "The log says why.") from None
    raise error
