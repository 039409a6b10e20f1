"""Jobs for the tests of the studio: slow ones, and waiting for what they come to."""

from __future__ import annotations

import time


def slow(studio, model="demo-text", seconds=0.05, **values):
    values = {"prompt": "a sea", "seed": 3, "step_seconds": seconds, **values}
    return studio.request(model, values)


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not happen")


def finish(studio, job):
    return list(studio.watch(job.id))[-1]
