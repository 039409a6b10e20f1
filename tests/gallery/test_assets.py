"""Files that people bring along: kept once, whole, under a name that says what is in them."""

from __future__ import annotations

import errno
import hashlib
import shutil
from pathlib import Path

import pytest

from genai_studio.errors import InvalidInput, NotFound, StorageFailed
from genai_studio.gallery.assets import MAX_BYTES, AssetStore, is_asset


@pytest.fixture
def store(tmp_path: Path) -> AssetStore:
    return AssetStore(tmp_path / "assets")


def test_the_same_bytes_are_kept_once_under_their_hash(store: AssetStore, tmp_path: Path) -> None:
    first, second = tmp_path / "Jig.MID", tmp_path / "again.mid"
    first.write_bytes(b"notes")
    second.write_bytes(b"notes")
    name = store.keep(first)
    assert name == store.keep(second) == f"asset:{hashlib.sha256(b'notes').hexdigest()}.mid"
    assert is_asset(name)
    assert store.open(name).read_bytes() == b"notes"
    assert [path.name for path in (tmp_path / "assets").iterdir()] == [store.open(name).name]


@pytest.mark.parametrize("suffix", ["", ".x y", ".é", ".averylongsuffix"])
def test_a_suffix_that_is_no_plain_word_is_left_off(store: AssetStore, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tune{suffix}"
    path.write_bytes(b"x")
    assert "." not in store.keep(path)


def test_what_is_no_file_empty_or_too_large_is_refused(store: AssetStore, tmp_path: Path) -> None:
    (tmp_path / "empty.mid").touch()
    large = tmp_path / "large.wav"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for path in (tmp_path, tmp_path / "gone.mid", tmp_path / "empty.mid", large):
        with pytest.raises(InvalidInput):
            store.keep(path)


@pytest.mark.parametrize("name", ["asset:", "asset:../../studio.db", f"asset:{'0' * 64}/../x", f"asset:{'0' * 64}.mid"])
def test_a_name_leads_to_an_asset_or_nowhere(store: AssetStore, name: str) -> None:
    with pytest.raises(NotFound):
        store.open(name)


def test_a_full_disk_leaves_nothing_behind(store: AssetStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tune.mid"
    path.write_bytes(b"notes")

    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"no")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(StorageFailed, match="No space left"):
        store.keep(path)
    assert not list((tmp_path / "assets").iterdir())
