"""A demo studio in a process of its own, a headless Chromium, and pages that must stay without an error."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rooms import WIDE

from genai_studio.gallery.records import Record
from genai_studio.remote import RemoteStudio, connect
from genai_studio.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 45
"""Seconds a busy machine may take for what is quick on an idle one; nothing waits so long when all is well."""


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Running:
    """The studio under test: its address, and its other door, the command line's."""

    address: str
    remote: RemoteStudio

    def submit(self, model: str, prompt: str = "", **values: Any) -> str:
        if prompt:
            values["prompt"] = prompt
        return self.remote.submit(self.remote.request(model, values)).id

    def make(self, model: str, prompt: str, **values: Any) -> list[Record]:
        """Run a job to its end and give what it made."""
        job = self.submit(model, prompt, **values)
        for _ in self.remote.watch(job):
            pass
        return [self.remote.gallery.get(record) for record in self.remote.job(job).outputs]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("browser") / "home"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GENAI_STUDIO_")}
    command = [sys.executable, "app.py", "--demo", "--home", str(home), "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"is at (http://\S+)", line):
            break
    else:
        pytest.fail("The studio did not start:\n" + "".join(said))
    # A pipe that nobody empties would stop the studio at its first warnings.
    threading.Thread(target=said.extend, args=(process.stdout,), daemon=True).start()
    try:
        with connect(Settings.read({}, home=home, demo=True)) as remote:
            assert isinstance(remote, RemoteStudio)
            yield Running(found[1], remote)
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    api.expect.set_options(timeout=PATIENCE * 1000)
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--autoplay-policy=no-user-gesture-required",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield browser
        browser.close()


@dataclass
class Watched:
    """An open page and what its console has said as an error. A preview that its job has moved past is no error, nor is
    an export that could not be made: the page says so."""

    page: Any
    errors: list[str]

    @classmethod
    def of(cls, page: Any) -> Watched:
        watched = cls(page, [])
        page.on("console", watched.hear)
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        return watched

    def hear(self, message: Any) -> None:
        address = message.location.get("url", "")
        if message.type == "error" and "/preview/" not in address and "/export/" not in address:
            self.errors.append(f"{message.text} {message.location}")


@pytest.fixture(scope="session")
def pages(browser: Any) -> Iterator[dict[tuple[Any, ...], Watched]]:
    """The pages that are open, by size and language: opening one costs more than most tests."""
    pages: dict[tuple[Any, ...], Watched] = {}
    yield pages
    for watched in pages.values():
        watched.page.context.close()


@pytest.fixture
def open_page(browser: Any, running: Running, pages: dict[tuple[Any, ...], Watched]) -> Iterator[Callable[..., Any]]:
    """`open_page(size, locale)` gives a page at the studio, maybe one that earlier tests have used. Afterwards:
    nothing was said in a console as an error, nothing was thrown, and no text had run as code."""

    def open_page(size: tuple[int, int] = WIDE, locale: str = "en-US") -> Any:
        if (size, locale) not in pages:
            context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=locale)
            context.set_default_timeout(PATIENCE * 1000)
            page = context.new_page()
            pages[size, locale] = Watched.of(page)
            page.goto(running.address)
            page.locator("#image-prompt textarea").wait_for()
        page = pages[size, locale].page
        page.keyboard.press("Escape")
        return page

    yield open_page
    for watched in pages.values():
        assert watched.errors == []
        assert watched.page.evaluate("window.__pwned") is None
