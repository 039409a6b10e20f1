"""Reads a soundfont and checks that its tables hold together, so that nothing read from it can point outside it.

Source of the layout: SoundFont Technical Specification 2.04, chapters 4 to 8.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

Table = NDArray[Any]
"""Records as a structured array."""
_RECORDS = {
    "phdr": np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "<u4", (3,))]),
    "pbag": np.dtype([("generator", "<u2"), ("modulator", "<u2")]),
    "pgen": np.dtype([("kind", "<u2"), ("amount", "<i2")]),
    "inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    "ibag": np.dtype([("generator", "<u2"), ("modulator", "<u2")]),
    "igen": np.dtype([("kind", "<u2"), ("amount", "<i2")]),
    "shdr": np.dtype([("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"), ("loop_end", "<u4"),
                      ("rate", "<u4"), ("pitch", "u1"), ("correction", "i1"), ("link", "<u2"), ("kind", "<u2")]),
}  # fmt: skip
"""By table: its records. Modulators are not read."""
INSTRUMENT, SAMPLE = 41, 53
"""Generators whose amount is a record's number."""
_MOST = 200_000
"""Records of one table; large sound banks have some tens of thousands."""
_COMPRESSED = 0x10


class SoundfontError(ValueError):
    """The file is not a soundfont that can be played."""


@dataclass(frozen=True)
class Soundfont:
    """The samples, 16-bit, and the tables; the last record of each table only closes it."""

    samples: NDArray[np.int16]
    presets: Table
    preset_bags: Table
    preset_generators: Table
    instruments: Table
    instrument_bags: Table
    instrument_generators: Table
    headers: Table


def read_soundfont(path: Path) -> Soundfont:
    """Raises SoundfontError with one sentence where `path` is no soundfont or its tables do not hold together."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if len(start) < 12 or start[:4] != b"RIFF" or start[8:12] != b"sfbk":
            raise SoundfontError(f"{path.name} is not a soundfont.")
        try:
            samples, tables = _read(file, size)
            font = Soundfont(samples, *(tables[name] for name in _RECORDS))
            _check(font)
        except (struct.error, ValueError) as error:
            raise SoundfontError(f"{path.name} is a damaged soundfont: {error}.") from None
    return font


def _read(file: BinaryIO, size: int) -> tuple[NDArray[np.int16], dict[str, Table]]:
    samples: NDArray[np.int16] | None = None
    tables: dict[str, Table] = {}
    for name, length, at in _chunks(file, 12, size):
        if name != b"LIST":
            continue
        file.seek(at)
        kind = file.read(4)
        for inner, inner_length, inner_at in _chunks(file, at + 4, at + length):
            table = inner.decode("latin-1")
            file.seek(inner_at)
            if kind == b"sdta" and table == "smpl":
                samples = np.frombuffer(file.read(inner_length // 2 * 2), dtype="<i2")
            elif kind == b"pdta" and table in _RECORDS:
                record = _RECORDS[table]
                if inner_length % record.itemsize or not 0 < inner_length <= record.itemsize * _MOST:
                    raise ValueError(f"its table {table} has a wrong length")
                tables[table] = np.frombuffer(file.read(inner_length), dtype=record)
    missing = [name for name in _RECORDS if name not in tables]
    if samples is None or missing:
        raise ValueError(f"it has no {missing[0] if missing else 'samples'}")
    return samples, tables


def _chunks(file: BinaryIO, at: int, end: int) -> list[tuple[bytes, int, int]]:
    """(name, length, place of the content) of the chunks from `at` to `end`."""
    found = []
    while at + 8 <= end:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if at + 8 + length > end:
            raise ValueError("it ends too early")
        found.append((name, length, at + 8))
        at += 8 + length + length % 2
        if len(found) > 1000:
            raise ValueError("it has too many chunks")
    return found


def _check(font: Soundfont) -> None:
    """Every number of a record is one, and every sample lies inside the samples."""
    for name, numbers, target in (
        ("phdr", font.presets["bag"], font.preset_bags),
        ("pbag", font.preset_bags["generator"], font.preset_generators),
        ("inst", font.instruments["bag"], font.instrument_bags),
        ("ibag", font.instrument_bags["generator"], font.instrument_generators),
    ):
        if (np.diff(numbers.astype(np.int64)) < 0).any() or numbers[-1] >= len(target):
            raise ValueError(f"its table {name} points outside itself")
    for name, table, kind, target in (
        ("pgen", font.preset_generators, INSTRUMENT, font.instruments),
        ("igen", font.instrument_generators, SAMPLE, font.headers),
    ):
        amounts = table["amount"][table["kind"] == kind].astype(np.uint16)
        if (amounts >= len(target) - 1).any():
            raise ValueError(f"its table {name} points outside itself")
    headers = font.headers[:-1]
    if (headers["kind"] & _COMPRESSED).any():
        raise ValueError("its samples are compressed, and only plain ones can be played")
    places = (headers["start"], headers["end"], headers["loop_start"], headers["loop_end"])
    if (headers["start"] > headers["end"]).any() or any((place > len(font.samples)).any() for place in places):
        raise ValueError("a sample lies outside the file")
