"""Uploads: who sent a file may read it back, nobody else. Gradio serves an upload to everybody who knows its path."""

from __future__ import annotations

import json
import os
from collections import OrderedDict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genai_studio.serve.guards import UPLOAD_PATH, refuse

FILE_PATHS = ("/gradio_api/file=", "/gradio_api/file/")
REMEMBERED = 100_000
"""Uploads whose senders are known; the folder is emptied at each start."""


class UploadOwners:
    """ASGI middleware behind the gate. The same content sent by two people is one file with two owners."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._owners: OrderedDict[str, set[str]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        user = scope.get("state", {}).get("user")
        if scope["type"] != "http" or user is None:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        for start in FILE_PATHS:
            if path.startswith(start) and user not in self._owners.get(_real(path.removeprefix(start)), {user}):
                await refuse(send, 404, "There is nothing here.")
                return
        if path.rstrip("/") == UPLOAD_PATH:
            send = self._noting(user, send)
        await self._app(scope, receive, send)

    def _noting(self, user: str, send: Send) -> Send:
        """Read the paths out of the answer on its way."""
        body = bytearray()

        async def note(message: Message) -> None:
            if message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    self._note(user, bytes(body))
            await send(message)

        return note

    def _note(self, user: str, body: bytes) -> None:
        try:
            paths = json.loads(body)
        except ValueError:
            return
        for path in paths if isinstance(paths, list) else ():
            self._owners.setdefault(_real(str(path)), set()).add(user)
        while len(self._owners) > REMEMBERED:
            self._owners.popitem(last=False)


def _real(path: str) -> str:
    return os.path.realpath("/" + path.lstrip("/")) if os.name == "posix" else os.path.realpath(path)
