"""MIDI: the recipe is a text event at the very start of the first track; the notes are not parsed, only moved.

Source: Standard MIDI Files 1.0, MIDI Manufacturers Association.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from genai_studio.domain.recipe import RECIPE_KEY

MAX_EVENTS = 1000
_MARK = f"{RECIPE_KEY} ".encode()
_TEXT = b"\x00\xff\x01"
"""No delay, meta event, text."""


def begins(head: bytes) -> bool:
    return head.startswith(b"MThd")


def find(file: BinaryIO, limit: int) -> str | None:
    file.seek(0)
    data = file.read(limit + 100_000)
    try:
        start, length = _first_track(data)
    except ValueError:
        return None
    for kind, begin, end in _opening_events(data[start : start + length]):
        value = data[start + begin : start + end]
        if kind == 1 and value.startswith(_MARK):
            return value[len(_MARK) :].decode()
    return None


def insert(data: bytes, recipe: str) -> bytes:
    """Raises ValueError for a file without a track."""
    start, length = _first_track(data)
    track = data[start : start + length]
    if len(track) < length:
        raise ValueError("the MIDI file is cut short")
    for kind, begin, end in _opening_events(track):
        if kind == 1 and track.startswith(_MARK, begin):
            head = len(_TEXT) + len(_variable(end - begin))
            track = track[: begin - head] + track[end:]
            break
    value = _MARK + recipe.encode()
    track = _TEXT + _variable(len(value)) + value + track
    return data[: start - 4] + struct.pack(">I", len(track)) + track + data[start + length :]


def _first_track(data: bytes) -> tuple[int, int]:
    """Start and length of the first track's events."""
    if len(data) < 14 or not begins(data):
        raise ValueError("the MIDI file has no header")
    at = 8 + int.from_bytes(data[4:8], "big")
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            return at + 8, length
        at += 8 + length
    raise ValueError("the MIDI file has no track")


def _opening_events(track: bytes) -> list[tuple[int, int, int]]:
    """Type, start and end of the data of each meta event that stands before everything else, at time 0."""
    events: list[tuple[int, int, int]] = []
    at = 0
    while len(events) < MAX_EVENTS and track[at : at + 2] == b"\x00\xff":
        length, begin = _read_variable(track, at + 3)
        if begin + length > len(track):
            break
        events.append((track[at + 2], begin, begin + length))
        at = begin + length
    return events


def _variable(number: int) -> bytes:
    """A variable-length quantity: seven bits a byte, the highest bit set on all but the last."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def _read_variable(data: bytes, at: int) -> tuple[int, int]:
    """The number and where it ends. At most four bytes, as the format says."""
    number = 0
    for byte in data[at : at + 4]:
        at += 1
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return number, at
