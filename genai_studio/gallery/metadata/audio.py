"""WAV and FLAC: the recipe is the comment of a LIST/INFO chunk, or a Vorbis comment of its own name. Samples stay as
they are, and everything that would differ between two equal recordings is left out.

Sources: Microsoft/IBM Multimedia Programming Interface 1.0, RIFF; RFC 9639, FLAC, section 8.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from genai_studio.domain.recipe import RECIPE_KEY

MAX_CHUNKS = 1000
_MARK = f"{RECIPE_KEY} ".encode()
# libsndfile's PEAK chunk holds the time of writing, so two equal recordings would not be the same bytes.
_LEFT_OUT = (b"PEAK",)


def begins_wav(head: bytes) -> bool:
    return head.startswith(b"RIFF") and head[8:12] == b"WAVE"


def find_wav(file: BinaryIO, limit: int) -> str | None:
    file.seek(12)
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return None
        kind, length = struct.unpack("<4sI", head)
        if kind == b"LIST" and length <= limit + 1000:
            found = _comment(file.read(length))
            if found:
                return found
            file.seek(length % 2, 1)
        else:
            file.seek(length + length % 2, 1)
    return None


def insert_wav(data: bytes, recipe: str) -> bytes:
    """Raises ValueError for a file without samples."""
    comment = _MARK + recipe.encode()
    ours = _chunk(b"LIST", b"INFO" + _chunk(b"ISFT", b"GenAI Studio\x00") + _chunk(b"ICMT", comment + b"\x00"))
    kept = [chunk for kind, chunk in _wav_chunks(data) if kind not in _LEFT_OUT and not _is_ours(kind, chunk)]
    if not any(chunk.startswith(b"data") for chunk in kept):
        raise ValueError("the WAV file has no samples")
    body = b"WAVE" + b"".join(kept) + ours
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _wav_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            raise ValueError("the WAV file is cut short")
        yield kind, _chunk(kind, data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2)


def _is_ours(kind: bytes, chunk: bytes) -> bool:
    return kind == b"LIST" and _comment(chunk[8:]) is not None


def _comment(body: bytes) -> str | None:
    """The recipe in the body of a LIST chunk."""
    if not body.startswith(b"INFO"):
        return None
    at = 4
    while at + 8 <= len(body):
        kind, length = struct.unpack_from("<4sI", body, at)
        value = body[at + 8 : at + 8 + length]
        if kind == b"ICMT" and value.startswith(_MARK):
            return value[len(_MARK) :].rstrip(b"\x00").decode()
        at += 8 + length + length % 2
    return None


def begins_flac(head: bytes) -> bool:
    return head.startswith(b"fLaC")


def find_flac(file: BinaryIO, limit: int) -> str | None:
    """Walks the block headers itself: a library would first read every block of a hostile file into memory."""
    file.seek(4)
    last = False
    for _ in range(MAX_CHUNKS):
        head = file.read(4)
        if last or len(head) < 4:
            return None
        last, kind, length = bool(head[0] & 0x80), head[0] & 0x7F, int.from_bytes(head[1:], "big")
        if kind == 4 and length <= limit + 1000:
            return _vorbis_comment(file.read(length))
        file.seek(length, 1)
    return None


def _vorbis_comment(body: bytes) -> str | None:
    def number(at: int) -> int:
        return int.from_bytes(body[at : at + 4], "little")

    at = 4 + number(0)
    count = number(at)
    at += 4
    mark = f"{RECIPE_KEY}=".encode()
    for _ in range(min(count, MAX_CHUNKS)):
        value = body[at + 4 : at + 4 + number(at)]
        if value[: len(mark)].lower() == mark:
            return value[len(mark) :].decode()
        at += 4 + number(at)
    return None


def insert_flac(data: bytes, recipe: str) -> bytes:
    """Raises ValueError for a file that mutagen can't read."""
    from mutagen import MutagenError
    from mutagen.flac import FLAC

    read: Any = FLAC
    file = io.BytesIO(data)
    try:
        audio = read(file)
        if audio.tags is None:
            audio.add_tags()
        audio.tags[RECIPE_KEY] = [recipe]
        file.seek(0)
        audio.save(file, padding=lambda _: 0)
    except MutagenError as error:
        raise ValueError(f"the FLAC file cannot be read: {error}") from error
    return file.getvalue()
