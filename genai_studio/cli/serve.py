"""`serve`: the page, wired by app.py, which stands beside the package. Also how app.py gets its flags."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import typer

import genai_studio
from genai_studio.cli.options import command
from genai_studio.settings import Settings

APP = Path(genai_studio.__file__).resolve().parents[1] / "app.py"


def add_serve(app: typer.Typer) -> None:
    def serve(settings: Settings) -> None:
        runpy.run_path(str(APP))["open_page"](settings)

    app.command("serve", help="Open the studio's page, until Ctrl+C. The same as python app.py.")(
        command(serve, show_settings=True)
    )


def run(open_page: Callable[[Settings], None]) -> None:
    """Read the settings from environment and flags, and open the page with them; for `python app.py`."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help="Open the studio's page, until Ctrl+C.")(command(open_page, show_settings=True))
    app(prog_name="python app.py")
