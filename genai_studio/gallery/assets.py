"""Assets: files that people bring along (a tune to arrange, a recording), kept once under the hash of their bytes.

A request names an asset as it names a record, so its recipe stays true: "asset:<sha256>.mid". Whoever knows the name
has had the file. Assets are never changed and stay until the home folder goes.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from pathlib import Path

from genai_studio.errors import InvalidInput, NotFound, StorageFailed

PREFIX = "asset:"
MAX_BYTES = 200_000_000
_NAME = re.compile(r"asset:(?P<file>[0-9a-f]{64}(?:\.[a-z0-9]{1,10})?)")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}")


def is_asset(name: str) -> bool:
    """Whether an input names an asset, not a record."""
    return name.startswith(PREFIX)


class AssetStore:
    """Safe for several processes at once: the same bytes make the same file, and it appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, path: Path) -> str:
        """Copy a file in; its name. Raises InvalidInput for what is no file, empty or too large, StorageFailed."""
        try:
            size = path.stat().st_size if path.is_file() else -1
        except OSError:
            size = -1
        if size < 0:
            raise InvalidInput(f"{path.name[:80]!r} is not a file that can be read.")
        if not 0 < size <= MAX_BYTES:
            limit = f"allowed is 1 byte to {MAX_BYTES // 1_000_000} MB"
            raise InvalidInput(f"{path.name[:80]!r} has {size:,} bytes; {limit}.")
        part = self._folder / f".{secrets.token_hex(8)}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(path, part)
            with part.open("rb") as copy:
                os.fsync(copy.fileno())
                digest = hashlib.file_digest(copy, "sha256").hexdigest()
            suffix = path.suffix.lower()
            name = f"{PREFIX}{digest}{suffix if _SUFFIX.fullmatch(suffix) else ''}"
            os.replace(part, self._path(name))
        except OSError as error:
            raise StorageFailed(
                f"The file could not be kept: {error.strerror or error}.", "Free some space, then choose it again."
            ) from error
        finally:
            part.unlink(missing_ok=True)
        return name

    def open(self, name: str) -> Path:
        """Path of an asset. Raises NotFound."""
        path = self._path(name)
        if not path.is_file():
            raise NotFound("The file that this was made from is gone.", "Choose it again.")
        return path

    def _path(self, name: str) -> Path:
        match = _NAME.fullmatch(name)
        if match is None:
            raise NotFound("There is no such file.")
        return self._folder / match["file"]
