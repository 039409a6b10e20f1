"""The demo families: instant, deterministic, without weights. The whole studio runs on them in tests and in --demo.
One file a modality; each draws everything from the prompt and the seed."""

from __future__ import annotations

import hashlib
import time
from typing import Annotated

from pydantic import Field

from genai_studio.domain.fields import panel
from genai_studio.models.base import RunContext

StepSeconds = Annotated[
    float,
    Field(
        ge=0.0,
        le=60.0,
        title="Pause per step",
        description="Seconds to wait at each step, to watch the studio work.",
        json_schema_extra=panel("hidden"),
    ),
]


def digest(prompt: str, seed: int) -> bytes:
    """32 bytes that stand for this prompt and seed."""
    return hashlib.sha256(f"{seed}\n{prompt}".encode()).digest()


def pause(seconds: float, ctx: RunContext) -> None:
    """Wait as a busy model would, and still stop within 20 ms."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.02))
        ctx.check()
