"""Room: what the tabs of the three modalities do alike. Generate queues a job and watches it, Stop cancels what is
watched, a page that comes back finds its job, and actions on a record (star, make again, use settings) are the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.domain.job import Job
from genai_studio.errors import NotFound
from genai_studio.ui.form import Form, Updates
from genai_studio.ui.form_events import QUIET
from genai_studio.ui.i18n import language_of
from genai_studio.ui.shell import Shell, inform, owner_of, readable
from genai_studio.ui.stream import Watchers, follow, latest_job, live_jobs, submit, view_of
from genai_studio.ui.views import JobView, record_card

if TYPE_CHECKING:
    from genai_studio.gallery.records import Record
    from genai_studio.studio import Studio

WATCHING: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_limit": None,
    "trigger_mode": "multiple",
    "api_visibility": "private",
}
"""For events that watch a job: any number at once; they wait without holding a thread."""
LATELY = 24

Draw = Callable[[JobView, gr.Request], Updates]
"""Updates that show a job."""


@dataclass
class Room:
    """Queueing and watching are two events: what is said once (an emptied box, the history) belongs to the first,
    because a browser that is behind may skip all but the newest of what a watching event says."""

    studio: Studio
    shell: Shell
    form: Form
    outputs: list[gr.blocks.Block]
    """What `draw` updates, each time all of it."""
    draw: Draw
    recent: gr.HTML | None = None
    watchers: Watchers = field(default_factory=Watchers)
    queued: gr.State = field(default_factory=lambda: gr.State(""))
    """Id of the job that the last event queued; empty when it queued none."""

    def wire(self) -> None:
        """Connect Generate, Stop, and the page's coming back."""
        self.then_watch(
            self.form.generate.click(readable(self.start), self.form.inputs, [self.queued, self.form.ideas], **QUIET)
        )
        self.form.stop.click(readable(self.halt), None, None, **QUIET)
        self.shell.blocks.load(readable(self.come_back), None, self.watched, **WATCHING)

    def then_watch(self, event: Any) -> None:
        """Watch what `event` has queued."""
        event.success(readable(self.watch_queued), self.queued, self.watched, **WATCHING)

    @property
    def watched(self) -> list[gr.blocks.Block]:
        """Outputs of every event that watches."""
        more = [self.recent] if self.recent else []
        return [*self.outputs, self.form.stop, *more]

    def start(self, request: gr.Request, *values: Any) -> Updates:
        """Generate: queue what the form shows."""
        spec, prompt, params = self.form.read(values)
        job = submit(self.studio, owner_of(request), spec.id, {**params, "prompt": prompt})
        return {self.queued: job.id, self.form.ideas: self.form.ideas_for(spec.id, owner_of(request))}

    async def watch_queued(self, request: gr.Request, job_id: str) -> AsyncIterator[Updates]:
        if job_id:
            job = await asyncio.to_thread(self.studio.job, job_id, owner_of(request))
            async for updates in self.watch(request, job):
                yield updates

    async def watch(self, request: gr.Request, first: Job | None = None) -> AsyncIterator[Updates]:
        """Updates while the owner's jobs of this room run."""
        page, owner = request.session_hash or "", owner_of(request)
        views = follow(self.studio, self.watchers, page=page, owner=owner, modality=self.form.modality, first=first)
        lately: Updates = {}
        async for view in views:
            if self.recent and (not lately or not view.live):
                lately = {self.recent: await asyncio.to_thread(self.lately, request)}
            updates = await asyncio.to_thread(self.draw, view, request)
            yield {**lately, **updates, self.form.stop: gr.Button(interactive=view.live)}

    async def come_back(self, request: gr.Request) -> AsyncIterator[Updates]:
        """After a reload: the last job as it stands, and on with it while it runs."""
        if not await asyncio.to_thread(live_jobs, self.studio, owner_of(request), self.form.modality):
            yield await asyncio.to_thread(self.as_it_stands, request)
        async for updates in self.watch(request):
            yield updates

    def as_it_stands(self, request: gr.Request) -> Updates:
        """The room where nothing runs: the last job, and what was made lately."""
        updates: Updates = {self.recent: self.lately(request)} if self.recent else {}
        last = latest_job(self.studio, owner_of(request), self.form.modality)
        if last and last.state.ended:
            updates.update(self.draw(view_of(self.studio, last), request))
        return updates or {self.form.stop: gr.skip()}

    def halt(self, request: gr.Request) -> None:
        """Stop: cancel what runs here, or what waits first."""
        jobs = live_jobs(self.studio, owner_of(request), self.form.modality)
        if jobs:
            self.studio.cancel(jobs[0].id, owner=owner_of(request))

    # Records.

    def record(self, record_id: str, request: gr.Request) -> Record:
        """Raises NotFound and NotAllowed."""
        return self.studio.gallery.get(record_id, owner=owner_of(request))

    def cards_of(self, view: JobView, request: gr.Request) -> dict[int, dict[str, Any]]:
        """Output index to card; a record that was deleted meanwhile is left out."""
        cards: dict[int, dict[str, Any]] = {}
        for index, record_id in sorted(view.records.items()):
            try:
                cards[index] = record_card(self.record(record_id, request), language_of(request))
            except NotFound:
                continue
        return cards

    def lately(self, request: gr.Request) -> dict[str, Any]:
        """Value of the strip of recent records."""
        page = self.studio.gallery.page(owner=owner_of(request), modality=self.form.modality.value, limit=LATELY)
        return {
            "items": [
                {
                    "id": record.id,
                    "kind": record.kind.value,
                    "prompt": record.title[:200] or record.model_title,
                    "thumbnail": record.thumbnail_url,
                }
                for record in page.records
            ]
        }

    def star(self, record_id: str, request: gr.Request) -> None:
        record = self.record(record_id, request)
        self.studio.gallery.star([record.id], not record.starred, owner=owner_of(request))

    def make_again(self, record_id: str, request: gr.Request) -> Updates:
        job = self.studio.make_again(record_id, owner_of(request))
        inform("Making it again, to compare.", request)
        return {self.queued: job.id}

    def settings_of(self, record_id: str, request: gr.Request) -> Updates:
        """Put everything of a record back into its room."""
        recipe = self.record(record_id, request).recipe
        spec, values, dropped = self.studio.restore(recipe)
        inform("Settings are back in the form.", request)
        return self.shell.delivery(spec.modality, spec.id, values, dropped)

    def left(self, view: JobView) -> float | None:
        """Seconds until the job is done, as far as they can be told."""
        return self.studio.eta(view.job) if view.live else None
