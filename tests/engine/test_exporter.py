"""Exports on demand, through the studio, the page's route and the command line, over the demo's music."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio
import pytest
from starlette.testclient import TestClient

from genai_studio.cli import main
from genai_studio.engine import exporter
from genai_studio.engine.exporter import Exporter
from genai_studio.errors import InvalidInput, NotAllowed, NotFound, StorageFailed, StudioError
from genai_studio.gallery.records import Record
from genai_studio.serve.server import create_app
from genai_studio.settings import Settings
from genai_studio.studio import Studio
from tests.score.soundfont import write_soundfont

BASE = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    settings = Settings.read({}, home=tmp_path_factory.mktemp("home"), demo=True, threads=1)
    with Studio(settings, inline=True) as running:
        yield running


@pytest.fixture(scope="module")
def piece(studio: Studio) -> Record:
    return studio.generate("demo-music", "a waltz", seed=3)[0]


@pytest.fixture(scope="module")
def soundfont(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_soundfont(tmp_path_factory.mktemp("soundfont") / "tone.sf2")


def test_an_export_is_made_once_and_given_again(studio: Studio, piece: Record) -> None:
    path = studio.export(piece.id, "pdf")
    assert path.read_bytes().startswith(b"%PDF")
    made = path.stat().st_mtime_ns
    assert studio.export(piece.id, "pdf", owner=piece.owner) == path
    assert path.stat().st_mtime_ns == made
    assert studio.settings.cache in path.parents
    assert studio.export(piece.id, "midi") == studio.gallery.open(piece.id, "midi")


def test_who_may_not_see_it_may_not_export_it(studio: Studio, piece: Record) -> None:
    with pytest.raises(NotAllowed):
        studio.export(piece.id, "pdf", owner="somebody")
    with pytest.raises(InvalidInput, match="no export named 'exe'"):
        studio.export(piece.id, "exe")
    text = studio.generate("demo-text", "hello", seed=1)[0]
    with pytest.raises(InvalidInput, match="export of a recording"):
        studio.export(text.id, "wav")
    with pytest.raises(NotFound):
        studio.export("gone", "wav")


def test_heavy_ones_come_from_a_process_and_two_presses_make_one(
    studio: Studio, piece: Record, soundfont: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers = Exporter(studio.gallery, tmp_path / "exports", lambda _: soundfont)
    started = []
    run = exporter._in_a_process
    monkeypatch.setattr(exporter, "_in_a_process", lambda *order: (started.append(order), run(*order)))
    together = threading.Barrier(2)

    def press(name: str) -> Path:
        together.wait()
        return makers.export(piece, name)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(press, ["stem-1", "stem-2"])
    assert len(started) == 1
    assert (first.name, second.name) == ("stem-1.ogg", "stem-2.ogg")
    assert first.read_bytes()[:4] == second.read_bytes()[:4] == b"OggS"
    assert sorted(path.name for path in (tmp_path / "exports").iterdir()) == [piece.id]


def test_what_takes_too_long_is_ended_and_what_breaks_is_said(
    studio: Studio, piece: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers = Exporter(studio.gallery, tmp_path / "exports", lambda _: tmp_path / "no.sf2")
    monkeypatch.setattr(exporter, "TIMEOUT", 0.01)
    with pytest.raises(StudioError, match="took longer than 0 minutes and was stopped"):
        makers.export(piece, "mp3")
    monkeypatch.setattr(exporter, "TIMEOUT", 60.0)
    with pytest.raises(InvalidInput, match=r"no\.sf2"):
        makers.export(piece, "loop")
    monkeypatch.setattr(exporter, "_PACKAGE", tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "genai_studio").mkdir()
    with pytest.raises(StudioError, match="could not be made"):
        makers.export(piece, "mp3")
    assert list((tmp_path / "exports" / piece.id).iterdir()) == []


def test_a_cache_that_cannot_be_written_is_said(studio: Studio, piece: Record, tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("in the way")
    with pytest.raises(StorageFailed, match="could not be written"):
        Exporter(studio.gallery, tmp_path / "exports", lambda _: tmp_path).export(piece, "pdf")


def test_the_cache_keeps_its_size_and_nothing_of_records_that_are_gone(
    studio: Studio, piece: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers = Exporter(studio.gallery, tmp_path, lambda _: tmp_path)
    other = studio.generate("demo-music", "a reel", seed=4)[0]
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "pdf.pdf").write_bytes(b"old")
    makers.export(other, "pdf")
    assert not (tmp_path / "gone").exists()
    monkeypatch.setattr(exporter, "KEPT_BYTES", 10)
    makers.export(piece, "pdf")
    assert [path.name for path in tmp_path.iterdir()] == [piece.id]


def test_the_page_saves_sheets_and_plays_sound(studio: Studio, piece: Record) -> None:
    with gradio.Blocks(analytics_enabled=False) as page:
        gradio.Textbox()
    with TestClient(create_app(studio, page, {}, "token"), base_url=BASE) as client:
        sheet = client.get(f"/media/{piece.id}/export/svg")
        assert "svg" not in sheet.headers["content-type"]
        assert sheet.headers["content-disposition"].startswith("attachment")
        assert sheet.content.startswith(b"<svg")
        assert "svg.svg" in sheet.headers["content-disposition"]
        sound = client.get(f"/media/{piece.id}/export/wav")
        assert sound.headers["content-type"] == "audio/wav"
        assert sound.headers["content-disposition"].startswith("inline")
        saved = client.get(f"/media/{piece.id}/export/wav", params={"download": "1"})
        assert saved.headers["content-disposition"].startswith("attachment")
        refused = client.get(f"/media/{piece.id}/export/exe")
        assert refused.status_code == 400
        assert "no export named" in refused.json()["detail"]
        assert client.get("/media/gone/export/wav").status_code == 404


def test_the_command_line_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    with Studio(Settings.read({}, home=home, demo=True, threads=1), inline=True) as studio:
        record = studio.generate("demo-music", "a jig", seed=2)[0]
    words = ["gallery", "export", record.id, "--out", str(out), "--home", str(home), "--demo", "--format"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "abc"])
    assert ended.value.code == 0
    (path,) = out.iterdir()
    assert path.name == f"{record.id}-abc.abc"
    assert path.read_text().startswith("X:1\n")
    assert str(path) in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main([*words, "exe"])
    assert ended.value.code == 1
    assert "no export named 'exe'" in capsys.readouterr().err
