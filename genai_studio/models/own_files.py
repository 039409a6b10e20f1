"""What the user's models folder adds to the catalogue: GGUF files to chat with, and soundfonts that play tunes. Nothing
is scanned but that folder, and nothing is imported from it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from genai_studio.domain.modality import Modality
from genai_studio.models.base import ModelSpec, Source

MAX_USER_MODELS = 500
"""A models folder that points at a whole disk stays a list that a person can read."""
_LATER_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)


def specs(models_folder: Path, tunes: ModelSpec | None) -> list[ModelSpec]:
    """An entry for each file below the folder, in a fixed order. `tunes` is the entry that a soundfont varies."""
    found: list[ModelSpec] = []
    for path in _files(models_folder):
        suffix = path.suffix.lower()
        if suffix == ".gguf":
            found.append(user_gguf(path, models_folder))
        elif tunes is not None:
            found.append(user_soundfont(path, models_folder, tunes))
        if len(found) == MAX_USER_MODELS:
            break
    return found


def user_gguf(path: Path, models_folder: Path) -> ModelSpec:
    """The entry of one GGUF file. Its header is read when it is loaded, not here: a broken file is listed too, so
    that the person sees it, and says in one sentence what is wrong when it is used."""
    relative = path.relative_to(models_folder).as_posix()
    parts = _parts(path)
    return ModelSpec(
        id=f"gguf:{relative}",
        family="text_llamacpp",
        modality=Modality.TEXT,
        task="chat",
        title=_LATER_PART.sub("", path.name).removesuffix(path.suffix),
        summary=f"Your own file {relative} in the models folder.",
        licence="your own file",
        commercial=False,
        sources=(
            Source(
                "file",
                Path(relative).parent.as_posix(),
                {part.name: "" for part in parts},
                size=sum(part.stat().st_size for part in parts if part.is_file()),
            ),
        ),
        memory=int(1.3 * sum(part.stat().st_size for part in parts if part.is_file())),
    )


def user_soundfont(path: Path, models_folder: Path, tunes: ModelSpec) -> ModelSpec:
    """`tunes`, played by another soundfont. The file is read when it is loaded: a broken one is listed too."""
    relative = path.relative_to(models_folder)
    sound = Source("file", relative.parent.as_posix(), {path.name: ""}, size=path.stat().st_size)
    others = tuple(extra for extra in tunes.extras if not any(name.endswith(".sf2") for name in extra.files))
    return replace(
        tunes,
        id=f"{tunes.id}:{relative.as_posix()}",
        title=f"{tunes.title} · {path.stem}",
        summary=f"Tunes played by your own soundfont {relative.as_posix()} in the models folder.",
        licence=f"{tunes.licence}; soundfont: your own file",
        commercial=False,
        extras=(sound, *others),
        memory=tunes.memory + 2 * path.stat().st_size,
    )


def _parts(path: Path) -> list[Path]:
    """The file itself, or all the parts of a split one, the first first (the loader finds the others by name)."""
    match = _LATER_PART.search(path.name)
    if not match:
        return [path]
    stem, count = path.name[: match.start()], min(int(match[2]), 999)
    return [path.with_name(f"{stem}-{number:05d}-of-{match[2]}{path.suffix}") for number in range(1, count + 1)]


def _files(folder: Path) -> Iterator[Path]:
    """GGUF files (without later parts and vision projectors, "mmproj") and soundfonts, in a fixed order."""
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            part = _LATER_PART.search(name)
            if not name.lower().endswith((".gguf", ".sf2")) or name.startswith((".", "mmproj")):
                continue
            path = Path(root, name)
            if (part is None or int(part[1]) == 1) and path.is_file() and _is_text(path):
                yield path


def _is_text(path: Path) -> bool:
    """A name that is not valid text on this platform cannot be stored in a recipe."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
