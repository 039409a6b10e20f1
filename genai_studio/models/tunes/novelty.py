"""Which runs of notes the training tunes have, in half a megabyte: so that a tune that copies a long one is not chosen.

A Bloom filter (Bloom 1970) over runs of `RUN` notes, each note by its step and length. It never misses a run that is
there; about one in a hundred that is not there seems to be, so a long chain of hits is a copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from genai_studio.models.tunes.tokens import Tune

RUN = 8
FILE = "known_runs.npy"
_BITS = 22
_HASHES = 4


class KnownRuns:
    """The runs of a set of tunes as bits, (2 ** 22 / 8,) bytes."""

    def __init__(self, bits: np.ndarray[Any, Any]) -> None:
        self.bits = bits

    @classmethod
    def of(cls, tunes: Iterable[Tune]) -> KnownRuns:
        """Remembers every run of `RUN` notes."""
        bits = np.zeros(2**_BITS // 8, dtype=np.uint8)
        for tune in tunes:
            for run in _runs(tune):
                for place in _places(run):
                    bits[place >> 3] |= 1 << (place & 7)
        return cls(bits)

    @classmethod
    def load(cls, folder: Path) -> KnownRuns | None:
        """What stands beside the weights in `folder`, or None. Raises ValueError for a file that is something else."""
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            bits = np.load(path, allow_pickle=False)
        except (OSError, EOFError, ValueError) as error:
            raise ValueError(f"{FILE} is damaged.") from error
        if bits.shape != (2**_BITS // 8,) or bits.dtype != np.uint8:
            raise ValueError(f"{FILE} holds something else.")
        return cls(bits)

    def save(self, folder: Path) -> None:
        """Writes `known_runs.npy`."""
        np.save(folder / FILE, self.bits, allow_pickle=False)

    def longest_copy(self, tune: Tune) -> int:
        """Notes in the longest run of `tune` all of whose parts are known; 0 where nothing of `RUN` notes is."""
        longest = length = 0
        for run in _runs(tune):
            known = all(self.bits[place >> 3] >> (place & 7) & 1 for place in _places(run))
            length = length + 1 if known else 0
            longest = max(longest, length)
        return longest + RUN - 1 if longest else 0


@lru_cache(maxsize=4)
def known_runs(folder: str) -> KnownRuns | None:
    """The runs that the network loaded from `folder` was trained on, where they are recorded."""
    return KnownRuns.load(Path(folder)) if folder else None


def _runs(tune: Tune) -> Iterator[tuple[int, ...]]:
    """Steps and lengths of `RUN` notes in a row, all sections after one another."""
    notes = [(note.step, note.end - note.start) for note in tune.notes]
    for first in range(len(notes) - RUN + 1):
        yield tuple(number for note in notes[first : first + RUN] for number in note)


def _places(run: tuple[int, ...]) -> list[int]:
    digest = hashlib.blake2b(repr(run).encode(), digest_size=4 * _HASHES).digest()
    return [int.from_bytes(digest[4 * part : 4 * part + 4], "little") % 2**_BITS for part in range(_HASHES)]
