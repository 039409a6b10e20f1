"""A job's view follows its events, whatever their order and number; a late page sees what an early one saw."""

from __future__ import annotations

import pytest

from genai_studio.domain.events import (
    CancelledEvent,
    Failed,
    Finished,
    InterruptedEvent,
    Loading,
    Note,
    Notes,
    Output,
    Preview,
    Progress,
    Queued,
    Token,
)
from genai_studio.domain.job import Job, JobState
from genai_studio.domain.modality import Modality
from genai_studio.domain.request import Request
from genai_studio.engine.feed import Feed
from genai_studio.ui.views import JobView


def job(state: JobState = JobState.QUEUED, **more: object) -> Job:
    request = Request(model="m", modality=Modality.IMAGE, params={"prompt": "a fox", "seed": 7, "count": 4})
    return Job(id="j", owner="local", request=request, state=state, position=1.0, created=100.0, **more)


NOTE = Note(part=0, pitch=60, start=0.0, duration=1.0)
STORY = [
    Queued(job="j", ahead=2),
    Loading(job="j", model="m", message="Downloading Sticker (93 MB)", fraction=0.25),
    Progress(job="j", step=1, total=4, index=0),
    Preview(job="j", path="j/a.webp", index=0),
    Token(job="j", text="Hello"),
    Token(job="j", text=" sea"),
    Notes(job="j", notes=[NOTE], parts=["Melody"], total_quarters=16.0),
    Notes(job="j", notes=[NOTE]),
    Output(job="j", record="j-00", index=0),
    Progress(job="j", step=2, total=4, index=2),
]


def told(events: list, start: Job | None = None) -> JobView:
    view = JobView.of(start or job(), "Model")
    for event in events:
        view.apply(event)
    return view


def test_a_late_page_sees_what_an_early_one_saw() -> None:
    feed = Feed()
    early = JobView.of(job(), "Model")
    for event in STORY:
        feed.publish(event)
        for news in feed.snapshot("j", early.seq):
            early.apply(news)
    late = told(feed.snapshot("j"))
    assert (late.texts, late.notes, late.records, late.previews) == (
        early.texts,
        early.notes,
        early.records,
        early.previews,
    )
    assert late.fraction == early.fraction
    assert late.texts == {0: "Hello sea"}
    assert len(late.notes[0]) == 2
    assert late.previews == {0: "/preview/j/a.webp"}
    assert late.live


def test_the_fraction_is_of_the_whole_job_and_stays_between_0_and_1() -> None:
    view = told([])
    seen = []
    for index in range(4):
        for step in range(1, 5):
            view.apply(Progress(job="j", step=step, total=4, index=index))
            seen.append(view.fraction)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert seen[0] == pytest.approx(1 / 16)
    view.apply(Progress(job="j", step=9, total=0, index=0))
    assert view.fraction == 0.0


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (Finished(job="j", seconds=1.25), "finished"),
        (Failed(job="j", error="OutOfMemory", message="It ran out.", hint="Ask for less."), "failed"),
        (CancelledEvent(job="j"), "cancelled"),
        (InterruptedEvent(job="j"), "interrupted"),
    ],
)
def test_an_ending_ends_it(event, state: str) -> None:
    view = told([*STORY, event])
    assert view.state == state
    assert not view.live
    assert view.records == {0: "j-00"}


def test_the_status_reads_as_a_sentence_in_both_languages() -> None:
    assert told(STORY[:1]).status() == "Waiting: 2 before this one"
    assert told(STORY[:2]).status("zh-CN") == "正在下载 Sticker（93 MB）"
    assert told(STORY[:3]).status() == "Step 1 of 4"
    failed = told([Failed(job="j", error="X", message="It ran out.", hint="Run it again.")])
    assert failed.status() == "It ran out. Run it again."
    assert failed.status("zh-CN") == "It ran out. 请再次运行。"


def test_braces_in_a_message_are_no_blanks_to_fill() -> None:
    view = told([Failed(job="j", error="X", message="Prompt is {step}.", hint="")])
    assert view.status() == "Prompt is {step}."


@pytest.mark.parametrize("state", list(JobState))
def test_the_ledger_alone_tells_enough(state: JobState) -> None:
    view = JobView.of(job(state, outputs=["j-00", "j-01"], started=101.0, ended=103.5, error="It broke."))
    assert view.records == {0: "j-00", 1: "j-01"}
    assert view.live is not state.ended
    assert view.status()
    if state is JobState.FINISHED:
        assert view.status() == "Done in 2.5 s"
