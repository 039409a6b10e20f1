"""History: what a job says to whoever watches, live from the feed, or from the ledger when it ended long ago."""

from __future__ import annotations

from collections.abc import Iterator

from genai_studio.domain.events import CancelledEvent, Event, Failed, Finished, InterruptedEvent, Output
from genai_studio.domain.job import Job, JobState
from genai_studio.engine.feed import Feed
from genai_studio.engine.ledger import Ledger
from genai_studio.errors import StudioError


class History:
    def __init__(self, feed: Feed, ledger: Ledger) -> None:
        self._feed, self._ledger = feed, ledger

    def watch(self, job_id: str, after: int = 0, timeout: float | None = None) -> Iterator[Event]:
        """See Feed.watch. Raises NotFound."""
        return self._feed.watch(job_id, after, timeout) if self._live(job_id) else iter(self._retold(job_id))

    def snapshot(self, job_id: str) -> list[Event]:
        """What a page that comes late must replay, in order. Raises NotFound."""
        return self._feed.snapshot(job_id) if self._live(job_id) else self._retold(job_id)

    def _live(self, job_id: str) -> bool:
        """Whether the feed can tell about the job."""
        if self._feed.known(job_id):
            return True
        if self._ledger.get(job_id).state.ended:
            return False
        self._feed.open(job_id)
        # It may have ended, and been forgotten by the feed, between the two lines above.
        if self._ledger.get(job_id).state.ended and not self._feed.snapshot(job_id):
            self._feed.forget(job_id)
            return False
        return True

    def _retold(self, job_id: str) -> list[Event]:
        return retell(self._ledger.get(job_id), self._ledger.failure(job_id))


def retell(job: Job, failure: StudioError | None) -> list[Event]:
    """What an ended job said, as far as the ledger knows: its outputs and how it ended."""
    events: list[Event] = [
        Output(job=job.id, record=record, index=int(record.rpartition("-")[2])) for record in job.outputs
    ]
    if job.state is JobState.FINISHED:
        events.append(Finished(job=job.id, seconds=round((job.ended or 0.0) - (job.started or 0.0), 3)))
    elif job.state is JobState.CANCELLED:
        events.append(CancelledEvent(job=job.id))
    elif job.state is JobState.INTERRUPTED:
        events.append(InterruptedEvent(job=job.id))
    elif failure is not None:
        name = type(failure).__name__
        events.append(Failed(job=job.id, error=name, message=failure.message, hint=failure.hint))
    return [event.model_copy(update={"seq": number}) for number, event in enumerate(events, start=1)]
