"""Progress: what a job says, on the terminal. The line moves only where a person looks at it."""

from __future__ import annotations

import sys

from genai_studio.domain.events import Event, Failed, Loading, Output, Progress, Queued, Token
from genai_studio.errors import BY_NAME, Cancelled, StudioError


class Ticker:
    """Follows one job: progress on stderr; tokens on stdout when `stream` is set. `records` are the ids so far."""

    def __init__(self, stream: bool) -> None:
        self.records: list[str] = []
        self._stream = stream
        self._moving = sys.stderr.isatty()
        self._said = ""
        self._streamed = -1

    def follow(self, event: Event) -> None:
        """Show one event. Raises what made the job fail."""
        if isinstance(event, Token):
            self._token(event)
        elif isinstance(event, Output):
            self.records.append(event.record)
        elif isinstance(event, Failed):
            self.clear()
            raise BY_NAME.get(event.error, StudioError)(event.message, event.hint)
        elif event.kind == "cancelled":
            self.clear()
            raise Cancelled("The job was cancelled.")
        elif event.kind == "interrupted":
            self.clear()
            raise StudioError("The studio stopped while the job ran.", "Run it again.")
        else:
            self._line(event)

    def clear(self) -> None:
        if self._moving and self._said:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        self._said = ""

    def _line(self, event: Event) -> None:
        if isinstance(event, Loading):
            text = event.message or f"Loading {event.model}"
            text += f" {event.fraction:.0%}" if event.fraction is not None and self._moving else ""
        elif isinstance(event, Queued) and event.ahead:
            text = f"Waiting for {event.ahead} other job{'s' if event.ahead > 1 else ''}"
        elif isinstance(event, Progress) and self._moving and not self._stream:
            text = f"{event.phase or 'Working'} {event.step}/{event.total}".capitalize()
        else:
            return
        if text == self._said:
            return
        self._said = text
        start, end = ("\r\033[K", "") if self._moving else ("", "\n")
        print(f"{start}{text}", end=end, file=sys.stderr, flush=True)

    def _token(self, event: Token) -> None:
        if not self._stream:
            return
        self.clear()
        if self._streamed not in (-1, event.index):
            print("\n", flush=True)
        self._streamed = event.index
        print(event.text, end="", flush=True)

    def end(self) -> None:
        """Leave the terminal on a fresh line."""
        self.clear()
        if self._streamed >= 0:
            print(flush=True)
