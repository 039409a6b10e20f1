"""Logins: who gets in, who does not, and what a wrong one costs."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from genai_studio.serve import login
from genai_studio.serve.login import GUEST_COOKIE, SESSION_COOKIE, Gate, Sessions, login_routes

HTML = {"accept": "text/html,*/*"}


def make_app(logins: dict[str, str] | None, guests: bool = False) -> FastAPI:
    app = FastAPI()
    sessions = Sessions(logins) if logins else None
    if sessions:
        app.include_router(login_routes(sessions, framed=guests))

    @app.get("/who")
    @app.post("/gradio_api/cancel")
    def who(request: Request) -> str | None:
        return request.state.user

    app.add_middleware(Gate, sessions=sessions, guests=guests)
    return app


@pytest.fixture
def page() -> TestClient:
    return TestClient(make_app({"ann": "tulip", "bob": "rose"}), follow_redirects=False)


def sign_in(page: TestClient, name: str, password: str, **fields: str):
    return page.post("/login", data={"username": name, "password": password, **fields})


def test_nobody_gets_in_without_a_login(page):
    assert page.get("/who").status_code == 401
    assert page.post("/gradio_api/cancel").status_code == 401
    assert page.get("/who", headers={"cookie": f"{SESSION_COOKIE}=made-up"}).status_code == 401
    front = page.get("/who?tab=music", headers=HTML)
    assert (front.status_code, front.headers["location"]) == (303, "/login?next=/who%3Ftab%3Dmusic")


def test_a_right_login_gets_in_and_a_logout_ends_it(page):
    answer = sign_in(page, "ann", "tulip")
    cookie = answer.headers["set-cookie"]
    assert answer.json() == {"success": True}
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert page.get("/who").json() == "ann"
    token = page.cookies[SESSION_COOKIE]
    assert page.get("/logout").headers["location"] == "/login"
    page.cookies.set(SESSION_COOKIE, token)
    assert page.get("/who").status_code == 401


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "rose"), ("ann", ""), ("", ""), ("ANN", "tulip"), ("cat", "tulip"), ("ann", "\udcff")],
)
def test_a_wrong_login_does_not(page, name, password):
    fields = {"username": name, "password": password.encode("utf-8", "surrogatepass")}
    answer = page.post("/login", data=fields)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert page.get("/who").status_code == 401


def test_after_ten_wrong_ones_even_the_right_one_has_to_wait(page, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(login.time, "monotonic", lambda: clock[0])
    for _ in range(login.WRONG_PER_ADDRESS):
        assert sign_in(page, "ann", "guess").status_code == 401
    assert sign_in(page, "ann", "tulip").status_code == 429
    clock[0] += login.WRONG_WINDOW + 1
    assert sign_in(page, "ann", "tulip").status_code == 200


def test_guesses_from_many_addresses_are_counted_by_name():
    sessions = Sessions({"ann": "tulip"})
    for number in range(login.WRONG_PER_NAME):
        assert not sessions.blocked(f"10.0.0.{number}", "ann")
        assert sessions.login("ann", "guess", f"10.0.0.{number}") is None
    assert sessions.blocked("10.0.1.1", "ann")
    assert not sessions.blocked("10.0.1.1", "bob")


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nset-cookie: x=1"]
)
def test_a_login_leads_only_to_our_own_pages(page, target):
    form = page.get("/login", params={"next": target})
    assert "evil" not in form.text
    answer = page.post("/login", data={"username": "ann", "password": "tulip", "next": target}, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_form_shows_the_problem_in_the_reader_s_language_and_escapes(page):
    wrong = page.post(
        "/login",
        data={"username": "ann", "password": "x", "next": '/"><script>alert(1)</script>'},
        headers={**HTML, "accept-language": "zh-CN,zh;q=0.9"},
    )
    assert wrong.status_code == 401
    assert "用户名或密码不正确" in wrong.text
    assert "<script>" not in wrong.text


def test_without_logins_there_is_one_local_person():
    page = TestClient(make_app(None))
    assert page.get("/who").json() is None
    assert "set-cookie" not in page.get("/who", headers=HTML).headers


def test_in_a_space_each_browser_is_a_guest_of_its_own():
    app = make_app(None, guests=True)
    first = TestClient(app, base_url="https://owner-name.hf.space")
    mine = first.get("/who", headers=HTML)
    assert mine.json().startswith("guest-")
    assert "SameSite=None; Partitioned; Secure" in mine.headers["set-cookie"]
    assert first.cookies[GUEST_COOKIE]
    assert first.get("/who").json() == mine.json()
    assert TestClient(app).get("/who", headers=HTML).json() != mine.json()
    assert TestClient(app).get("/who").json() == "guest"
