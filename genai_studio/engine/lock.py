"""One owner for a data folder: a lock that the system releases when its process ends, however it ends, and a note
beside it that says where the owner can be reached."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from genai_studio.errors import Busy, StorageFailed

LOCK = "studio.lock"
NOTE = "studio.json"


@dataclass(frozen=True)
class Owner:
    """Who owns a data folder. `address` is empty for one that serves no page; `token` opens its command-line API."""

    pid: int
    address: str = ""
    token: str = ""


class FolderLock:
    """Held from `acquire` to `release`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = FileLock(home / LOCK, mode=0o600, thread_local=False)

    def acquire(self) -> None:
        """Raises Busy with one sentence that names the owner, or StorageFailed when the folder is not writable."""
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Somebody who only looks whether the studio runs holds the lock for a moment.
            self._lock.acquire(timeout=0.3, poll_interval=0.05)
            self.write(Owner(os.getpid()))
        except Timeout:
            raise Busy(_in_use(read_note(self._home)), "Use that one, or stop it first.") from None
        except OSError as error:
            raise StorageFailed(
                f"The data folder {self._home} cannot be written: {(error.strerror or str(error)).lower()}.",
                "Choose another one with --home or GENAI_STUDIO_HOME.",
            ) from error

    def write(self, owner: Owner) -> None:
        """Replace the note, readable by this user only."""
        part = self._home / f".{NOTE}.part"
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(owner), file)
        part.replace(self._home / NOTE)

    def release(self) -> None:
        """Whoever does not hold the lock leaves the note of whoever does."""
        if self._lock.is_locked:
            (self._home / NOTE).unlink(missing_ok=True)
            self._lock.release()


def running_owner(home: Path) -> Owner | None:
    """The live owner of a data folder, or None. A note that a crash left behind does not count."""
    if not (home / LOCK).exists():
        return None
    lock = FileLock(home / LOCK, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return read_note(home)
    except OSError:
        return None
    lock.release()
    return None


def read_note(home: Path) -> Owner | None:
    """What the note says, whether or not its writer lives."""
    try:
        return Owner(**json.loads((home / NOTE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _in_use(owner: Owner | None) -> str:
    if owner is None:
        return "This data folder is in use by another studio."
    if not owner.address:
        return f"This data folder is in use by another studio (process {owner.pid})."
    return f"This data folder is in use by the studio at {owner.address} (process {owner.pid})."
