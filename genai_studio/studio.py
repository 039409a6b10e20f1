"""Studio: the composition root and the public Python API. The only place where database, gallery, models and engine
are wired; the page, the command line and a script all use this one object.

    from genai_studio import Studio
    with Studio() as studio:
        for record in studio.generate("image", "a red apple", seed=7):
            print(record.id, studio.gallery.open(record.id))
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from genai_studio.database.connect import Database
from genai_studio.domain.events import CancelledEvent, Event, Failed, Finished
from genai_studio.domain.job import Job, JobState
from genai_studio.domain.modality import Modality
from genai_studio.domain.recipe import Recipe
from genai_studio.domain.request import Request
from genai_studio.engine.desk import Desk
from genai_studio.engine.device import devices
from genai_studio.engine.dispatcher import Dispatcher
from genai_studio.engine.estimate import Estimator
from genai_studio.engine.executor import Executor, InlineExecutor, ProcessExecutor
from genai_studio.engine.exporter import Exporter
from genai_studio.engine.feed import Feed
from genai_studio.engine.history import History
from genai_studio.engine.ledger import Ledger
from genai_studio.engine.line import Line
from genai_studio.engine.lock import FolderLock, Owner
from genai_studio.engine.messages import error_named
from genai_studio.engine.staging import Staging
from genai_studio.errors import Cancelled, GenerationFailed, InvalidInput, NotFound, StorageFailed, StudioError
from genai_studio.gallery.assets import AssetStore, is_asset
from genai_studio.gallery.metadata import read_recipe
from genai_studio.gallery.records import Record
from genai_studio.gallery.store import GalleryStore
from genai_studio.models import catalog, sources
from genai_studio.models.base import ModelSpec, Task, family_of, params_of
from genai_studio.settings import Settings

log = logging.getLogger(__name__)

LOCAL = "local"
"""The owner of everything made without a login."""
TRASH_SECONDS = 30 * 24 * 3600.0
"""How long the trash, and files that could not be saved, stay."""


class Studio:
    """Use as a context manager, or call `start` and `close`. Thread-safe. Every method that takes `owner` checks,
    when it is given, that the job or record is theirs, and raises NotAllowed otherwise."""

    gallery: GalleryStore
    ledger: Ledger
    feed: Feed

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        inline: bool = False,
        executors: Sequence[Executor] | None = None,
        extra_models: Sequence[ModelSpec] = (),
        **overrides: Any,
    ) -> None:
        """`overrides` are settings by name, such as `home` or `demo`. `inline` runs models in this process.
        Opens nothing yet. Raises InvalidInput for settings that are wrong."""
        self.settings = settings or Settings.read(**overrides)
        self._inline, self._given_executors = inline, executors
        self._extra_models = tuple(extra_models)
        self._lock = FolderLock(self.settings.home)
        self._database: Database | None = None
        self._dispatchers: list[Dispatcher] = []
        self._staging = Staging(self.settings.staging)
        self._assets = AssetStore(self.settings.assets)

    # Opening and closing

    def start(self) -> Self:
        """Take the data folder, tidy up after a crash, start the workers. Raises Busy, StorageFailed."""
        self._lock.acquire()
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def _open(self) -> None:
        """1. rows and files agree again, 2. jobs that a crash left running are marked, 3. the queue moves."""
        self._database = Database.open(self.settings.database_url)
        self.gallery = GalleryStore(self._database, self.settings.outputs)
        self._exporter = Exporter(self.gallery, self.settings.cache / "exports", self._soundfont)
        self.ledger = Ledger(self._database)
        self.feed = Feed()
        self._history = History(self.feed, self.ledger)
        self.gallery.recover()
        recovered = self.ledger.recover()
        if recovered.interrupted:
            log.warning("interrupted by the end of the last run: %s", ", ".join(recovered.interrupted))
        self._staging.sweep(keep=self._kept)
        self.gallery.empty_trash(TRASH_SECONDS)
        executors = self._executors()
        estimator = Estimator(self.ledger.durations)
        self._line = Line(self.ledger, self.feed, estimator, len(executors))
        desk = Desk(self.gallery, self._assets, self._staging, self.model)
        self._dispatchers = [
            Dispatcher(executor, self.ledger, self.feed, desk, estimator, self._line.announce) for executor in executors
        ]
        for dispatcher in self._dispatchers:
            dispatcher.start()
        self._line.announce()

    def close(self) -> None:
        """Stop the workers; what runs becomes interrupted, what waits stays. Safe to call twice."""
        for dispatcher in self._dispatchers:
            dispatcher.close()
        self._dispatchers = []
        if self._database is not None:
            self.feed.close()
            self._database.close()
            self._database = None
        self._lock.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def set_address(self, url: str, token: str = "") -> None:
        """Write where this studio can be reached, for the command line and for a second one's refusal."""
        self._lock.write(Owner(os.getpid(), url, token))

    # Models

    def models(self, modality: Modality | str | None = None, task: Task | None = None) -> list[ModelSpec]:
        """What can be run: the catalogue and the user's own files."""
        specs = [*self._extra_models, *catalog.available(self.settings.models, self.settings.demo)]
        return [spec for spec in specs if modality in (None, spec.modality) and task in (None, spec.task)]

    def model(self, model_id: str) -> ModelSpec:
        """Raises NotFound, with the names that come close."""
        for spec in self._extra_models:
            if spec.id == model_id:
                return spec
        return catalog.find(model_id, self.settings.models)

    def default_model(self, modality: Modality | str) -> ModelSpec:
        """The first model that makes `modality` out of a prompt alone. Raises NotFound."""
        if modality not in set(Modality):
            raise NotFound(f"There is no modality {modality[:60]!r}.", f"There are {', '.join(Modality)}.")
        return catalog.default_model(Modality(modality), self.models())

    def is_present(self, model_id: str) -> bool:
        """Whether the model runs without a download."""
        return sources.is_present(self.model(model_id), self.settings.cache, self.settings.models)

    def fetch(
        self,
        model_id: str,
        progress: Callable[[float | None, str], None] = lambda *_: None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Download the model now. Raises NoNetwork, ModelUnavailable, StorageFailed."""
        sources.resolve(self.model(model_id), self.settings.cache, self.settings.models, progress, check)

    # Jobs

    def request(self, model_id: str, values: Mapping[str, Any], inputs: Mapping[str, str] | None = None) -> Request:
        """Validated values with a resolved seed. Raises InvalidInput with one sentence, NotFound."""
        spec = self.model(model_id)
        _check_inputs(spec, inputs or {})
        return Request.make(spec.id, spec.modality, params_of(spec, values), inputs)

    def keep_asset(self, path: Path) -> str:
        """Keep a person's own file as an input; its name for `inputs`. Raises InvalidInput, StorageFailed."""
        return self._assets.keep(path)

    def submit(self, request: Request, owner: str = LOCAL, again_of: str | None = None) -> Job:
        """Put a request in the queue. Raises InvalidInput, NotFound, NotAllowed; then nothing was queued."""
        spec = self.model(request.model)
        # A request from outside was not made by `request`.
        if family_of(spec).params.parse(request.params).seed < 0 or request.modality is not spec.modality:
            raise InvalidInput("This is not a complete request: its seed or its modality is wrong.")
        _check_inputs(spec, request.inputs)
        for source in request.inputs.values():
            if is_asset(source):
                self._assets.open(source)
            else:
                self.gallery.get(source, owner)
        job = self.ledger.submit(request, owner, again_of=again_of)
        self._enqueued(job)
        return job

    def generate(
        self,
        model: str,
        prompt: str = "",
        *,
        owner: str = LOCAL,
        inputs: Mapping[str, str] | None = None,
        **values: Any,
    ) -> list[Record]:
        """Run one job and wait for it. `model` is the id of a model, or a modality for its first model.

        Raises InvalidInput, the error that ended the job, or Cancelled; StudioError at once while the queue is paused.
        """
        if self.paused:
            raise StudioError("The queue is paused, so this would wait for ever.", "Resume it first.")
        spec = self.default_model(model) if model in set(Modality) else self.model(model)
        if prompt or "prompt" in family_of(spec).params.model_fields:
            values.setdefault("prompt", prompt)
        job = self.submit(self.request(spec.id, values, inputs), owner)
        ending: Event | None = None
        try:
            for event in self.watch(job.id):
                ending = event
        except KeyboardInterrupt:
            self.cancel(job.id)
            raise
        return self._results(job.id, ending)

    def _results(self, job_id: str, ending: Event | None) -> list[Record]:
        if isinstance(ending, Finished):
            return [self.gallery.get(record_id) for record_id in self.ledger.get(job_id).outputs]
        if isinstance(ending, Failed):
            raise error_named(ending.error, ending.message, ending.hint)
        if isinstance(ending, CancelledEvent):
            raise Cancelled
        raise GenerationFailed("The studio was closed before the job ended.", "Run it again.")

    def watch(self, job_id: str, after: int = 0, timeout: float | None = None) -> Iterator[Event]:
        """Events with a number above `after`, until the ending one; see Feed.watch. Raises NotFound."""
        return self._history.watch(job_id, after, timeout)

    def snapshot(self, job_id: str) -> list[Event]:
        """What a page that comes late must replay, in order. Raises NotFound."""
        return self._history.snapshot(job_id)

    def cancel(self, job_id: str, owner: str | None = None) -> None:
        """Cancel at any stage; when this returns, the job has ended. An ended job stays as it is."""
        self.ledger.get(job_id, owner)
        if self.ledger.cancel_queued(job_id):
            self.feed.publish(CancelledEvent(job=job_id))
            self._line.announce()
        else:
            any(dispatcher.cancel(job_id) for dispatcher in self._dispatchers)

    def retry(self, job_id: str, owner: str | None = None) -> Job:
        """Queue an ended job's request again, as a new job."""
        job = self.ledger.retry(job_id, owner)
        self._enqueued(job)
        return job

    def move(self, job_id: str, before: str | None = None, owner: str | None = None) -> Job:
        """Put a waiting job before another one, or last."""
        job = self.ledger.move(job_id, before, owner)
        self._line.announce()
        return job

    def pause(self) -> None:
        """What runs goes on; nothing new starts until `resume`, also after a restart."""
        self.ledger.pause()

    def resume(self) -> None:
        self.ledger.resume()
        self._wake()

    @property
    def paused(self) -> bool:
        return self.ledger.paused

    def job(self, job_id: str, owner: str | None = None) -> Job:
        return self.ledger.get(job_id, owner)

    def jobs(
        self, owner: str | None = None, states: Collection[JobState] | None = None, limit: int | None = 50
    ) -> list[Job]:
        """Newest first."""
        return self.ledger.list(states, owner, limit)

    def eta(self, job_id: str) -> float | None:
        """Seconds until the job ends; None while too little is known, and for an ended one."""
        return self._line.seconds_left(self.ledger.get(job_id))

    # Recipes

    def make_again(self, record_id: str, owner: str | None = None) -> Job:
        """Run a record's recipe again. The new record carries the comparison with the old one."""
        record = self.gallery.get(record_id, owner)
        return self.submit(record.recipe.request, record.owner, again_of=record.id)

    def read_recipe(self, path: Path) -> Recipe | None:
        """The recipe in a file that this studio made, or None."""
        return read_recipe(path)

    def export(self, record_id: str, format: str, owner: str | None = None) -> Path:
        """A piece in another format (score/exports.py lists them), made on first use and kept in the cache. Raises
        InvalidInput, NotFound, StudioError."""
        return self._exporter.export(self.gallery.get(record_id, owner), format)

    def restore(self, recipe: Recipe) -> tuple[ModelSpec, dict[str, Any], list[str]]:
        """The model, the values to put back in its tab, and the names of what could not be restored."""
        spec = self.model(recipe.request.model)
        params, dropped = family_of(spec).params.restore(recipe.request.params)
        return spec, params.model_dump(mode="json"), dropped

    def preview_path(self, relative: str) -> Path:
        """The file of a Preview event. Raises NotFound, also for a path that leads out of the staging folder."""
        return self._staging.preview(relative)

    # Inside

    def _soundfont(self, record: Record) -> Path:
        """What a record was played with; where that is gone, what Tunes plays with."""
        for model_id in (record.model, "tunes"):
            try:
                files = sources.resolve(
                    self.model(model_id), self.settings.cache, self.settings.models, lambda *_: None, lambda: None
                )
                return files.one(".sf2")
            except (NotFound, KeyError):
                continue
        raise NotFound("There is no soundfont to play this with.")

    def _executors(self) -> Sequence[Executor]:
        if self._given_executors is not None:
            return self._given_executors
        if self._inline:
            return [InlineExecutor(self.settings)]
        return [ProcessExecutor(self.settings, device) for device in devices(self.settings)]

    def _kept(self, job_id: str) -> bool:
        """Whether an output of the job could not be saved lately: its message said that the file is kept."""
        failed = isinstance(self.ledger.failure(job_id), StorageFailed)
        return failed and time.time() - (self.ledger.get(job_id).ended or 0.0) < TRASH_SECONDS

    def _enqueued(self, job: Job) -> None:
        self.feed.open(job.id)
        self._line.announce()
        self._wake()

    def _wake(self) -> None:
        for dispatcher in self._dispatchers:
            dispatcher.wake()


def _check_inputs(spec: ModelSpec, inputs: Mapping[str, str]) -> None:
    known = {*spec.inputs, *spec.optional_inputs}
    missing, unknown = set(spec.inputs) - inputs.keys(), inputs.keys() - known
    if missing:
        raise InvalidInput(f"{spec.title} works on an {min(missing)}; choose one first.")
    if unknown:
        raise InvalidInput(f"{spec.title} takes no input named {min(unknown)[:60]!r}.")
