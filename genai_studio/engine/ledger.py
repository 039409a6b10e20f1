"""The ledger: the durable table of jobs, and the only writer of it. What it says is the truth about a job; who
works on one, and how, is not its business."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from genai_studio.database.connect import Database
from genai_studio.database.schema import JOBS, RECORDS, SWITCHES
from genai_studio.domain.job import Job, JobState
from genai_studio.domain.request import Request, new_id
from genai_studio.engine.messages import error_named
from genai_studio.errors import InvalidInput, NotAllowed, NotFound, StudioError

MAX_QUEUED = 200
"""Jobs of one owner that may wait at the same time."""
PAUSED = "paused"
RUNS_REMEMBERED = 9
JOBS_LOOKED_AT = 500
CHUNK = 500
"""Values in one statement; old versions of SQLite allow 999."""


@dataclass(frozen=True)
class Recovered:
    """What the start found: ids of jobs that a crash or a power cut had left running."""

    interrupted: list[str]
    finished: list[str]
    """All their outputs were in the gallery already."""


class Ledger:
    """Thread-safe. Every change is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.read() as connection:
            served = connection.execute(select(JOBS.c.owner, func.max(JOBS.c.started)).group_by(JOBS.c.owner))
            self._served: dict[str, float] = {owner: started or 0.0 for owner, started in served}
            switch = connection.execute(select(SWITCHES.c.value).where(SWITCHES.c.name == PAUSED)).scalar()
        self._paused = bool(switch)

    # What a person does

    def submit(
        self,
        request: Request,
        owner: str,
        *,
        retry_of: str | None = None,
        again_of: str | None = None,
        attempt: int = 1,
    ) -> Job:
        """Append to the queue. Raises InvalidInput when the owner has MAX_QUEUED jobs waiting."""
        with self._database.write() as connection:
            waiting = select(func.count()).where(JOBS.c.state == JobState.QUEUED, JOBS.c.owner == owner)
            if connection.execute(waiting).scalar_one() >= MAX_QUEUED:
                raise InvalidInput(
                    f"{MAX_QUEUED} jobs are waiting, which is the most.", "Let some finish, or remove some first."
                )
            last = connection.execute(select(func.max(JOBS.c.position)).where(JOBS.c.state == JobState.QUEUED)).scalar()
            job = Job(
                id=new_id(),
                owner=owner,
                request=request,
                state=JobState.QUEUED,
                position=(last or 0.0) + 1.0,
                created=time.time(),
                attempt=attempt,
                retry_of=retry_of,
                again_of=again_of,
            )
            connection.execute(insert(JOBS).values(**job.model_dump(mode="json", exclude={"outputs"})))
        return job

    def retry(self, job_id: str, owner: str | None = None) -> Job:
        """A new job with the same request. Raises InvalidInput while the old one has not ended."""
        old = self.get(job_id, owner)
        if not old.state.ended:
            raise InvalidInput("This job has not ended yet.", "Stop it first, or let it finish.")
        return self.submit(old.request, old.owner, retry_of=old.id, again_of=old.again_of, attempt=old.attempt + 1)

    def move(self, job_id: str, before: str | None, owner: str | None = None) -> Job:
        """Put a waiting job before another one of the same owner, or last. Raises InvalidInput when one of them
        does not wait (any more)."""
        job = self.get(job_id, owner)
        with self._database.write() as connection:
            rows = connection.execute(
                select(JOBS.c.id, JOBS.c.position)
                .where(JOBS.c.state == JobState.QUEUED, JOBS.c.owner == job.owner)
                .order_by(JOBS.c.position)
            ).all()
            ids = [row.id for row in rows]
            if job_id not in ids or (before is not None and before not in ids):
                raise InvalidInput("Only a job that still waits can be moved.")
            if before != job_id:
                ids.remove(job_id)
                ids.insert(len(ids) if before is None else ids.index(before), job_id)
            # The same places are dealt out again, so that other owners' jobs keep theirs.
            for moved, row in zip(ids, rows, strict=True):
                if moved != row.id:
                    connection.execute(update(JOBS).where(JOBS.c.id == moved).values(position=row.position))
        return self.get(job_id)

    def pause(self) -> None:
        """Nothing new is claimed until `resume`, also after a restart."""
        self._switch(True)

    def resume(self) -> None:
        self._switch(False)

    @property
    def paused(self) -> bool:
        return self._paused

    def cancel_queued(self, job_id: str) -> bool:
        """Whether the job was waiting, and is cancelled now."""
        return self._end(job_id, JobState.CANCELLED, only=JobState.QUEUED)

    # What a worker's side does

    def claim(self, worker: str) -> Job | None:
        """The next job, now running: of the owner who was served longest ago the first in line. None when nothing
        waits or the queue is paused."""
        if self._paused:
            return None
        with self._database.write() as connection:
            order = self._order(connection)
            if not order:
                return None
            now = time.time()
            values = {"state": JobState.RUNNING, "started": now, "heartbeat": now, "worker": worker}
            connection.execute(update(JOBS).where(JOBS.c.id == order[0]).values(**values))
            row = connection.execute(select(JOBS).where(JOBS.c.id == order[0])).one()
        job = _job(row, [])
        self._served[job.owner] = now
        return job

    def heartbeat(self, job_id: str) -> None:
        """The worker was heard from."""
        with self._database.write() as connection:
            connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(heartbeat=time.time()))

    def finish(self, job_id: str) -> bool:
        return self._end(job_id, JobState.FINISHED)

    def fail(self, job_id: str, error: StudioError) -> bool:
        return self._end(job_id, JobState.FAILED, error=_dump(error))

    def cancel(self, job_id: str) -> bool:
        return self._end(job_id, JobState.CANCELLED)

    def interrupt(self, job_id: str) -> bool:
        return self._end(job_id, JobState.INTERRUPTED)

    def recover(self) -> Recovered:
        """At start, before anything is claimed: what is marked running cannot be, so it was interrupted, or had
        finished all but the mark."""
        found = Recovered([], [])
        for job in self.list(states=[JobState.RUNNING], limit=None):
            complete = len(job.outputs) >= len(wanted_outputs(job))
            (self.finish if complete else self.interrupt)(job.id)
            (found.finished if complete else found.interrupted).append(job.id)
        return found

    # What everybody may ask

    def get(self, job_id: str, owner: str | None = None) -> Job:
        """Raises NotFound, or NotAllowed when `owner` is given and is somebody else."""
        with self._database.read() as connection:
            row = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
            outputs = _outputs(connection, [job_id])
        if row is None:
            raise NotFound("There is no such job.")
        if owner is not None and row.owner != owner:
            raise NotAllowed("This job belongs to somebody else.")
        return _job(row, outputs.get(job_id, []))

    def list(
        self, states: Collection[JobState] | None = None, owner: str | None = None, limit: int | None = 50
    ) -> list[Job]:
        """Newest first."""
        query = select(JOBS).limit(limit)
        if states is not None:
            query = query.where(JOBS.c.state.in_(list(states)))
        # Both orders are by time, and each has its index.
        if owner is None:
            query = query.order_by(JOBS.c.id.desc())
        else:
            query = query.where(JOBS.c.owner == owner).order_by(JOBS.c.created.desc(), JOBS.c.id.desc())
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            outputs = _outputs(connection, [row.id for row in rows])
        return [_job(row, outputs.get(row.id, [])) for row in rows]

    def order(self) -> Sequence[str]:
        """Ids of the waiting jobs in the order in which they will be claimed, were nothing to change."""
        with self._database.read() as connection:
            return self._order(connection)

    def failure(self, job_id: str) -> StudioError | None:
        """Why a job failed, as the error it was."""
        with self._database.read() as connection:
            text = connection.execute(select(JOBS.c.error).where(JOBS.c.id == job_id)).scalar()
        return _load(text) if text else None

    def durations(self, model: str) -> Sequence[float]:
        """Seconds that the last few finished jobs of `model` took, newest first."""
        recent = select(JOBS.c.id).order_by(JOBS.c.id.desc()).limit(JOBS_LOOKED_AT)
        query = (
            select(JOBS.c.ended - JOBS.c.started)
            .where(JOBS.c.id.in_(recent), JOBS.c.state == JobState.FINISHED)
            .where(JOBS.c.request["model"].as_string() == model)
            .order_by(JOBS.c.id.desc())
            .limit(RUNS_REMEMBERED)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def _order(self, connection: Connection) -> Sequence[str]:
        rows = connection.execute(
            select(JOBS.c.id, JOBS.c.owner).where(JOBS.c.state == JobState.QUEUED).order_by(JOBS.c.position)
        )
        return fair_order([(row.id, row.owner) for row in rows], self._served)

    def _end(self, job_id: str, state: JobState, error: str = "", only: JobState = JobState.RUNNING) -> bool:
        """Whether the job was in state `only`; an ended job stays as it is."""
        change = update(JOBS).where(JOBS.c.id == job_id, JOBS.c.state == only)
        with self._database.write() as connection:
            done = connection.execute(change.values(state=state, error=error, ended=time.time()))
        return done.rowcount == 1

    def _switch(self, paused: bool) -> None:
        with self._database.write() as connection:
            done = connection.execute(update(SWITCHES).where(SWITCHES.c.name == PAUSED).values(value=paused))
            if not done.rowcount:
                connection.execute(insert(SWITCHES).values(name=PAUSED, value=paused))
        self._paused = paused


def fair_order(jobs: Iterable[tuple[str, str]], served: Mapping[str, float]) -> Sequence[str]:
    """`jobs` are (id, owner) in line. Owners take turns, the one served longest ago first; each keeps the order of
    their own jobs."""
    lines: dict[str, list[str]] = {}
    for job_id, owner in jobs:
        lines.setdefault(owner, []).append(job_id)
    turns = sorted(lines, key=lambda owner: served.get(owner, 0.0))
    longest = max(map(len, lines.values()), default=0)
    return [lines[owner][turn] for turn in range(longest) for owner in turns if turn < len(lines[owner])]


def wanted_outputs(job: Job) -> set[int]:
    """Indices of the outputs that finish `job`: all of them, or the one that is made again."""
    return {int(job.again_of.rpartition("-")[2])} if job.again_of else set(range(job.request.count))


def _job(row: Row[Any], outputs: Sequence[str]) -> Job:
    values = {name: value for name, value in row._mapping.items() if name in Job.model_fields}
    error = _load(row.error).sentence if row.error else ""
    return Job.model_validate({**values, "error": error, "outputs": list(outputs)})


def _outputs(connection: Connection, jobs: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for start in range(0, len(jobs), CHUNK):
        chosen = RECORDS.c.job.in_(jobs[start : start + CHUNK])
        query = select(RECORDS.c.job, RECORDS.c.id).where(chosen).order_by(RECORDS.c.output_index)
        for job, record in connection.execute(query):
            found.setdefault(job, []).append(record)
    return found


def _dump(error: StudioError) -> str:
    return json.dumps({"error": type(error).__name__, "message": error.message, "hint": error.hint})


def _load(text: str) -> StudioError:
    saved = json.loads(text)
    return error_named(saved["error"], saved["message"], saved["hint"])
