from __future__ import annotations

import threading

import pytest

from genai_studio.domain.events import (
    CancelledEvent,
    Finished,
    Loading,
    Note,
    Notes,
    Output,
    Preview,
    Progress,
    Queued,
    Token,
)
from genai_studio.engine import feed as module
from genai_studio.engine.feed import Feed


def note(pitch):
    return Note(part=0, pitch=pitch, start=0.0, duration=1.0)


STORY = [
    Queued(job="j", ahead=1),
    Loading(job="j", model="m", message="Loading"),
    Progress(job="j", step=1, total=2),
    Token(job="j", text="The "),
    Token(job="j", text="fox ", index=1),
    Token(job="j", text="sea"),
    Preview(job="j", path="j/0.webp"),
    Notes(job="j", notes=[note(60)], parts=["Lead"], total_quarters=8),
    Preview(job="j", path="j/1.webp"),
    Notes(job="j", notes=[note(62)], total_quarters=8),
    Progress(job="j", step=2, total=2),
    Token(job="j", text="."),
    Output(job="j", record="j-00"),
    Output(job="j", record="j-01", index=1),
    Finished(job="j"),
]


def told(feed, after=0):
    return list(feed.watch("j", after, timeout=0))


def text(events, index=0):
    return "".join(event.text for event in events if isinstance(event, Token) and event.index == index)


@pytest.mark.parametrize("seen", range(len(STORY) + 1))
def test_a_watcher_that_goes_on_where_it_left_off_misses_and_repeats_nothing(seen):
    """For every moment: what was seen before it and what is told after it make the whole."""
    feed = Feed()
    for event in STORY[:seen]:
        feed.publish(event)
    before = told(feed)
    for event in STORY[seen:]:
        feed.publish(event)
    after = told(feed, before[-1].seq if before else 0)
    both = before + after
    assert text(both) == "The sea."
    assert text(both, 1) == "fox "
    assert [note.pitch for event in both if isinstance(event, Notes) for note in event.notes] == [60, 62]
    assert [event.record for event in both if isinstance(event, Output)] == ["j-00", "j-01"]
    assert both[-1] == STORY[-1].model_copy(update={"seq": len(STORY)})
    numbers = [event.seq for event in both]
    assert numbers == sorted(set(numbers))


def test_a_late_watcher_gets_the_newest_of_what_replaces_itself():
    feed = Feed()
    for event in STORY:
        feed.publish(event)
    kinds = [event.kind for event in told(feed)]
    assert kinds.count("progress") == kinds.count("preview") == kinds.count("notes") == 1
    assert "queued" not in kinds
    assert [event.path for event in told(feed) if isinstance(event, Preview)] == ["j/1.webp"]
    assert feed.snapshot("j") == told(feed)


def test_notes_that_replace_the_piece_are_told_alone():
    feed = Feed()
    feed.publish(Notes(job="j", notes=[note(60)]))
    feed.publish(Notes(job="j", notes=[note(70)], replace=True))
    feed.publish(Notes(job="j", notes=[note(71)]))
    (event,) = feed.snapshot("j")
    assert [note.pitch for note in event.notes] == [70, 71]
    assert event.replace


def test_every_live_watcher_gets_all_of_it():
    feed, got = Feed(), [[] for _ in range(5)]
    feed.open("j")
    threads = [threading.Thread(target=lambda mine=mine: mine.extend(feed.watch("j"))) for mine in got]
    for thread in threads:
        thread.start()
    for event in STORY:
        feed.publish(event)
    for thread in threads:
        thread.join(10)
    for events in got:
        assert text(events) == "The sea."
        assert isinstance(events[-1], Finished)


def test_nothing_follows_the_end():
    feed = Feed()
    feed.publish(CancelledEvent(job="j"))
    feed.publish(Token(job="j", text="late"))
    assert [event.kind for event in told(feed)] == ["cancelled"]


def test_a_place_in_the_queue_does_not_come_after_the_start():
    feed = Feed()
    feed.publish(Loading(job="j", model="m"))
    feed.publish(Queued(job="j", ahead=3))
    assert [event.kind for event in feed.snapshot("j")] == ["loading"]


def test_ended_jobs_are_forgotten_and_live_ones_never(monkeypatch):
    monkeypatch.setattr(module, "ENDED_KEPT", 3)
    feed = Feed()
    feed.publish(Token(job="live", text="x"))
    for number in range(10):
        feed.publish(Token(job=f"{number}", text="x"))
        feed.publish(Finished(job=f"{number}"))
    assert [job for job in ["live", *map(str, range(10))] if feed.known(job)] == ["live", "7", "8", "9"]
    feed.forget("9")
    assert not feed.known("9")


def test_closing_lets_watchers_go():
    feed, events = Feed(), []
    feed.publish(Token(job="j", text="x"))
    thread = threading.Thread(target=lambda: events.extend(feed.watch("j")))
    thread.start()
    feed.close()
    thread.join(10)
    assert not thread.is_alive()
    assert text(events) == "x"


def test_an_unknown_job_says_nothing():
    assert list(Feed().watch("j")) == []
    assert Feed().snapshot("j") == []
