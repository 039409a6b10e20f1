"""The guards in front of a stand-in application: same origin, body size, headers, with no page and no studio."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from genai_studio.serve import guards
from genai_studio.serve.guards import Guard


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/thing")
    def read() -> JSONResponse:
        return JSONResponse("read", headers={"access-control-allow-origin": "https://evil.example"})

    @app.post("/thing")
    async def change(request: Request) -> int:
        return len(await request.body())

    @app.post("/swallows")
    async def swallows(request: Request) -> str:
        try:
            await request.body()
        except Exception:
            return "swallowed"
        return "whole"

    return app


def client(app: FastAPI, **options: object) -> TestClient:
    return TestClient(Guard(app, **options), base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:7860"}, 200),
        ({"origin": "http://127.0.0.1:7860", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://127.0.0.1:7861"}, 403),
        ({"origin": "http://localhost:7860"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1.evil.example:7860"}, 403),
        ({"origin": "http://127.0.0.1:7860@evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "file://"}, 403),
        ({"origin": "http://127.0.0.1:port"}, 403),
        ({"origin": ""}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_what_changes_something_comes_from_our_page_or_from_a_program(app, headers, status):
    assert client(app).post("/thing", headers=headers).status_code == status


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "ANYTHING"])
def test_every_method_that_is_not_plain_reading_is_checked(app, method):
    answer = client(app).request(method, "/thing", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "another site" in answer.json()["detail"]


def test_a_default_port_is_the_same_written_or_not(app):
    page = TestClient(Guard(app), base_url="https://studio.example")
    assert page.post("/thing", headers={"host": "studio.example:443", "origin": "https://studio.example"}).is_success


def test_a_listed_name_is_ours_behind_a_proxy_that_rewrites_the_host(app):
    page = client(app, names=["Studio.Example", "*.hf.space"])
    assert page.post("/thing", headers={"origin": "https://studio.example"}).is_success
    assert page.post("/thing", headers={"origin": "https://someone-else.hf.space"}).status_code == 403


def test_a_foreign_page_may_link_here_but_not_load_our_files(app):
    page = client(app)
    assert page.get("/thing", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).is_success
    for site in ("cross-site", "same-site"):
        loaded = page.get("/thing", headers={"sec-fetch-site": site, "sec-fetch-mode": "no-cors"})
        assert loaded.status_code == 403


def test_answers_carry_no_cors_headers_and_the_protecting_ones(app):
    headers = client(app).get("/thing", headers={"origin": "https://evil.example"}).headers
    assert not [name for name in headers if name.startswith("access-control")]
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self';" in headers["content-security-policy"] + ";"


@pytest.mark.parametrize("path", ["/thing", "/swallows"])
def test_a_body_over_the_limit_is_refused_with_and_without_a_length(app, path, monkeypatch):
    monkeypatch.setattr(guards, "BODY_LIMIT", 1000)

    def chunks(total: int) -> Iterator[bytes]:
        for _ in range(total // 100):
            yield b"x" * 100

    page = client(app)
    assert page.post(path, content=b"x" * 1000).status_code == 200
    assert page.post(path, content=b"x" * 1001).status_code == 413
    assert page.post(path, content=chunks(1000)).status_code == 200
    chunked = page.post(path, content=chunks(1100))
    assert chunked.status_code == 413
    assert "most allowed" in chunked.json()["detail"]
    assert page.post(path, content=b"x", headers={"content-length": "-5"}).status_code == 413


def test_uploads_may_be_larger_than_other_bodies(app, monkeypatch):
    monkeypatch.setattr(guards, "BODY_LIMIT", 10)

    @app.post(guards.UPLOAD_PATH)
    async def upload(request: Request) -> int:
        return len(await request.body())

    page = client(app)
    assert page.post(guards.UPLOAD_PATH, content=b"x" * 100).json() == 100
    assert page.post(guards.UPLOAD_PATH + "/../../thing", content=b"x" * 100).status_code in {404, 413}


def test_websockets_are_closed(app):
    with pytest.raises(WebSocketDisconnect) as closed, client(app).websocket_connect("/thing"):
        pass
    assert closed.value.code == 1008
