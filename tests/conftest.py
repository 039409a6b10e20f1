"""Fixtures of the whole suite: a data folder of its own for each test, and a studio on the demo models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from genai_studio.settings import Settings
from genai_studio.studio import Studio


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running in this thread, in which no other can start."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The demo models over an empty data folder; the user's own environment plays no part."""
    return Settings.read({}, home=tmp_path / "home", demo=True, threads=1)


@pytest.fixture
def studio(settings: Settings) -> Iterator[Studio]:
    """A running studio that generates in this process: quick, and the same code but for the pipe."""
    with Studio(settings, inline=True) as running:
        yield running
