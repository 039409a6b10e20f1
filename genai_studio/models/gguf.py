"""Reading the head of a GGUF file: metadata and the table of tensors, with every length checked against the file.
llama.cpp ends the process over some damaged files, so a file is refused here, in one sentence, before it gets there.

Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from genai_studio.errors import ModelUnavailable

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_KEYS = 100_000
MAX_TENSORS = 1_000_000
MAX_ITEMS = 4_000_000
"""Entries of one array. The largest vocabularies have about 300,000."""
MAX_STRING = 16 << 20
KEPT_ARRAYS = ("tokenizer.ggml.tokens",)
"""The arrays of strings that somebody here reads; the others are walked over."""

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9

BLOCKS: Mapping[int, tuple[int, int]] = {
    0: (1, 4),  # F32
    1: (1, 2),  # F16
    2: (32, 18),  # Q4_0
    3: (32, 20),  # Q4_1
    6: (32, 22),  # Q5_0
    7: (32, 24),  # Q5_1
    8: (32, 34),  # Q8_0
    9: (32, 36),  # Q8_1
    10: (256, 84),  # Q2_K
    11: (256, 110),  # Q3_K
    12: (256, 144),  # Q4_K
    13: (256, 176),  # Q5_K
    14: (256, 210),  # Q6_K
    15: (256, 292),  # Q8_K
    16: (256, 66),  # IQ2_XXS
    17: (256, 74),  # IQ2_XS
    18: (256, 98),  # IQ3_XXS
    19: (256, 50),  # IQ1_S
    20: (32, 18),  # IQ4_NL
    21: (256, 110),  # IQ3_S
    22: (256, 82),  # IQ2_S
    23: (256, 136),  # IQ4_XS
    24: (1, 1),  # I8
    25: (1, 2),  # I16
    26: (1, 4),  # I32
    27: (1, 8),  # I64
    28: (1, 8),  # F64
    29: (256, 56),  # IQ1_M
    30: (1, 2),  # BF16
    34: (256, 54),  # TQ1_0
    35: (256, 66),  # TQ2_0
    39: (32, 17),  # MXFP4
}
"""Tensor type to (values in a block, bytes of a block). A type that is not here is llama.cpp's to judge."""


@dataclass(frozen=True)
class Header:
    """What a GGUF says about itself. `values` holds the scalars and strings, and the arrays of KEPT_ARRAYS."""

    values: Mapping[str, Any]
    tensors: int
    size: int
    """Bytes of the whole file."""

    @property
    def architecture(self) -> str:
        return self.text("general.architecture")

    def text(self, key: str) -> str:
        """The string under `key`, or "" where it is absent or something else."""
        value = self.values.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str, default: int = 0) -> int:
        """The whole number under `<architecture>.<key>`; of an array, its largest entry."""
        value = self.values.get(f"{self.architecture}.{key}", default)
        if isinstance(value, list):
            value = max(value, default=default)
        return int(value) if isinstance(value, (int, bool)) else default

    def token(self, role: str) -> str:
        """The text of a special token: role "bos", "eos"; "" where there is none."""
        tokens = self.values.get("tokenizer.ggml.tokens")
        number = self.values.get(f"tokenizer.ggml.{role}_token_id")
        if not tokens or not isinstance(number, int) or not 0 <= number < len(tokens):
            return ""
        return str(tokens[number], "utf-8", "replace")


def read_header(path: Path) -> Header:
    """Read and check the head of `path`. Raises ModelUnavailable with one sentence that says what is wrong."""
    name = path.name
    try:
        if not path.is_file():
            raise ModelUnavailable(f"{name} is not a file.", "Choose a GGUF file.")
        size = path.stat().st_size
        with path.open("rb") as file:
            return _read(_Reader(file, size), size)
    except OSError as error:
        raise ModelUnavailable(f"{name} cannot be read: {error.strerror or error}.") from error
    except _Damaged as error:
        raise ModelUnavailable(f"{name} {error}.", "Download it again, or choose another file.") from error


