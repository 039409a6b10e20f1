"""Looks through a soundfont before a synthesiser gets it: whether every table is there and points inside the file. Says
again in the samples' own records what zones say about their pitch, which symusic's synthesiser does not read there.

Source of the layout: SoundFont Technical Specification 2.04, chapters 4 to 8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import BinaryIO

_RECORDS = {"phdr": 38, "pbag": 4, "pmod": 10, "pgen": 4, "inst": 22, "ibag": 4, "imod": 10, "igen": 4, "shdr": 46}
"""By table: bytes of one record."""
_INDEX = {"phdr": 24, "pbag": 0, "inst": 20, "ibag": 0}
"""By table: where in a record the number of the record that it points to stands."""
_POINTS_TO = {"phdr": "pbag", "pbag": "pgen", "inst": "ibag", "ibag": "igen"}
_INSTRUMENT, _SAMPLE = 41, 53
"""Generators whose amount is a record's number."""
_PITCH, _MIDDLE_C = 40, 60
"""Where in a sample's record its pitch stands, and what one without gets."""
_LAST_GENERATOR, _SAMPLE_MODES, _ROOT_KEY, _COARSE_TUNING = 60, 54, 58, 51
_START, _END, _LOOP_START, _LOOP_END = (0, 4), (1, 12), (2, 45), (3, 50)
"""Generators that move a place in the samples: by single ones, and by 32,768."""
_MOST = 200_000
"""Records of one table; large sound banks have some tens of thousands."""


class SoundfontError(ValueError):
    """The file is not a soundfont that can be played."""


@contextmanager
def playable(path: Path) -> Iterator[Path]:
    """A soundfont that a synthesiser can be given: `path` itself, or for as long as it is needed a copy whose samples
    have the pitch that its zones give them.

    Raises SoundfontError with one sentence where `path` is no soundfont or its tables do not hold together. Reads the
    tables only, never the samples.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if len(start) < 12 or start[:4] != b"RIFF" or start[8:12] != b"sfbk":
            raise SoundfontError(f"{path.name} is not a soundfont.")
        try:
            samples, tables, places = _tables(file, size)
            _check(samples, tables)
        except (struct.error, ValueError) as error:
            raise SoundfontError(f"{path.name} is a damaged soundfont: {error}.") from None
    generators, headers = _at_pitch(tables)
    if (generators, headers) == (tables["igen"], tables["shdr"]):
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "soundfont.sf2"
        copyfile(path, copy)
        with copy.open("r+b") as file:
            _rewrite(file, size, places, generators, headers)
        yield copy


def _at_pitch(tables: dict[str, bytes]) -> tuple[bytes, bytes]:
    """The instruments' generators and the samples' records, with the root key of each zone, less its coarse tuning, as
    the pitch of its sample. A sample that zones play at different pitches gets a record for each.

    Samples without a pitch (255 in the file) have middle C.
    """
    generators = [list(pair) for pair in struct.iter_unpack("<HH", tables["igen"])]
    size = _RECORDS["shdr"]
    headers = [tables["shdr"][at : at + size] for at in range(0, len(tables["shdr"]) - size, size)]
    last = tables["shdr"][-size:]
    taken: dict[int, int] = {}
    records: dict[tuple[int, int], int] = {}
    bags, instruments = _numbers(tables, "ibag", 0), _numbers(tables, "inst", 20)
    tunings: list[list[int]] = []
    for first, after in pairwise(instruments):
        common: dict[int, list[int]] = {}
        for bag in range(first, after):
            own = {generator[0]: generator for generator in generators[bags[bag] : bags[bag + 1]]}
            zone = {**common, **own}
            if _COARSE_TUNING in own:
                tunings.append(own[_COARSE_TUNING])
            if _SAMPLE not in own:
                common = own if bag == first else common
                continue
            sample = own[_SAMPLE][1]
            written = headers[sample][_PITCH]
            root = zone[_ROOT_KEY][1] if _ROOT_KEY in zone and zone[_ROOT_KEY][1] <= 127 else written
            coarse = struct.unpack("<h", struct.pack("<H", zone[_COARSE_TUNING][1]))[0] if _COARSE_TUNING in zone else 0
            pitch = min(127, max(0, (root if root <= 127 else _MIDDLE_C) - coarse))
            if (sample, pitch) not in records:
                at = len(headers) if sample in taken else sample
                header = headers[sample][:_PITCH] + bytes([pitch]) + headers[sample][_PITCH + 1 :]
                headers[at : at + 1] = [header]
                taken[sample] = pitch
                records[sample, pitch] = at
            own[_SAMPLE][1] = records[sample, pitch]
            if _ROOT_KEY in own:
                own[_ROOT_KEY][1] = pitch
    for tuning in tunings:
        tuning[1] = 0
    headers = [
        header if header[_PITCH] <= 127 else header[:_PITCH] + bytes([_MIDDLE_C]) + header[_PITCH + 1 :]
        for header in headers
    ]
    if len(headers) > 0xFFFF:
        return tables["igen"], tables["shdr"]
    return b"".join(struct.pack("<HH", *pair) for pair in generators), b"".join([*headers, last])


def _rewrite(file: BinaryIO, size: int, places: dict[str, int], generators: bytes, headers: bytes) -> None:
    """Puts both tables in their places; what follows the samples' records moves, and the lengths around it grow."""
    at = places["shdr"]
    lists = [place for name, span, place in _chunks(file, 12, size) if name == b"LIST" and place < at < place + span]
    file.seek(places["igen"])
    file.write(generators)
    file.seek(at - 4)
    length = int.from_bytes(file.read(4), "little")
    after = at + length + length % 2
    file.seek(after)
    rest = file.read(size - after)
    file.seek(at - 4)
    file.write(struct.pack("<I", len(headers)) + headers + rest)
    grown = len(headers) - length
    for place in (8, *lists):
        file.seek(place - 4)
        before = int.from_bytes(file.read(4), "little")
        file.seek(place - 4)
        file.write(struct.pack("<I", before + grown))


