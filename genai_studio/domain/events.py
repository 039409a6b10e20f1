"""Events: what a running job says. Small JSON; a picture or a file travels as a path in the job's staging folder."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str
    seq: int = 0
    """Grows by one for each event of a job; given by the feed, so that a watcher can go on where it left off."""


class Queued(_Event):
    kind: Literal["queued"] = "queued"
    ahead: int = 0
    """Jobs that run before this one."""


class Loading(_Event):
    kind: Literal["loading"] = "loading"
    model: str
    message: str = ""
    fraction: float | None = None
    """0 to 1 while files download; None while it cannot be known."""


class Progress(_Event):
    kind: Literal["progress"] = "progress"
    step: int
    total: int
    phase: str = ""
    """A short word when a job has several phases: "decoding", "rendering", "saving"."""
    index: int = 0


class Preview(_Event):
    kind: Literal["preview"] = "preview"
    path: str
    index: int = 0


class Token(_Event):
    kind: Literal["token"] = "token"
    text: str
    index: int = 0


class Note(BaseModel):
    """One note for the piano roll. Times in quarter notes from the start; MIDI pitch and velocity."""

    model_config = ConfigDict(frozen=True)

    part: int
    pitch: int
    start: float
    duration: float
    velocity: int = 80


class Notes(_Event):
    """Notes that were just written; `total_quarters` is the length the piece will have."""

    kind: Literal["notes"] = "notes"
    notes: list[Note]
    parts: list[str] = Field(default_factory=list)
    total_quarters: float = 0.0
    replace: bool = False
    """True when these notes are the whole piece and take the place of those before."""
    index: int = 0


class Output(_Event):
    """A file is in the gallery."""

    kind: Literal["output"] = "output"
    record: str
    index: int = 0


class Finished(_Event):
    kind: Literal["finished"] = "finished"
    seconds: float = 0.0


class Failed(_Event):
    kind: Literal["failed"] = "failed"
    error: str
    """Class name in errors.BY_NAME."""
    message: str
    hint: str = ""


class CancelledEvent(_Event):
    kind: Literal["cancelled"] = "cancelled"


class InterruptedEvent(_Event):
    kind: Literal["interrupted"] = "interrupted"


Event = Annotated[
    Queued
    | Loading
    | Progress
    | Preview
    | Token
    | Notes
    | Output
    | Finished
    | Failed
    | CancelledEvent
    | InterruptedEvent,
    Field(discriminator="kind"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""`EVENT.validate_json(line)` and `event.model_dump_json()` are the wire format of pipe, feed and HTTP."""

ENDINGS = (Finished, Failed, CancelledEvent, InterruptedEvent)
