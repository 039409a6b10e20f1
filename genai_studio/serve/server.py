"""Server: the page, the media and the command line's routes under one address, behind the guards. Refuses an
address that everybody can reach unless there is a login."""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from genai_studio.errors import Busy, InvalidInput, NotAllowed, NotFound, StudioError
from genai_studio.serve.command_line import command_line_routes
from genai_studio.serve.guards import SPACE_FRAMES, UPLOAD_LIMIT, Guard
from genai_studio.serve.login import Gate, Sessions, login_routes
from genai_studio.serve.logs import printed_to_log
from genai_studio.serve.media import media_routes
from genai_studio.serve.uploads import UploadOwners
from genai_studio.settings import Settings
from genai_studio.studio import Studio

if TYPE_CHECKING:
    from gradio import Blocks

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
PORTS_TRIED = 100
SHUTDOWN_SECONDS = 2
"""How long open pages may keep the server from stopping."""
_STATUS: dict[type[StudioError], int] = {InvalidInput: 400, NotFound: 404, NotAllowed: 404, Busy: 409}

log = logging.getLogger(__name__)


def _to_terminal(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def create_app(studio: Studio, page: Blocks, page_assets: dict[str, Any], token: str, port: int = 0) -> FastAPI:
    """The whole server as one ASGI application. `page_assets` go to Gradio (theme, css, js, head, i18n); `token`
    is the command line's."""
    import gradio

    settings = studio.settings
    in_space = bool(settings.space)
    sessions = Sessions(settings.logins) if settings.logins else None
    no_docs: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    app = FastAPI(**no_docs)
    app.add_exception_handler(StudioError, _explain)
    app.include_router(command_line_routes(studio, token))
    app.include_router(media_routes(studio, owner_of))
    if sessions is not None:
        app.include_router(login_routes(sessions, framed=in_space, language=settings.language))
    gradio.mount_gradio_app(
        app,
        page,
        path="",
        server_name=settings.host,
        server_port=port,
        app_kwargs=dict(no_docs),
        auth_dependency=_user if sessions is not None or in_space else None,
        allowed_paths=[],
        blocked_paths=[str(settings.home / name) for name in ("studio.db", "outputs", "staging", "cache")],
        max_file_size=UPLOAD_LIMIT,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        ssr_mode=False,
        **page_assets,
    )
    names = allowed_names(settings)
    # The last one added is the outermost: host and origin are judged before anything is read or anybody known.
    app.add_middleware(UploadOwners)
    app.add_middleware(Gate, sessions=sessions, guests=in_space)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False)
    app.add_middleware(Guard, names=_listed(settings), frames=SPACE_FRAMES if in_space else "'self'")
    return app


def prepare(settings: Settings) -> None:
    """Before Gradio is imported, by the owner of the data folder: no telemetry, and uploads in that folder instead
    of one that all accounts of the machine share. What was uploaded to an earlier run is removed."""
    uploads = settings.home / "uploads"
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    shutil.rmtree(uploads, ignore_errors=True)


def owner_of(request: Request) -> str:
    """Whose records a request may see; the same rule as the page's."""
    return getattr(request.state, "user", None) or "local"


def serve(studio: Studio, page: Blocks, page_assets: dict[str, Any], say: Callable[[str], None] = _to_terminal) -> None:
    """Serve until Ctrl+C. `say` gets the one line with the address. Raises InvalidInput where it cannot listen."""
    settings = studio.settings
    check_bind(settings)
    listener = listen(settings, say)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(32)
    app = create_app(studio, page, page_assets, token, port)
    address = local_address(settings.host, port)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            studio.set_address(address, token)
            say(f"GenAI Studio is at {address}")

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    if threading.current_thread() is threading.main_thread():
        # uvicorn hands a signal on when it has stopped; SIGTERM alone would end the process before the studio closed.
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        with printed_to_log():
            Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        log.info("Stopped by a signal.")


def check_bind(settings: Settings) -> None:
    """Raise InvalidInput where the studio would be open to everybody on the network."""
    if is_local(settings.host) or settings.logins or settings.space:
        return
    raise InvalidInput(
        f"At {settings.host} everybody on the network could use this studio without a login.",
        "Give it one with GENAI_STUDIO_AUTH=name:password (or --auth), or leave the host at 127.0.0.1.",
    )


def is_local(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def allowed_names(settings: Settings) -> list[str]:
    """Host names the server answers to. A public bind adds the addresses of this machine: an address, unlike a
    name, cannot be made to point here by somebody else."""
    names = [*LOCAL_NAMES, *_listed(settings)]
    if settings.space:
        names.append("*.hf.space")
    if not is_local(settings.host):
        import psutil

        names += [settings.host, socket.gethostname()]
        addresses = [entry.address.split("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries]
        names += [f"[{address}]" if ":" in address else address for address in addresses]
    return names


def listen(settings: Settings, say: Callable[[str], None]) -> socket.socket:
    """A bound socket at the settings' port, or at the next free one. Raises InvalidInput."""
    host = settings.host.strip("[]")
    last = settings.port if settings.port == 0 or settings.space else min(settings.port + PORTS_TRIED, 65535)
    for port in range(settings.port, last + 1):
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            listener = socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            if port == last or error.errno != errno.EADDRINUSE:
                raise InvalidInput(
                    f"The studio cannot listen at {settings.host}, port {port}: {error.strerror or error}.",
                    "Choose another --host or --port.",
                ) from error
            continue
        if port not in (0, settings.port):
            say(f"Port {settings.port} is taken; this studio uses {port}.")
        return listener
    raise InvalidInput("No port is free.")


def local_address(host: str, port: int) -> str:
    """The address to open on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _listed(settings: Settings) -> list[str]:
    return [name.strip() for name in settings.allowed_hosts.split(",") if name.strip()]


def _user(request: Request) -> str | None:
    user: str | None = request.state.user
    return user


async def _explain(request: Request, error: Exception) -> JSONResponse:
    """A StudioError as JSON. What belongs to somebody else looks as if it did not exist."""
    if not isinstance(error, StudioError):
        raise error
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    log.info("%s %s: %s", request.method, request.url.path, error)
    if isinstance(error, NotAllowed):
        error = NotFound("There is nothing here.")
    return JSONResponse(
        {"error": type(error).__name__, "message": error.message, "hint": error.hint, "detail": error.sentence}, status
    )
