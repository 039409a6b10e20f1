"""From a click to a job and back: values to a request, the request to the queue, the job's events to the page. A
page only watches; closing it never stops a job, and a page that comes back finds its job again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from genai_studio.domain.events import Event, Notes, Token
from genai_studio.domain.job import Job, JobState
from genai_studio.domain.modality import Modality
from genai_studio.errors import NotFound
from genai_studio.ui.views import JobView

if TYPE_CHECKING:
    from genai_studio.studio import Studio

GLANCE = 0.03
"""Seconds between two looks at the events of a job that says nothing."""
WRITING, DRAWING = 0.08, 0.2
"""Seconds from one drawing to the next, for words and notes and for pictures and progress: what happens meanwhile
is drawn at once. The browser may share its processor with the model, and shall not take it away."""
LEDGER_GLANCE = 1.0
"""Seconds after which a job that says nothing is looked up in the ledger."""
LIVE = (JobState.QUEUED, JobState.RUNNING)


class Watchers:
    """At most one watcher draws into a tab of a page: the newest. An older one sees that it lost its place and
    ends, so that two clicks never draw over each other."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], int] = {}

    def take(self, page: str, tab: str) -> int:
        """Become the watcher of `tab` on `page` (its session)."""
        ticket = self._newest.get((page, tab), 0) + 1
        self._newest[page, tab] = ticket
        return ticket

    def holds(self, page: str, tab: str, ticket: int) -> bool:
        return self._newest.get((page, tab)) == ticket

    def leave(self, page: str, tab: str, ticket: int) -> None:
        if self.holds(page, tab, ticket):
            del self._newest[page, tab]


def submit(
    studio: Studio, owner: str, model: str, values: Mapping[str, Any], inputs: Mapping[str, str] | None = None
) -> Job:
    """Validate and queue. Raises InvalidInput, NotFound and the rest of the tree; nothing was queued then."""
    return studio.submit(studio.request(model, values, inputs or {}), owner=owner)


def live_jobs(studio: Studio, owner: str, modality: Modality) -> list[Job]:
    """The owner's jobs of `modality` that run or wait: what runs first, then in the order of the queue."""
    jobs = [job for job in studio.jobs(owner=owner, states=LIVE) if job.request.modality is modality]
    return sorted(jobs, key=lambda job: (job.state is not JobState.RUNNING, job.position))


def latest_job(studio: Studio, owner: str, modality: Modality) -> Job | None:
    """The newest job of `modality`, whatever became of it."""
    jobs = [job for job in studio.jobs(owner=owner, limit=100) if job.request.modality is modality]
    return max(jobs, key=lambda job: job.created, default=None)


def title_of(studio: Studio, model_id: str) -> str:
    """The model's title; its id where it is no longer in the catalogue."""
    try:
        return studio.model(model_id).title
    except NotFound:
        return model_id


def view_of(studio: Studio, job: Job) -> JobView:
    """A job as it stands: what the feed still remembers, or the ledger of one that is over."""
    view = JobView.of(job, title_of(studio, job.request.model))
    for event in studio.snapshot(job.id):
        view.apply(event)
    return JobView.of(job, view.model) if job.state.ended and view.live else view


async def follow(
    studio: Studio, watchers: Watchers, *, page: str, owner: str, modality: Modality, first: Job | None = None
) -> AsyncIterator[JobView]:
    """Views of the owner's live jobs of `modality`, one job after the other, until none is left or a newer
    watcher of this page takes over. `first` was just submitted and is shown even if it is over already."""
    ticket = watchers.take(page, modality.value)
    shown: set[str] = set()
    try:
        while watchers.holds(page, modality.value, ticket):
            live = await asyncio.to_thread(live_jobs, studio, owner, modality)
            waiting = [job for job in live if job.id not in shown]
            if not waiting and first and first.id not in shown:
                waiting = [await asyncio.to_thread(studio.job, first.id)]
            if not waiting:
                return
            shown.add(waiting[0].id)
            async for view in _watch(studio, waiting[0]):
                if not watchers.holds(page, modality.value, ticket):
                    return
                yield view
    finally:
        watchers.leave(page, modality.value, ticket)


async def _watch(studio: Studio, job: Job) -> AsyncIterator[JobView]:
    """Views of one job until it has ended. Costs no thread while it waits."""
    view = JobView.of(job, title_of(studio, job.request.model))
    yield view
    checked = time.monotonic()
    while view.live:
        events = studio.feed.snapshot(job.id, view.seq)
        for event in events:
            view.apply(event)
        if events:
            checked = time.monotonic()
            yield view
        elif time.monotonic() - checked > LEDGER_GLANCE:
            checked = time.monotonic()
            current = await asyncio.to_thread(studio.job, job.id)
            if current.state.ended:
                view = JobView.of(current, view.model)
                yield view
        if view.live:
            await asyncio.sleep(_pace(events))


def _pace(events: Sequence[Event]) -> float:
    """How long to wait after drawing `events`."""
    if not events:
        return GLANCE
    return WRITING if any(isinstance(event, Token | Notes) for event in events) else DRAWING
