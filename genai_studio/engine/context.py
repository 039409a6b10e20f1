"""JobContext: the RunContext of a running job. It turns what a family says into messages and raises Cancelled at
the next call after the person stopped the job."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genai_studio.domain.events import Event, Note, Notes, Preview, Progress, Token
from genai_studio.engine.messages import Drafted, Facts, FromWorker, Run, Said, input_key
from genai_studio.errors import Cancelled, GenerationFailed, InvalidInput
from genai_studio.models.base import Draft

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEW_SIDE = 512
"""Pixels of a preview's longer side."""
PREVIEW_GAP = 0.1
"""Least seconds between two previews of one output; what comes sooner is not worth its encoding."""
PREVIEWS_KEPT = 3
"""Files per output: the page may still be fetching the one before."""


class JobContext:
    def __init__(
        self,
        work: Run,
        say: Callable[[FromWorker], None],
        stopped: Callable[[], bool],
        *,
        device: str,
        threads: int,
    ) -> None:
        self.seed = work.request.seed
        self.device = device
        self.threads = threads
        self.streamed = False
        """Whether tokens or notes were said, which cannot be taken back."""
        self.drafts = 0
        self._work = work
        self._say = say
        self._stopped = stopped
        self._staged: list[Path] = []
        self._handed_over: set[Path] = set()
        self._previews: dict[int, tuple[int, float]] = {}
        self._facts: Facts | None = None
        self._load_seconds = 0.0
        self._since = time.monotonic()

    def model_ready(self, facts: Facts, load_seconds: float) -> None:
        """The engine tells what goes into the recipes of the outputs to come."""
        self._facts, self._load_seconds = facts, load_seconds
        self._since = time.monotonic()
        self.drafts = 0

    def has_input(self, name: str, role: str = "") -> bool:
        return input_key(name, role) in self._work.inputs

    def input(self, name: str, role: str = "") -> Path:
        try:
            return self._work.inputs[input_key(name, role)]
        except KeyError:
            raise InvalidInput(f"This model needs an input named {name!r}; choose one first.") from None

    def check(self) -> None:
        if self._stopped():
            raise Cancelled

    def progress(self, step: int, total: int, phase: str = "", index: int = 0) -> None:
        self._event(Progress(job=self._work.job, step=step, total=total, phase=phase, index=index))

    def preview(self, image: Image, index: int = 0) -> None:
        self.check()
        number, last = self._previews.get(index, (0, -PREVIEW_GAP))
        if time.monotonic() - last < PREVIEW_GAP:
            return
        small = image.copy()
        small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
        name = f"preview-{index:02d}-{{}}.webp"
        small.save(self._work.staging / name.format(number), "WEBP", quality=75, method=0)
        if number >= PREVIEWS_KEPT:
            (self._work.staging / name.format(number - PREVIEWS_KEPT)).unlink(missing_ok=True)
        self._previews[index] = (number + 1, time.monotonic())
        self._event(Preview(job=self._work.job, path=f"{self._work.job}/{name.format(number)}", index=index))

    def token(self, text: str, index: int = 0) -> None:
        self._event(Token(job=self._work.job, text=text, index=index))
        self.streamed = True

    def notes(
        self,
        notes: Sequence[Note],
        *,
        parts: Sequence[str] = (),
        total_quarters: float = 0.0,
        replace: bool = False,
        index: int = 0,
    ) -> None:
        self._event(
            Notes(
                job=self._work.job,
                notes=list(notes),
                parts=list(parts),
                total_quarters=total_quarters,
                replace=replace,
                index=index,
            )
        )
        self.streamed = True

    def stage(self, suffix: str) -> Path:
        path = self._work.staging / f"output-{len(self._staged) + 1:03d}{suffix}"
        self._staged.append(path)
        return path

    def output(self, draft: Draft) -> None:
        self.check()
        if self._facts is None or not draft.path.is_file():
            raise GenerationFailed("The model handed over a file that is not there.", "Details are in the log.")
        now = time.monotonic()
        seconds = {"load": self._load_seconds, "generate": now - self._since}
        self._say(
            Drafted(
                job=self._work.job,
                index=self.drafts,
                media=draft.kind,
                path=draft.path,
                companions=dict(draft.companions),
                info=dict(draft.info),
                facts=self._facts,
                seconds={name: round(value, 4) for name, value in seconds.items()},
            )
        )
        self._handed_over.update((draft.path, *draft.companions.values()))
        self.drafts += 1
        self._load_seconds, self._since = 0.0, now

    def discard_unfinished(self) -> None:
        """Delete the files of an output that was never handed over."""
        for path in self._staged:
            if path not in self._handed_over:
                path.unlink(missing_ok=True)

    def _event(self, event: Event) -> None:
        self.check()
        self._say(Said(event=event))
