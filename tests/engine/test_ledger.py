from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from genai_studio.database.connect import Database
from genai_studio.database.schema import JOBS
from genai_studio.domain.job import JobState
from genai_studio.domain.modality import Modality
from genai_studio.domain.request import Request
from genai_studio.engine import ledger as module
from genai_studio.engine.ledger import Ledger, fair_order
from genai_studio.errors import InvalidInput, NotAllowed, NotFound, OutOfMemory, StorageFailed

REQUEST = Request(model="demo-text", modality=Modality.TEXT, params={"prompt": "hi 🦊", "seed": 3, "count": 2})


@pytest.fixture
def database(tmp_path):
    opened = Database.open(f"sqlite:///{tmp_path / 'studio.db'}")
    yield opened
    opened.close()


@pytest.fixture
def ledger(database):
    return Ledger(database)


def test_a_job_keeps_its_request_through_all_its_states(ledger):
    job = ledger.submit(REQUEST, "ann")
    assert (job.state, job.request, job.owner) == (JobState.QUEUED, REQUEST, "ann")
    claimed = ledger.claim("cpu")
    assert (claimed.id, claimed.state, claimed.request) == (job.id, JobState.RUNNING, REQUEST)
    assert claimed.started >= job.created
    assert ledger.finish(job.id)
    ended = ledger.get(job.id)
    assert ended.state is JobState.FINISHED
    assert ended.ended >= ended.started


@pytest.mark.parametrize("end", ["finish", "cancel", "interrupt"])
def test_an_ended_job_stays_as_it_is(ledger, end):
    job = ledger.submit(REQUEST, "ann")
    assert not getattr(ledger, end)(job.id), "a waiting job cannot end that way"
    ledger.claim("cpu")
    assert getattr(ledger, end)(job.id)
    state = ledger.get(job.id).state
    assert not ledger.fail(job.id, OutOfMemory("no"))
    assert not ledger.cancel_queued(job.id)
    assert ledger.get(job.id).state is state


def test_a_failure_is_kept_as_the_error_it_was(ledger):
    job = ledger.submit(REQUEST, "ann")
    ledger.claim("cpu")
    ledger.fail(job.id, StorageFailed("The disk is full.", "Free some space."))
    assert ledger.get(job.id).error == "The disk is full. Free some space."
    failure = ledger.failure(job.id)
    assert isinstance(failure, StorageFailed)
    assert failure.hint == "Free some space."


def test_only_one_worker_gets_a_job(ledger):
    ledger.submit(REQUEST, "ann")
    assert ledger.claim("one") is not None
    assert ledger.claim("two") is None


def test_owners_take_turns_and_each_keeps_their_order(ledger):
    ann = [ledger.submit(REQUEST, "ann").id for _ in range(4)]
    bob = [ledger.submit(REQUEST, "bob").id for _ in range(2)]
    expected = [ann[0], bob[0], ann[1], bob[1], ann[2], ann[3]]
    assert list(ledger.order()) == expected
    assert [ledger.claim("cpu").id for _ in expected] == expected


def test_whoever_was_served_last_waits_also_after_a_restart(database, ledger):
    ledger.submit(REQUEST, "ann")
    ledger.claim("cpu")
    later = [ledger.submit(REQUEST, owner).id for owner in ("ann", "bob")]
    assert list(ledger.order()) == later[::-1]
    assert Ledger(database).claim("cpu").owner == "bob"


def test_fair_order_loses_and_invents_nothing():
    jobs = [(f"{owner}{number}", owner) for number in range(5) for owner in "abc" if (number, owner) != (2, "b")]
    order = fair_order(jobs, {"a": 3.0, "c": 1.0})
    assert sorted(order) == sorted(job for job, _ in jobs)
    assert list(order[:3]) == ["b0", "c0", "a0"]
    for owner in "abc":
        mine = [job for job in order if job[0] == owner]
        assert mine == sorted(mine)


def test_pause_outlives_the_process(database, ledger):
    job = ledger.submit(REQUEST, "ann")
    ledger.pause()
    assert ledger.claim("cpu") is None
    again = Ledger(database)
    assert again.paused
    assert again.claim("cpu") is None
    again.resume()
    assert not Ledger(database).paused
    assert again.claim("cpu").id == job.id


