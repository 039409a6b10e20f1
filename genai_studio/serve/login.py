"""Login: who a request belongs to. Names and passwords come from the settings; sessions live in memory and end
with the process. Without logins everybody is the one local person, except on a Hugging Face Space, where each
browser is a guest of its own and sees only its own gallery."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genai_studio.serve.guards import refuse

SESSION_COOKIE = "genai_studio_session"
GUEST_COOKIE = "genai_studio_guest"
SESSION_SECONDS = 30 * 24 * 3600
MAX_SESSIONS = 10_000
OPEN_PATHS = frozenset({"/login", "/favicon.ico", "/robots.txt"})
TOKEN_PATHS = "/studio/"
"""The command line's routes, which check their own token."""
WRONG_PER_ADDRESS = 10
WRONG_PER_NAME = 50
WRONG_WINDOW = 60.0
"""So many wrong logins from one address, or for one name, within so many seconds; then they have to wait."""

_PAGE = Template((Path(__file__).parent / "login.html").read_text(encoding="utf-8"))
_WORDS = {
    "en": {
        "language": "en",
        "title": "Log in",
        "name": "Name",
        "password": "Password",
        "button": "Log in",
        "wrong": "Name or password is wrong.",
        "wait": "Too many wrong logins. Wait a minute, then try again.",
    },
    "zh-CN": {
        "language": "zh-CN",
        "title": "登录",
        "name": "用户名",
        "password": "密码",
        "button": "登录",
        "wrong": "用户名或密码不正确。",
        "wait": "登录失败次数过多。请等一分钟后再试。",
    },
}


class Sessions:
    """Logged-in people: random tokens to names."""

    def __init__(self, logins: Mapping[str, str]) -> None:
        self._digests = {name: _digest(password) for name, password in logins.items()}
        self._nobody = secrets.token_bytes(32)
        self._open: dict[str, tuple[str, float]] = {}
        self._wrong: defaultdict[str, deque[float]] = defaultdict(deque)

    def blocked(self, address: str, name: str) -> bool:
        """Whether this address, or this name, has failed too often in the last minute."""
        return self._recent(f"from {address}") >= WRONG_PER_ADDRESS or self._recent(f"as {name}") >= WRONG_PER_NAME

    def login(self, name: str, password: str, address: str) -> str | None:
        """A new token, or None when the name or the password is wrong. Both cases take the same time."""
        known = self._digests.get(name, self._nobody)
        if not hmac.compare_digest(_digest(password), known):
            self._note_wrong(f"from {address}")
            if name in self._digests:
                self._note_wrong(f"as {name}")
            return None
        self._wrong.pop(f"as {name}", None)
        while len(self._open) >= MAX_SESSIONS:
            del self._open[next(iter(self._open))]
        token = secrets.token_urlsafe(32)
        self._open[_key(token)] = (name, time.monotonic() + SESSION_SECONDS)
        return token

    def name(self, token: str) -> str | None:
        name, ends = self._open.get(_key(token), (None, 0.0))
        return name if time.monotonic() < ends else None

    def logout(self, token: str) -> None:
        self._open.pop(_key(token), None)

    def _note_wrong(self, key: str) -> None:
        if len(self._wrong) >= MAX_SESSIONS:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[key].append(time.monotonic())

    def _recent(self, key: str) -> int:
        moments = self._wrong.get(key)
        if moments is None:
            return 0
        while moments and moments[0] < time.monotonic() - WRONG_WINDOW:
            moments.popleft()
        if not moments:
            del self._wrong[key]
        return len(moments)


