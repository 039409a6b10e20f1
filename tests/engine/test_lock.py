from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from genai_studio.engine.lock import LOCK, NOTE, FolderLock, Owner, read_note, running_owner
from genai_studio.errors import Busy, StorageFailed


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def test_a_second_owner_is_refused_in_one_sentence_that_says_where_the_first_is(home):
    first, second = FolderLock(home), FolderLock(home)
    first.acquire()
    with pytest.raises(Busy, match=rf"in use by another studio \(process {os.getpid()}\)"):
        second.acquire()
    first.write(Owner(os.getpid(), "http://127.0.0.1:7860", "secret"))
    with pytest.raises(Busy) as refused:
        second.acquire()
    expected = f"This data folder is in use by the studio at http://127.0.0.1:7860 (process {os.getpid()})."
    assert refused.value.message == expected
    second.release()
    assert running_owner(home) == Owner(os.getpid(), "http://127.0.0.1:7860", "secret")
    first.release()
    assert running_owner(home) is None
    second.acquire()
    second.release()


def test_the_note_is_for_this_user_only(home):
    lock = FolderLock(home)
    lock.acquire()
    lock.write(Owner(1, "http://127.0.0.1:1", "secret"))
    assert stat.S_IMODE((home / NOTE).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    lock.release()
    assert not (home / NOTE).exists()


def test_a_lock_left_by_a_crash_is_taken_over(home):
    code = f"""
import os, signal
from pathlib import Path
from genai_studio.engine.lock import *
lock = FolderLock(Path({str(home)!r}))
lock.acquire()
lock.write(Owner(os.getpid(), "http://127.0.0.1:7860", "old"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert read_note(home).token == "old"
    assert running_owner(home) is None, "a note of a dead process is no owner"
    lock = FolderLock(home)
    lock.acquire()
    assert running_owner(home) == Owner(os.getpid())
    lock.release()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match="cannot be written"):
        FolderLock(tmp_path / "file" / "home").acquire()

    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageFailed, match="read-only file system"):
        FolderLock(tmp_path).acquire()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1, "what": 2}'])
def test_a_damaged_note_is_no_note(home, text):
    home.mkdir()
    (home / LOCK).touch()
    (home / NOTE).write_text(text)
    assert read_note(home) is None
