"""A soundfont of a few kilobytes, written from nothing: one looped tone on every program, one click for drums."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

RATE = 44_100
_PERIOD = 100  # samples of one wave: 441 Hz


def write_soundfont(
    path: Path, *, pitch: int = 69, root: int = 69, coarse: int = 0, more: Sequence[tuple[int, int]] = ()
) -> Path:
    """Writes the file to `path` and returns it: `pitch` as the sample says, `root` key, `coarse` tuning and `more`
    generators as its zone says. Layout: SoundFont 2.04 specification, chapters 4 to 8."""
    time = np.arange(_PERIOD * 40)
    wave = 0.4 * np.sin(2 * np.pi * time / _PERIOD) + 0.1 * np.sin(4 * np.pi * time / _PERIOD)
    samples = (wave * 32767).astype("<i2").tobytes() + bytes(2 * 46)
    header = _chunk("ifil", struct.pack("<HH", 2, 1)) + _chunk("isng", b"EMU8000\0") + _chunk("INAM", b"Tone\0\0")
    # generators: 51 coarse tuning, 54 sample modes (1 loops), 58 root key, 41 instrument, 53 sample
    zone = [*more, (51, coarse), (54, 1), (58, root), (53, 0)] if coarse else [*more, (54, 1), (58, root), (53, 0)]
    instrument = b"".join(_generator(operator, amount) for operator, amount in [*zone, (0, 0)])
    rows = [(f"Tone {program}", program, 0) for program in range(128)] + [("Drums", 0, 128)]
    preset = _generator(41, 0) * len(rows) + _generator(0, 0)
    presets = b"".join(
        name.encode().ljust(20, b"\0") + struct.pack("<HHHIII", program, bank, bag, 0, 0, 0)
        for bag, (name, program, bank) in enumerate([*rows, ("EOP", 0, 0)])
    )
    sample = b"Tone".ljust(20, b"\0") + struct.pack(
        "<IIIIIBbHH", 0, len(time), _PERIOD * 10, _PERIOD * 30, RATE, pitch, 0, 0, 1
    )
    tables = {
        "phdr": presets,
        "pbag": b"".join(struct.pack("<HH", bag, 0) for bag in range(len(rows) + 1)),
        "pmod": bytes(10),
        "pgen": preset,
        "inst": b"Tone".ljust(20, b"\0") + struct.pack("<H", 0) + b"EOI".ljust(20, b"\0") + struct.pack("<H", 1),
        "ibag": struct.pack("<HHHH", 0, 0, len(zone), 0),
        "imod": bytes(10),
        "igen": instrument,
        "shdr": sample + b"EOS".ljust(46, b"\0"),
    }
    body = b"sfbk" + _list("INFO", header) + _list("sdta", _chunk("smpl", samples))
    body += _list("pdta", b"".join(_chunk(name, data) for name, data in tables.items()))
    path.write_bytes(_chunk("RIFF", body))
    return path


def _generator(operator: int, amount: int) -> bytes:
    return struct.pack("<Hh", operator, amount)


def _chunk(name: str, data: bytes) -> bytes:
    return name.encode() + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _list(name: str, data: bytes) -> bytes:
    return _chunk("LIST", name.encode() + data)
