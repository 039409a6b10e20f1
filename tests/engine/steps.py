"""Steps that the engine's tests share: a request, a run without a queue, and waiting for another thread or process."""

from __future__ import annotations

import time

from genai_studio.domain.request import Request
from genai_studio.engine.messages import Drafted, Run, Said
from genai_studio.engine.runner import run
from genai_studio.models.base import params_of


def request_for(spec, prompt="a cup", **values):
    return Request.make(spec.id, spec.modality, params_of(spec, {"prompt": prompt, "seed": 1, **values}))


def run_here(spec, manager, folder, prompt="a cup", stopped=lambda: False, **values):
    """Run one request in this thread; how it ended, the drafts and the events."""
    said = []
    folder.mkdir(exist_ok=True)
    work = Run(job="job", spec=spec, request=request_for(spec, prompt, **values), staging=folder)
    ended = run(work, manager, said.append, stopped)
    drafts = [message for message in said if isinstance(message, Drafted)]
    return ended, drafts, [message.event for message in said if isinstance(message, Said)]


def until(condition, seconds=20.0):
    """Wait for something that happens elsewhere; fails the test when it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError("it did not happen")
