"""The recipe inside a file: written without touching the picture, the samples or the notes, and read from any file a
person drops. Which format it is, its first bytes decide. Reading treats everything as data, bounds what it reads, and
answers None for whatever it doesn't understand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from genai_studio.domain.fields import MAX_COUNT, MAX_SEED
from genai_studio.domain.recipe import Recipe, parse_recipe
from genai_studio.gallery.metadata import audio, midi, musicxml, png, text

MAX_FILE = 200_000_000
"""Bytes. A larger file is not looked into."""
MAX_METADATA = 1_000_000
"""Bytes of one recipe; ours have a few thousand."""


class Format(NamedTuple):
    """`find` answers the recipe's text or None; `insert` answers the file's bytes with the recipe in it."""

    begins: Callable[[bytes], bool]
    find: Callable[[BinaryIO, int], str | None]
    insert: Callable[[bytes, str], bytes]


FORMATS = (
    Format(png.begins, png.find, png.insert),
    Format(audio.begins_wav, audio.find_wav, audio.insert_wav),
    Format(audio.begins_flac, audio.find_flac, audio.insert_flac),
    Format(midi.begins, midi.find, midi.insert),
    Format(musicxml.begins, musicxml.find, musicxml.insert),
)


def embedded(data: bytes, recipe_json: str) -> bytes | None:
    """The bytes of a file with the recipe in it, an earlier one replaced: the same input gives the same output.

    None where the format has no place for it, as a plain text. Raises ValueError for a file that is broken.
    """
    for kind in FORMATS:
        if kind.begins(data[:64]):
            return kind.insert(data, recipe_json)
    return None


def embed(path: Path, recipe_json: str) -> None:
    """Put the recipe into the file at `path`, or beside it where the file has no place for it."""
    data = embedded(path.read_bytes(), recipe_json)
    target = path if data is not None else text.beside(path)
    part = target.with_name(f".{target.name}.embed.part")
    part.write_bytes(recipe_json.encode() if data is None else data)
    os.replace(part, target)


def read_recipe(path: Path) -> Recipe | None:
    """The recipe that a file of ours carries; None for every other file, however malformed."""
    try:
        found = _find(path)
        recipe = parse_recipe(found) if found and len(found) <= MAX_METADATA else None
        return recipe if recipe and _sound(recipe) else None
    except (OSError, ValueError, RecursionError):
        return None


def _find(path: Path) -> str | None:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE:
            return None
        head = file.read(64)
        file.seek(0)
        for kind in FORMATS:
            if kind.begins(head):
                return kind.find(file, MAX_METADATA)
    return text.find(path, MAX_METADATA)


def _sound(recipe: Recipe) -> bool:
    """Whether what the rest of the studio takes for granted holds, for a recipe that anybody may have written."""
    seed, count, prompt = (recipe.request.params.get(name) for name in ("seed", "count", "prompt"))
    if type(seed) is not int or not 0 <= seed <= MAX_SEED or not 0 <= recipe.index < 100:
        return False
    if count is not None and (type(count) is not int or not 1 <= count <= MAX_COUNT):
        return False
    if prompt is not None and not isinstance(prompt, str):
        return False
    whole = recipe.portable()
    return "\\u0000" not in whole and bool(whole.encode())