class _Damaged(Exception):
    """Finishes the sentence "model.gguf ..."."""


TRUNCATED = "is cut off: it ends before its contents do"
NONSENSE = "is damaged: its head makes no sense"


class _Reader:
    """Little-endian numbers and strings, never past the end of the file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.left = size

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise _Damaged(TRUNCATED)
        data = self._file.read(count)
        if len(data) != count:
            raise _Damaged(TRUNCATED)
        self.left -= count
        return data

    def number(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def string(self) -> str:
        length = self.number("Q")
        if length > MAX_STRING:
            raise _Damaged(NONSENSE)
        return self.take(length).decode("utf-8", "replace")

    def value(self, kind: int, keep: bool) -> Any:
        if kind in SCALARS:
            return self.number(SCALARS[kind])
        if kind == STRING:
            return self.string()
        if kind != ARRAY:
            raise _Damaged(NONSENSE)
        inner, count = self.number("I"), self.number("Q")
        if count > MAX_ITEMS:
            raise _Damaged(NONSENSE)
        if inner in SCALARS:
            code = SCALARS[inner]
            data = self.take(count * struct.calcsize("<" + code))
            # Per-layer numbers are short; the long arrays are scores that only the tokenizer needs.
            return list(struct.unpack(f"<{count}{code}", data)) if count <= 4096 else None
        if inner != STRING:
            raise _Damaged(NONSENSE)
        return self._strings(count, keep)

    def _strings(self, count: int, keep: bool) -> list[bytes] | None:
        """A vocabulary has hundreds of thousands: one tight loop, and nothing decoded that nobody reads."""
        strings: list[bytes] = []
        read, left = self._file.read, self.left
        for _ in range(count):
            length = int.from_bytes(read(8), "little")
            left -= 8 + length
            if left < 0:
                raise _Damaged(TRUNCATED)
            data = read(length)
            if keep:
                strings.append(data)
        self.left = left
        return strings if keep else None


def _read(reader: _Reader, size: int) -> Header:
    if size < 24:
        raise _Damaged("is empty" if size == 0 else "is not a GGUF file")
    if reader.take(4) != MAGIC:
        raise _Damaged("is not a GGUF file")
    version = reader.number("I")
    if version not in VERSIONS:
        raise _Damaged(f"is of GGUF version {version}, which cannot be read" if version < 1000 else NONSENSE)
    tensors, keys = reader.number("Q"), reader.number("Q")
    if tensors > MAX_TENSORS or keys > MAX_KEYS:
        raise _Damaged(NONSENSE)
    values: dict[str, Any] = {}
    for _ in range(keys):
        key = reader.string()
        if key in values or not key or len(key) > 65_535:
            raise _Damaged(NONSENSE)
        values[key] = reader.value(reader.number("I"), key in KEPT_ARRAYS)
    end = _end_of_tensors(reader, tensors)
    alignment = values.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 0 < alignment <= 1 << 16 or alignment & (alignment - 1):
        raise _Damaged(NONSENSE)
    start = -(-(size - reader.left) // alignment) * alignment
    if start + end > size:
        raise _Damaged(TRUNCATED)
    return Header(values, tensors, size)


def _end_of_tensors(reader: _Reader, count: int) -> int:
    """Read the table of tensors; bytes from the start of the data to the end of the last one."""
    end = 0
    names = set()
    for _ in range(count):
        name, dimensions = reader.string(), reader.number("I")
        if dimensions > 4 or name in names:
            raise _Damaged(NONSENSE)
        names.add(name)
        shape = [reader.number("Q") for _ in range(dimensions)]
        kind, offset = reader.number("I"), reader.number("Q")
        elements = 1
        for length in shape:
            elements *= length
        block, size = BLOCKS.get(kind, (1, 0))
        if not 0 < elements < 1 << 48 or (shape and shape[0] % block) or kind > 1000:
            raise _Damaged(NONSENSE)
        end = max(end, offset + elements // block * size)
    return end
