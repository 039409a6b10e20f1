"""Connection: the studio that a command works with, and the line that is said while it has to wait for one."""

from __future__ import annotations

from contextlib import AbstractContextManager

from genai_studio.cli.options import say
from genai_studio.remote import AnyStudio, connect
from genai_studio.settings import Settings


def open_studio(settings: Settings, *, work: bool = True) -> AbstractContextManager[AnyStudio]:
    """See `remote.connect`."""

    def waiting() -> None:
        say("Another command is using this data folder; waiting for it.")

    return connect(settings, work=work, waiting=waiting)
