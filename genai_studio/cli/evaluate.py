"""`eval`: what a model promises, checked on many outputs by programs that are not ours."""

from __future__ import annotations

from typing import Annotated

import typer

from genai_studio.cli.options import command, print_json, say
from genai_studio.settings import Settings


def add_eval(app: typer.Typer) -> None:
    @app.command("eval", help="Check what a model promises: figures, and what they should be.")
    @command
    def evaluate(
        settings: Settings,
        model: Annotated[str, typer.Argument(help="The model: tunes.")],
        *,
        requests: Annotated[int, typer.Option("--requests", min=1, max=5000, help="Random requests.")] = 500,
        renders: Annotated[int, typer.Option("--renders", min=0, max=500, help="Pieces played and measured.")] = 50,
        as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    ) -> None:
        from genai_studio.bench import evaluate as run

        figures = []
        for figure in run(settings, model, say, requests=requests, renders=renders):
            figures.append(figure)
            if not as_json:
                print(figure.line(), flush=True)
        if as_json:
            print_json([figure.as_dict() for figure in figures])
