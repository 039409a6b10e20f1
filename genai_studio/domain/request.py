"""Request: model, params, inputs and a resolved seed. Everything a worker needs, and the heart of a recipe."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from genai_studio.domain.fields import MAX_COUNT, MAX_SEED
from genai_studio.domain.modality import Modality
from genai_studio.domain.params import Params


class Request(BaseModel):
    """What was asked for, in plain JSON values; `params["seed"]` is never -1 here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    modality: Modality
    params: dict[str, Any]
    inputs: dict[str, str] = Field(default_factory=dict)
    """Input name to the id of the record it comes from; these records are the parents in the lineage."""

    @property
    def seed(self) -> int:
        return int(self.params["seed"])

    @property
    def count(self) -> int:
        return int(self.params.get("count", 1))

    @property
    def prompt(self) -> str:
        return str(self.params.get("prompt", ""))

    @classmethod
    def make(cls, model: str, modality: Modality, params: Params, inputs: Mapping[str, str] | None = None) -> Request:
        """Freeze `params` into a request, drawing the seed now if it was left open."""
        values = params.model_dump(mode="json")
        if values["seed"] < 0:
            values["seed"] = draw_seed()
        return cls(model=model, modality=modality, params=values, inputs=dict(inputs or {}))


def draw_seed() -> int:
    """A fresh seed that leaves room for seed + i of the largest batch."""
    return secrets.randbelow(MAX_SEED - MAX_COUNT)


def new_id() -> str:
    """Sortable by time of creation: 12 hex digits of milliseconds, 8 random ones. Safe in paths and URLs."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(4)}"
