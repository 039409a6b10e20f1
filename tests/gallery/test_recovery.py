"""Killed anywhere, the gallery comes back whole: no row without its files, nothing finished is lost, no litter."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select
from staged_files import Staging, files_below, make_recipe

from genai_studio.database.connect import Database
from genai_studio.database.schema import JOBS, REMOVALS
from genai_studio.domain.modality import MediaKind
from genai_studio.domain.request import new_id
from genai_studio.gallery import files, records
from genai_studio.gallery.metadata import embed, read_recipe
from genai_studio.gallery.store import GalleryStore

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


def add_job(database: Database, job: str, owner: str = "ann") -> None:
    with database.write() as connection:
        connection.execute(
            insert(JOBS).values(id=job, owner=owner, request={}, state="running", position=1.0, created=1.0)
        )


def save_tune(gallery: GalleryStore, staging: Staging, job: str, index: int = 0):
    return gallery.save(
        owner="ann",
        job=job,
        index=index,
        recipe=make_recipe("music", "a jig", index=index),
        kind=MediaKind.AUDIO,
        staged=staging.audio(),
        companions={"midi": staging.midi()},
    )


def in_child(folder: Path, work: Callable[[Database, GalleryStore], None], arm: Callable[[Database], None]) -> bool:
    """Run `work` in a process of its own, with `arm` before it; True when it lived to the end."""
    child = os.fork()
    if child == 0:
        try:
            database = Database.open(f"sqlite:///{folder / 'studio.db'}")
            arm(database)
            work(database, GalleryStore(database, folder / "outputs"))
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def kill_at(step: int) -> Callable[[Database], None]:
    """Die without warning at the given one of all calls that change the disk; half of a write gets there."""
    count = 0

    def passed() -> bool:
        nonlocal count
        count += 1
        return count > step

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def arm(database: Database) -> None:
        for name in ("fsync", "replace", "unlink"):
            real = getattr(os, name)

            def before(*args, real=real, **kwargs):
                if passed():
                    die()
                return real(*args, **kwargs)

            setattr(os, name, before)
        write = files._write_whole

        def half(path: Path, data: bytes) -> None:
            if passed():
                path.write_bytes(data[: len(data) // 2])
                die()
            write(path, data)

        files._write_whole = half
        for moment in ("begin", "commit"):
            event.listen(database._writer, moment, lambda _: die() if passed() else None)

    return arm


def check_whole(gallery: GalleryStore, outputs: Path) -> None:
    """Every row has all its files, and every file a row."""
    found = gallery.page(limit=500).records + gallery.page(limit=500, trashed=True).records
    expected = set()
    for record in found:
        assert read_recipe(gallery.open(record.id)) is not None
        expected |= {record.key, *record.companions.values()}
        assert {"midi", "thumbnail"} == record.companions.keys()
    assert set(files_below(outputs)) == expected


def test_a_save_killed_at_any_step(tmp_path, migrated, database, gallery, staging, outputs):
    staging.audio(), staging.midi()
    step, finished = 0, False
    while not finished:
        job = new_id()
        add_job(database, job)
        finished = in_child(tmp_path, lambda _, child, job=job: save_tune(child, staging, job), kill_at(step))
        ids = [record.id for record in gallery.page(limit=500).records]
        main_published = any(name.endswith(f"{job}-00.wav") for name in files_below(outputs) if "/." not in name)
        assert main_published or f"{job}-00" not in ids
        recovered = gallery.recover()
        assert recovered.set_aside == recovered.missing == []
        assert recovered.adopted == ([f"{job}-00"] if main_published and f"{job}-00" not in ids else [])
        check_whole(gallery, outputs)
        if main_published:
            record = gallery.get(f"{job}-00", owner="ann")
            assert (record.seed, record.prompt, len(record.info["peaks"])) == (7, "a jig", 400)
        assert save_tune(gallery, staging, job).id == f"{job}-00"
        check_whole(gallery, outputs)
        step += 1
    assert step > 12


def test_a_purge_killed_at_any_step(tmp_path, database, gallery, staging, outputs):
    step, finished = 0, False
    while not finished:
        job = new_id()
        add_job(database, job)
        kept, gone = save_tune(gallery, staging, job, 0), save_tune(gallery, staging, job, 1)
        gallery.trash([gone.id])
        finished = in_child(tmp_path, lambda _, child: child.empty_trash(), kill_at(step))
        deleted = gallery.count(trashed=True) == 0
        recovered = gallery.recover()
        assert recovered.adopted == recovered.set_aside == recovered.missing == []
        assert gallery.count(trashed=True) == (0 if deleted else 1)
        check_whole(gallery, outputs)
        with database.read() as connection:
            assert connection.execute(select(REMOVALS)).all() == []
        gallery.purge([kept.id, *([] if deleted else [gone.id])])
        assert files_below(outputs) == []
        step += 1
    assert step > 5


def test_a_studio_killed_at_random_moments(tmp_path, database, gallery, staging, outputs):
    draw = random.Random(11)
    staging.audio(), staging.midi()
    for _ in range(12):
        job = new_id()
        add_job(database, job)
        done, tell = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                store = GalleryStore(Database.open(f"sqlite:///{tmp_path / 'studio.db'}"), outputs)
                for index in range(50):
                    save_tune(store, staging, job, index)
                    os.write(tell, b".")
                    if index % 3 == 2:
                        store.purge([f"{job}-{index - 1:02d}"])
            finally:
                os._exit(0)
        os.read(done, draw.randrange(1, 3))
        time.sleep(0.05 * draw.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(done), os.close(tell)
        for record in gallery.page(limit=500).records:
            assert gallery.open(record.id).is_file()
        gallery.recover()
        check_whole(gallery, outputs)
    assert gallery.count() > 0


def publish(outputs: Path, name: str, data: bytes) -> Path:
    folder = outputs / "2026" / "11" / "24"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    return path


def test_what_nobody_knows_is_set_aside_and_never_deleted(gallery, database, staging, outputs):
    known, unknown = new_id(), new_id()
    add_job(database, known)
    image = staging.image()
    bare = image.read_bytes()
    embed(image, make_recipe().portable())
    ours = image.read_bytes()
    publish(outputs, f"{unknown}-00.png", ours)
    publish(outputs, f"{unknown}-00.thumbnail.webp", b"small")
    publish(outputs, f"{known}-00.png", bare)
    publish(outputs, f"{known}-01.png", ours)  # carries the recipe of another output
    publish(outputs, f"{known}-02.png", ours[:-200])
    recovered = gallery.recover()
    assert (recovered.adopted, recovered.removed) == ([], [])
    assert len(recovered.set_aside) == 5
    assert {Path(name).parent.as_posix() for name in files_below(outputs)} == {files.RECOVERED}
    assert (outputs / files.RECOVERED / f"{unknown}-00.png").read_bytes() == ours
    publish(outputs, f"{unknown}-00.png", ours + b"x")
    gallery.recover()
    assert len(files_below(outputs)) == 6


def test_files_that_are_not_ours_are_left_alone(gallery, outputs, save_text):
    record = save_text()
    mine = [".DS_Store", "holiday.png", "notes.txt", ".hidden.part", f"{record.id}.png.bak", f"{record.id}"]
    for name in mine:
        publish(outputs, name, b"mine")
    publish(outputs, f".{record.id}.txt.0123abcd.part", b"half a file")
    (outputs / "other").mkdir()
    (outputs / "other" / "a.png").write_bytes(b"mine")
    recovered = gallery.recover()
    assert recovered.removed == [f".{record.id}.txt.0123abcd.part"]
    assert len(files_below(outputs)) == len(mine) + 1 + 2
    assert gallery.get(record.id) == record


def test_recovering_twice_does_nothing_more(gallery, database, outputs, staging):
    job = new_id()
    add_job(database, job)
    record = save_tune(gallery, staging, job)
    with database.write() as connection:
        records.remove(connection, [record.id])
        connection.execute(REMOVALS.delete())
    assert gallery.recover().adopted == [record.id]
    assert gallery.recover() == type(gallery.recover())()
    again = gallery.get(record.id)
    assert (again.sha256, again.content_sha256, again.companions) == (
        record.sha256,
        record.content_sha256,
        record.companions,
    )
