"""A process that opens the studio in one child after another, each killed at another moment of a job, each checking
first what the one before left behind. test_crashes.py runs it as `crash_loop.py FOLDER KILLS`; a line a kill."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path

from genai_studio.domain.job import JobState
from genai_studio.engine.context import JobContext
from genai_studio.engine.desk import Desk
from genai_studio.engine.ledger import Ledger
from genai_studio.gallery import records
from genai_studio.gallery.store import GalleryStore
from genai_studio.studio import Studio

WAITING = 3
"""Jobs in the queue at each kill: one that runs, and two that must be left as they are."""
MODELS = ("demo-text", "demo-music")
FORMATS = ("symusic", "soundfile", "mutagen.flac", "PIL.Image", "PIL.ImageDraw")
VALUES = ({"max_new_tokens": 8}, {"bars": 8, "tempo_bpm": 240})


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def at_call(owner, name, number):
    """Replace `owner.name` so that its call `number` (1 is the first) is the end of the process."""
    original, calls = getattr(owner, name), [0]

    def replacement(*arguments, **values):
        calls[0] += 1
        if calls[0] == number:
            die()
        return original(*arguments, **values)

    setattr(owner, name, replacement)


POINTS = {
    "just claimed": lambda draw: at_call(Desk, "prepare", 1),
    "mid-step": lambda draw: at_call(JobContext, "progress", draw.randint(1, 8)),
    "before the save": lambda draw: at_call(GalleryStore, "save", draw.randint(1, 2)),
    "mid-save, writing": lambda draw: at_call(os, "fsync", draw.randint(1, 6)),
    "mid-save, renaming": lambda draw: at_call(os, "replace", draw.randint(1, 4)),
    "between file and row": lambda draw: at_call(records, "add", draw.randint(1, 2)),
    "before the end is written": lambda draw: at_call(Ledger, "finish", 1),
}


def check(studio, submitted):
    """What must hold after any crash: `submitted` are the ids of all jobs ever queued, in order."""
    jobs = studio.jobs(limit=None)
    assert sorted(job.id for job in jobs) == sorted(submitted), "a job was lost or invented"
    assert not [job for job in jobs if job.state is JobState.RUNNING], "a job is marked running"
    waiting = [job_id for job_id in submitted if studio.job(job_id).state is JobState.QUEUED]
    assert list(studio.ledger.order()) == waiting, "the order of the queue changed"
    for job in jobs:
        assert job.state in {JobState.QUEUED, JobState.INTERRUPTED, JobState.FINISHED}, job
        if job.state is JobState.FINISHED:
            assert len(job.outputs) == job.request.count, "a finished job lacks an output"
        for record_id in job.outputs:
            record = studio.gallery.get(record_id)
            data = studio.gallery.open(record_id).read_bytes()
            assert hashlib.sha256(data).hexdigest() == record.sha256, "a row without its file"
            for role in record.companions:
                assert studio.gallery.open(record_id, role).stat().st_size
            assert studio.read_recipe(studio.gallery.open(record_id)).request == job.request
    outputs = [path.name for path in studio.settings.outputs.rglob("*") if path.is_file()]
    assert not [name for name in outputs if name.startswith(".")], "a temporary file was left"
    known = {name for job in jobs for name in job.outputs}
    assert {name.partition(".")[0] for name in outputs} == known, "a file without a row"


def life(home, number, submitted_file):
    """One opening of the studio: check, fill the queue, and run until the crash."""
    draw = random.Random(number)
    point = list(POINTS)[number % len(POINTS)]
    submitted = submitted_file.read_text().split()
    with Studio(home=home, demo=True, threads=1, inline=True) as studio:
        assert studio.paused or number == 0
        check(studio, submitted)
        studio.pause()
        while len(studio.ledger.order()) < WAITING:
            values = {"prompt": "a sea", "seed": number, "count": 2, **VALUES[len(submitted) % 2]}
            model = MODELS[len(submitted) % 2]
            submitted.append(studio.submit(studio.request(model, values)).id)
        submitted_file.write_text(" ".join(submitted))
        # The pause is lasting, for the next life; it ends here for this one only.
        POINTS[point](draw)
        studio.ledger._paused = False
        studio._wake()
        threading.Event().wait(30)


def main():
    home, kills = Path(sys.argv[1]), int(sys.argv[2])
    submitted = home / "submitted.txt"
    # What the children would all import for themselves.
    for name in ("genai_studio.models.fake.text", "genai_studio.models.fake.music", "alembic.command", *FORMATS):
        import_module(name)

    home.mkdir()
    submitted.touch()
    for number in range(kills):
        child = os.fork()
        if child == 0:
            try:
                life(home, number, submitted)
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        status = os.waitpid(child, 0)[1]
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write(f"{'killed' if killed else 'FAILED'} {list(POINTS)[number % len(POINTS)]}\n")
        sys.stdout.flush()
    with Studio(home=home, demo=True, threads=1, inline=True) as studio:
        check(studio, submitted.read_text().split())
        studio.resume()
        for job in studio.jobs(states=[JobState.QUEUED], limit=None):
            assert list(studio.watch(job.id))[-1].kind == "finished"
        check(studio, submitted.read_text().split())


if __name__ == "__main__":
    main()
