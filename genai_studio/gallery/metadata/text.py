"""Text and JSON: a text stays exactly what was written, so its recipe is a JSON file beside it."""

from __future__ import annotations

from pathlib import Path

SIDE = ".recipe.json"


def beside(path: Path) -> Path:
    """Where the recipe of the text at `path` lies."""
    return path.with_name(path.stem + SIDE)


def find(path: Path, limit: int) -> str | None:
    """The JSON of the file itself, or of the one beside a text."""
    source = path if path.suffix.lower() == ".json" else beside(path)
    if not source.is_file() or source.stat().st_size > limit:
        return None
    return source.read_bytes().decode()