def test_move_reorders_one_owner_and_leaves_the_others_alone(ledger):
    a, b, c = (ledger.submit(REQUEST, "ann").id for _ in range(3))
    other = ledger.submit(REQUEST, "bob").position

    def mine():
        return [job for job in ledger.order() if ledger.get(job).owner == "ann"]

    ledger.move(c, before=a)
    assert mine() == [c, a, b]
    ledger.move(c, before=None)
    assert mine() == [a, b, c]
    ledger.move(a, before=a)
    assert mine() == [a, b, c]
    for _ in range(12):
        ledger.move(mine()[-1], before=mine()[0])
    assert sorted(mine()) == sorted([a, b, c])
    assert ledger.list(owner="bob")[0].position == other


def test_only_what_waits_can_be_moved(ledger):
    a, b = (ledger.submit(REQUEST, "ann").id for _ in range(2))
    theirs = ledger.submit(REQUEST, "bob").id
    ledger.claim("cpu")
    for job, before in [(a, b), (b, a), (b, theirs), (b, "nothing")]:
        with pytest.raises(InvalidInput):
            ledger.move(job, before)


def test_retry_is_a_new_job_with_the_same_request(ledger):
    job = ledger.submit(REQUEST, "ann", again_of="record-01")
    with pytest.raises(InvalidInput):
        ledger.retry(job.id)
    ledger.cancel_queued(job.id)
    again = ledger.retry(job.id)
    assert again.id != job.id
    assert (again.request, again.owner, again.again_of) == (REQUEST, "ann", "record-01")
    assert (again.attempt, again.retry_of) == (2, job.id)


def test_an_owner_cannot_flood_the_queue(ledger, monkeypatch):
    monkeypatch.setattr(module, "MAX_QUEUED", 3)
    for _ in range(3):
        ledger.submit(REQUEST, "ann")
    with pytest.raises(InvalidInput, match="3 jobs are waiting"):
        ledger.submit(REQUEST, "ann")
    ledger.submit(REQUEST, "bob")
    ledger.claim("cpu")
    ledger.submit(REQUEST, "ann")


def test_owners_see_their_own(ledger):
    job = ledger.submit(REQUEST, "ann")
    with pytest.raises(NotAllowed):
        ledger.get(job.id, "bob")
    with pytest.raises(NotAllowed):
        ledger.move(job.id, None, "bob")
    with pytest.raises(NotFound):
        ledger.get("nothing")
    assert ledger.list(owner="bob") == []


def test_list_is_newest_first_and_filtered(ledger):
    ids = [ledger.submit(REQUEST, "ann").id for _ in range(3)]
    ledger.claim("cpu")
    assert [job.id for job in ledger.list()] == ids[::-1]
    assert [job.id for job in ledger.list(states=[JobState.RUNNING])] == ids[:1]
    assert len(ledger.list(limit=2)) == 2


def test_what_a_crash_left_running_is_interrupted_and_the_queue_is_intact(database, ledger):
    running = ledger.submit(REQUEST, "ann")
    waiting = [ledger.submit(REQUEST, "ann").id for _ in range(2)]
    ledger.claim("cpu")
    again = Ledger(database)
    found = again.recover()
    assert (found.interrupted, found.finished) == ([running.id], [])
    assert again.get(running.id).state is JobState.INTERRUPTED
    assert list(again.order()) == waiting
    assert again.recover().interrupted == []


def test_thousands_of_jobs_are_listed(database, ledger):
    rows = [{**ledger.submit(REQUEST, "ann").model_dump(mode="json", exclude={"outputs"}), "state": "finished"}]
    rows = [{**rows[0], "id": f"{number:020x}"} for number in range(1_100)]
    with database.write() as connection:
        connection.execute(insert(JOBS), rows)
    assert len(ledger.list(limit=None)) == 1_101
    assert len(ledger.list(limit=5)) == 5


def test_durations_are_of_finished_jobs_of_that_model(database, ledger):
    for length, end in [(2.0, ledger.finish), (4.0, ledger.finish), (99.0, ledger.cancel)]:
        job = ledger.submit(REQUEST, "ann")
        ledger.claim("cpu")
        end(job.id)
        with database.write() as connection:
            connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(started=10.0, ended=10.0 + length))
    assert sorted(ledger.durations("demo-text")) == [2.0, 4.0]
    assert list(ledger.durations("demo-image")) == []
