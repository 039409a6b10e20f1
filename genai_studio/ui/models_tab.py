"""The models: what can be run, under which licence, where its files come from, and whether they are here. Downloads
go on in threads of this process; any page that looks sees how far they are."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from genai_studio.domain.modality import Modality
from genai_studio.errors import Cancelled, StudioError
from genai_studio.models.base import ModelSpec
from genai_studio.ui.elements import element
from genai_studio.ui.i18n import say
from genai_studio.ui.server_calls import Answer, Asked, Caller, server_call
from genai_studio.ui.shell import UNEXPECTED, Shell, TabHandles

if TYPE_CHECKING:
    from genai_studio.studio import Studio

LOG = logging.getLogger(__name__)
NAMES = {Modality.IMAGE: "Image", Modality.TEXT: "Text", Modality.MUSIC: "Music"}
TASKS = {
    "text-to-image": "Words to pictures",
    "upscale": "Enlarges pictures",
    "chat": "Writes and answers",
    "text-to-music": "Words to music",
}


class ModelAsked(Asked):
    id: Annotated[str, Field(min_length=1, max_length=1000)]


def build(studio: Studio, _: Shell) -> TabHandles:
    """Draw the models inside their tab."""
    calls = ModelCalls(studio)
    element("model_shelf", {}, server_functions=calls.all(), elem_id="model-shelf")
    return TabHandles("models")


@dataclass
class Download:
    """One download. Written by its thread, read by any page."""

    line: str = "Starting"
    """English; a key of the translations."""
    fraction: float | None = None
    error: StudioError | None = None
    stopped: bool = False
    ended: bool = False


class Downloads:
    """At most one a model, each in a daemon thread: a studio that closes does not wait, and the next download of
    the same model begins cleanly."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._known: dict[str, Download] = {}
        self._lock = threading.Lock()

    def start(self, model_id: str) -> None:
        """Begin, or leave the one that runs alone. Raises NotFound."""
        self._studio.model(model_id)
        with self._lock:
            running = self._known.get(model_id)
            if running and not running.ended:
                return
            download = self._known[model_id] = Download()
        threading.Thread(target=self._run, args=(model_id, download), name=f"fetch-{model_id}", daemon=True).start()

    def stop(self, model_id: str) -> None:
        download = self._known.get(model_id)
        if download:
            download.stopped = True

    def of(self, model_id: str) -> Download | None:
        return self._known.get(model_id)

    def _run(self, model_id: str, download: Download) -> None:
        def progress(fraction: float | None, line: str) -> None:
            download.fraction, download.line = fraction, line or download.line

        def check() -> None:
            if download.stopped:
                raise Cancelled

        try:
            self._studio.fetch(model_id, progress, check)
        except Cancelled:
            LOG.info("The download of %s was stopped.", model_id)
        except StudioError as error:
            LOG.warning("The download of %s failed: %s", model_id, error)
            download.error = error
        except Exception:
            LOG.exception("The download of %s failed.", model_id)
            download.error = StudioError(UNEXPECTED)
        finally:
            download.ended = True


class ModelCalls:
    """What the element asks."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.downloads = Downloads(studio)

    def all(self) -> list[Any]:
        return [
            server_call(Asked, self.models_list),
            server_call(ModelAsked, self.models_download),
            server_call(ModelAsked, self.models_stop),
            server_call(ModelAsked, self.models_progress),
        ]

    def models_list(self, caller: Caller, asked: Asked) -> Answer:
        """Every model, read afresh: a file that was dropped in meanwhile is there."""
        models = self.studio.models()
        groups = [
            {
                "key": modality.value,
                "name": say(NAMES[modality], caller.language),
                "models": [self._card(spec, caller.language) for spec in models if spec.modality is modality],
            }
            for modality in Modality
        ]
        # On a Space the disk is nobody's own.
        return {"groups": groups, "folder": "" if self.studio.settings.space else str(self.studio.settings.models)}

    def models_download(self, caller: Caller, asked: ModelAsked) -> Answer:
        self.downloads.start(asked.id)
        return self.models_progress(caller, asked)

    def models_stop(self, caller: Caller, asked: ModelAsked) -> Answer:
        self.downloads.stop(asked.id)
        return {}

    def models_progress(self, caller: Caller, asked: ModelAsked) -> Answer:
        """How far a download is; {} of one that was never begun."""
        download = self.downloads.of(asked.id)
        return {"download": self._progress(download, caller.language)} if download else {}

    def _progress(self, download: Download, language: str) -> dict[str, Any]:
        error = download.error
        said = [error.message, error.hint] if error else [download.line]
        line = " ".join(say(sentence, language) for sentence in said if sentence)
        return {"line": line, "fraction": download.fraction, "ended": download.ended, "failed": error is not None}

    def _card(self, spec: ModelSpec, language: str) -> dict[str, Any]:
        own = any(source.kind == "file" for source in spec.sources)
        files = [*spec.sources[:1], *spec.extras]
        download = self.downloads.of(spec.id)
        return {
            "id": spec.id,
            "title": spec.title,
            "task": say(TASKS[spec.task], language),
            "summary": say(spec.summary, language),
            "licence": say(spec.licence, language),
            "commercial": spec.commercial,
            "own": own,
            "included": all(source.kind == "embedded" for source in files),
            "partly": any(source.kind == "embedded" for source in files),
            "present": self.studio.is_present(spec.id),
            "size": sum(source.size for source in files),
            "memory": spec.memory,
            "sources": [str(source) for source in files if source.kind in {"pypi", "hub"}],
            "download": self._progress(download, language) if download and not download.ended else None,
        }
