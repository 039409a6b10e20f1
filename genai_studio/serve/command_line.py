"""Routes for the command line: what `remote.py` calls when a studio already runs on the data folder. Each request
carries the token from the lock file, which only the account that owns the folder can read."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, TypeAdapter

from genai_studio import __version__
from genai_studio.domain import request as domain
from genai_studio.domain.job import Job, JobState
from genai_studio.domain.modality import Modality
from genai_studio.errors import NotAllowed
from genai_studio.gallery.records import Page, Record
from genai_studio.studio import Studio

RECORD: TypeAdapter[Record] = TypeAdapter(Record)
PAGE: TypeAdapter[Page] = TypeAdapter(Page)


class Export(BaseModel):
    """Which records to copy, and the absolute folder to copy them to."""

    model_config = ConfigDict(strict=True, extra="forbid")

    ids: list[str]
    destination: str


def command_line_routes(studio: Studio, token: str) -> APIRouter:
    """Everything below `/studio`. Records are read for every owner: whoever holds the token owns the folder."""

    def allowed(request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if "origin" in request.headers or not hmac.compare_digest(given.encode(), token.encode()):
            raise NotAllowed("This route is for the command line on the studio's own machine.")

    routes = APIRouter(prefix="/studio", dependencies=[Depends(allowed)])

    @routes.get("/about")
    def about() -> dict[str, str]:
        return {"version": __version__, "home": str(studio.settings.home)}

    @routes.post("/jobs")
    def submit(wanted: domain.Request) -> Job:
        # Validated again: the token says who asks, not that the values are right.
        return studio.submit(studio.request(wanted.model, wanted.params, wanted.inputs))

    @routes.get("/jobs")
    def jobs(states: str = "", limit: int = 50) -> list[Job]:
        wanted = [JobState(state) for state in states.split(",") if state]
        return studio.jobs(states=wanted or None, limit=limit)

    @routes.get("/jobs/{job_id}")
    def job(job_id: str) -> Job:
        return studio.job(job_id)

    @routes.post("/jobs/{job_id}/cancel")
    def cancel(job_id: str) -> Job:
        studio.cancel(job_id)
        return studio.job(job_id)

    @routes.get("/jobs/{job_id}/events")
    def events(job_id: str, after: int = 0) -> StreamingResponse:
        studio.job(job_id)  # an unknown job is answered before the stream begins

        def lines() -> Iterator[str]:
            for event in studio.watch(job_id, after=after):
                yield event.model_dump_json() + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    @routes.get("/records")
    def records(
        words: str = "",
        modality: Modality | None = None,
        model: str | None = None,
        starred: bool | None = None,
        trashed: bool = False,
        before: str | None = None,
        limit: int = 40,
    ) -> Any:
        page = studio.gallery.page(
            words=words,
            modality=modality,
            model=model,
            starred=starred,
            trashed=trashed,
            before=before,
            limit=limit,
        )
        return PAGE.dump_python(page, mode="json")

    @routes.get("/records/{record_id}")
    def record(record_id: str) -> Any:
        return RECORD.dump_python(studio.gallery.get(record_id), mode="json")

    @routes.get("/records/{record_id}/path")
    def path(record_id: str, role: Annotated[str, "companion"] = "") -> str:
        return str(studio.gallery.open(record_id, role))

    @routes.get("/records/{record_id}/export/{name}")
    def export_as(record_id: str, name: str) -> str:
        return str(studio.export(record_id, name))

    @routes.post("/export")
    def export(wanted: Export) -> list[str]:
        return [str(path) for path in studio.gallery.export(wanted.ids, Path(wanted.destination))]

    return routes
