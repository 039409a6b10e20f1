"""The command line. Flags of a model come from its params class and flags of the studio from the settings, so
that neither is written down twice."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from genai_studio.cli.bench import add_bench
from genai_studio.cli.evaluate import add_eval
from genai_studio.cli.gallery import gallery_app
from genai_studio.cli.generate import generate_app
from genai_studio.cli.jobs import jobs_app
from genai_studio.cli.models import models_app
from genai_studio.cli.serve import add_serve
from genai_studio.cli.train import train_app

PROGRAM = "python -m genai_studio"


def build(words: Sequence[str]) -> typer.Typer:
    """The application for one command line. `words` decide whose flags `generate` and `train` show."""
    app = typer.Typer(
        help="Images, text and music on your own machine: one queue, one gallery, one recipe.",
        epilog="Every command takes the settings, such as --home or --demo; serve --help lists them.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    add_serve(app)
    app.add_typer(generate_app(words), name="generate")
    app.add_typer(models_app(), name="models")
    app.add_typer(gallery_app(), name="gallery")
    app.add_typer(jobs_app(), name="jobs")
    app.add_typer(train_app(words), name="train")
    add_bench(app)
    add_eval(app)
    return app


def main(words: Sequence[str] | None = None) -> None:
    """Run one command line and leave with its exit code: 0 done, 1 a StudioError, 2 a flag that does not exist,
    130 interrupted."""
    words = list(sys.argv[1:] if words is None else words)
    build(words)(args=words, prog_name=PROGRAM)
