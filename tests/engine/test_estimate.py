from __future__ import annotations

import time

import pytest

from genai_studio.domain.events import Progress
from genai_studio.engine.estimate import Estimator


@pytest.fixture
def clock(monkeypatch):
    """Time that stands still until it is set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def estimator():
    return Estimator({"known": [2.0, 9.0, 4.0], "new": []}.__getitem__)


def step(estimator, number, total, index=0):
    estimator.saw(Progress(job="j", step=number, total=total, index=index))


def test_from_the_measured_steps_not_counting_the_loading(estimator, clock):
    estimator.begin("j", "new", 1)
    assert estimator.seconds_left("j", "new") is None
    clock[0] += 60
    step(estimator, 1, 10)
    clock[0] += 4
    step(estimator, 3, 10)
    assert estimator.seconds_left("j", "new") == pytest.approx(2.0 * 7)


def test_outputs_that_come_one_by_one_all_count(estimator, clock):
    estimator.begin("j", "new", 3)
    step(estimator, 0, 10)
    clock[0] += 15
    step(estimator, 5, 10, index=1)
    assert estimator.seconds_left("j", "new") == pytest.approx(1.0 * 15)


def test_from_earlier_jobs_until_there_are_steps(estimator, clock):
    assert estimator.usual("known") == 4.0
    assert estimator.usual("new") is None
    estimator.begin("j", "known", 1)
    clock[0] += 1.5
    assert estimator.seconds_left("j", "known") == pytest.approx(2.5)
    clock[0] += 60
    assert estimator.seconds_left("j", "known") == 0.0


def test_a_model_that_ends_before_its_last_step_is_judged_by_its_habit(estimator, clock):
    for _ in range(2):
        estimator.begin("j", "known", 1)
        step(estimator, 1, 1000)
        clock[0] += 1
        step(estimator, 11, 1000)
        left = estimator.seconds_left("j", "known")
        estimator.end("j", finished=True)
    assert left == pytest.approx(3.0)


def test_what_is_not_running_has_no_time_left(estimator, clock):
    step(estimator, 1, 2)
    estimator.end("j", finished=False)
    assert estimator.seconds_left("j", "known") is None
