"""`jobs list|cancel`: the queue."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from genai_studio.cli.connection import open_studio
from genai_studio.cli.options import command, print_json, say
from genai_studio.domain.job import JobState
from genai_studio.settings import Settings


def jobs_app() -> typer.Typer:
    app = typer.Typer(help="The queue.", no_args_is_help=True)

    @app.command("list", help="What runs, what waits and what has ended, newest first.")
    @command
    def list_jobs(
        settings: Settings,
        *,
        state: Annotated[list[JobState] | None, typer.Option("--state", help="Only these; may be repeated.")] = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 50,
        as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    ) -> None:
        with open_studio(settings, work=False) as studio:
            jobs = studio.jobs(states=state or None, limit=limit)
        if as_json:
            print_json([job.model_dump(mode="json") for job in jobs])
            return
        for job in jobs:
            made = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
            words = " ".join(job.request.prompt.split())
            print(f"{job.id}  {made}  {job.state:11} {job.request.model:22} {words[:50]}  {job.error}".rstrip())

    @app.command("cancel", help="Stop jobs, waiting or running.")
    @command
    def cancel(settings: Settings, *, ids: Annotated[list[str], typer.Argument(metavar="ID...")]) -> None:
        with open_studio(settings, work=False) as studio:
            for job_id in ids:
                studio.cancel(job_id)
                say(f"{job_id} is cancelled.")

    return app
