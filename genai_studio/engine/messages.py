"""What the owner and a worker say to each other: one JSON line a message, files as paths."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from genai_studio.domain.events import Event
from genai_studio.domain.modality import MediaKind
from genai_studio.domain.request import Request
from genai_studio.errors import BY_NAME, GenerationFailed, StudioError
from genai_studio.models.base import ModelSpec


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Run(_Message):
    """To the worker: make the outputs of this job. The spec travels along, so a worker needs no catalogue."""

    kind: Literal["run"] = "run"
    job: str
    spec: ModelSpec
    request: Request
    inputs: dict[str, Path] = Field(default_factory=dict)
    """Input name to its file; further files of an input record stand beside it as "name/role"."""
    staging: Path
    """The job's own folder; it exists."""


def input_key(name: str, role: str = "") -> str:
    """Under which `Run.inputs` has the main file of an input, or its further file of that role."""
    return f"{name}/{role}" if role else name


class Cancel(_Message):
    """To the worker: stop this job at the next step, also when it has not been started yet."""

    kind: Literal["cancel"] = "cancel"
    job: str


class Facts(_Message):
    """What the worker adds to the recipe: where the files came from, their hashes, and the environment."""

    source: str
    files: dict[str, str]
    environment: dict[str, str]
    rungs: list[str] = Field(default_factory=list)


class Said(_Message):
    """From the worker: a live event."""

    kind: Literal["said"] = "said"
    event: Event

    @property
    def job(self) -> str:
        return self.event.job


class Drafted(_Message):
    """From the worker: output number `index` lies in the staging folder."""

    kind: Literal["drafted"] = "drafted"
    job: str
    index: int
    media: MediaKind
    path: Path
    companions: dict[str, Path]
    info: dict[str, Any]
    facts: Facts
    seconds: dict[str, float]
    """ "load": of the model, 0 when it was in memory; "generate": since the output before."""


class Ended(_Message):
    """From the worker: the job is over; the last thing it says about it."""

    kind: Literal["ended"] = "ended"
    job: str
    outcome: Literal["done", "cancelled", "failed"]
    error: str = ""
    message: str = ""
    hint: str = ""

    @classmethod
    def failed(cls, job: str, error: StudioError) -> Ended:
        return cls(job=job, outcome="failed", error=type(error).__name__, message=error.message, hint=error.hint)


ToWorker = Annotated[Run | Cancel, Field(discriminator="kind")]
FromWorker = Annotated[Said | Drafted | Ended, Field(discriminator="kind")]
TO_WORKER: TypeAdapter[ToWorker] = TypeAdapter(ToWorker)
FROM_WORKER: TypeAdapter[FromWorker] = TypeAdapter(FromWorker)


def error_named(name: str, message: str, hint: str) -> StudioError:
    """The error that crossed the pipe, or was written in the ledger, as itself."""
    return BY_NAME.get(name, GenerationFailed)(message, hint)
