"""The queue panel: own jobs with their words, other people's without, and every action on them."""

from __future__ import annotations

import json

import pytest

from genai_studio.domain.job import Job
from genai_studio.errors import NotAllowed, NotFound
from genai_studio.studio import Studio
from genai_studio.ui.queue_panel import ACTIONS, snapshot

SECRET = "<img src=x onerror=alert(1)>"


@pytest.fixture
def jobs(studio: Studio) -> list[Job]:
    """Three jobs that wait, the second of somebody else."""
    studio.pause()
    return [
        studio.submit(studio.request("demo-image", {"prompt": prompt}), owner=owner)
        for prompt, owner in [("one", "ann"), (SECRET, "bob"), ("three", "ann")]
    ]


def order(studio: Studio) -> list[str]:
    return [studio.job(waiting).request.prompt for waiting in studio.ledger.order()]


def test_other_peoples_jobs_say_nothing(studio: Studio, jobs: list[Job]) -> None:
    value = snapshot(studio, "ann", "en", [])
    assert [job["mine"] for job in value["jobs"]] == [True, False, True]
    assert [job["title"] for job in value["jobs"]] == ["one", "", "three"]
    assert value["paused"]
    told = json.dumps(value)
    assert "onerror" not in told
    assert jobs[1].id not in told


def test_the_owner_sees_the_words_as_text(studio: Studio, jobs: list[Job]) -> None:
    assert SECRET in [job["title"] for job in snapshot(studio, "bob", "en", [])["jobs"]]


def test_earlier_and_later_move_one_place(studio: Studio, jobs: list[Job]) -> None:
    fourth = studio.submit(studio.request("demo-image", {"prompt": "four"}), owner="ann")

    def own() -> list[str]:
        return [prompt for prompt in order(studio) if prompt != SECRET]

    ACTIONS["up"](studio, jobs[2].id, "ann")
    assert own() == ["three", "one", "four"]
    ACTIONS["down"](studio, jobs[2].id, "ann")
    ACTIONS["down"](studio, jobs[2].id, "ann")
    assert own() == ["one", "four", "three"]
    ACTIONS["down"](studio, jobs[2].id, "ann")
    ACTIONS["up"](studio, jobs[0].id, "ann")
    assert own() == ["one", "four", "three"]
    ACTIONS["up"](studio, fourth.id, "ann")
    assert own() == ["four", "one", "three"]
    assert sorted(order(studio)) == sorted([SECRET, "one", "three", "four"])


@pytest.mark.parametrize("action", ["cancel", "up", "down", "retry"])
def test_nobody_acts_on_the_jobs_of_others(studio: Studio, jobs: list[Job], action: str) -> None:
    before = order(studio)
    with pytest.raises(NotAllowed):
        ACTIONS[action](studio, jobs[1].id, "ann")
    assert order(studio) == before


@pytest.mark.parametrize("action", ["cancel", "up", "down", "retry"])
def test_a_job_that_is_gone_is_one_sentence(studio: Studio, action: str) -> None:
    with pytest.raises(NotFound):
        ACTIONS[action](studio, "nothing", "ann")


def test_cancel_takes_it_away(studio: Studio, jobs: list[Job]) -> None:
    ACTIONS["cancel"](studio, jobs[0].id, "ann")
    assert order(studio) == [SECRET, "three"]


def test_pause_and_go_on(studio: Studio) -> None:
    ACTIONS["pause"](studio, "", "ann")
    assert snapshot(studio, "ann", "en", [])["paused"]
    ACTIONS["resume"](studio, "", "ann")
    assert not snapshot(studio, "ann", "en", [])["paused"]


def test_what_was_interrupted_can_be_tried_again_or_put_away(studio: Studio, jobs: list[Job]) -> None:
    studio.ledger.resume()
    job = studio.ledger.claim("test")
    studio.ledger.pause()
    assert job is not None
    studio.ledger.interrupt(job.id)
    shown = {line["id"]: line["state"] for line in snapshot(studio, job.owner, "en", [])["jobs"]}
    assert shown[job.id] == "interrupted"
    assert job.id not in [line["id"] for line in snapshot(studio, job.owner, "en", [job.id])["jobs"]]
    ACTIONS["retry"](studio, job.id, job.owner)
    assert job.id not in [line["id"] for line in snapshot(studio, job.owner, "en", [])["jobs"]]
