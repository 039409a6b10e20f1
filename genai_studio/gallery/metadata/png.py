"""PNG: the recipe is an iTXt chunk before the picture data, put in at byte level, so that no pixel is coded again.
Compressed text is refused: a chunk of a kilobyte can unpack to gigabytes.

Source: Portable Network Graphics specification, third edition, sections 5 and 11.3.3.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from genai_studio.domain.recipe import RECIPE_KEY

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 1000
"""Chunks looked at before the picture data; our files have three."""
# Keyword, NUL, "not compressed", method 0, no language tag, no translated keyword.
_PREFIX = RECIPE_KEY.encode() + b"\x00\x00\x00\x00\x00"


def begins(head: bytes) -> bool:
    return head.startswith(SIGNATURE)


def find(file: BinaryIO, limit: int) -> str | None:
    file.seek(len(SIGNATURE))
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return None
        length, kind = struct.unpack(">I4s", head)
        if kind in (b"IDAT", b"IEND"):
            return None
        if kind != b"iTXt" or length > limit + len(_PREFIX):
            file.seek(length + 4, 1)
            continue
        body, checksum = file.read(length), file.read(4)
        if body.startswith(_PREFIX) and checksum == _checksum(kind, body):
            return body[len(_PREFIX) :].decode()
    return None


def insert(data: bytes, recipe: str) -> bytes:
    """Raises ValueError for a PNG without picture data."""
    body = _PREFIX + recipe.encode()
    ours = struct.pack(">I", len(body)) + b"iTXt" + body + _checksum(b"iTXt", body)
    pieces, placed = [SIGNATURE], False
    for kind, start, end in _chunks(data):
        if kind == b"iTXt" and data.startswith(RECIPE_KEY.encode() + b"\x00", start + 8):
            continue
        if kind == b"IDAT" and not placed:
            pieces.append(ours)
            placed = True
        pieces.append(data[start:end])
    if not placed:
        raise ValueError("the PNG file has no picture data")
    return b"".join(pieces)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of each chunk, from the length field up to and with the checksum."""
    at = len(SIGNATURE)
    while at < len(data):
        if at + 12 > len(data):
            raise ValueError("the PNG file is cut short")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError("the PNG file is cut short")
        yield kind, at, end
        at = end


def _checksum(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(kind + body))
