"""A gallery in a fresh folder, and staged files to save in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from staged_files import Staging, make_recipe

from genai_studio.database.connect import Database
from genai_studio.domain.modality import MediaKind
from genai_studio.domain.request import new_id
from genai_studio.gallery.records import Record
from genai_studio.gallery.store import GalleryStore


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(tmp_path / "staging")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, made once: migrating one for every test would be most of the time they take."""
    path = tmp_path_factory.mktemp("migrated") / "studio.db"
    Database.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Iterator[Database]:
    shutil.copy(migrated, tmp_path)
    database = Database.open(f"sqlite:///{tmp_path / 'studio.db'}")
    yield database
    database.close()


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


@pytest.fixture
def gallery(database: Database, outputs: Path) -> GalleryStore:
    return GalleryStore(database, outputs)


@pytest.fixture
def save_text(gallery: GalleryStore, staging: Staging) -> Callable[..., Record]:
    """Save a small text; the quickest record there is."""

    def save(prompt: str = "a poem", owner: str = "local", words: str = "Roses are red.", **changes: Any) -> Record:
        return gallery.save(
            owner=owner,
            job=changes.pop("job", None) or new_id(),
            index=changes.get("index", 0),
            recipe=make_recipe("text", prompt, **changes),
            kind=MediaKind.TEXT,
            staged=staging.text(words=words),
        )

    return save
