"""Job: a request in the ledger, and the states it goes through.

queued -> running -> finished | failed | cancelled | interrupted
queued -> cancelled
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from genai_studio.domain.request import Request


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """The studio stopped while it ran. One click runs it again; it never runs again by itself."""

    @property
    def ended(self) -> bool:
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Job(BaseModel):
    """One row of the ledger, as everybody outside the ledger sees it. Times are seconds since 1970, UTC."""

    model_config = ConfigDict(frozen=True)

    id: str
    owner: str
    request: Request
    state: JobState
    position: float
    created: float
    started: float | None = None
    ended: float | None = None
    error: str = ""
    """One sentence, for failed jobs."""
    attempt: int = 1
    retry_of: str | None = None
    again_of: str | None = None
    """The record that this job was asked to make again."""
    outputs: list[str] = Field(default_factory=list)
    """Ids of the records made so far, in the order of their index."""
