"""run(): one generation told top to bottom, in the process that holds the device."""

from __future__ import annotations

import errno
import logging
import platform
from collections.abc import Callable

from genai_studio import __version__
from genai_studio.domain.events import Loading
from genai_studio.engine.context import JobContext
from genai_studio.engine.manager import DROPPED_OTHERS, Lease, ModelManager, free_memory, is_out_of_memory
from genai_studio.engine.messages import Ended, Facts, FromWorker, Run, Said
from genai_studio.errors import Cancelled, GenerationFailed, OutOfMemory, StorageFailed, StudioError
from genai_studio.models.base import family_of

log = logging.getLogger(__name__)


def run(work: Run, manager: ModelManager, say: Callable[[FromWorker], None], stopped: Callable[[], bool]) -> Ended:
    """Run `work` to its end. Never raises: what went wrong is in the answer, details are in the log."""
    context = JobContext(work, say, stopped, device=manager.device, threads=manager.threads)
    try:
        _generate(work, manager, say, context)
        if context.drafts != work.request.count:
            raise GenerationFailed(f"The model made {context.drafts} of {work.request.count} outputs.")
        return Ended(job=work.job, outcome="done")
    except Cancelled:
        ended = Ended(job=work.job, outcome="cancelled")
    except StudioError as error:
        log.warning("job %s: %s", work.job, error.sentence)
        ended = Ended.failed(work.job, error)
    except Exception as error:
        log.exception("job %s", work.job)
        ended = Ended.failed(work.job, _as_sentence(work, error))
    context.discard_unfinished()
    return ended


def _generate(work: Run, manager: ModelManager, say: Callable[[FromWorker], None], context: JobContext) -> None:
    """1. params, 2. the model, 3. its outputs; when memory runs out, 2 and 3 once more with nothing else loaded."""
    params = family_of(work.spec).params.parse(work.request.params)
    rungs: list[str] = []
    for attempt in (1, 2):
        context.check()
        try:
            with manager.lease(work.spec, _tell(work, say), context.check) as lease:
                context.model_ready(_facts(lease, manager, rungs), lease.load_seconds)
                lease.model.generate(params, context)
                return
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            log.warning("job %s ran out of memory: %s", work.job, error)
            # What was streamed to the page cannot be taken back, so such a job is not run a second time.
            last = attempt == 2 or context.streamed or isinstance(error, OutOfMemory)
        # Outside the handler: its traceback would keep the model's tensors alive.
        manager.drop(work.spec.id)
        manager.drop_all()
        if last:
            break
        rungs = [DROPPED_OTHERS]
    free_memory()
    raise OutOfMemory(
        f"{work.spec.title} ran out of memory.",
        "Nothing that was made is lost. Ask for less at once, or a smaller size.",
    )


def _tell(work: Run, say: Callable[[FromWorker], None]) -> Callable[[str, float | None], None]:
    def tell(message: str, fraction: float | None) -> None:
        say(Said(event=Loading(job=work.job, model=work.spec.id, message=message, fraction=fraction)))

    return tell


def _facts(lease: Lease, manager: ModelManager, rungs: list[str]) -> Facts:
    return Facts(
        source=lease.files.source,
        files=dict(lease.files.hashes),
        environment={
            "studio": __version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "system": platform.system(),
            "device": manager.device,
            "threads": str(manager.threads),
            **lease.model.environment(),
        },
        rungs=rungs,
    )


def _as_sentence(work: Run, error: Exception) -> StudioError:
    """A person never sees a traceback."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        reason = (error.strerror or str(error)).lower()
        return StorageFailed(
            f"{work.spec.title} could not write its output: {reason}.", "Free some space and run it again."
        )
    return GenerationFailed(
        f"{work.spec.title} stopped with an error ({type(error).__name__}).", "Run it again; details are in the log."
    )
