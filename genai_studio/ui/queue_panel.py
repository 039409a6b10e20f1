"""The queue, on every tab: what runs, how far and how long still; what waits and in which order; what did not finish
and can be tried again. Other people's jobs show as that and no more."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.domain.job import Job, JobState
from genai_studio.errors import NotFound
from genai_studio.ui.elements import element
from genai_studio.ui.form_events import QUIET
from genai_studio.ui.i18n import language_of
from genai_studio.ui.shell import Shell, owner_of, readable
from genai_studio.ui.stream import LIVE, view_of

if TYPE_CHECKING:
    from genai_studio.studio import Studio

BUSY, IDLE = 1.0, 3.0
"""Seconds between two looks while something runs or waits, and while nothing does."""
UNFINISHED = (JobState.FAILED, JobState.INTERRUPTED)
UNFINISHED_SHOWN = 5
UNFINISHED_FOR = 24 * 3600
"""Seconds that a job which did not finish stays in the panel."""


def build(studio: Studio, shell: Shell) -> None:
    """Draw the panel and connect it."""
    panel = element("queue", {"jobs": [], "paused": False}, elem_id="queue-panel")
    seen = gr.State("")
    dismissed = shell.stores["dismissed"]

    @readable
    def look(request: gr.Request, before: str, hidden: Any) -> tuple[Any, Any, Any]:
        value = snapshot(studio, owner_of(request), language_of(request), hidden if isinstance(hidden, list) else [])
        now = json.dumps(value, sort_keys=True)
        if now == before:
            return gr.skip(), gr.skip(), gr.skip()
        busy = any(job["state"] not in UNFINISHED for job in value["jobs"])
        return value, now, gr.Timer(BUSY if busy else IDLE)

    @readable
    def act(request: gr.Request, event: gr.EventData, hidden: Any) -> tuple[Any, Any, Any]:
        owner, job, action = owner_of(request), str(event.job), str(event.action)
        hidden = hidden if isinstance(hidden, list) else []
        if action == "dismiss":
            hidden = [*hidden, job][-100:]
        else:
            ACTIONS[action](studio, job, owner)
        value = snapshot(studio, owner, language_of(request), hidden)
        return value, json.dumps(value, sort_keys=True), hidden

    outputs = [panel, seen, shell.pulse]
    shell.pulse.tick(look, [seen, dismissed], outputs, **QUIET)
    shell.blocks.load(look, [seen, dismissed], outputs, **QUIET)
    panel.act(act, dismissed, [panel, seen, dismissed], **QUIET)


def snapshot(studio: Studio, owner: str, language: str, hidden: list[Any]) -> dict[str, Any]:
    """The panel's value: what runs, what waits in the order of its turn, what of the owner's did not finish."""
    turn = {job: place for place, job in enumerate(studio.ledger.order())}
    live = sorted(studio.jobs(states=LIVE, limit=200), key=lambda job: turn.get(job.id, -1))
    jobs = [_line(studio, job, owner, language) for job in [*live, *unfinished(studio, owner, hidden)]]
    return {"jobs": jobs, "paused": studio.paused}


def unfinished(studio: Studio, owner: str, hidden: list[Any]) -> list[Job]:
    """The owner's newest jobs that failed or were interrupted and were neither retried nor dismissed."""
    jobs = studio.jobs(owner=owner, limit=200)
    retried = {job.retry_of for job in jobs}
    recent = time.time() - UNFINISHED_FOR
    left = [
        job
        for job in jobs
        if job.state in UNFINISHED and job.id not in retried and job.id not in hidden and (job.ended or 0) > recent
    ]
    return sorted(left, key=lambda job: -job.created)[:UNFINISHED_SHOWN]


def _line(studio: Studio, job: Job, owner: str, language: str) -> dict[str, Any]:
    """One job for the panel. A job of somebody else says neither what nor with which words."""
    mine = job.owner == owner
    view = view_of(studio, job)
    left = studio.eta(job.id) if view.live else None
    return {
        "id": job.id if mine else "",
        "mine": mine,
        "modality": job.request.modality.value if mine else "",
        "model": view.model if mine else "",
        "title": " ".join(job.request.prompt.split())[:120] if mine else "",
        "state": view.state,
        "status": view.status(language) if mine else "",
        "fraction": None if view.fraction is None else round(view.fraction, 2),
        "left": None if left is None else round(left),
    }


def _earlier(studio: Studio, job: str, owner: str) -> None:
    line, place = _own_line(studio, job, owner)
    if place > 0:
        studio.move(job, line[place - 1], owner=owner)


def _later(studio: Studio, job: str, owner: str) -> None:
    line, place = _own_line(studio, job, owner)
    if place + 1 < len(line):
        studio.move(job, line[place + 2] if place + 2 < len(line) else None, owner=owner)


def _own_line(studio: Studio, job: str, owner: str) -> tuple[list[str], int]:
    """The owner's waiting jobs in order, and the place of `job` among them. Owners take turns, so a job moves among
    those of its owner only."""
    studio.job(job, owner)
    own = {waiting.id for waiting in studio.jobs(owner=owner, states=(JobState.QUEUED,), limit=None)}
    line = [waiting for waiting in studio.ledger.order() if waiting in own]
    if job not in line:
        raise NotFound("This job does not wait any more.")
    return line, line.index(job)


ACTIONS: dict[str, Callable[[Studio, str, str], object]] = {
    "cancel": lambda studio, job, owner: studio.cancel(job, owner=owner),
    "retry": lambda studio, job, owner: studio.retry(job, owner=owner),
    "pause": lambda studio, *_: studio.pause(),
    "resume": lambda studio, *_: studio.resume(),
    "up": _earlier,
    "down": _later,
}
