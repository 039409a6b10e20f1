"""Two programs on one data folder: the command line uses the studio that runs, a second studio is refused, and one
command waits for another."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

import genai_studio.remote
from genai_studio.cli import main
from genai_studio.domain.events import Finished, Token
from genai_studio.domain.job import JobState
from genai_studio.engine.lock import FolderLock, Owner
from genai_studio.errors import Busy, InvalidInput, NotFound, StudioError
from genai_studio.remote import RemoteStudio, connect, running
from genai_studio.serve.command_line import command_line_routes
from genai_studio.serve.server import _explain
from genai_studio.studio import Studio

TOKEN = "token-of-this-test"


@pytest.fixture
def served(studio: Studio) -> Iterator[Studio]:
    """The studio with the command line's routes on a real socket, as a page would have it."""
    app = FastAPI()
    app.add_exception_handler(StudioError, _explain)
    app.include_router(command_line_routes(studio, TOKEN))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    studio.set_address(f"http://127.0.0.1:{listener.getsockname()[1]}", TOKEN)
    while not server.started:
        time.sleep(0.01)
    yield studio
    server.should_exit = True
    thread.join()


@pytest.fixture
def remote(served: Studio) -> Iterator[RemoteStudio]:
    found = running(served.settings)
    assert found is not None
    yield found
    found.close()


def test_generate_uses_the_studio_that_runs(served, capsys):
    words = ["generate", "text", "sea", "--seed", "7", "--json", "--demo", "--home", str(served.settings.home)]
    with pytest.raises(SystemExit) as left:
        main(words)
    assert not left.value.code
    [record] = json.loads(capsys.readouterr().out)
    assert served.gallery.get(record["id"]).sha256 == record["sha256"]
    assert Path(record["path"]) == served.gallery.open(record["id"])
    assert served.jobs()[0].outputs == [record["id"]]


def test_the_rest_of_the_command_line_uses_it_too(served, capsys, tmp_path):
    [record] = served.generate("demo-image", "a lighthouse", seed=1)
    for words in (["gallery", "list"], ["gallery", "search", "lighthouse"], ["gallery", "show", record.id]):
        with pytest.raises(SystemExit):
            main([*words, "--home", str(served.settings.home)])
        assert record.id in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["gallery", "export", record.id, "--out", str(tmp_path / "out"), "--home", str(served.settings.home)])
    assert Path(capsys.readouterr().out.split()[0]).read_bytes() == served.gallery.open(record.id).read_bytes()


def test_events_arrive_as_they_happen_and_errors_as_themselves(remote):
    job = remote.submit(remote.request("demo-text", {"prompt": "sea", "seed": 1}))
    events = list(remote.watch(job.id))
    assert isinstance(events[-1], Finished)
    assert "".join(event.text for event in events if isinstance(event, Token))
    with pytest.raises(NotFound):
        list(remote.watch("nothing"))
    with pytest.raises(NotFound):
        remote.gallery.get("nothing")
    with pytest.raises(InvalidInput, match="Steps is 500"):
        remote.request("demo-image", {"prompt": "sea", "num_inference_steps": 500})


def test_a_job_is_cancelled_from_outside(served, remote):
    job = remote.submit(remote.request("demo-image", {"prompt": "sea", "step_seconds": 10.0}))
    for event in remote.watch(job.id):
        if event.kind == "progress":
            remote.cancel(job.id)
    assert served.job(job.id).state is JobState.CANCELLED
    assert [row.id for row in remote.jobs(states=[JobState.CANCELLED])] == [job.id]


def test_a_second_studio_is_refused_with_the_address_of_the_first(served):
    with pytest.raises(Busy, match=r"in use by the studio at http://127\.0\.0\.1:\d+"):
        Studio(served.settings).start()


def test_a_studio_that_does_not_know_the_token_is_not_used(served):
    served._lock.write(Owner(1, running_address(served), "another token"))
    assert running(served.settings) is None


def running_address(studio: Studio) -> str:
    note = json.loads((studio.settings.home / "studio.json").read_text())
    return str(note["address"])


def test_a_studio_that_went_away_is_one_sentence(settings):
    remote = RemoteStudio(settings, "http://127.0.0.1:9", TOKEN)
    assert not remote.answers()
    with pytest.raises(StudioError, match="stopped answering"):
        remote.jobs()
    remote.close()


def test_a_command_waits_for_another_one(settings, monkeypatch):
    other = FolderLock(settings.home)
    other.acquire()
    waited = []

    def waiting() -> None:
        waited.append(True)
        threading.Timer(0.2, other.release).start()

    with connect(settings, work=False, waiting=waiting) as studio:
        assert isinstance(studio, Studio)
        assert studio.jobs() == []
    assert waited == [True]


def test_it_does_not_wait_for_ever(settings, monkeypatch):
    monkeypatch.setattr(genai_studio.remote, "PATIENCE", 0.0)
    other = FolderLock(settings.home)
    other.acquire()
    with pytest.raises(Busy, match="Another command"), connect(settings):
        pass
    other.release()
