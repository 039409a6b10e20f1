"""ModelManager: the only place that loads and evicts models. One budget for all modalities, measured sizes, least
recently used out first; a leased model is pinned."""

from __future__ import annotations

import gc
import logging
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from genai_studio.errors import OutOfMemory
from genai_studio.models.base import LoadedModel, ModelFiles, ModelSpec, family_of
from genai_studio.models.sources import resolve
from genai_studio.settings import Settings, parse_bytes

log = logging.getLogger(__name__)

Tell = Callable[[str, float | None], None]
"""A sentence about the loading, and how much of it is done (0 to 1, or None)."""

DROPPED_OTHERS = "other models unloaded"
"""The first rung of the memory ladder."""


@dataclass
class Lease:
    """A model in memory, for as long as one job needs it."""

    spec: ModelSpec
    model: LoadedModel
    files: ModelFiles
    load_seconds: float = 0.0
    """0 when it was in memory already."""
    rungs: list[str] = field(default_factory=list)


@dataclass
class _Held:
    spec: ModelSpec
    model: LoadedModel
    files: ModelFiles
    size: int
    pins: int = 0


class ModelManager:
    """Belongs to one worker and is used from its one running thread."""

    def __init__(self, settings: Settings, device: str) -> None:
        self.device = device
        self.threads = settings.worker_threads
        self.budget = parse_bytes(settings.memory) if settings.memory else total_memory() // 2
        """Bytes that loaded models may hold together. One model alone may be larger: it is then the only one."""
        self._settings = settings
        self._held: OrderedDict[str, _Held] = OrderedDict()

    @property
    def loaded(self) -> list[str]:
        """Ids, least recently used first."""
        return list(self._held)

    @contextmanager
    def lease(self, spec: ModelSpec, tell: Tell, check: Callable[[], None]) -> Iterator[Lease]:
        """The model of `spec`, loaded if it was not. `check` may raise Cancelled, also while files download.

        Raises ModelUnavailable, NoNetwork, StorageFailed, or OutOfMemory when it does not fit alone either.
        """
        lease = self._find(spec) or self._load(spec, tell, check)
        held = self._held[spec.id]
        held.pins += 1
        try:
            yield lease
        finally:
            held.pins -= 1
            if held.pins == 0 and spec.id in self._held:
                # Caches grow while a model runs, so its size is measured again.
                held.size = held.model.memory()
                self._make_room(0)

    def drop(self, model_id: str) -> None:
        """Free one model, loaded or not."""
        held = self._held.pop(model_id, None)
        if held is not None:
            held.model.close()
            held = None
            free_memory()

    def drop_all(self) -> None:
        """Free every model that no job is using."""
        for model_id in [model_id for model_id, held in self._held.items() if held.pins == 0]:
            self.drop(model_id)
        free_memory()

    def _find(self, spec: ModelSpec) -> Lease | None:
        held = self._held.get(spec.id)
        if held is None:
            return None
        if held.spec != spec:
            # The user replaced the file under the same name: the entry's size or hash differs.
            self.drop(spec.id)
            return None
        self._held.move_to_end(spec.id)
        return Lease(spec, held.model, held.files)

    def _load(self, spec: ModelSpec, tell: Tell, check: Callable[[], None]) -> Lease:
        started = time.monotonic()
        tell(f"Loading {spec.title}", None)
        files = self._files(spec, tell, check)
        check()
        self._make_room(spec.memory)
        lease = Lease(spec, self._read(spec, files, tell), files)
        self._held[spec.id] = _Held(spec, lease.model, files, lease.model.memory())
        self._make_room(0, keep=spec.id)
        lease.load_seconds = time.monotonic() - started
        return lease

    def _files(self, spec: ModelSpec, tell: Tell, check: Callable[[], None]) -> ModelFiles:
        def progress(fraction: float | None, sentence: str) -> None:
            check()
            tell(sentence, fraction)

        return resolve(spec, self._settings.cache, self._settings.models, progress, check)

    def _read(self, spec: ModelSpec, files: ModelFiles, tell: Tell) -> LoadedModel:
        """Load, once more with everything else gone when memory runs out."""
        try:
            return family_of(spec).load(spec, files, device=self.device, threads=self.threads)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            log.warning("%s does not fit beside %s", spec.id, self.loaded)
        tell(f"Making room for {spec.title}", None)
        self.drop_all()
        try:
            return family_of(spec).load(spec, files, device=self.device, threads=self.threads)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        free_memory()
        raise OutOfMemory(
            f"{spec.title} needs more memory than there is.",
            "Nothing was lost. Close other programs, or choose a smaller model.",
        )

    def _make_room(self, needed: int, keep: str = "") -> None:
        """Evict until `needed` bytes more are within the budget, or nothing that is not in use is left."""
        for model_id in list(self._held):
            if sum(held.size for held in self._held.values()) + needed <= self.budget:
                return
            if self._held[model_id].pins == 0 and model_id != keep:
                log.info("%s makes room", model_id)
                self.drop(model_id)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's own, torch's on any device, or an allocator's words in a RuntimeError."""
    words = str(error).lower()
    return (
        isinstance(error, MemoryError | OutOfMemory)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and ("out of memory" in words or "can't allocate memory" in words))
    )


def free_memory() -> None:
    """Collect, and give what a device's allocator keeps back, where torch is in use at all."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def total_memory() -> int:
    """Bytes of this machine, or of the container it is limited to."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        total = 4 << 30
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        limit = "max"
    return min(total, int(limit)) if limit.isdigit() else total
