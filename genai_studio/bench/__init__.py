"""Bench: the studio measured against what it is built on, on the machine at hand. Prints figures and ratios; it is
no test, because a figure is only worth something beside another one from the same run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from genai_studio.bench.evaluation import EVALUATIONS
from genai_studio.bench.figure import Figure
from genai_studio.bench.jobs import cancel, overhead
from genai_studio.bench.page import growth, page
from genai_studio.bench.text import text
from genai_studio.bench.tunes import tunes
from genai_studio.errors import InvalidInput, StudioError
from genai_studio.settings import Settings

MEASUREMENTS: dict[str, Callable[[Settings], Iterator[Figure]]] = {
    "page": page,
    "growth": growth,
    "overhead": overhead,
    "cancel": cancel,
    "text": text,
    "tunes": tunes,
}


def measure(settings: Settings, names: Sequence[str], say: Callable[[str], None]) -> Iterator[Figure]:
    """The figures of `names`, each as soon as it is there. Everything happens in data folders that are thrown away;
    downloaded model files are taken from the settings' own cache. Raises InvalidInput for an unknown name."""
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        raise InvalidInput(f"There is no measurement named {unknown[0]!r}.", f"There are {', '.join(MEASUREMENTS)}.")
    for name in names:
        say(f"Measuring {name} ...")
        with _scratch(settings) as scratch:
            try:
                yield from MEASUREMENTS[name](scratch)
            except StudioError as error:
                say(f"Not measured: {error.sentence}")


def evaluate(
    settings: Settings, model: str, say: Callable[[str], None], *, requests: int, renders: int
) -> Iterator[Figure]:
    """The figures of EVALUATIONS for `model`, each as soon as it is there, in a data folder that is thrown away.

    Raises InvalidInput for a model without an evaluation.
    """
    if model not in EVALUATIONS:
        raise InvalidInput(f"There is no evaluation of {model!r}.", f"There is one of {', '.join(EVALUATIONS)}.")
    with _scratch(settings) as scratch:
        yield from EVALUATIONS[model](scratch, say, requests=requests, renders=renders)


@contextmanager
def _scratch(settings: Settings) -> Iterator[Settings]:
    """The same settings with a home of their own; downloaded model files are shared."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        home = Path(folder)
        settings.cache.mkdir(parents=True, exist_ok=True)
        (home / "cache").symlink_to(settings.cache)
        yield replace(settings, home=home, models=home / "models", database="", host="127.0.0.1", auth="")


__all__ = ["EVALUATIONS", "MEASUREMENTS", "Figure", "evaluate", "measure"]
