"""Progress: what a job says, on the terminal. The line moves only where a person looks at it."""

from __future__ import annotations

import sys

from genai_studio.domain.events import (
    CancelledEvent,
    Event,
    Failed,
    InterruptedEvent,
    Loading,
    Output,
    Progress,
    Queued,
    Token,
)
from genai_studio.errors import BY_NAME, Cancelled, StudioError


class Line:
    """One line on stderr that changes in place; where nobody looks, each new sentence is a line of its own."""

    def __init__(self) -> None:
        self.moving = sys.stderr.isatty()
        self._said = ""

    def show(self, sentence: str, fraction: float | None = None) -> None:
        """`fraction` (0 to 1) is shown on a moving line only."""
        if self.moving and fraction is not None:
            sentence += f" {fraction:.0%}"
        if sentence == self._said:
            return
        self._said = sentence
        start, end = ("\r\033[K", "") if self.moving else ("", "\n")
        print(f"{start}{sentence}", end=end, file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.moving and self._said:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        self._said = ""


class Ticker:
    """Follows one job: progress on stderr; tokens on stdout when `stream` is set. `records` are the ids so far."""

    def __init__(self, stream: bool) -> None:
        self.records: list[str] = []
        self._stream = stream
        self._line = Line()
        self._streamed = -1

    def follow(self, event: Event) -> None:
        """Show one event. Raises what ended the job, unless it finished."""
        match event:
            case Token():
                self._token(event)
            case Output():
                self.records.append(event.record)
            case Failed():
                self.clear()
                raise BY_NAME.get(event.error, StudioError)(event.message, event.hint)
            case CancelledEvent():
                self.clear()
                raise Cancelled("The job was cancelled.")
            case InterruptedEvent():
                self.clear()
                raise StudioError("The studio stopped while the job ran.", "Run it again.")
            case Loading():
                self._line.show(event.message or f"Loading {event.model}", event.fraction)
            case Queued() if event.ahead:
                self._line.show(f"Waiting for {event.ahead} other job{'s' if event.ahead > 1 else ''}")
            case Progress() if self._line.moving and not self._stream:
                self._line.show(f"{event.phase.capitalize() or 'Working'} {event.step}/{event.total}")

    def clear(self) -> None:
        """Take the progress off the terminal."""
        self._line.clear()

    def end(self) -> None:
        """Leave the terminal on a fresh line."""
        self.clear()
        if self._streamed >= 0:
            print(flush=True)

    def _token(self, event: Token) -> None:
        if not self._stream:
            return
        self.clear()
        if self._streamed not in (-1, event.index):
            print("\n", flush=True)
        self._streamed = event.index
        print(event.text, end="", flush=True)
