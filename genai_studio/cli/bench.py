"""`bench`: the studio measured against what it is built on, on this machine, in one run."""

from __future__ import annotations

from typing import Annotated

import typer

from genai_studio.cli.options import command, print_json, say
from genai_studio.settings import Settings


def add_bench(app: typer.Typer) -> None:
    @app.command("bench", help="Measure the studio here: figures and ratios.")
    @command
    def bench(
        settings: Settings,
        *,
        only: Annotated[list[str] | None, typer.Option("--only", help="Only these measurements.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    ) -> None:
        from genai_studio.bench import MEASUREMENTS, measure

        figures = []
        for figure in measure(settings, only or list(MEASUREMENTS), say):
            figures.append(figure)
            if not as_json:
                print(figure.line(), flush=True)
        if as_json:
            print_json([figure.as_dict() for figure in figures])
