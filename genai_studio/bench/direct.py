"""DirectContext: a family run by hand, without queue, worker, gallery or recipe: what the engine is held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL.Image import Image

from genai_studio.domain.events import Note
from genai_studio.models.base import Draft, LoadedModel, ModelFiles, family_of, params_of
from genai_studio.models.sources import resolve
from genai_studio.settings import Settings
from genai_studio.studio import Studio


class DirectContext:
    """Does nothing with what the model says but keep its outputs."""

    device = "cpu"

    def __init__(self, folder: Path, seed: int, threads: int) -> None:
        self.seed, self.threads = seed, threads
        self.drafts: list[Draft] = []
        self._folder = folder

    def has_input(self, name: str, role: str = "") -> bool:
        return False

    def input(self, name: str, role: str = "") -> Path:
        raise KeyError(name)

    def check(self) -> None:
        pass

    def progress(self, step: int, total: int, phase: str = "", index: int = 0) -> None:
        pass

    def preview(self, image: Image, index: int = 0) -> None:
        pass

    def token(self, text: str, index: int = 0) -> None:
        pass

    def notes(
        self,
        notes: Sequence[Note],
        *,
        parts: Sequence[str] = (),
        total_quarters: float = 0.0,
        replace: bool = False,
        index: int = 0,
    ) -> None:
        pass

    def stage(self, suffix: str) -> Path:
        return self._folder / f"direct-{len(self.drafts)}{suffix}"

    def output(self, draft: Draft) -> None:
        self.drafts.append(draft)


@contextmanager
def loaded(studio: Studio, model_id: str) -> Iterator[LoadedModel]:
    """The model in this process."""
    spec = studio.model(model_id)
    model = family_of(spec).load(spec, files_of(studio, model_id), device="cpu", threads=studio.settings.worker_threads)
    try:
        yield model
    finally:
        model.close()


def files_of(studio: Studio, model_id: str) -> ModelFiles:
    """Its files, downloaded if they are not there."""

    def progress(fraction: float | None, sentence: str) -> None:
        pass

    settings = studio.settings
    return resolve(studio.model(model_id), settings.cache, settings.models, progress, lambda: None)


def run(studio: Studio, model: LoadedModel, model_id: str, values: dict[str, Any], folder: Path) -> None:
    """One generation as a script would do it."""
    params = params_of(studio.model(model_id), values)
    model.generate(params, DirectContext(folder, values["seed"], studio.settings.worker_threads))


def scratch(settings: Settings) -> Path:
    folder = settings.home / "direct"
    folder.mkdir(exist_ok=True)
    return folder
