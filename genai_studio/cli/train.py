"""`train sticker|tunes`: prepare the data of an embedded model and train it. The flags are the arguments of the
functions `prepare` and `train` in that model's train.py."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import typer

from genai_studio.cli.options import command, function_options, say
from genai_studio.errors import ModelUnavailable
from genai_studio.settings import Settings

TRAINABLE = {"sticker": "the text-to-image model", "tunes": "the music model"}
STAGES = {"prepare": "Gather and prepare the training data.", "train": "Train, or go on where it stopped."}


def train_app(words: Sequence[str]) -> typer.Typer:
    """A group for each model. Training code imports torch, so only what `words` call is imported."""
    app = typer.Typer(help="Train the models that come with the studio.", no_args_is_help=True)
    for name, title in TRAINABLE.items():
        group = typer.Typer(help=f"Train {title}.", no_args_is_help=True)
        called = "train" in words and name in words
        for stage, text in STAGES.items():
            group.command(stage, help=text)(_command(name, stage, called and stage in words))
        app.add_typer(group, name=name)
    return app


def _command(name: str, stage: str, called: bool) -> Callable[..., None]:
    function: Callable[..., Any] | None = None
    missing = ""
    if called:
        try:
            function = getattr(import_module(f"genai_studio.models.{name}.train"), stage)
        except ModuleNotFoundError as error:
            missing = error.name or str(error)

    def run(_: Settings, **given: Any) -> None:
        if function is None:
            raise ModelUnavailable(f"Training needs the package {missing}.", f"Install it: pip install {missing}.")
        _progress_to_terminal()
        try:
            result = function(**given)
        except ModuleNotFoundError as error:
            raise ModelUnavailable(
                f"Training needs the package {error.name}.", f"Install it: pip install {error.name}."
            ) from error
        except FileNotFoundError as error:
            raise ModelUnavailable(f"A file that training needs is not there: {error}") from error
        say(f"Done. {result if result is not None else ''}".strip()[:500])

    settings = inspect.Parameter("settings", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Settings)
    options = function_options(function) if function else []
    run.__signature__ = inspect.Signature([settings, *options])  # type: ignore[attr-defined]
    return command(run)


def _progress_to_terminal() -> None:
    """Training reports by logging; here a person waits for it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger("genai_studio.models").addHandler(handler)
