"""From a click to the page: one watcher a tab, jobs one after the other, found again by a page that comes late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from genai_studio.domain.job import Job, JobState
from genai_studio.domain.modality import Modality
from genai_studio.errors import InvalidInput, NotFound
from genai_studio.studio import Studio
from genai_studio.ui.stream import Watchers, follow, latest_job, live_jobs, submit, view_of
from genai_studio.ui.views import JobView

SLOW = {"prompt": "sea", "step_seconds": 0.3, "num_inference_steps": 50}


def start(studio: Studio, owner: str = "local", **values: object) -> Job:
    return submit(studio, owner, "demo-image", {"prompt": "a fox", **values})


def follower(
    studio: Studio, watchers: Watchers, page: str = "page", first: Job | None = None
) -> AsyncIterator[JobView]:
    return follow(studio, watchers, page=page, owner="local", modality=Modality.IMAGE, first=first)


async def collect(views: AsyncIterator[JobView]) -> list[tuple[str, str]]:
    return [(view.job, view.state) async for view in views]


def test_a_job_is_followed_to_its_end(studio: Studio) -> None:
    job = start(studio, count=2)
    seen = asyncio.run(collect(follower(studio, Watchers(), first=job)))
    assert {name for name, _ in seen} == {job.id}
    assert seen[-1] == (job.id, "finished")


def test_a_job_that_is_over_before_the_first_look_is_shown_all_the_same(studio: Studio) -> None:
    job = start(studio)
    for _ in studio.watch(job.id):
        pass
    seen = asyncio.run(collect(follower(studio, Watchers(), first=job)))
    assert seen[-1] == (job.id, "finished")


def test_waiting_jobs_come_after_the_running_one(studio: Studio) -> None:
    jobs = [start(studio, step_seconds=0.02) for _ in range(3)]
    seen = asyncio.run(collect(follower(studio, Watchers(), first=jobs[-1])))
    order = list(dict.fromkeys(name for name, _ in seen))
    assert order == [job.id for job in jobs]
    assert seen[-1] == (jobs[-1].id, "finished")


def test_a_newer_watcher_takes_the_place_and_closing_it_stops_nothing(studio: Studio) -> None:
    async def two() -> tuple[str, str]:
        watchers = Watchers()
        job = start(studio, **SLOW)
        older, newer = follower(studio, watchers, first=job), follower(studio, watchers)
        await anext(older)
        shown = await anext(newer)
        await collect(older)
        await newer.aclose()
        return shown.job, studio.job(job.id).state

    name, state = asyncio.run(two())
    assert state is JobState.RUNNING or state is JobState.QUEUED
    studio.cancel(name)


def test_pages_do_not_disturb_each_other(studio: Studio) -> None:
    async def two() -> list[str]:
        watchers = Watchers()
        job = start(studio, **SLOW)
        left, right = follower(studio, watchers, "left", job), follower(studio, watchers, "right")
        await anext(left)
        await anext(right)
        studio.cancel(job.id)
        return [(await collect(left))[-1][1], (await collect(right))[-1][1]]

    assert asyncio.run(two()) == ["cancelled", "cancelled"]


def test_nobody_follows_the_jobs_of_others(studio: Studio) -> None:
    job = start(studio, owner="somebody", **SLOW)
    assert asyncio.run(collect(follower(studio, Watchers()))) == []
    assert live_jobs(studio, "local", Modality.IMAGE) == []
    assert latest_job(studio, "local", Modality.IMAGE) is None
    studio.cancel(job.id)


def test_only_jobs_of_the_room_are_followed(studio: Studio) -> None:
    job = submit(studio, "local", "demo-text", {"prompt": "sea", "step_seconds": 0.3})
    assert live_jobs(studio, "local", Modality.IMAGE) == []
    assert [live.id for live in live_jobs(studio, "local", Modality.TEXT)] == [job.id]
    studio.cancel(job.id)


def test_a_view_of_a_finished_job_has_its_records(studio: Studio) -> None:
    job = start(studio, count=3)
    for _ in studio.watch(job.id):
        pass
    view = view_of(studio, studio.job(job.id))
    assert view.state == "finished"
    assert list(view.records.values()) == studio.job(job.id).outputs
    assert latest_job(studio, "local", Modality.IMAGE).id == job.id


@pytest.mark.parametrize("values", [{"prompt": " "}, {"prompt": "a", "count": 17}, {"prompt": "a", "nope": 1}])
def test_what_is_refused_is_not_queued(studio: Studio, values: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        submit(studio, "local", "demo-image", values)
    with pytest.raises(NotFound):
        submit(studio, "local", "no-such-model", {"prompt": "a"})
    assert studio.jobs() == []


def test_watchers_give_the_place_to_the_newest() -> None:
    watchers = Watchers()
    first, second = watchers.take("p", "image"), watchers.take("p", "image")
    other = watchers.take("p", "music")
    assert not watchers.holds("p", "image", first)
    assert watchers.holds("p", "image", second)
    assert watchers.holds("p", "music", other)
    watchers.leave("p", "image", first)
    assert watchers.holds("p", "image", second)
    watchers.leave("p", "image", second)
    assert not watchers.holds("p", "image", second)
