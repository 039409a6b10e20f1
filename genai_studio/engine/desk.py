"""Desk: what a running job needs from the catalogue and the gallery, and where its outputs are handed in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from genai_studio.domain.job import Job
from genai_studio.domain.recipe import Recipe
from genai_studio.engine.messages import Drafted, Run, input_key
from genai_studio.engine.staging import Staging
from genai_studio.errors import StudioError
from genai_studio.gallery.assets import AssetStore, is_asset
from genai_studio.gallery.store import GalleryStore
from genai_studio.models.base import ModelSpec

log = logging.getLogger(__name__)


class Desk:
    def __init__(
        self, gallery: GalleryStore, assets: AssetStore, staging: Staging, find_model: Callable[[str], ModelSpec]
    ) -> None:
        self._gallery, self._assets, self._staging, self._find_model = gallery, assets, staging, find_model

    def prepare(self, job: Job) -> Run:
        """All that a worker must be told. Raises NotFound when the model or an input is gone since the job was
        submitted, StorageFailed when there is no place to write."""
        inputs: dict[str, Path] = {}
        for name, source in job.request.inputs.items():
            if is_asset(source):
                inputs[name] = self._assets.open(source)
                continue
            for role in ("", *self._gallery.get(source, job.owner).roles):
                inputs[input_key(name, role)] = self._gallery.open(source, role)
        return Run(
            job=job.id,
            spec=self._find_model(job.request.model),
            request=job.request,
            inputs=inputs,
            staging=self._staging.make(job.id),
        )

    def publish(self, job: Job, spec: ModelSpec, draft: Drafted) -> str:
        """Put an output into the gallery, and compare it where it was made again; the record's id.

        Raises StorageFailed when the disk can't hold it, GenerationFailed when the file is not what it should be.
        """
        recipe = Recipe(
            request=job.request,
            index=draft.index,
            source=draft.facts.source,
            licence=spec.licence,
            files=draft.facts.files,
            environment=draft.facts.environment,
            rungs=draft.facts.rungs,
            timings=draft.seconds,
        )
        record = self._gallery.save(
            owner=job.owner,
            job=job.id,
            index=draft.index,
            recipe=recipe,
            kind=draft.media,
            staged=draft.path,
            companions=draft.companions,
            info=draft.info,
            model_title=spec.title,
            seconds=sum(draft.seconds.values()),
        )
        if job.again_of:
            try:
                original = self._gallery.get(job.again_of)
                self._gallery.set_comparison(record.id, self._gallery.compare(original, record))
            except (StudioError, OSError) as error:
                # The original was deleted meanwhile: the new output stands for itself.
                log.info("record %s has nothing to be compared with: %s", record.id, error)
        return record.id

    def ended(self, job: Job, kept: bool) -> None:
        """The job is over. `kept` when a file of it could not be saved and waits in the staging folder."""
        if not kept:
            self._staging.ended(job.id)