def _tables(file: BinaryIO, size: int) -> tuple[int, dict[str, bytes], dict[str, int]]:
    """How many samples there are, the nine tables, and where in the file each begins."""
    samples = -1
    tables: dict[str, bytes] = {}
    places: dict[str, int] = {}
    for name, length, at in _chunks(file, 12, size):
        if name != b"LIST":
            continue
        file.seek(at)
        kind = file.read(4)
        for inner, inner_length, inner_at in _chunks(file, at + 4, at + length):
            if kind == b"sdta" and inner == b"smpl":
                samples = inner_length // 2
            elif kind == b"pdta" and (table := inner.decode("latin-1")) in _RECORDS:
                if inner_length % _RECORDS[table] or not 0 < inner_length <= _RECORDS[table] * _MOST:
                    raise ValueError(f"its table {table} has a wrong length")
                file.seek(inner_at)
                tables[table], places[table] = file.read(inner_length), inner_at
    missing = [name for name in _RECORDS if name not in tables]
    if samples < 0 or missing:
        raise ValueError(f"it has no {missing[0] if missing else 'samples'}")
    return samples, tables, places


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
        kinds = _numbers(tables, name, 0)
        if max(kinds) > _LAST_GENERATOR:
            raise ValueError(f"its table {name} has a generator that is not known")
        if any(kind == generator and amount >= counts[target] - 1
               for kind, amount in zip(kinds, _numbers(tables, name, 2), strict=True)):  # fmt: skip
            raise ValueError(f"its table {name} points outside {target}")
    for at in range(0, len(tables["shdr"]) - 46, 46):
        start, end, loop_start, loop_end, rate = struct.unpack_from("<5I", tables["shdr"], at + 20)
        if not start <= end <= samples or max(loop_start, loop_end) > samples or rate > 400_000:
            raise ValueError("a sample lies outside the file")
    _check_zones(samples, tables)


def _check_zones(samples: int, tables: dict[str, bytes]) -> None:
    """Every zone of every instrument plays inside the samples, with the places that its generators move; the first
    zone of an instrument, where it names no sample, is what the others start from."""
    generators = list(struct.iter_unpack("<Hh", tables["igen"]))
    bags, instruments = _numbers(tables, "ibag", 0), _numbers(tables, "inst", 20)
    for first, last in pairwise(instruments):
        common: dict[int, int] = {}
        for bag in range(first, last):
            zone = {**common, **dict(generators[bags[bag] : bags[bag + 1]])}
            if _SAMPLE not in zone:
                common = zone if bag == first else common
                continue
            start, end, loop_start, loop_end = (
                place + zone.get(fine, 0) + 32_768 * zone.get(coarse, 0)
                for place, (fine, coarse) in zip(
                    struct.unpack_from("<4I", tables["shdr"], 46 * (zone[_SAMPLE] & 0xFFFF) + 20),
                    (_START, _END, _LOOP_START, _LOOP_END), strict=True,
                )
            )  # fmt: skip
            mode = zone.get(_SAMPLE_MODES, 0)
            if not 0 <= start <= end <= samples or not 0 <= mode <= 3:
                raise ValueError("a zone plays outside its sample")
            if mode in (1, 3) and not 0 <= loop_start <= loop_end <= samples:
                raise ValueError("a loop lies outside its sample")
