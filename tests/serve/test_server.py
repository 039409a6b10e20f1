"""The whole server over a demo studio and a page of one button: hosts, media, previews, the command line's routes."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import gradio
import pytest
from PIL import Image
from starlette.testclient import TestClient

from genai_studio.domain.job import JobState
from genai_studio.errors import InvalidInput
from genai_studio.serve.server import allowed_names, check_bind, create_app, is_local, listen, local_address
from genai_studio.settings import Settings
from genai_studio.studio import Studio

TOKEN = "token-of-this-test"
BEARER = {"authorization": f"Bearer {TOKEN}"}
BASE = "http://127.0.0.1:7860"


def stand_in_page() -> gradio.Blocks:
    with gradio.Blocks(analytics_enabled=False) as page:
        text = gradio.Textbox()

        def shout(words: str, request: gradio.Request) -> str:
            return f"{request.username}: {words.upper()}"

        gradio.Button().click(shout, text, text, api_name="shout")
    return page


def _settings(tmp_path_factory: pytest.TempPathFactory, **overrides: Any) -> Settings:
    return Settings.read({}, home=tmp_path_factory.mktemp("home"), demo=True, threads=1, **overrides)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with Studio(_settings(tmp_path_factory), inline=True) as running:
        yield running


@pytest.fixture(scope="module")
def page(studio: Studio) -> Iterator[TestClient]:
    with TestClient(create_app(studio, stand_in_page(), {}, TOKEN), base_url=BASE) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, TestClient]]:
    """A studio with two logins, and a client that is nobody until it logs in."""
    with Studio(_settings(tmp_path_factory, auth="ann:tulip,bob:rose"), inline=True) as studio:
        app = create_app(studio, stand_in_page(), {}, TOKEN)
        with TestClient(app, base_url=BASE, follow_redirects=False) as client:
            yield studio, client


def login(client: TestClient, name: str, password: str) -> None:
    client.cookies.clear()
    assert client.post("/login", data={"username": name, "password": password}).is_success


def call(client: TestClient, words: str, **options):
    return client.post("/gradio_api/run/shout", json={"data": [words]}, **options)


def test_the_front_page_answers_and_the_guards_stand_before_it(page):
    front = page.get("/")
    assert front.status_code == 200
    assert front.headers["x-content-type-options"] == "nosniff"
    assert page.get("/", headers={"host": "evil.example"}).status_code == 400
    assert page.get("/docs").status_code == 404
    assert page.get("/openapi.json").status_code == 404
    assert call(page, "x", headers={"origin": "https://evil.example"}).status_code == 403
    files = {"files": ("a.png", b"png", "image/png")}
    assert page.post("/gradio_api/upload", files=files, headers={"origin": "https://evil.example"}).status_code == 403
    join = {"data": ["x"], "fn_index": 0, "session_hash": "abc"}
    assert page.post("/gradio_api/queue/join", json=join, headers={"origin": BASE}).status_code == 200
    assert page.post("/gradio_api/queue/join", json=join, headers={"sec-fetch-site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860", "LOCALHOST"])
def test_local_names_are_known(page, host):
    assert page.get("/gradio_api/app_id", headers={"host": host}).status_code == 200


def test_a_preflight_of_another_site_gets_no_cors_headers(page):
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = page.options("/gradio_api/run/shout", headers=headers)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_program_may_call_without_an_origin(page):
    assert call(page, "sea").json()["data"] == ["None: SEA"]


def test_a_large_body_is_refused(page):
    assert call(page, "x" * (17 * 1024**2)).status_code == 413


@pytest.mark.parametrize(
    ("model", "kind", "type_"),
    [
        ("demo-image", "image", "image/png"),
        ("demo-text", "text", "text/plain; charset=utf-8"),
        ("demo-music", "audio", "audio/"),
    ],
)
def test_media_come_as_what_they_are(studio, page, model, kind, type_):
    [record] = studio.generate(model, "the sea", seed=1)
    answer = page.get(record.url)
    assert answer.content == studio.gallery.open(record.id).read_bytes()
    assert answer.headers["content-type"].startswith(type_)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("inline")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "private" in answer.headers["cache-control"]
    saved = page.get(record.url, params={"download": 1}).headers["content-disposition"]
    assert saved.startswith("attachment")
    assert record.id in saved
    for role in record.companions:
        assert page.get(f"{record.url}/{role}").status_code == 200
    assert page.head(record.url).headers["content-length"] == str(record.size)


def test_audio_comes_in_ranges(studio, page):
    [record] = studio.generate("demo-music", "jig", seed=1)
    part = page.get(record.url, headers={"range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == studio.gallery.open(record.id).read_bytes()[10:20]
    assert page.get(record.url, headers={"range": f"bytes={record.size}-"}).status_code == 416


@pytest.mark.parametrize("path", ["/media/none", "/media/..%2f..%2fstudio.db", "/preview/none/a.webp", "/media/a/b"])
def test_what_is_not_there_is_404_in_one_sentence(page, path):
    answer = page.get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text
    assert answer.json()["detail"]


def test_files_that_a_browser_could_run_are_never_shown_inline(tmp_path):
    from genai_studio.serve.media import _file

    for name in ("a.svg", "a.html", "a.xml", "a.musicxml", "a.js", "a.SVG"):
        (tmp_path / name).write_text("<script>alert(1)</script>")
        headers = _file(tmp_path / name, name, download=False).headers
        assert headers["content-disposition"].startswith("attachment")
        assert "html" not in headers["content-type"]
        assert "svg" not in headers["content-type"]


def test_previews_stay_in_the_staging_folder(studio, page):
    [record] = studio.generate("demo-image", "sea", seed=1)
    folder = studio.settings.staging / record.job
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(folder / "preview-00-0.webp")
    answer = page.get(f"/preview/{record.job}/preview-00-0.webp")
    assert Image.open(io.BytesIO(answer.content)).size == (4, 4)
    assert answer.headers["cache-control"] == "no-store"
    for name in ("..%2f..%2fstudio.db", "%2e%2e", "preview-09-0.webp"):
        assert page.get(f"/preview/{record.job}/{name}").status_code == 404


def test_gallery_files_and_the_database_are_not_served_by_gradio(studio, page):
    [record] = studio.generate("demo-image", "sea", seed=1)
    for path in (studio.gallery.open(record.id), studio.settings.home / "studio.db", "/etc/passwd"):
        assert page.get(f"/gradio_api/file={path}").status_code in {403, 404}


def test_with_logins_everything_needs_one(guarded):
    _, client = guarded
    client.cookies.clear()
    for path in ("/config", "/gradio_api/info", "/media/a", "/preview/a/b", "/gradio_api/heartbeat/abc", "/theme.css"):
        assert client.get(path).status_code == 401, path
    cancel = {"session_hash": "abc", "fn_index": 0, "event_id": "abc"}
    assert client.post("/gradio_api/cancel", json=cancel).status_code == 401
    assert call(client, "x").status_code == 401
    assert client.get("/", headers={"accept": "text/html"}).headers["location"] == "/login?next=/"
    login(client, "ann", "tulip")
    assert client.get("/", headers={"accept": "text/html"}).status_code == 200
    assert call(client, "sea").json()["data"] == ["ann: SEA"]


def test_a_record_or_preview_of_somebody_else_looks_as_if_it_did_not_exist(guarded):
    studio, client = guarded
    [record] = studio.generate("demo-image", "sea", owner="ann", seed=1)
    folder = studio.settings.staging / record.job
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(folder / "preview-00-0.webp")
    paths = (record.url, record.thumbnail_url, f"/preview/{record.job}/preview-00-0.webp")
    login(client, "ann", "tulip")
    assert [client.get(path).status_code for path in paths] == [200] * 3
    login(client, "bob", "rose")
    theirs = [client.get(path) for path in paths]
    assert [answer.status_code for answer in theirs] == [404] * 3
    assert "belongs" not in theirs[0].text


def test_somebody_else_s_upload_cannot_be_read(guarded):
    _, client = guarded
    login(client, "ann", "tulip")
    [path] = client.post("/gradio_api/upload", files={"files": ("mine.txt", b"my secret", "text/plain")}).json()
    assert client.get(f"/gradio_api/file={path}").content == b"my secret"
    login(client, "bob", "rose")
    assert client.get(f"/gradio_api/file={path}").status_code == 404
    assert client.get(f"/gradio_api/file/{path}").status_code == 404
    [same] = client.post("/gradio_api/upload", files={"files": ("mine.txt", b"my secret", "text/plain")}).json()
    assert client.get(f"/gradio_api/file={same}").content == b"my secret"


def test_the_command_line_needs_its_token(page):
    assert page.get("/studio/about").status_code == 404
    assert page.get("/studio/about", headers={"authorization": "Bearer wrong"}).status_code == 404
    assert page.get("/studio/about", headers={**BEARER, "origin": BASE}).status_code == 404
    assert page.get("/studio/about", headers=BEARER).json()["version"]


def test_the_command_line_submits_watches_and_reads(studio, page):
    request = studio.request("demo-text", {"prompt": "harbour", "seed": 3})
    job = page.post("/studio/jobs", json=request.model_dump(mode="json"), headers=BEARER).json()
    lines = page.get(f"/studio/jobs/{job['id']}/events", headers=BEARER).text.splitlines()
    events = [json.loads(line) for line in lines]
    assert events[-1]["kind"] == "finished"
    [output] = [event["record"] for event in events if event["kind"] == "output"]
    record = page.get(f"/studio/records/{output}", headers=BEARER).json()
    assert record["seed"] == 3
    assert page.get("/studio/records", params={"words": "harbour"}, headers=BEARER).json()["records"][0]["id"] == output
    assert page.get("/studio/jobs", params={"states": "finished"}, headers=BEARER).json()[0]["id"] == job["id"]
    assert page.post(f"/studio/jobs/{job['id']}/cancel", headers=BEARER).json()["state"] == JobState.FINISHED


@pytest.mark.parametrize("seed", ["7", True, 2**64, 1.5, None, -2])
def test_the_command_line_s_values_are_judged_too(studio, page, seed):
    request = studio.request("demo-text", {"prompt": "sea", "seed": 3}).model_dump(mode="json")
    request["params"]["seed"] = seed
    before = len(studio.jobs())
    answer = page.post("/studio/jobs", json=request, headers=BEARER)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Seed ")
    assert len(studio.jobs()) == before


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "studio.example"])
def test_a_public_bind_without_a_login_is_refused_in_one_sentence(host, tmp_path):
    with pytest.raises(InvalidInput, match="without a login") as refused:
        check_bind(Settings.read({}, home=tmp_path, host=host))
    assert "GENAI_STUDIO_AUTH" in refused.value.hint
    check_bind(Settings.read({}, home=tmp_path, host=host, auth="ann:tulip"))


def test_a_space_may_listen_publicly_and_answers_to_its_names(tmp_path):
    settings = Settings.read({"SPACE_ID": "owner/name"}, home=tmp_path)
    check_bind(settings)
    assert settings.host == "0.0.0.0"
    assert "*.hf.space" in allowed_names(settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])
def test_loopback_addresses_are_local(host, tmp_path):
    assert is_local(host)
    check_bind(Settings.read({}, home=tmp_path, host=host))


def test_a_public_bind_answers_to_the_addresses_of_the_machine(tmp_path):
    names = allowed_names(Settings.read({}, home=tmp_path, host="0.0.0.0", auth="a:b", allowed_hosts="studio.example"))
    assert {"localhost", "127.0.0.1", "studio.example", socket.gethostname()} <= set(names)
    assert "evil.example" not in names


def test_the_next_free_port_is_taken_and_said(tmp_path):
    said: list[str] = []
    with listen(Settings.read({}, home=tmp_path, port=0), said.append) as first:
        port = first.getsockname()[1]
        with listen(Settings.read({}, home=tmp_path, port=port), said.append) as second:
            assert second.getsockname()[1] > port
    assert [f"{port} is taken" in sentence for sentence in said] == [True]


def test_an_address_that_is_not_ours_is_one_sentence(tmp_path):
    with pytest.raises(InvalidInput, match=r"cannot listen at 203\.0\.113\.1"):
        listen(Settings.read({}, home=tmp_path, host="203.0.113.1", port=7999), print)
    with pytest.raises(InvalidInput, match=r"cannot listen at no\.such\.invalid"):
        listen(Settings.read({}, home=tmp_path, host="no.such.invalid"), print)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("localhost", "http://localhost:80"),
    ],
)
def test_the_printed_address_can_be_opened(host, address):
    assert local_address(host, 80) == address
