"""RemoteStudio: the running studio of a data folder, over HTTP, with the method names of Studio that the command
line uses. `connect` gives the running one, or owns the folder itself while there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx
from pydantic import TypeAdapter

from genai_studio.domain.events import EVENT, Event
from genai_studio.domain.job import Job, JobState
from genai_studio.domain.modality import Modality
from genai_studio.domain.request import Request
from genai_studio.engine.lock import running_owner
from genai_studio.errors import BY_NAME, Busy, StudioError
from genai_studio.gallery.records import Page, Record
from genai_studio.models.base import ModelSpec
from genai_studio.settings import Settings
from genai_studio.studio import Studio

RECORD: TypeAdapter[Record] = TypeAdapter(Record)
PAGE: TypeAdapter[Page] = TypeAdapter(Page)
JOBS: TypeAdapter[list[Job]] = TypeAdapter(list[Job])
PATIENCE = 600.0
"""Seconds to wait for another command, or for a studio that has the folder and no address yet."""


class RemoteStudio:
    """Catalogue and validation happen here, on the same settings; the ledger and the gallery are the other side's."""

    def __init__(self, settings: Settings, address: str, token: str) -> None:
        self.settings = settings
        self._catalogue = Studio(settings)
        # Proxies of the environment are for the internet, not for this machine.
        self._client = httpx.Client(
            base_url=f"{address}/studio", headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=30
        )
        self.gallery = RemoteGallery(self._client)

    def close(self) -> None:
        self._client.close()

    def answers(self) -> bool:
        """Whether the studio of the lock file is there and is the one that wrote it."""
        try:
            return self._client.get("/about", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def model(self, model_id: str) -> ModelSpec:
        return self._catalogue.model(model_id)

    def default_model(self, modality: Modality) -> ModelSpec:
        return self._catalogue.default_model(modality)

    def is_present(self, model_id: str) -> bool:
        return self._catalogue.is_present(model_id)

    def request(self, model_id: str, values: Mapping[str, Any], inputs: Mapping[str, str] | None = None) -> Request:
        return self._catalogue.request(model_id, values, inputs or {})

    def keep_asset(self, path: Path) -> str:
        return self._catalogue.keep_asset(path)  # both sides share the folder

    def submit(self, request: Request) -> Job:
        return Job.model_validate(_answer(self._client, "POST", "/jobs", json=request.model_dump(mode="json")))

    def watch(self, job_id: str, after: int = 0) -> Iterator[Event]:
        """Events until the ending one. Raises StudioError when the studio goes away meanwhile."""
        try:
            with self._client.stream("GET", f"/jobs/{job_id}/events", params={"after": after}, timeout=None) as answer:
                if not answer.is_success:
                    answer.read()
                _check(answer)
                for line in filter(None, answer.iter_lines()):
                    yield EVENT.validate_json(line)
        except httpx.HTTPError as error:
            raise _gone() from error

    def export(self, record_id: str, format: str) -> Path:
        return Path(_answer(self._client, "GET", f"/records/{record_id}/export/{format}", timeout=PATIENCE))

    def cancel(self, job_id: str) -> None:
        _answer(self._client, "POST", f"/jobs/{job_id}/cancel")

    def job(self, job_id: str) -> Job:
        return Job.model_validate(_answer(self._client, "GET", f"/jobs/{job_id}"))

    def jobs(self, *, states: Sequence[JobState] | None = None, limit: int = 50) -> list[Job]:
        wanted = {"states": ",".join(states or ()), "limit": limit}
        return JOBS.validate_python(_answer(self._client, "GET", "/jobs", params=wanted))


class RemoteGallery:
    """What the command line reads of the gallery. Paths are of this machine: both sides share its disk."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, record_id: str) -> Record:
        return RECORD.validate_python(_answer(self._client, "GET", f"/records/{record_id}"))

    def open(self, record_id: str, role: str = "") -> Path:
        return Path(_answer(self._client, "GET", f"/records/{record_id}/path", params={"role": role}))

    def page(self, **filters: Any) -> Page:
        given = {name: value for name, value in filters.items() if value is not None}
        return PAGE.validate_python(_answer(self._client, "GET", "/records", params=given))

    def export(self, ids: Iterable[str], destination: Path) -> list[Path]:
        wanted = {"ids": list(ids), "destination": str(destination.absolute())}
        return [Path(path) for path in _answer(self._client, "POST", "/export", json=wanted)]


AnyStudio: TypeAlias = Studio | RemoteStudio


@contextmanager
def connect(
    settings: Settings, *, work: bool = True, waiting: Callable[[], None] = lambda: None
) -> Iterator[AnyStudio]:
    """The running studio of the data folder, or this process as its owner.

    Where another command owns the folder, which serves no page, its end is waited for, and `waiting` is called
    once. `work=False` is for looking: an owner of its own leaves the waiting jobs alone. Raises Busy when it lasts.
    """
    ends = time.monotonic() + PATIENCE
    told = False
    while True:
        studio = running(settings) or _own(settings, work)
        if studio is not None:
            break
        if time.monotonic() > ends:
            raise Busy("Another command has been using this data folder for ten minutes.", "Wait for it, or stop it.")
        if not told:
            waiting()
            told = True
        time.sleep(0.2)
    try:
        yield studio
    finally:
        studio.close()


def running(settings: Settings) -> RemoteStudio | None:
    """The studio whose address stands in the lock file, if it answers."""
    owner = running_owner(settings.home)
    if owner is None or not owner.address:
        return None
    remote = RemoteStudio(settings, owner.address, owner.token)
    if remote.answers():
        return remote
    remote.close()
    return None


def _own(settings: Settings, work: bool) -> Studio | None:
    studio = Studio(settings, executors=None if work else [])
    try:
        studio.start()
    except Busy:
        return None
    return studio


def _answer(client: httpx.Client, method: str, path: str, **options: Any) -> Any:
    try:
        answer = client.request(method, path, **options)
    except httpx.HTTPError as error:
        raise _gone() from error
    _check(answer)
    return answer.json()


def _check(answer: httpx.Response) -> None:
    """Raise the other side's StudioError as itself."""
    if answer.is_success:
        return
    try:
        said = answer.json()
        error = BY_NAME.get(said.get("error", ""), StudioError)(said["message"], said.get("hint", ""))
    except (ValueError, KeyError, AttributeError):
        error = StudioError(f"The running studio answered with an error ({answer.status_code}).", "See its log.")
    raise error


def _gone() -> StudioError:
    return StudioError("The running studio stopped answering.", "Start it again, then look into the gallery.")
