"""The worker process, and what happens when it misbehaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from steps import request_for, until

from genai_studio.engine.executor import ProcessExecutor, worker_environment
from genai_studio.engine.messages import Drafted, Run
from genai_studio.errors import WorkerDied
from genai_studio.settings import Settings


@pytest.fixture
def run(executor, faulty, tmp_path):
    """Run one prompt in the worker process; how it ended and what was said."""

    def run(prompt, stopped=lambda: False, spec=None, job="job"):
        said = []
        spec = spec or faulty.spec()
        work = Run(job=job, spec=spec, request=request_for(spec, prompt), staging=tmp_path)
        return executor.run(work, said.append, stopped), said

    return run


def test_jobs_run_in_one_child_process_that_keeps_its_models(run, executor):
    ended, said = run("a cup")
    assert ended.outcome == "done"
    first = executor.pid
    assert first not in (None, os.getpid())
    assert [message.path.is_file() for message in said if isinstance(message, Drafted)] == [True]
    _, again = run("a cup")
    assert executor.pid == first
    assert [message.seconds["load"] for message in again if isinstance(message, Drafted)] == [0.0]


def test_a_worker_that_dies_is_named_and_replaced(run, executor):
    for prompt, sentence in [("kill", "killed from outside"), ("exit", "exit code 3")]:
        with pytest.raises(WorkerDied, match=sentence):
            run(prompt)
        assert run("a cup")[0].outcome == "done"


def test_a_worker_that_died_while_idle_is_not_noticed(run, executor):
    run("a cup")
    os.kill(executor.pid, signal.SIGKILL)
    until(lambda: not executor._worker.alive)
    assert run("a cup")[0].outcome == "done"


def test_a_worker_that_says_nothing_for_too_long_is_replaced(run, executor):
    run("a cup")
    first, executor.silence = executor.pid, 0.5
    with pytest.raises(WorkerDied, match="said nothing"):
        run("hang")
    executor.silence = 60.0
    assert executor.pid != first
    assert run("a cup")[0].outcome == "done"


def test_a_worker_that_closed_its_input_is_noticed_too(settings, faulty, tmp_path):
    """What was sent to it stays in a buffer that can never be flushed."""
    settings.home.mkdir()
    executor = ProcessExecutor(settings, "cpu", command=["sh", "-c", "exec 0<&-; echo closed >&2; sleep 0.3"])
    executor.start()
    until(lambda: (settings.home / "worker.log").read_text() == "closed\n")
    work = Run(job="job", spec=faulty.spec(), request=request_for(faulty.spec()), staging=tmp_path)
    with pytest.raises(WorkerDied, match="exit code 0"):
        executor.run(work, lambda message: None, lambda: False)
    executor.close()


@pytest.mark.parametrize("prompt", ["hang", "deaf"])
def test_a_worker_that_ignores_a_cancel_is_replaced(run, executor, prompt):
    run("a cup")
    first = executor.pid
    assert run(prompt, stopped=iter([False] + [True] * 10_000).__next__)[0].outcome == "cancelled"
    assert executor.pid != first


def test_a_cancel_stops_the_run_and_keeps_the_worker(run, executor):
    run("a cup")
    first, stop = executor.pid, threading.Event()
    threading.Timer(0.1, lambda: (stop.set(), executor.cancel("job"))).start()
    ended, said = run("steps 100000", stopped=stop.is_set)
    assert ended.outcome == "cancelled"
    assert len(said) > 1
    assert executor.pid == first
    assert run("a cup", job="next")[0].outcome == "done"


def test_what_libraries_print_does_not_disturb_the_messages(run, settings):
    assert run("print")[0].outcome == "done"
    assert "{not a message}" in (settings.home / "worker.log").read_text()


def test_the_worker_never_sees_the_page_of_its_parent(settings):
    """Importing what a worker starts with must stay light: no page, no torch, no database."""
    code = "import genai_studio.engine.worker, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(subprocess.check_output([sys.executable, "-c", code], text=True)))
    assert not loaded & {"torch", "gradio", "sqlalchemy", "fastapi", "transformers", "diffusers"}


def test_the_environment_of_a_worker(settings, monkeypatch):
    monkeypatch.setenv("GENAI_STUDIO_PORT", "overridden by a flag")
    monkeypatch.setenv("GENAI_STUDIO_AUTH", "ann:secret")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    environment = worker_environment(settings, "cpu")
    assert environment["OMP_WAIT_POLICY"] == "passive"
    assert environment["OMP_NUM_THREADS"] == str(settings.worker_threads)
    assert environment["DIFFUSERS_DISABLE_REMOTE_CODE"] == "true"
    assert environment["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert "secret" not in str(environment)
    seen = Settings.read(environment)
    assert (seen.home, seen.models, seen.threads, seen.device) == (settings.home, settings.models, 1, "cpu")


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
@pytest.mark.parametrize("prompt", ["steps 100000", "hang"])
def test_a_worker_ends_when_its_parent_was_killed(settings, prompt, tmp_path):
    """The parent, a process of its own, is killed while its worker is busy."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import faulty_worker, faulty
from pathlib import Path
from genai_studio.settings import Settings
from genai_studio.engine.executor import ProcessExecutor
from genai_studio.engine.messages import Run
from steps import request_for
home = Path({str(tmp_path)!r})
executor = ProcessExecutor(Settings.read({{}}, home=home), "cpu", command=[sys.executable, faulty_worker.__file__])
work = Run(job="job", spec=faulty.spec(), request=request_for(faulty.spec(), {prompt!r}), staging=home)
executor.run(work, lambda message: print(executor.pid, flush=True), lambda: False)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not _runs(worker))


def _runs(pid):
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
