"""Random requests to the tune model: every control drawn, in combinations that it allows."""

from __future__ import annotations

import math
import random
from typing import Any, get_args

from genai_studio.models.tunes.controls import INTRODUCTION_BARS, LONGEST, TAG_BARS
from genai_studio.models.tunes.customs import STYLE_METRES
from genai_studio.models.tunes.form import AUTO, FORMS, fitting_bars
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.quantities import FASTEST, SLOWEST
from genai_studio.models.tunes.tokens import ANY, Tune
from genai_studio.score.model import KEYS, METRES, SCALES, TICKS

_MOST_BARS = 64
"""Nine in ten are no longer, so that 500 are read back within the hour."""


def random_request(seed: int) -> TuneParams:
    """The request that `seed` draws. Each control is named; the prompt is empty."""
    draw = random.Random(f"request {seed}")
    style = draw.choice(list(STYLE_METRES))
    form = draw.choice(FORMS)
    introduction = draw.choice(("none", "4 bars"))
    ending = draw.choice(("plain", "ritardando", "tag"))
    frame = INTRODUCTION_BARS * (introduction == "4 bars"), TAG_BARS * (ending == "tag")
    most = 128 if draw.random() < 0.1 else _MOST_BARS
    bars = draw.choice([count for count in fitting_bars(form, *frame) if count <= most])
    metre = draw.choice(STYLE_METRES[style])
    beats = METRES[metre] / (TICKS * 1.5 if metre in ("6/8", "9/8") else TICKS)
    slowest = max(SLOWEST, math.ceil(bars * beats * 60 / LONGEST))
    values: dict[str, Any] = {
        "seed": seed,
        "style": style,
        "metre": metre,
        "key": draw.choice(KEYS),
        "mode": draw.choice(list(SCALES)),
        "form": form,
        "bars": bars,
        "introduction": introduction,
        "ending": ending,
        "variation": draw.choice((0.0, 0.3, 1.0)),
        "tempo_bpm": draw.randint(slowest, FASTEST),
        "accompaniment": _option(draw, "accompaniment"),
        "instrument": _option(draw, "instrument"),
        "density": _option(draw, "density"),
        "pitch_range": _option(draw, "pitch_range"),
    }
    return TuneParams.parse(values)


def request_like(tune: Tune, seed: int) -> TuneParams:
    """A request for a tune of the same style, mode and metre, played alone and without repeats that vary."""
    return TuneParams.parse(
        {
            "seed": seed,
            "style": AUTO if tune.header.style == ANY else tune.header.style,
            "mode": tune.header.mode,
            "metre": tune.header.metre,
            "bars": 32,
            "form": "AABB",
            "introduction": "none",
            "ending": "plain",
            "variation": 0.0,
            "accompaniment": "solo",
        }
    )


def _option(draw: random.Random, field: str) -> str:
    """Any choice of a field but "auto"."""
    choices = get_args(TuneParams.model_fields[field].annotation)
    return str(draw.choice([choice for choice in choices if choice != AUTO]))
