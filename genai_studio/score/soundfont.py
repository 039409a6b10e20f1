"""Looks through a soundfont before a synthesiser gets it: whether every table is there and points inside the file.

Source of the layout: SoundFont Technical Specification 2.04, chapters 4 to 8.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

_RECORDS = {"phdr": 38, "pbag": 4, "pmod": 10, "pgen": 4, "inst": 22, "ibag": 4, "imod": 10, "igen": 4, "shdr": 46}
"""By table: bytes of one record."""
_INDEX = {"phdr": 24, "pbag": 0, "inst": 20, "ibag": 0}
"""By table: where in a record the number of the record that it points to stands."""
_POINTS_TO = {"phdr": "pbag", "pbag": "pgen", "inst": "ibag", "ibag": "igen"}
_INSTRUMENT, _SAMPLE = 41, 53
"""Generators whose amount is a record's number."""
_MOST = 200_000
"""Records of one table; large sound banks have some tens of thousands."""


class SoundfontError(ValueError):
    """The file is not a soundfont that can be played."""


def check_soundfont(path: Path) -> None:
    """Raises SoundfontError with one sentence where `path` is no soundfont or its tables do not hold together.

    Reads the tables only, never the samples.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if len(start) < 12 or start[:4] != b"RIFF" or start[8:12] != b"sfbk":
            raise SoundfontError(f"{path.name} is not a soundfont.")
        try:
            samples, tables = _tables(file, size)
            _check(samples, tables)
        except (struct.error, ValueError) as error:
            raise SoundfontError(f"{path.name} is a damaged soundfont: {error}.") from None


def _tables(file: BinaryIO, size: int) -> tuple[int, dict[str, bytes]]:
    """How many samples there are, and the nine tables. The file stands after its first twelve bytes."""
    samples = -1
    tables: dict[str, bytes] = {}
    for name, length, at in _chunks(file, 12, size):
        if name != b"LIST":
            continue
        file.seek(at)
        kind = file.read(4)
        for inner, inner_length, inner_at in _chunks(file, at + 4, at + length):
            if kind == b"sdta" and inner == b"smpl":
                samples = inner_length // 2
            elif kind == b"pdta" and inner.decode("latin-1") in _RECORDS:
                record = _RECORDS[inner.decode("latin-1")]
                if inner_length % record or not record <= inner_length <= record * _MOST:
                    raise ValueError(f"its table {inner.decode('latin-1')} has a wrong length")
                file.seek(inner_at)
                tables[inner.decode("latin-1")] = file.read(inner_length)
    missing = [name for name in _RECORDS if name not in tables]
    if samples < 0 or missing:
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


def _numbers(tables: dict[str, bytes], name: str, place: int) -> list[int]:
    """The two-byte number at `place` of each record."""
    table, record = tables[name], _RECORDS[name]
    return [struct.unpack_from("<H", table, at + place)[0] for at in range(0, len(table), record)]


def _check(samples: int, tables: dict[str, bytes]) -> None:
    counts = {name: len(table) // _RECORDS[name] for name, table in tables.items()}
    for name, target in _POINTS_TO.items():
        numbers = _numbers(tables, name, _INDEX[name])
        if any(after < before for before, after in pairwise(numbers)) or numbers[-1] >= counts[target]:
            raise ValueError(f"its table {name} points outside {target}")
    for name, generator, target in (("pgen", _INSTRUMENT, "inst"), ("igen", _SAMPLE, "shdr")):
        amounts = zip(_numbers(tables, name, 0), _numbers(tables, name, 2), strict=True)
        if any(kind == generator and amount >= counts[target] - 1 for kind, amount in amounts):
            raise ValueError(f"its table {name} points outside {target}")
    for at in range(0, len(tables["shdr"]) - 46, 46):
        start, end, loop_start, loop_end, rate = struct.unpack_from("<5I", tables["shdr"], at + 20)
        if not start <= end <= samples or loop_start > samples or loop_end > samples or rate > 400_000:
            raise ValueError("a sample lies outside the file")
