"""Guards: what every request passes before the page sees it. Same origin, size of the body, headers of the answer.

Gradio's own CORS rule protects only localhost names and reflects any other origin with credentials, so nothing
here relies on it: its headers are dropped, and a request that changes something must come from our own page or
from a program that is no browser."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 16 * 1024**2
"""Bytes of a request that is no upload: a long conversation is 1 MB, a page of raw JSON as an attack is 20 MB."""
UPLOAD_LIMIT = 100 * 1024**2
"""Bytes of one upload with all its files."""
UPLOAD_PATH = "/gradio_api/upload"
SPACE_FRAMES = "'self' https://huggingface.co https://*.hf.space"
"""A Hugging Face Space is shown in a frame of huggingface.co."""

_SAFE = frozenset({"GET", "HEAD"})
_OURS = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site; "same-site" is another port or another name of the same domain."""
_DEFAULT_PORTS = {"http": 80, "https": 443, "": None}


def content_policy(frames: str) -> str:
    """The page loads from itself only. Gradio's page needs inline scripts and `new Function`."""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {frames}",
        )
    )


class Guard:
    """ASGI middleware, the outermost. `names` are host names whose origins are ours although a proxy in front
    rewrites the Host header; `frames` is the `frame-ancestors` of the answers."""

    def __init__(self, app: ASGIApp, names: Iterable[str] = (), frames: str = "'self'") -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names if not name.startswith("*"))
        self._headers = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "content-security-policy": content_policy(frames),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._with_headers(send)
        headers = Headers(scope=scope)
        if not self._same_site(scope["method"], headers):
            await refuse(answer, 403, "This request comes from another site, so it was refused.")
            return
        limit = UPLOAD_LIMIT if scope["path"].rstrip("/") == UPLOAD_PATH else BODY_LIMIT
        await _Body(limit, receive, answer).run(self._app, scope, headers)

    def _same_site(self, method: str, headers: Headers) -> bool:
        """Browsers send Origin with every request that changes something, and Sec-Fetch-Site with every request;
        programs send neither."""
        fetch_site = headers.get("sec-fetch-site", "none")
        if method in _SAFE:
            # A foreign page may link here; it may not load our pictures or answers into itself.
            return fetch_site in _OURS or headers.get("sec-fetch-mode") == "navigate"
        origin = headers.get("origin")
        if origin is None:
            return fetch_site in _OURS
        return self._is_ours(origin, headers.get("host", ""))

    def _is_ours(self, origin: str, host: str) -> bool:
        try:
            theirs, ours = urlsplit(origin), urlsplit(f"//{host}")
            port, own_port = theirs.port, ours.port
        except ValueError:
            return False
        if theirs.scheme not in {"http", "https"} or not theirs.hostname:
            return False
        if theirs.hostname in self._names:
            return True
        default = _DEFAULT_PORTS[theirs.scheme]
        return theirs.hostname == ours.hostname and (port or default) == (own_port or default)

    def _with_headers(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in [name for name in headers if name.startswith("access-control-")]:
                    del headers[name]
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        return answer


class _Body:
    """Counts the body as it comes in, so that a chunked one without a length has a limit too."""

    def __init__(self, limit: int, receive: Receive, send: Send) -> None:
        self._limit, self._receive, self._send = limit, receive, send
        self._read = 0
        self._started = False

    async def run(self, app: ASGIApp, scope: Scope, headers: Headers) -> None:
        length = headers.get("content-length", "")
        if length and (not length.isdigit() or int(length) > self._limit):
            await self._too_large()
            return
        try:
            await app(scope, self._receive_counted, self._send_unless_too_large)
        except _TooLarge:
            if not self._started:
                await self._too_large()

    async def _receive_counted(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self._limit:
                raise _TooLarge
        return message

    async def _send_unless_too_large(self, message: Message) -> None:
        # The application may have caught _TooLarge while parsing and be about to answer something else.
        if self._read > self._limit and not self._started:
            raise _TooLarge
        self._started = True
        await self._send(message)

    async def _too_large(self) -> None:
        await refuse(self._send, 413, f"This is larger than {self._limit // 1024**2} MB, which is the most allowed.")


class _TooLarge(Exception):
    pass


async def refuse(send: Send, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
    """Answer with one sentence as JSON. `detail` is where Gradio's page looks for it."""
    body = json.dumps({"detail": sentence}, ensure_ascii=False).encode()
    pairs = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in pairs.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