class Gate:
    """ASGI middleware: puts the name into `request.state.user`, and lets nobody in without one where there are
    logins. It stands in front of the whole page because some of Gradio's routes (cancel, streams) ask for none."""

    def __init__(self, app: ASGIApp, sessions: Sessions | None, guests: bool) -> None:
        self._app, self._sessions, self._guests = app, sessions, guests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = cookie_parser(headers.get("cookie", ""))
        state = scope.setdefault("state", {})
        state["user"] = None
        path = scope["path"]
        if self._sessions is not None:
            state["user"] = self._sessions.name(cookies.get(SESSION_COOKIE, ""))
            if state["user"] is None and path not in OPEN_PATHS and not path.startswith(TOKEN_PATHS):
                await self._turn_away(scope, headers, receive, send)
                return
        elif self._guests:
            state["user"], send = self._guest(cookies.get(GUEST_COOKIE, ""), headers, send)
        await self._app(scope, receive, send)

    async def _turn_away(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            target = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
            await RedirectResponse(f"/login?next={quote(target)}", status_code=303)(scope, receive, send)
        else:
            await refuse(send, 401, "Log in first.")

    def _guest(self, token: str, headers: Headers, send: Send) -> tuple[str, Send]:
        if token:
            return f"guest-{_key(token)[:16]}", send
        if "text/html" not in headers.get("accept", ""):
            return "guest", send
        fresh = secrets.token_urlsafe(24)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = cookie_header(GUEST_COOKIE, fresh, framed=True, secure=True)
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        return f"guest-{_key(fresh)[:16]}", send_with_cookie


def login_routes(sessions: Sessions, framed: bool, language: str = "") -> APIRouter:
    """`GET /login` is the form, `POST /login` takes it (and gradio_client's), `/logout` ends the session."""
    routes = APIRouter()

    @routes.get("/login")
    def form(request: Request, next: str = "/") -> Response:
        return _form(request, language, next, "", 200)

    @routes.post("/login")
    async def login(request: Request) -> Response:
        fields = await request.form(max_files=0, max_fields=10)
        name, password = str(fields.get("username", "")).strip(), str(fields.get("password", ""))
        target = str(fields.get("next", "/"))
        address = request.client.host if request.client else ""
        page = "text/html" in request.headers.get("accept", "")
        blocked = sessions.blocked(address, name)
        token = None if blocked else await run_in_threadpool(sessions.login, name, password, address)
        if token is None:
            problem, status = ("wait", 429) if blocked else ("wrong", 401)
            if page:
                return _form(request, language, target, problem, status)
            return JSONResponse({"detail": _WORDS["en"][problem]}, status)
        response: Response
        response = RedirectResponse(_own_path(target), 303) if page else JSONResponse({"success": True})
        secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
        response.headers.append("set-cookie", cookie_header(SESSION_COOKIE, token, framed, secure))
        return response

    @routes.get("/logout")
    def logout(request: Request) -> Response:
        sessions.logout(request.cookies.get(SESSION_COOKIE, ""))
        response = RedirectResponse("/login", 303)
        response.headers.append("set-cookie", f"{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly")
        return response

    return routes


def cookie_header(name: str, value: str, framed: bool, secure: bool) -> str:
    """Lax, so that no other site's request carries it. Inside a Space's frame only a partitioned cookie is sent."""
    site = "SameSite=None; Partitioned" if framed and secure else "SameSite=Lax"
    return f"{name}={value}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; {site}" + ("; Secure" if secure else "")


def _form(request: Request, language: str, target: str, problem: str, status: int) -> Response:
    wanted = language or request.headers.get("accept-language", "")
    words = _WORDS["zh-CN" if wanted.lower().startswith("zh") else "en"]
    page = _PAGE.substitute(
        language=words["language"],
        title=words["title"],
        name=words["name"],
        password=words["password"],
        button=words["button"],
        next=escape(_own_path(target), quote=True),
        problem=words[problem] if problem else "",
    )
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})


def _own_path(target: str) -> str:
    """A path on this server; anything that a browser could read as another address becomes the front page."""
    inside = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if inside and target.isprintable() and "\\" not in target else "/"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _key(token: str) -> str:
    """Tokens are kept as digests, so that looking one up tells nothing about another by its timing."""
    return _digest(token).hex()
