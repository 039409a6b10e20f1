"""Evaluation: what a model promises, checked on many outputs by programs that are not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from genai_studio.bench.evaluation.tunes import tunes
from genai_studio.bench.figure import Figure

EVALUATIONS: dict[str, Callable[..., Iterator[Figure]]] = {"tunes": tunes}
"""By model; each takes the settings, a place for what it says on the way, `requests` and `renders`."""
