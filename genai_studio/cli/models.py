"""`models list|fetch`: what can be run, and getting it ready before it is needed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from genai_studio.cli.options import command, print_json, say
from genai_studio.cli.progress import Line
from genai_studio.models.base import ModelSpec
from genai_studio.settings import Settings
from genai_studio.studio import Studio


def models_app() -> typer.Typer:
    app = typer.Typer(help="What can be run here.", no_args_is_help=True)

    @app.command("list", help="The models, with what has to be downloaded.")
    @command
    def list_models(
        settings: Settings,
        *,
        as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    ) -> None:
        studio = Studio(settings)
        rows = [_describe(studio, spec) for spec in studio.models()]
        if as_json:
            print_json(rows)
            return
        for row in rows:
            state = "ready" if row["present"] else f"{row['download'] / 1e6:.0f} MB to download"
            print(f"{row['id']:24} {row['modality']:6} {state:22} {row['licence']:14} {row['title']}")

    @app.command("fetch", help="Download a model's files now.")
    @command
    def fetch(settings: Settings, *, model: Annotated[str, typer.Argument(help="Id, as in the list.")]) -> None:
        studio = Studio(settings)
        spec = studio.model(model)
        line = Line()

        def progress(fraction: float | None, sentence: str) -> None:
            line.show(sentence, fraction)

        try:
            studio.fetch(spec.id, progress)
        finally:
            line.clear()
        say(f"{spec.title} is ready.")

    return app


def _describe(studio: Studio, spec: ModelSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "modality": spec.modality.value,
        "task": spec.task,
        "title": spec.title,
        "summary": spec.summary,
        "licence": spec.licence,
        "commercial": spec.commercial,
        "present": studio.is_present(spec.id),
        "download": sum(source.size for source in (*spec.sources, *spec.extras)),
        "sources": [str(source) for source in (*spec.sources, *spec.extras)],
    }
