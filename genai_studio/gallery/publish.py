"""From staged files to what is published: the bytes of each file with the recipe in it, and the row about them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genai_studio.domain.modality import MediaKind
from genai_studio.domain.recipe import Recipe
from genai_studio.errors import GenerationFailed, InvalidInput
from genai_studio.gallery import media
from genai_studio.gallery.files import parse_name
from genai_studio.gallery.metadata import embedded
from genai_studio.gallery.records import THUMBNAIL, Record

RECIPE = "recipe"
"""Role of the JSON file that carries the recipe of a text."""


def contents(
    name: str, kind: MediaKind, recipe_json: str, staged: Path, companions: Mapping[str, Path], facts: media.Facts
) -> dict[str, bytes]:
    """File name to bytes, the main file last. The same arguments give the same bytes.

    Raises OSError when a staged file can't be read, GenerationFailed when it isn't what it should be.
    """
    extension = staged.suffix.lower().lstrip(".")
    if media.MAIN_FILES.get(extension, ("", ""))[0] != kind:
        raise GenerationFailed(f"The model wrote a {extension or 'nameless'} file where {kind} was expected.")
    files: dict[str, bytes] = {}
    for role, path in companions.items():
        companion = f"{name}.{role}{path.suffix.lower()}"
        if parse_name(companion) is None or role in {THUMBNAIL, RECIPE}:
            raise InvalidInput(f"{role[:40]!r} cannot be the role of a further file.")
        files[companion] = _with_recipe(path, recipe_json)[0]
    main, inside = _with_recipe(staged, recipe_json)
    if not inside:
        files[f"{name}.{RECIPE}.json"] = recipe_json.encode()
    if facts.thumbnail:
        files[f"{name}.{THUMBNAIL}.webp"] = facts.thumbnail
    files[f"{name}.{extension}"] = main
    return files


def _with_recipe(path: Path, recipe_json: str) -> tuple[bytes, bool]:
    """The file's bytes, and whether they hold the recipe."""
    data = path.read_bytes()
    try:
        changed = embedded(data, recipe_json)
    except ValueError as error:
        raise GenerationFailed(f"The model wrote a broken file: {error}.") from error
    return (data, False) if changed is None else (changed, True)


def row(
    *, owner: str, recipe: Recipe, keys: Sequence[str], main: bytes, facts: media.Facts, created: float | None = None
) -> Record:
    """The record of published files; `keys` are of all of them, in any order, and `main` is the main file's bytes."""
    roles: dict[str, str] = {}
    for key in keys:
        parsed = parse_name(Path(key).name)
        if parsed is None:
            raise InvalidInput(f"{key[:80]!r} is not the key of an output.")
        job, index, role, extension = parsed
        roles[role] = key
        if not role:
            kind, mime = media.MAIN_FILES[extension]
    info: dict[str, Any] = {"peaks": list(facts.peaks), "duration": facts.seconds} if facts.peaks else {}
    return Record(
        id=f"{job}-{index:02d}",
        job=job,
        output_index=index,
        owner=owner,
        modality=recipe.request.modality,
        kind=kind,
        model=recipe.request.model,
        model_title="",
        prompt=recipe.request.prompt,
        excerpt=facts.excerpt,
        key=roles.pop(""),
        mime=mime,
        companions=roles,
        size=len(main),
        sha256=hashlib.sha256(main).hexdigest(),
        content_sha256=facts.content_sha256,
        width=facts.width,
        height=facts.height,
        seconds=None,
        seed=recipe.request.seed + recipe.index,
        info=info,
        recipe=recipe,
        comparison=None,
        starred=False,
        created=round(time.time() if created is None else created, 6),
        trashed=None,
    )
