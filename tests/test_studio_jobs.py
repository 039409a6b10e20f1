"""Every way to stop a job, and the order in which jobs run."""

from __future__ import annotations

import threading

import pytest

from genai_studio.domain.events import Queued
from genai_studio.domain.job import JobState
from genai_studio.engine.executor import InlineExecutor
from genai_studio.errors import Cancelled, StudioError
from genai_studio.studio import Studio
from tests.jobs import finish, slow, until

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
