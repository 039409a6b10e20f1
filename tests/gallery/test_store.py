"""Saving, opening and changing outputs: files and rows together, all or nothing."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select
from staged_files import files_below, make_midi, make_recipe

from genai_studio.database.schema import PARENTS, REMOVALS
from genai_studio.domain.modality import MediaKind
from genai_studio.domain.request import new_id
from genai_studio.errors import GenerationFailed, InvalidInput, NotAllowed, NotFound, StorageFailed
from genai_studio.gallery import files, records
from genai_studio.gallery.metadata import read_recipe
from genai_studio.gallery.store import GalleryStore

HOSTILE = '<img src=x onerror=alert(1)> "; DROP TABLE records; -- \u202e 猫 🦊'


def save_image(gallery, staging, job="", shift=0, **changes):
    return gallery.save(
        owner=changes.pop("owner", "local"),
        job=job or new_id(),
        index=changes.get("index", 0),
        recipe=make_recipe(**changes),
        kind=MediaKind.IMAGE,
        staged=staging.image(shift=shift),
    )


def save_tune(gallery, staging, job="", **changes):
    return gallery.save(
        owner="local",
        job=job or new_id(),
        index=0,
        recipe=make_recipe("music", "a jig", model="tunes"),
        kind=MediaKind.AUDIO,
        staged=staging.audio(changes.pop("name", "a.wav"), **changes),
        companions={"midi": staging.midi(), "musicxml": staging.musicxml()},
        info={"key": "D major"},
        model_title="Tunes",
        seconds=1.5,
    )


def test_an_image_is_saved_whole(gallery, staging):
    staged = staging.image()
    recipe = make_recipe(prompt=HOSTILE, index=2)
    record = gallery.save(owner="ann", job=new_id(), index=2, recipe=recipe, kind=MediaKind.IMAGE, staged=staged)
    path = gallery.open(record.id)
    assert gallery.get(record.id) == record
    assert (record.width, record.height, record.seed, record.prompt) == (96, 64, 9, HOSTILE)
    assert record.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.size == path.stat().st_size
    assert read_recipe(path) == recipe
    with Image.open(path) as saved, Image.open(staged) as before:
        assert np.array_equal(np.asarray(saved), np.asarray(before))
    with Image.open(gallery.open(record.id, "thumbnail")) as small:
        assert small.format == "WEBP"
        assert "A" in small.mode
    assert staged.exists()
    card = record.card()
    assert json.loads(json.dumps(card)) == card
    assert card["title"] == HOSTILE
    assert (card["url"], card["thumbnail"]) == (f"/media/{record.id}", f"/media/{record.id}/thumbnail")


def test_a_tune_keeps_its_further_files_and_each_carries_the_recipe(gallery, staging):
    record = save_tune(gallery, staging)
    assert record.roles == ["midi", "musicxml"]
    for role in ("", "midi", "musicxml"):
        assert read_recipe(gallery.open(record.id, role)) == record.recipe
    assert len(record.info["peaks"]) == 400
    assert max(record.info["peaks"]) == pytest.approx(0.5, abs=0.01)
    assert (record.info["key"], record.duration, record.model_title, record.seconds) == ("D major", 0.5, "Tunes", 1.5)
    assert gallery.open(record.id, "thumbnail").suffix == ".webp"


def test_a_text_stays_as_written_and_its_recipe_lies_beside_it(gallery, staging, save_text):
    words = "猫 " * 400
    record = save_text(words=words)
    assert gallery.open(record.id).read_bytes() == words.encode()
    assert read_recipe(gallery.open(record.id)) == read_recipe(gallery.open(record.id, "recipe")) == record.recipe
    assert record.excerpt == words[:500]
    assert (record.thumbnail_url, record.roles) == ("", ["recipe"])
    with pytest.raises(NotFound):
        gallery.open(record.id, "thumbnail")


def test_the_same_recipe_gives_the_same_bytes(gallery, staging):
    one, two = save_image(gallery, staging), save_image(gallery, staging)
    assert (one.sha256, one.content_sha256) == (two.sha256, two.content_sha256)
    tunes = [save_tune(gallery, staging) for _ in range(2)]
    for role in ("", "midi", "musicxml", "thumbnail"):
        assert gallery.open(tunes[0].id, role).read_bytes() == gallery.open(tunes[1].id, role).read_bytes()
    flac = [save_tune(gallery, staging, name="a.flac") for _ in range(2)]
    assert flac[0].sha256 == flac[1].sha256 != tunes[0].sha256
    assert flac[0].content_sha256 == tunes[0].content_sha256


def test_saving_twice_answers_the_first_record(gallery, staging, outputs):
    job = new_id()
    first = save_image(gallery, staging, job)
    before = files_below(outputs)
    assert save_image(gallery, staging, job, shift=50) == first
    assert files_below(outputs) == before
    assert gallery.count() == 1


@pytest.mark.parametrize("job", ["../../x", "a/b", "", "a" * 60, "a\x00b", "con.png", "ä"])
def test_a_job_id_that_is_no_file_name_is_refused(gallery, staging, outputs, job):
    with pytest.raises(InvalidInput):
        gallery.save(
            owner="local", job=job, index=0, recipe=make_recipe(), kind=MediaKind.IMAGE, staged=staging.image()
        )
    assert files_below(outputs) == []


@pytest.mark.parametrize("role", ["../x", "", "thumbnail", "recipe", "Midi", "a.b", "a/b"])
def test_a_role_that_is_no_file_name_is_refused(gallery, staging, outputs, role):
    with pytest.raises(InvalidInput):
        gallery.save(
            owner="local",
            job=new_id(),
            index=0,
            recipe=make_recipe(),
            kind=MediaKind.IMAGE,
            staged=staging.image(),
            companions={role: staging.midi()},
        )
    assert files_below(outputs) == []


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "/etc/passwd", "2026/11/24/con.png", "2026/11/24/../a-00.png", "a-00.png", ""]
)
def test_only_our_own_keys_become_paths(outputs, key):
    with pytest.raises(NotFound):
        files.OutputFiles(outputs).path(key)


def test_a_file_that_is_not_what_it_should_be_fails_the_job(gallery, staging, outputs):
    broken = staging.folder / "b.png"
    for content in (b"", b"no picture", staging.image().read_bytes()[:200]):
        broken.write_bytes(content)
        with pytest.raises(GenerationFailed):
            gallery.save(owner="a", job=new_id(), index=0, recipe=make_recipe(), kind=MediaKind.IMAGE, staged=broken)
    with pytest.raises(GenerationFailed):
        gallery.save(
            owner="a", job=new_id(), index=0, recipe=make_recipe(), kind=MediaKind.AUDIO, staged=staging.image()
        )
    absent = staging.folder / "absent.png"
    with pytest.raises(GenerationFailed, match="did not write"):
        gallery.save(owner="a", job=new_id(), index=0, recipe=make_recipe(), kind=MediaKind.IMAGE, staged=absent)
    assert (files_below(outputs), gallery.count()) == ([], 0)


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "used up"), (errno.EROFS, "read-only")]
)
@pytest.mark.parametrize(
    ("owner", "call", "at"),
    [(os, "fsync", 0), (os, "fsync", 5), (os, "fsync", 6), (os, "replace", 0), (os, "replace", 1), (Path, "mkdir", 2)],
)
def test_a_disk_that_fails_leaves_no_row_and_no_file(
    gallery, staging, outputs, monkeypatch, code, words, owner, call, at
):
    real, calls = getattr(owner, call), []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == at + 1:
            raise OSError(code, os.strerror(code))
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, call, failing)
    with pytest.raises(StorageFailed, match=words) as caught:
        save_image(gallery, staging)
    monkeypatch.undo()
    assert "picture could not be saved" in caught.value.message
    assert str(staging.folder) in caught.value.hint
    assert (files_below(outputs), gallery.count()) == ([], 0)
    assert (staging.folder / "a.png").exists()
    assert save_image(gallery, staging).width == 96


def test_a_row_that_cannot_be_written_takes_its_files_back(gallery, staging, outputs, monkeypatch):
    def full(*args):
        raise StorageFailed("The disk is full.")

    monkeypatch.setattr(records, "add", full)
    with pytest.raises(StorageFailed, match=r"recording could not be saved: the disk is full\."):
        save_tune(gallery, staging)
    assert (files_below(outputs), gallery.count()) == ([], 0)


def test_a_fault_after_the_commit_keeps_the_files(gallery, database, staging, monkeypatch):
    real = records.add

    def commit_and_fail(connection, record):
        real(connection, record)
        connection.commit()
        raise KeyboardInterrupt

    monkeypatch.setattr(records, "add", commit_and_fail)
    with pytest.raises(KeyboardInterrupt):
        save_image(gallery, staging)
    (record,) = gallery.page().records
    assert gallery.open(record.id).exists()


def test_changes_are_all_or_nothing_and_only_the_owner_s(gallery, save_text):
    mine, other, theirs = save_text(owner="ann"), save_text(owner="ann"), save_text(owner="bob")
    for change in (gallery.star, gallery.trash, gallery.restore, gallery.purge):
        with pytest.raises(NotAllowed):
            change([mine.id, theirs.id], owner="ann")
        with pytest.raises(NotFound):
            change([mine.id, "0" * 20 + "-00"], owner="ann")
    assert [gallery.get(record.id) for record in (mine, other, theirs)] == [mine, other, theirs]
    gallery.star([mine.id, other.id, mine.id], owner="ann")
    assert gallery.page(starred=True).records == [gallery.get(other.id), gallery.get(mine.id)]
    gallery.star([mine.id], False)
    assert [record.id for record in gallery.page(starred=True, owner="ann").records] == [other.id]
    for method in (gallery.get, gallery.open):
        with pytest.raises(NotAllowed):
            method(theirs.id, owner="ann")
    assert gallery.count("ann") == 2


def test_the_trash_gives_back_until_it_is_emptied(gallery, save_text, outputs, database):
    kept, thrown = save_text(), save_text()
    gallery.trash([thrown.id])
    first = gallery.get(thrown.id).trashed
    gallery.trash([thrown.id])
    assert gallery.get(thrown.id).trashed == first
    assert [record.id for record in gallery.page().records] == [kept.id]
    assert [record.id for record in gallery.page(trashed=True).records] == [thrown.id]
    gallery.restore([thrown.id])
    assert gallery.get(thrown.id) == thrown
    gallery.trash([thrown.id])
    assert gallery.empty_trash(3600) == 0
    assert gallery.empty_trash(0, owner="somebody else") == 0
    assert gallery.empty_trash(0) == 1
    with pytest.raises(NotFound):
        gallery.get(thrown.id)
    assert {name.split("/")[-1].split(".")[0] for name in files_below(outputs)} == {kept.id}
    with database.read() as connection:
        assert connection.execute(select(REMOVALS)).all() == []


def test_what_cannot_be_deleted_now_is_deleted_at_the_next_start(gallery, save_text, outputs, monkeypatch, database):
    record = save_text()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError(errno.EACCES, "no")))
        gallery.purge([record.id])
    assert len(files_below(outputs)) == 2
    assert gallery.count() == 0
    assert GalleryStore(database, outputs).recover().adopted == []
    assert files_below(outputs) == []


def test_lineage_survives_the_end_of_a_parent(gallery, staging, database):
    parent = save_image(gallery, staging)
    child = save_image(gallery, staging, inputs={"image": parent.id}, model="realesrgan")
    assert child.parents == [parent.id]
    assert gallery.children(parent.id) == [child.id]
    gallery.purge([parent.id])
    assert gallery.get(child.id).parents == [parent.id]
    gallery.purge([child.id])
    with database.read() as connection:
        assert connection.execute(select(PARENTS)).all() == []


def test_export_copies_what_a_person_can_use(gallery, staging, tmp_path):
    record = save_tune(gallery, staging)
    copies = gallery.export([record.id, record.id], tmp_path / "out" / "here")
    assert [copy.suffix for copy in copies] == [".wav", ".mid", ".musicxml"]
    assert files_below(tmp_path / "out") == sorted(f"here/{copy.name}" for copy in copies)
    assert read_recipe(copies[0]) == record.recipe
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed):
        gallery.export([record.id], tmp_path / "file")
    with pytest.raises(NotFound):
        gallery.export([record.id, "gone"], tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_outputs_folder_is_private(gallery, staging, outputs):
    record = save_image(gallery, staging)
    for path in (outputs, gallery.open(record.id).parent, gallery.open(record.id)):
        assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_somebody_took_away_is_not_found(gallery, staging):
    record = save_image(gallery, staging)
    gallery.open(record.id).unlink()
    with pytest.raises(NotFound, match="gone"):
        gallery.open(record.id)
    assert gallery.recover().missing == [record.id]
    assert gallery.get(record.id) == record


def test_midi_of_a_save_still_plays(gallery, staging):
    record = save_tune(gallery, staging)
    saved = gallery.open(record.id, "midi").read_bytes()
    assert saved.endswith(make_midi()[22:])


def test_a_record_without_a_prompt_is_called_what_its_model_calls_it(save_text):
    record = dataclasses.replace(save_text(""), info={"title": "Waltz in G"})
    assert (record.title, record.card()["title"]) == ("Waltz in G", "Waltz in G")
    assert dataclasses.replace(record, prompt="a waltz").title == "a waltz"
    assert dataclasses.replace(record, info={}).title == ""
