"""What a page shows of a job and of a record, as plain JSON for the elements. No gradio, no input or output: events
and rows go in, dictionaries come out. Text stays text; the elements set it as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genai_studio.domain.events import (
    CancelledEvent,
    Event,
    Failed,
    Finished,
    InterruptedEvent,
    Loading,
    Notes,
    Output,
    Preview,
    Progress,
    Queued,
    Token,
)
from genai_studio.domain.job import Job, JobState
from genai_studio.ui.i18n import ENGLISH, say

if TYPE_CHECKING:
    from genai_studio.gallery.records import Record

PHASES = {
    "reading": "Reading the prompt",
    "drawing": "Drawing: step {step} of {total}",
    "decoding": "Decoding the picture",
    "composing": "Composing: {step} of {total}",
    "writing": "Writing bar {step} of {total}",
    "rendering": "Playing the instruments",
    "enlarging": "Enlarging: tile {step} of {total}",
    "saving": "Saving",
}
"""A family's short word to the sentence of the status line; an unknown word is shown as it is."""


@dataclass
class JobView:
    """One job as far as its events tell. `apply` is the only way it changes."""

    job: str
    modality: str
    model: str
    prompt: str
    count: int
    seed: int
    state: str = "queued"
    line: str = "Waiting to start"
    """Status sentence in English, a key of the translations; `facts` fill it."""
    facts: dict[str, object] = field(default_factory=dict)
    hint: str = ""
    """What to do about a failure."""
    fraction: float | None = None
    """0 to 1 of the whole job; None while it cannot be known."""
    previews: dict[int, str] = field(default_factory=dict)
    records: dict[int, str] = field(default_factory=dict)
    """Output index to record id."""
    texts: dict[int, str] = field(default_factory=dict)
    notes: dict[int, list[list[float]]] = field(default_factory=dict)
    """Output index to notes as [part, pitch, start, duration, velocity]."""
    parts: list[str] = field(default_factory=list)
    total_quarters: float = 0.0
    seq: int = 0

    @classmethod
    def of(cls, job: Job, model_title: str = "") -> JobView:
        """The view of a job that has said nothing: what the ledger knows."""
        request = job.request
        title = model_title or request.model
        view = cls(job.id, request.modality.value, title, request.prompt, request.count, request.seed)
        view.records = dict(enumerate(job.outputs))
        if job.state is JobState.RUNNING:
            view.state, view.line = "running", "Starting"
        elif job.state.ended:
            view.state = job.state.value
            view.line, view.facts = _ending(job)
            view.fraction = 1.0 if job.state is JobState.FINISHED else None
        return view

    @property
    def live(self) -> bool:
        return self.state in {"queued", "loading", "running"}

    def status(self, language: str = ENGLISH) -> str:
        """The status line in `language`. A sentence that came from elsewhere translates by its own text."""
        facts = {name: say(value, language) if isinstance(value, str) else value for name, value in self.facts.items()}
        return f"{say(self.line, language, **facts)} {say(self.hint, language)}".strip()

    def apply(self, event: Event) -> None:
        """Take in one event."""
        self.seq = max(self.seq, event.seq)
        match event:
            case Queued():
                self._say("queued", "Waiting: {ahead} before this one" if event.ahead else "Waiting to start", event)
            case Loading():
                self._say("loading", event.message or "Loading {model}", event)
                self.facts = {"model": self.model}
                self.fraction = event.fraction
            case Progress():
                unknown = event.phase or "Step {step} of {total}"
                self._say("running", PHASES.get(event.phase, unknown), event)
                self.fraction = self._share(event)
            case Preview():
                self.previews[event.index] = f"/preview/{event.path}"
            case Token():
                self.state, self.line, self.facts = "running", "Writing", {}
                self.texts[event.index] = self.texts.get(event.index, "") + event.text
            case Notes():
                self._take_notes(event)
            case Output():
                self.records[event.index] = event.record
            case Finished():
                self._say("finished", "Done in {seconds} s", event)
                self.facts, self.fraction = {"seconds": f"{event.seconds:.1f}"}, 1.0
            case Failed():
                self._say("failed", event.message, event)
                self.hint, self.fraction = event.hint, None
            case CancelledEvent():
                self._say("cancelled", "Stopped", event)
                self.fraction = None
            case InterruptedEvent():
                self._say("interrupted", INTERRUPTED, event)
                self.fraction = None

    def _say(self, state: str, line: str, event: Event) -> None:
        self.state, self.line = state, line
        self.facts = {
            name: value for name, value in event.model_dump().items() if name in {"ahead", "step", "total", "seconds"}
        }

    def _share(self, event: Progress) -> float:
        """Of the whole job. Outputs made one after the other each count for their part; a batch made at once
        shows previews of several while its progress stays at index 0."""
        done = event.step / event.total if event.total else 0.0
        together = event.index == 0 and len(self.previews) > 1
        share = done if together or self.count <= 1 else (event.index + done) / self.count
        return min(max(share, 0.0), 1.0)

    def _take_notes(self, event: Notes) -> None:
        notes = [[n.part, n.pitch, n.start, n.duration, n.velocity] for n in event.notes]
        earlier = [] if event.replace else self.notes.get(event.index, [])
        self.notes[event.index] = [*earlier, *notes]
        self.parts = list(event.parts) or self.parts
        self.total_quarters = event.total_quarters or self.total_quarters


INTERRUPTED = "The studio stopped while this ran. Press Retry to run it again."


def _ending(job: Job) -> tuple[str, dict[str, object]]:
    if job.state is JobState.FINISHED:
        seconds = (job.ended or 0.0) - (job.started or job.created)
        return "Done in {seconds} s", {"seconds": f"{max(seconds, 0.0):.1f}"}
    if job.state is JobState.FAILED:
        return job.error or "This did not work.", {}
    return (INTERRUPTED if job.state is JobState.INTERRUPTED else "Stopped"), {}


def record_card(record: Record, language: str = ENGLISH) -> dict[str, Any]:
    """A record for an element: the gallery's card, its whole prompt, and how it compares to what it repeats."""
    comparison = record.comparison
    return {
        **record.card(),
        "prompt": record.prompt,
        "comparison": say(comparison.sentence(), language) if comparison else "",
        "verdict": comparison.verdict if comparison else "",
    }
