"""Feed: fan-out of live events to any number of watchers, each at its own pace. It keeps what a late watcher must
see and no more, so a slow page costs no memory."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from typing import TypeVar

from genai_studio.domain.events import (
    ENDINGS,
    Event,
    Loading,
    Notes,
    Output,
    Preview,
    Progress,
    Queued,
    Token,
)

ENDED_KEPT = 32
"""Jobs that have ended and can still be replayed from memory; older ones are told from the ledger."""

_Event = TypeVar("_Event", bound=Event)


class Feed:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: dict[str, _Channel] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._closed = False

    def publish(self, event: Event) -> None:
        """Number `event` and wake the job's watchers. What comes after the ending event is dropped."""
        channel = self._channel(event.job)
        with channel.changed:
            if not channel.add(event):
                return
            channel.changed.notify_all()
        if isinstance(event, ENDINGS):
            with self._lock:
                self._ended[event.job] = None
                while len(self._ended) > ENDED_KEPT:
                    self._channels.pop(self._ended.popitem(last=False)[0], None)

    def open(self, job_id: str) -> None:
        """Be ready for watchers of a job that has said nothing yet."""
        self._channel(job_id)

    def known(self, job_id: str) -> bool:
        with self._lock:
            return job_id in self._channels

    def forget(self, job_id: str) -> None:
        """Drop a job's history; who watches it still sees its end."""
        with self._lock:
            self._channels.pop(job_id, None)
            self._ended.pop(job_id, None)

    def watch(self, job_id: str, after: int = 0, timeout: float | None = None) -> Iterator[Event]:
        """What happened after event number `after`, then what happens, until an ending event.

        A watcher that is behind gets the tokens it missed as one, the newest progress and the newest preview.
        Ends early when the feed is closed, when the job is unknown, or after `timeout` seconds of silence.
        """
        with self._lock:
            channel = self._channels.get(job_id)
        while channel is not None:
            with channel.changed:
                ready = channel.changed.wait_for(partial(self._has_news, channel, after), timeout)
                events = channel.since(after)
                after = max(after, channel.seq)
                over = channel.ended or self._closed or not ready
            yield from events
            if over:
                return

    def snapshot(self, job_id: str, after: int = 0) -> list[Event]:
        """What a page that comes late must replay, in order. Empty for an unknown job."""
        with self._lock:
            channel = self._channels.get(job_id)
        if channel is None:
            return []
        with channel.changed:
            return channel.since(after)

    def close(self) -> None:
        """Let every watcher go."""
        self._closed = True
        with self._lock:
            channels = list(self._channels.values())
        for channel in channels:
            with channel.changed:
                channel.changed.notify_all()

    def _channel(self, job_id: str) -> _Channel:
        with self._lock:
            return self._channels.setdefault(job_id, _Channel())

    def _has_news(self, channel: _Channel, after: int) -> bool:
        return channel.seq > after or channel.ended or self._closed


class _Channel:
    """The history of one job, merged: enough to answer `since(n)` for any n."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.seq = 0
        self.ended = False
        self._begun = False
        self._state: Event | None = None
        """The last Queued or Loading, until there is progress."""
        self._latest: dict[tuple[str, int], Event] = {}
        """The newest Progress and Preview of each output, and the Output itself."""
        self._tokens: dict[int, list[Token]] = {}
        self._notes: dict[int, list[Notes]] = {}
        self._ending: Event | None = None

    def add(self, event: Event) -> bool:
        """False for an event that comes too late: after the end, or a place in the queue after the start."""
        if self.ended or (isinstance(event, Queued) and self._begun):
            return False
        self.seq += 1
        event = event.model_copy(update={"seq": self.seq})
        self._begun = not isinstance(event, Queued)
        match event:
            case Queued() | Loading():
                self._state = event
            case Progress() | Preview() | Output():
                self._latest[event.kind, event.index] = event
            case Token():
                self._tokens.setdefault(event.index, []).append(event)
            case Notes():
                earlier = self._notes.setdefault(event.index, [])
                if event.replace:
                    earlier.clear()
                earlier.append(event)
            case _:
                self.ended, self._ending, self._state = True, event, None
        return True

    def since(self, after: int) -> list[Event]:
        """The events numbered above `after`, merged, in order."""
        if self.seq <= after:
            return []
        found = [event for event in (self._state, *self._latest.values(), self._ending) if event and event.seq > after]
        found += [_merged(new) for tokens in self._tokens.values() if (new := _newer(tokens, after))]
        found += [_joined(piece) for notes in self._notes.values() if (piece := _newer(notes, after))]
        return sorted(found, key=lambda event: event.seq)


def _newer(events: list[_Event], after: int) -> list[_Event]:
    return events[bisect_right(events, after, key=lambda event: event.seq) :]


def _merged(tokens: list[Token]) -> Token:
    return tokens[-1].model_copy(update={"text": "".join(token.text for token in tokens)})


def _joined(piece: list[Notes]) -> Notes:
    """Notes that follow one another, as one event with the number of the last."""
    last = piece[-1]
    parts = next((notes.parts for notes in reversed(piece) if notes.parts), [])
    return last.model_copy(
        update={
            "notes": [note for notes in piece for note in notes.notes],
            "parts": parts,
            "replace": piece[0].replace,
        }
    )
