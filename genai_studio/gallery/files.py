"""The files of the outputs folder: their keys, and writing them so that a crash leaves a whole file or none.

A key is `YYYY/MM/DD/{id}.{ext}`; companions and the thumbnail are `{id}.{role}.{ext}` beside it. Whatever does not look
like that is not ours and is never touched.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from genai_studio.errors import InvalidInput, NotFound

ID = re.compile(r"(?P<job>[0-9A-Za-z]{1,40})-(?P<index>[0-9]{2})")
_NAME = re.compile(ID.pattern + r"(?:\.(?P<role>[a-z][a-z0-9_]{0,19}))?\.(?P<ext>[a-z0-9]{1,10})")
_KEY = re.compile(r"(?P<day>[0-9]{4}/[0-9]{2}/[0-9]{2})/(?P<name>" + _NAME.pattern + ")")
_PART = re.compile(r"\.[^/]+\.[0-9a-f]{8}\.part")
RECOVERED = "recovered"
"""Folder for main files that no row and no job can be found for. Nothing is read from it."""


def output_id(job: str, index: int) -> str:
    """Raises InvalidInput for what cannot be part of a file name everywhere."""
    name = f"{job}-{index:02d}"
    if not ID.fullmatch(name):
        raise InvalidInput(f"{name[:80]!r} is not the id of an output.")
    return name


def parse_name(name: str) -> tuple[str, int, str, str] | None:
    """Job, index, role ("" for the main file) and extension of one of our file names."""
    match = _NAME.fullmatch(name)
    return (match["job"], int(match["index"]), match["role"] or "", match["ext"]) if match else None


def day_of(job: str) -> str:
    """`YYYY/MM/DD` in UTC, from the time in the job's id, so that an output made twice has one key; else today."""
    seconds = int(job[:12], 16) / 1000 if re.fullmatch("[0-9a-f]{20}", job) else time.time()
    if not 0 < seconds < 4e9:
        seconds = time.time()
    return time.strftime("%Y/%m/%d", time.gmtime(seconds))


class OutputFiles:
    """All access to the outputs folder. Folders are private to the user who runs the studio."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def path(self, key: str) -> Path:
        """Raises NotFound for a key that is not one of ours, whoever made it."""
        if not _KEY.fullmatch(key):
            raise NotFound("There is no such file.")
        return self.root / key

    def write(self, day: str, files: dict[str, bytes]) -> list[str]:
        """Publish `files` (name to bytes) in the folder of `day`, the last one last; returns their keys.

        All are written to temporary names and flushed to the disk, then renamed in order, so that where the last one
        is, all are. After an exception none of them is there. Raises OSError.
        """
        folder = self.root / day
        targets = {self.path(f"{day}/{name}"): data for name, data in files.items()}
        parts: list[Path] = []
        published: list[Path] = []
        try:
            self._make(folder)
            for target, data in targets.items():
                parts.append(folder / f".{target.name}.{secrets.token_hex(4)}.part")
                _write_whole(parts[-1], data)
            for part, target in zip(parts, targets, strict=True):
                os.replace(part, target)
                published.append(target)
            _flush_folder(folder)
        except BaseException:
            for path in (*parts, *reversed(published)):
                _discard(path)
            raise
        return [f"{day}/{name}" for name in files]

    def remove(self, keys: Iterable[str]) -> bool:
        """Delete what can be deleted; False if something is still there or may come back. The main file goes first, so
        that what a crash leaves is never taken for an output."""
        paths = sorted((self.path(key) for key in keys), key=lambda path: path.name.count("."))
        try:
            gone = [_discard(path) for path in paths]
            for folder in {path.parent for path in paths if path.parent.is_dir()}:
                _flush_folder(folder)
        except OSError:
            return False
        return all(gone)

    def set_aside(self, key: str) -> None:
        """Move a main file that belongs to nobody to the folder `recovered`, out of the gallery but not lost."""
        folder = self.root / RECOVERED
        folder.mkdir(mode=0o700, exist_ok=True)
        target = folder / Path(key).name
        if target.exists():
            target = folder / f"{target.stem}.{secrets.token_hex(4)}{target.suffix}"
        os.replace(self.path(key), target)

    def days(self) -> Iterator[str]:
        """The day folders there are, oldest first."""
        if self.root.is_dir():
            for folder in sorted(self.root.glob("[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]")):
                if folder.is_dir():
                    yield folder.relative_to(self.root).as_posix()

    def names(self, day: str) -> list[str]:
        """Names of our files in the folder of a day."""
        with os.scandir(self.root / day) as entries:
            found = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        return [name for name in found if _NAME.fullmatch(name)]

    def sweep(self, day: str) -> list[str]:
        """Delete temporary files that a crash left behind; returns their names."""
        with os.scandir(self.root / day) as entries:
            parts = [Path(entry.path) for entry in entries if _PART.fullmatch(entry.name)]
        return [path.name for path in parts if _discard(path)]

    def _make(self, folder: Path) -> None:
        """Make `folder` and those above it, each flushed into its parent."""
        missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
            _flush_folder(path.parent)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file so that `target` is never half a file. Raises OSError."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        shutil.copyfile(source, part)
        os.replace(part, target)
    except OSError:
        _discard(part)
        raise


def _write_whole(path: Path, data: bytes) -> None:
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(path: Path) -> bool:
    """Delete a file that may be gone already; False when it can't be."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
