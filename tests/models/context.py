"""A RunContext that writes down what a model says, and can stop it at any point."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genai_studio.domain.events import Note
from genai_studio.engine.messages import input_key
from genai_studio.errors import Cancelled, InvalidInput
from genai_studio.models.base import Draft


@dataclass
class RecordingContext:
    """`stop_after` counts calls that may raise (check, progress, preview, token, notes): the one after that many
    raises Cancelled, as do all later ones. `stop_when` is asked at each of them too."""

    folder: Path
    seed: int = 7
    inputs: Mapping[str, Path] = field(default_factory=dict)
    device: str = "cpu"
    threads: int = 1
    stop_after: int | None = None
    stop_when: Callable[[], bool] = lambda: False
    said: list[tuple[str, Any]] = field(default_factory=list)
    """(kind, value) of every call, in order."""
    drafts: list[Draft] = field(default_factory=list)
    stopped_at: float = 0.0
    """time.monotonic() of the first call that raised."""
    refusals: int = 0
    """How many calls raised; more than one means that the first Cancelled was swallowed."""

    def _hear(self, kind: str, value: Any) -> None:
        calls = len(self.said)
        if self.stopped_at or (self.stop_after is not None and calls >= self.stop_after) or self.stop_when():
            self.stopped_at = self.stopped_at or time.monotonic()
            self.refusals += 1
            raise Cancelled
        self.said.append((kind, value))

    def has_input(self, name: str, role: str = "") -> bool:
        return input_key(name, role) in self.inputs

    def input(self, name: str, role: str = "") -> Path:
        if not self.has_input(name, role):
            raise InvalidInput(f"no input {name}")
        return self.inputs[input_key(name, role)]

    def check(self) -> None:
        self._hear("check", None)

    def progress(self, step: int, total: int, phase: str = "", index: int = 0) -> None:
        self._hear("progress", (step, total, phase, index))

    def preview(self, image: Any, index: int = 0) -> None:
        self._hear("preview", (image.size, index))

    def token(self, text: str, index: int = 0) -> None:
        self._hear("token", (text, index))

    def notes(
        self,
        notes: Sequence[Note],
        *,
        parts: Sequence[str] = (),
        total_quarters: float = 0.0,
        replace: bool = False,
        index: int = 0,
    ) -> None:
        self._hear("notes", (list(notes), index))

    def stage(self, suffix: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{len(list(self.folder.iterdir())):03d}-{len(self.drafts)}{suffix}"

    def output(self, draft: Draft) -> None:
        self.drafts.append(draft)

    def tokens(self, index: int = 0) -> list[str]:
        return [value[0] for kind, value in self.said if kind == "token" and value[1] == index]

    def progressed(self) -> list[tuple[int, int, str, int]]:
        return [value for kind, value in self.said if kind == "progress"]

    def contents(self) -> list[dict[str, bytes]]:
        """For each output its bytes by role, "" being the main file."""
        return [
            {role: path.read_bytes() for role, path in {"": draft.path, **draft.companions}.items()}
            for draft in self.drafts
        ]
