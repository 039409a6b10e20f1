"""The studio as its users see it: one object, from a prompt to a record, and every way to stop in between."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from genai_studio.domain.events import Failed, Output, Queued, Token
from genai_studio.domain.job import JobState
from genai_studio.domain.modality import Modality
from genai_studio.domain.request import Request
from genai_studio.engine.executor import InlineExecutor
from genai_studio.errors import Busy, Cancelled, InvalidInput, NotAllowed, NotFound, StorageFailed, StudioError
from genai_studio.studio import Studio


def slow(studio, model="demo-text", seconds=0.05, **values):
    values = {"prompt": "a sea", "seed": 3, "step_seconds": seconds, **values}
    return studio.request(model, values)


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not happen")


def finish(studio, job):
    return list(studio.watch(job.id))[-1]


# From a prompt to a record


@pytest.mark.parametrize("modality", list(Modality))
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(studio, modality):
    one, two, other = (studio.generate(modality.value, "a red apple", seed=seed)[0] for seed in (7, 7, 8))
    assert one.sha256 == two.sha256 != other.sha256
    assert one.content_sha256 != other.content_sha256
    assert one.modality is modality
    assert studio.gallery.open(one.id).stat().st_size == one.size


def test_output_i_uses_seed_plus_i(studio):
    batch = studio.generate("demo-image", "a cup", seed=5, count=3)
    assert [record.output_index for record in batch] == [0, 1, 2]
    for index, record in enumerate(batch):
        alone = studio.generate("demo-image", "a cup", seed=5 + index)[0]
        assert alone.content_sha256 == record.content_sha256


def test_a_record_carries_all_that_is_needed_to_make_it_again(studio):
    record = studio.generate("music", "a jig", seed=1)[0]
    recipe = studio.read_recipe(studio.gallery.open(record.id))
    assert recipe.request == record.recipe.request
    assert {"studio", "python", "machine", "device", "threads", "soundfile"} <= recipe.environment.keys()
    assert record.recipe.timings.keys() == {"load", "generate"}
    assert recipe.timings == {}
    spec, values, dropped = studio.restore(recipe)
    assert (spec.id, dropped) == ("demo-music", [])
    assert studio.request(spec.id, values) == record.recipe.request


def test_an_old_recipe_is_restored_without_what_is_gone(studio):
    recipe = studio.generate("image", "a cup", seed=1)[0].recipe
    params = {**recipe.request.params, "sampler": "old", "num_inference_steps": 9999}
    recipe = recipe.model_copy(update={"request": recipe.request.model_copy(update={"params": params})})
    _, values, dropped = studio.restore(recipe)
    assert sorted(dropped) == ["num_inference_steps", "sampler"]
    assert values["prompt"] == "a cup"


def test_an_action_on_a_record_takes_its_file_and_remembers_it(studio):
    image = studio.generate("image", "a cup", seed=1)[0]
    larger = studio.generate("demo-upscale", inputs={"image": image.id}, scale=2)[0]
    assert (larger.width, larger.height) == (2 * image.width, 2 * image.height)
    assert larger.parents == [image.id]


def test_what_was_streamed_is_what_was_saved(studio):
    job = studio.submit(slow(studio, seconds=0.0, count=2))
    events = list(studio.watch(job.id))
    outputs = [event for event in events if isinstance(event, Output)]
    for output in outputs:
        said = "".join(event.text for event in events if isinstance(event, Token) and event.index == output.index)
        assert studio.gallery.open(output.record).read_text() == said
    assert len(outputs) == 2
    assert events[-1].kind == "finished"


def test_make_again_compares_and_makes_only_that_output(studio):
    batch = studio.generate("image", "a cup", seed=5, count=3)
    job = studio.make_again(batch[1].id)
    assert finish(studio, job).kind == "finished"
    (again,) = studio.job(job.id).outputs
    record = studio.gallery.get(again)
    assert record.comparison.verdict == "identical"
    assert (record.comparison.original, record.output_index) == (batch[1].id, 1)
    assert record.sha256 == batch[1].sha256


def test_make_again_without_the_original_is_still_made(studio):
    record = studio.generate("text", "a cup", seed=5)[0]
    studio.pause()
    job = studio.make_again(record.id)
    studio.gallery.purge([record.id])
    studio.resume()
    assert finish(studio, job).kind == "finished"
    assert studio.gallery.get(studio.job(job.id).outputs[0]).comparison is None


# Refused before anything is queued


@pytest.mark.parametrize(
    ("model", "values", "inputs", "error"),
    [
        ("demo-image", {"prompt": ""}, {}, InvalidInput),
        ("demo-image", {"prompt": "x\x00"}, {}, InvalidInput),
        ("demo-image", {"prompt": "x" * 100_000}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "seed": float("nan")}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "seed": True}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "seed": 2**64}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "count": "7"}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "nonsense": 1}, {}, InvalidInput),
        ("demo-image", {"prompt": "x"}, {"image": "y"}, InvalidInput),
        ("demo-upscale", {}, {}, InvalidInput),
        ("demo-imag", {"prompt": "x"}, {}, NotFound),
    ],
)
def test_bad_input_is_one_sentence_and_queues_nothing(studio, model, values, inputs, error):
    with pytest.raises(error) as refused:
        studio.submit(studio.request(model, values, inputs))
    assert refused.value.message.endswith(".")
    assert len(refused.value.message) < 300
    assert studio.jobs() == []


def test_a_request_made_by_hand_is_checked_as_well(studio):
    good = slow(studio)
    for params in ({**good.params, "seed": -1}, {**good.params, "top_p": 7.0}, {"seed": 3}):
        with pytest.raises(InvalidInput):
            studio.submit(Request(model=good.model, modality=good.modality, params=params))
    for params, modality in ({**good.params}, Modality.IMAGE), ({"prompt": "no seed"}, Modality.TEXT):
        with pytest.raises(InvalidInput, match="not a complete request"):
            studio.submit(Request(model=good.model, modality=modality, params=params))
    with pytest.raises(NotFound):
        studio.submit(Request(model="demo-upscale", modality=Modality.IMAGE, params={"seed": 3}, inputs={"image": "x"}))
    with pytest.raises(InvalidInput, match="choose one first"):
        studio.submit(Request(model="demo-upscale", modality=Modality.IMAGE, params={"seed": 3}))
    assert studio.jobs() == []


@pytest.mark.parametrize("name", ["", "\x00", "\ud800", "../x", "x" * 100_000, "a'b"])
def test_names_from_outside_that_no_record_or_job_has(studio, name):
    for ask in (
        studio.job,
        studio.cancel,
        studio.retry,
        studio.snapshot,
        studio.watch,
        studio.eta,
        studio.make_again,
        studio.model,
        studio.default_model,
        lambda name: studio.submit(studio.request("demo-upscale", {}, {"image": name})),
    ):
        with pytest.raises((NotFound, InvalidInput)):
            ask(name)


def test_nobody_reaches_what_belongs_to_another(studio):
    record = studio.generate("image", "a cup", owner="ann")[0]
    job = record.job
    for reach in (
        lambda: studio.job(job, "bob"),
        lambda: studio.cancel(job, "bob"),
        lambda: studio.retry(job, "bob"),
        lambda: studio.move(job, None, "bob"),
        lambda: studio.make_again(record.id, "bob"),
        lambda: studio.submit(studio.request("demo-upscale", {}, {"image": record.id}), "bob"),
    ):
        with pytest.raises(NotAllowed):
            reach()
    assert studio.jobs("bob") == []


# Stopping


def test_cancel_while_it_waits(studio):
    studio.pause()
    job = studio.submit(slow(studio))
    studio.cancel(job.id)
    assert studio.job(job.id).state is JobState.CANCELLED
    assert finish(studio, job).kind == "cancelled"
    studio.resume()
    assert studio.generate("text", "next")


def test_cancel_while_it_runs_keeps_what_was_made(studio):
    job = studio.submit(slow(studio, "demo-image", 0.01, count=16, num_inference_steps=5))
    until(lambda: studio.job(job.id).outputs)
    studio.cancel(job.id)
    ended = studio.job(job.id)
    assert ended.state is JobState.CANCELLED
    assert finish(studio, job).kind == "cancelled"
    assert 0 < len(ended.outputs) < 16
    assert studio.generate("text", "next")
    assert studio.job(job.id).outputs == ended.outputs, "nothing is published after the end"
    studio.cancel(job.id)
    assert studio.job(job.id) == ended


def test_cancel_while_it_saves_is_either_or(studio, monkeypatch):
    """The save that has begun is completed; the job is cancelled, because another output was still to come."""
    save, saving, go_on = studio.gallery.save, threading.Event(), threading.Event()

    def hold(**values):
        saving.set()
        assert go_on.wait(20)
        return save(**values)

    monkeypatch.setattr(studio.gallery, "save", hold)
    job = studio.submit(slow(studio, seconds=0.0, count=2))
    assert saving.wait(20)
    stop = threading.Thread(target=studio.cancel, args=[job.id])
    stop.start()
    go_on.set()
    stop.join(20)
    assert finish(studio, job).kind == "cancelled"
    for record in studio.job(job.id).outputs:
        assert studio.gallery.open(record).is_file()


def test_generate_says_that_it_was_cancelled(studio):
    def stop():
        until(studio.jobs)
        studio.cancel(studio.jobs()[0].id)

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Cancelled):
        studio.generate("text", "a sea", step_seconds=1.0)
    thread.join()


def test_generate_does_not_wait_for_a_queue_that_is_paused(studio):
    studio.pause()
    with pytest.raises(StudioError, match="paused"):
        studio.generate("text", "a sea")
    assert studio.jobs() == []


# The queue


def test_jobs_of_several_tabs_take_turns_and_all_end(studio):
    studio.pause()
    ann = [studio.submit(slow(studio, seconds=0.0), "ann") for _ in range(3)]
    bob = [studio.submit(slow(studio, seconds=0.0), "bob") for _ in range(2)]
    assert [event.ahead for event in studio.snapshot(bob[0].id) if isinstance(event, Queued)] == [1]
    endings = {}
    watchers = [
        threading.Thread(target=lambda job=job: endings.update({job.id: finish(studio, job).kind}))
        for job in ann + bob
        for _ in range(2)
    ]
    for watcher in watchers:
        watcher.start()
    studio.resume()
    for watcher in watchers:
        watcher.join(30)
    assert set(endings.values()) == {"finished"}
    ran = sorted((studio.job(job.id) for job in ann + bob), key=lambda job: job.started)
    assert [job.owner for job in ran] == ["ann", "bob", "ann", "bob", "ann"]


def test_waiting_jobs_hear_their_place_and_can_be_moved(studio):
    studio.pause()
    first, second = (studio.submit(slow(studio, seconds=0.0)) for _ in range(2))

    def place(job):
        return [event.ahead for event in studio.snapshot(job.id) if isinstance(event, Queued)]

    assert (place(first), place(second)) == ([0], [1])
    studio.move(second.id, before=first.id)
    assert (place(first), place(second)) == ([1], [0])
    studio.cancel(second.id)
    assert place(first) == [0]


def test_queued_jobs_and_the_pause_survive_a_restart(settings):
    with Studio(settings, inline=True) as studio:
        studio.pause()
        job = studio.submit(slow(studio, seconds=0.0))
    with Studio(settings, inline=True) as studio:
        assert studio.paused
        assert studio.job(job.id).state is JobState.QUEUED
        studio.resume()
        assert finish(studio, job).kind == "finished"


def test_two_workers_share_one_queue(settings):
    executors = [InlineExecutor(settings), InlineExecutor(settings)]
    with Studio(settings, executors=executors) as studio:
        jobs = [studio.submit(slow(studio, seconds=0.02)) for _ in range(3)]
        until(lambda: len(studio.jobs(states=[JobState.RUNNING])) == 2)
        assert {finish(studio, job).kind for job in jobs} == {"finished"}


def test_closing_interrupts_what_runs_and_a_click_runs_it_again(settings):
    with Studio(settings, inline=True) as studio:
        job = studio.submit(slow(studio, seconds=1.0))
        until(lambda: studio.job(job.id).state is JobState.RUNNING)
        watched = []
        watcher = threading.Thread(target=lambda: watched.extend(studio.watch(job.id)))
        watcher.start()
    watcher.join(10)
    assert watched[-1].kind == "interrupted"
    with Studio(settings, inline=True) as studio:
        assert studio.job(job.id).state is JobState.INTERRUPTED
        assert finish(studio, job).kind == "interrupted"
        again = studio.retry(job.id)
        assert (again.retry_of, again.request, again.attempt) == (job.id, job.request, 2)


def test_how_long_it_still_takes(studio):
    assert studio.eta(studio.generate("text", "x")[0].job) is None, "it has ended"
    studio.pause()
    jobs = [studio.submit(slow(studio, "demo-text", 0.02)) for _ in range(2)]
    one, two = (studio.eta(job.id) for job in jobs)
    assert two == pytest.approx(2 * one)
    unknown = studio.submit(slow(studio, "demo-image"))
    assert studio.eta(unknown.id) is None
    studio.resume()
    until(lambda: studio.job(jobs[0].id).state is JobState.RUNNING)
    assert studio.eta(jobs[0].id) >= 0


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
