"""Jobs: what queue, worker, recipe and gallery add to a generation, and how fast a cancel is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from genai_studio.bench import direct
from genai_studio.bench.figure import Figure, middle
from genai_studio.domain.events import ENDINGS, Failed, Progress, Token
from genai_studio.engine.messages import error_named
from genai_studio.models.base import LoadedModel
from genai_studio.settings import Settings
from genai_studio.studio import Studio

SHORT_RUNS, LONG_RUNS, CANCELS = 25, 5, 5
CANCEL_AFTER = 12
"""Steps or tokens, so that the model is well under way."""


class Sample(NamedTuple):
    """A job to measure with."""

    model: str
    values: dict[str, Any]


SHORT = Sample("demo-image", {"prompt": "sea", "seed": 7})
LONG = Sample("sticker", {"prompt": "a red apple", "seed": 7, "count": 1, "num_inference_steps": 50})
CANCELLED = (
    Sample("sticker", {"prompt": "a red apple", "seed": 7, "count": 16, "num_inference_steps": 50}),
    Sample("smollm2-135m-instruct", {"prompt": "Write a long story.", "seed": 7, "max_new_tokens": 2000}),
)


def overhead(settings: Settings) -> Iterator[Figure]:
    """Studio.generate beside the family called directly, same seed, interleaved."""
    with Studio(settings) as studio:
        ours, bare = _compare(studio, SHORT, SHORT_RUNS)
        yield Figure(
            f"short job ({SHORT.model})",
            1000 * ours,
            "ms",
            1000 * bare,
            "the family directly",
            "difference",
            80,
            note=f"{SHORT_RUNS} runs",
        )
        ours, bare = _compare(studio, LONG, LONG_RUNS)
        yield Figure(
            f"long job ({LONG.model})", ours, "s", bare, "the family directly", "ratio", 1.05, note=f"{LONG_RUNS} runs"
        )


def cancel(settings: Settings) -> Iterator[Figure]:
    """Until a cancel has ended the job, and until the worker is free again, beside the length of one step."""
    with Studio(settings) as studio:
        _by_studio(studio, SHORT)
        usual = middle([_by_studio(studio, SHORT) for _ in range(5)])
        for sample in CANCELLED:
            ended, freed, steps = zip(*(_cancel_once(studio, sample) for _ in range(CANCELS)), strict=True)
            step = 1000 * middle(list(steps))
            free = max(0.0, 1000 * (middle(list(freed)) - usual))
            gone = 1000 * middle(list(ended))
            note = f"one step or token is {step:.0f} ms"
            yield Figure(f"cancel {sample.model}, job gone", gone, "ms", judged="value", limit=step + 150, note=note)
            yield Figure(f"cancel {sample.model}, worker free", free, "ms", judged="value", limit=step + 150, note=note)


def _compare(studio: Studio, sample: Sample, runs: int) -> tuple[float, float]:
    """Median seconds through the studio and directly; both are warm."""
    ours, bare = [], []
    with direct.loaded(studio, sample.model) as model:
        _by_studio(studio, sample)
        _by_hand(studio, model, sample)
        for _ in range(runs):
            ours.append(_by_studio(studio, sample))
            bare.append(_by_hand(studio, model, sample))
    return middle(ours), middle(bare)


def _by_studio(studio: Studio, sample: Sample) -> float:
    started = time.perf_counter()
    studio.generate(sample.model, **sample.values)
    return time.perf_counter() - started


def _by_hand(studio: Studio, model: LoadedModel, sample: Sample) -> float:
    folder = direct.scratch(studio.settings)
    started = time.perf_counter()
    direct.run(studio, model, sample.model, sample.values, folder)
    return time.perf_counter() - started


def _cancel_once(studio: Studio, sample: Sample) -> tuple[float, float, float]:
    """Seconds until the job has ended, until a job of another model has run after it, and of one step."""
    job = studio.submit(studio.request(sample.model, sample.values))
    moments: list[float] = []
    started = ended = 0.0
    for event in studio.watch(job.id):
        if isinstance(event, Token | Progress):
            moments.append(time.perf_counter())
        if len(moments) == CANCEL_AFTER:
            started = time.perf_counter()
            studio.cancel(job.id)
        if isinstance(event, Failed):
            raise error_named(event.error, event.message, event.hint)
        if isinstance(event, ENDINGS):
            ended = time.perf_counter()
    _by_studio(studio, SHORT)
    freed = time.perf_counter()
    return ended - started, freed - started, middle([after - before for before, after in pairwise(moments[1:])])
