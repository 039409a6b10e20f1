"""Everything the studio raises on purpose, as a tree:

StudioError                  one sentence for the person, an optional next step
├── InvalidInput             a value outside what its field allows; nothing was queued
├── NotFound                 no such model, job, record or file
├── NotAllowed               the record, job or route belongs to somebody else
├── Busy                     another process owns the data folder
├── ModelUnavailable         its files cannot be had, or are not what they should be
│   └── NoNetwork            the package index or hub does not answer
├── GenerationFailed         the model ran and could not make an output
│   ├── OutOfMemory          no rung of the memory ladder was low enough
│   └── WorkerDied           the worker process ended or stopped answering
├── StorageFailed            the disk is full or not writable; says what was kept
└── Cancelled                not a failure: the person asked for it

A message says what happened; `hint` says what was kept and what to do. Details go to the log, never to the page.
"""

from __future__ import annotations


class StudioError(Exception):
    """Base of the tree. `str(error)` is one sentence a person can read; `hint` is the next step or empty."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def sentence(self) -> str:
        """Message and hint, as shown on the page."""
        return f"{self.message} {self.hint}".strip()


class InvalidInput(StudioError):
    pass


class NotFound(StudioError):
    pass


class NotAllowed(StudioError):
    pass


class Busy(StudioError):
    pass


class ModelUnavailable(StudioError):
    pass


class NoNetwork(ModelUnavailable):
    pass


class GenerationFailed(StudioError):
    pass


class OutOfMemory(GenerationFailed):
    pass


class WorkerDied(GenerationFailed):
    pass


class StorageFailed(StudioError):
    pass


class Cancelled(StudioError):
    def __init__(self, message: str = "Cancelled.", hint: str = "") -> None:
        super().__init__(message, hint)


BY_NAME: dict[str, type[StudioError]] = {
    kind.__name__: kind
    for kind in (
        StudioError,
        InvalidInput,
        NotFound,
        NotAllowed,
        Busy,
        ModelUnavailable,
        NoNetwork,
        GenerationFailed,
        OutOfMemory,
        WorkerDied,
        StorageFailed,
        Cancelled,
    )
}
"""Names to classes, so that an error crosses the pipe from the worker as JSON and comes out as itself."""
