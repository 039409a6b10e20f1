"""What the studio does when something went wrong, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from genai_studio.domain.events import Failed, Output
from genai_studio.domain.job import JobState
from genai_studio.errors import Busy, NotFound, StorageFailed
from genai_studio.studio import Studio

# What went wrong


def test_a_full_disk_is_said_and_what_was_made_is_kept(studio, monkeypatch, settings):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(studio.gallery._files, "write", full)
    with pytest.raises(StorageFailed, match="the disk is full") as failed:
        studio.generate("text", "a sea", seed=1)
    job = studio.jobs()[0]
    assert job.state is JobState.FAILED
    assert studio.job(job.id).error == failed.value.sentence
    kept = list((settings.staging / job.id).glob("*.txt"))
    assert len(kept) == 1
    assert str(kept[0].parent) in failed.value.hint
    monkeypatch.undo()
    studio.generate("text", "a sea", seed=1)
    studio.close()
    with Studio(settings, inline=True):
        assert kept[0].exists(), "a restart keeps it too"


def test_an_end_that_could_not_be_written_is_written_later(studio, monkeypatch):
    refuse = StorageFailed("The disk is full.")
    monkeypatch.setattr(studio.ledger, "finish", lambda job: (_ for _ in ()).throw(refuse))
    with pytest.raises(StorageFailed, match="The disk is full"):
        studio.generate("text", "a sea")
    job = studio.jobs()[0]
    assert job.state is JobState.RUNNING
    assert len(job.outputs) == 1
    monkeypatch.undo()
    studio.generate("text", "next")
    assert studio.job(job.id).state is JobState.FINISHED


def test_a_late_watcher_of_an_ended_job_is_told_how_it_ended(studio, monkeypatch):
    records = studio.generate("image", "a cup", seed=1, count=2)
    job = records[0].job
    for _ in range(40):
        studio.generate("text", "x", max_new_tokens=1)
    assert not studio.feed.known(job)
    events = studio.snapshot(job)
    assert [event.record for event in events if isinstance(event, Output)] == [record.id for record in records]
    assert events[-1].kind == "finished"
    assert [event.seq for event in events] == [1, 2, 3]
    monkeypatch.setattr(studio.gallery, "save", lambda **_: 1 / 0)
    with pytest.raises(Exception, match="could not be saved"):
        studio.generate("text", "x")
    failed = studio.jobs()[0]
    studio.feed.forget(failed.id)
    (event,) = studio.watch(failed.id)
    assert isinstance(event, Failed)
    assert "division" not in event.message
    with pytest.raises(NotFound):
        list(studio.watch("nothing"))


def test_a_preview_path_never_leaves_the_staging_folder(studio, settings):
    studio.generate("image", "a cup")
    shown = next(settings.staging.rglob("preview*.webp"))
    assert studio.preview_path(f"{shown.parent.name}/{shown.name}") == shown.resolve()
    for bad in ("../studio.db", "/etc/passwd", "nothing.webp", shown.parent.name, "a\x00b", "x" * 5000):
        with pytest.raises(NotFound):
            studio.preview_path(bad)


def test_a_second_studio_on_the_same_folder_is_refused_and_the_first_goes_on(studio, settings):
    studio.set_address("http://127.0.0.1:7860", "secret")
    with pytest.raises(Busy, match=r"in use by the studio at http://127\.0\.0\.1:7860 \(process \d+\)\.$"):
        Studio(settings, inline=True).start()
    assert studio.generate("text", "still here")


def test_nothing_grows_with_the_number_of_jobs(studio, settings):
    for number in range(40):
        studio.generate("text", "x", max_new_tokens=1, seed=number)
    assert len(studio.feed._channels) <= 33
    assert len(list(settings.staging.iterdir())) <= 9
    assert studio._dispatchers[0]._estimator._running == {}


# A process of its own


def test_the_page_process_never_imports_torch_and_the_version_costs_nothing(tmp_path):
    """A worker process does the work; four lines of a script are enough, also without a __main__ guard."""
    code = f"""
import sys, json
import genai_studio
light = genai_studio.__version__ and not any(name.startswith(("pydantic", "sqlalchemy")) for name in sys.modules)
from genai_studio import Studio
with Studio(home={str(tmp_path)!r}, demo=True, threads=1) as studio:
    records = studio.generate("image", "a red apple", seed=7)
heavy = sorted(set(sys.modules) & {{"torch", "gradio", "transformers", "diffusers"}})
print(json.dumps([light, heavy, [record.seed for record in records]]))
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env={"PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [True, [], [7]]
