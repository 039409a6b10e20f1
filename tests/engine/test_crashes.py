"""kill -9 of the page and of the worker at every moment: no row without its file, and the queue intact."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from steps import request_for, until

from genai_studio.domain.job import JobState
from genai_studio.engine.lock import running_owner
from genai_studio.studio import Studio

HERE = Path(__file__).parent
KILLS = 25
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")


def test_the_page_is_killed_at_every_moment(tmp_path):
    command = [sys.executable, str(HERE / "crash_loop.py"), str(tmp_path / "home"), str(KILLS)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("killed ")] == [], done.stderr[-3000:]
    assert (len(lines), done.returncode) == (KILLS, 0), done.stderr[-3000:]
    assert len(set(lines)) == 7, "not every moment was hit"


def test_the_worker_is_killed_again_and_again(process_studio, executor, faulty):
    """Each job fails with its reason while the page goes on, and the one after it runs."""
    for number in range(KILLS):
        job = process_studio.submit(request_for(faulty.spec(), "steps 100000" if number % 2 else "kill"))
        if number % 2:
            until(lambda job=job: any(event.kind == "progress" for event in process_studio.snapshot(job.id)))
            os.kill(executor.pid, signal.SIGKILL)
        ending = list(process_studio.watch(job.id))[-1]
        assert (ending.kind, ending.error) == ("failed", "WorkerDied")
    (record,) = process_studio.generate("faulty", "a cup")
    assert process_studio.gallery.open(record.id).is_file()
    states = [job.state for job in process_studio.jobs(limit=None)]
    assert states == [JobState.FINISHED] + [JobState.FAILED] * KILLS


def test_cancel_while_a_model_loads_replaces_a_worker_that_cannot_hear(process_studio, faulty, monkeypatch, tmp_path):
    loading = tmp_path / "loading"
    executor = process_studio._dispatchers[0]._executor
    executor._environment["LOADING"] = str(loading)
    executor._worker.kill()
    job = process_studio.submit(request_for(faulty.spec("slow-load")))
    until(loading.exists)
    stuck = executor.pid
    process_studio.cancel(job.id)
    assert process_studio.job(job.id).state is JobState.CANCELLED
    assert process_studio.generate("faulty", "a cup")
    assert executor.pid != stuck


def test_after_the_page_was_killed_its_worker_goes_and_the_folder_is_free(tmp_path):
    """The page, with a real worker process, is killed while a job runs and another waits."""
    home = tmp_path / "home"
    code = f"""
from genai_studio import Studio
studio = Studio(home={str(home)!r}, demo=True, threads=1).start()
values = dict(prompt="a sea", seed=1, step_seconds=0.2)
first, second = [studio.submit(studio.request("demo-text", values)).id for _ in range(2)]
for event in studio.watch(first):
    if event.kind == "token":
        print(studio._dispatchers[0]._executor.pid, first, second, flush=True)
"""
    page = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    worker, first, second = page.stdout.readline().split()
    assert running_owner(home).pid == page.pid
    page.kill()
    page.wait()
    page.stdout.close()
    assert running_owner(home) is None
    with Studio(home=home, demo=True, threads=1, inline=True) as studio:
        assert studio.job(first).state is JobState.INTERRUPTED
        assert studio.job(first).outputs == []
        until(lambda: not Path(f"/proc/{worker}/cmdline").exists() or not Path(f"/proc/{worker}/cmdline").read_bytes())
        studio.cancel(second)
        assert studio.job(second).state in {JobState.CANCELLED, JobState.FINISHED}
