"""What the gallery's element asks of Python: only its own owner's records, by direct call and by plain HTTP; and the
settings that come back out of a record or a dropped file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from starlette.testclient import TestClient

from genai_studio.domain.job import JobState
from genai_studio.domain.modality import Modality
from genai_studio.errors import InvalidInput, NotAllowed, NotFound, StudioError
from genai_studio.serve.server import create_app
from genai_studio.settings import Settings
from genai_studio.studio import Studio
from genai_studio.ui import gallery_tab
from genai_studio.ui.app import build_ui, page_assets
from genai_studio.ui.gallery_tab import GalleryCalls, JobAsked, PageAsked, RecordAsked, RecordsAsked, SettingsDoor
from genai_studio.ui.record_view import details_of
from genai_studio.ui.server_calls import Caller

MALICIOUS = '<img src=x onerror="window.__pwned=1">'
ANN, BOB = Caller("ann", "en"), Caller("bob", "en")


@pytest.fixture
def calls(studio) -> GalleryCalls:
    return GalleryCalls(studio)


def test_a_page_is_the_callers_own_and_goes_on_by_cursor(studio, calls, monkeypatch):
    monkeypatch.setattr(gallery_tab, "PAGE", 2)
    own = [studio.generate("image", f"picture {k}", owner="ann", seed=k)[0].id for k in range(3)]
    studio.generate("image", "another's", owner="bob")
    first = calls.gallery_page(ANN, PageAsked())
    rest = calls.gallery_page(ANN, PageAsked(before=first["next"]))
    assert [card["id"] for card in first["cards"] + rest["cards"]] == own[::-1]
    assert rest["next"] is None
    assert first["cards"][0]["enlarge"] == [2, 4]
    assert calls.gallery_newest(ANN, PageAsked()) == {"newest": own[-1]}
    assert calls.gallery_models(BOB, PageAsked())["models"] == [["demo-image", "Demo image"]]


def test_nothing_of_another_owner_can_be_seen_or_changed(studio, calls):
    record = studio.generate("text", "Write two lines about the sea.", owner="ann")[0]
    one, several = RecordAsked(id=record.id), RecordsAsked(ids=[record.id])
    refused = [
        lambda: calls.gallery_details(BOB, one),
        lambda: calls.gallery_again(BOB, one),
        lambda: calls.gallery_job(BOB, JobAsked(job=record.job)),
        lambda: calls.gallery_star(BOB, gallery_tab.StarAsked(ids=[record.id], on=True)),
        lambda: calls.gallery_trash(BOB, several),
        lambda: calls.gallery_restore(BOB, several),
        lambda: calls.gallery_purge(BOB, several),
        lambda: calls.gallery_upscale(BOB, gallery_tab.UpscaleAsked(id=record.id, scale=2)),
    ]
    for call in refused:
        with pytest.raises(NotAllowed):
            call()
    calls.gallery_empty(BOB, PageAsked())
    assert studio.gallery.get(record.id) == record


def test_only_what_is_in_the_trash_goes_for_good(studio, calls):
    record = studio.generate("image", "a kite", owner="ann")[0]
    with pytest.raises(InvalidInput):
        calls.gallery_purge(ANN, RecordsAsked(ids=[record.id]))
    calls.gallery_trash(ANN, RecordsAsked(ids=[record.id]))
    assert calls.gallery_page(ANN, PageAsked())["cards"] == []
    assert [card["id"] for card in calls.gallery_page(ANN, PageAsked(trashed=True))["cards"]] == [record.id]
    calls.gallery_purge(ANN, RecordsAsked(ids=[record.id]))
    with pytest.raises(NotFound):
        studio.gallery.get(record.id)


def test_make_again_tells_the_verdict_of_the_same_output(studio, calls):
    second = studio.generate("image", "three boats", owner="ann", seed=5, count=2)[1]
    job = calls.gallery_again(ANN, RecordAsked(id=second.id))["job"]
    for _ in studio.watch(job):
        pass
    told = calls.gallery_job(ANN, JobAsked(job=job))
    assert (told["ended"], told["kind"]) == (True, "identical")
    assert told["line"].startswith("Identical")
    assert studio.gallery.get(told["made"]).output_index == 1


def test_a_failed_job_tells_why(studio, calls, monkeypatch):
    record = studio.generate("image", "a kite", owner="ann")[0]
    job = studio.submit(record.recipe.request, "ann")
    for _ in studio.watch(job.id):
        pass
    broken = studio.job(job.id).model_copy(
        update={"state": JobState.FAILED, "error": "The disk is full.", "outputs": []}
    )
    monkeypatch.setattr(studio, "job", lambda *_, **__: broken)
    monkeypatch.setattr(studio.feed, "snapshot", lambda *_: [])
    assert calls.gallery_job(ANN, JobAsked(job=job.id)) == {
        "line": "The disk is full.",
        "ended": True,
        "kind": "bad",
        "made": "",
    }


def test_the_large_view_tells_all_that_makes_it_again(studio):
    picture = studio.generate("image", MALICIOUS, owner="ann", seed=3, background="transparent")[0]
    larger = studio.generate("demo-upscale", owner="ann", inputs={"image": picture.id}, scale=2)[0]
    told = details_of(studio, picture, "en")
    assert told["card"]["title"] == MALICIOUS
    assert ["Seed", "3"] in told["settings"]
    assert ["Background", "Transparent"] in told["settings"]
    assert [card["id"] for card in told["children"]] == [larger.id]
    assert ["File", picture.sha256, True] in told["files"]
    enlarged = details_of(studio, larger, "en")
    assert [card["id"] for card in enlarged["parents"]] == [picture.id]
    assert (enlarged["card"]["enlarged"], enlarged["card"]["derived"]) == (2, True)
    assert all(name != "Seed" for name, *_ in enlarged["settings"])


def test_a_tune_comes_with_its_notes(studio):
    told = details_of(studio, studio.generate("music", "a jig", owner="ann")[0], "en")
    assert told["roll"]["notes"]
    assert told["card"]["peaks"]


# Settings that come back.


def shell_stub() -> SimpleNamespace:
    return SimpleNamespace(delivery=lambda modality, model, params, dropped: (modality, model, params, dropped))


@pytest.fixture
def door(studio, monkeypatch, tmp_path) -> SettingsDoor:
    monkeypatch.setattr(gallery_tab, "get_upload_folder", lambda: str(tmp_path / "uploads"))
    monkeypatch.setattr(gallery_tab, "inform", lambda *_: None)
    (tmp_path / "uploads").mkdir()
    return SettingsDoor(studio, shell_stub())


def request_of(user: str) -> gr.Request:
    return gr.Request(username=user, cookies={}, headers={})


def drop(door: SettingsDoor, path: Path):
    return door.from_file(request_of("ann"), SimpleNamespace(path=str(path)))


@pytest.mark.parametrize("modality", list(Modality))
def test_a_dropped_file_of_ours_gives_its_settings(studio, door, tmp_path, modality):
    record = studio.generate(modality.value, MALICIOUS, owner="bob", seed=11)[0]
    main = studio.gallery.open(record.id, "recipe" if modality is Modality.TEXT else "")
    dropped = tmp_path / "uploads" / f"somebody's{main.suffix}"
    shutil.copy(main, dropped)
    room, model, params, lost = drop(door, dropped)
    assert (room, model, lost) == (modality, record.model, [])
    assert (params["prompt"], params["seed"]) == (MALICIOUS, 11)
    assert not dropped.exists()


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nnonsense", b"{}", b'{"request": 7}', b"import os"])
def test_a_foreign_file_is_told_apart_in_one_sentence(door, tmp_path, content):
    for suffix in (".png", ".json", ".mid", ".exe"):
        foreign = tmp_path / "uploads" / f"x{suffix}"
        foreign.write_bytes(content)
        with pytest.raises(NotFound, match="carries no recipe"):
            drop(door, foreign)


def test_no_file_outside_the_uploads_is_read(studio, door, tmp_path):
    record = studio.generate("image", "a kite", owner="bob")[0]
    outside = studio.gallery.open(record.id)
    link = tmp_path / "uploads" / "link.png"
    os.symlink(outside, link)
    for path in (outside, link, tmp_path / "uploads" / ".." / outside.name, Path("uploads"), tmp_path / "uploads"):
        with pytest.raises(NotFound, match="did not arrive"):
            drop(door, path)
    with pytest.raises(NotFound):
        gallery_tab.uploaded("a\x00b")
    assert outside.exists()


def test_settings_of_a_record_are_the_owners_only(studio, door):
    record = studio.generate("image", "a kite", owner="ann", seed=2)[0]
    event = SimpleNamespace(id=record.id)
    assert door.from_record(request_of("ann"), event)[2]["seed"] == 2
    with pytest.raises(NotAllowed):
        door.from_record(request_of("bob"), event)


def test_an_enlarged_picture_has_no_form(studio, door):
    picture = studio.generate("image", "a kite", owner="ann")[0]
    larger = studio.generate("demo-upscale", owner="ann", inputs={"image": picture.id}, scale=2)[0]
    with pytest.raises(StudioError, match="made from another picture"):
        door.from_record(request_of("ann"), SimpleNamespace(id=larger.id))


# By plain HTTP, as anybody who is logged in can.


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    settings = Settings.read(
        {}, home=tmp_path_factory.mktemp("served"), demo=True, threads=1, auth="ann:tulip,bob:rose"
    )
    with Studio(settings, inline=True) as studio:
        blocks = build_ui(studio)
        app = create_app(studio, blocks, page_assets(settings), token="t")
        grid = next(block._id for block in blocks.blocks.values() if getattr(block, "elem_id", "") == "gallery-grid")
        yield studio, TestClient(app, base_url="http://127.0.0.1"), grid


def ask(client: TestClient, component: int, name: str, payload: object):
    body = {"data": payload, "component_id": component, "fn_name": name, "session_hash": "s"}
    return client.post("/gradio_api/component_server/", json=body)


def test_raw_http_calls_leak_nothing(server):
    studio, client, grid = server
    record = studio.generate("image", "ann's secret", owner="ann")[0]
    assert ask(client, grid, "gallery_page", {}).status_code == 401
    client.post("/login", data={"username": "bob", "password": "rose"})
    assert ask(client, grid, "gallery_page", {"owner": "ann"}).json() == {"cards": [], "next": None}
    for name in ("gallery_details", "gallery_again"):
        answer = ask(client, grid, name, {"id": record.id})
        assert (answer.status_code, answer.json()) == (200, {"error": "There is nothing here."})
    client.post("/login", data={"username": "ann", "password": "tulip"})
    assert ask(client, grid, "gallery_page", {}).json()["cards"][0]["title"] == "ann's secret"


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "x",
        7,
        {"words": 7},
        {"words": "x" * 600},
        {"trashed": "yes"},
        {"before": "nonsense"},
        {"modality": "video"},
    ],
)
def test_senseless_calls_get_one_sentence(server, payload):
    _, client, grid = server
    client.post("/login", data={"username": "ann", "password": "tulip"})
    answer = ask(client, grid, "gallery_page", payload)
    assert answer.status_code == 200
    assert answer.json()["error"].endswith(".")
    assert ask(client, grid, "postprocess", {}).status_code == 404
