"""The network's sums in numpy, many tokens of several tunes a step, keys and values kept.

On a CPU a network this small spends its time on reading weights and on starting operations, so the tokens of all rows
go through a few joined matrices together. A test compares it with transformers' own Llama.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genai_studio.models.tunes.weights import Array, Weights


class Stepper:
    """Writes `rows` tunes of up to `length` tokens side by side. Each row takes as many tokens a step as it likes."""

    def __init__(self, weights: Weights, rows: int, length: int) -> None:
        self.weights = weights
        self.heads, self.head = weights.heads, weights.head_width
        self.keys = np.zeros((len(weights.layers), rows, self.heads, length, self.head), np.float32)
        self.values = np.zeros_like(self.keys)
        turns = np.arange(length)[:, None] * weights.rope_base ** -(np.arange(0, self.head, 2) / self.head)
        self.cos, self.sin = np.cos(turns).astype(np.float32), np.sin(turns).astype(np.float32)
        self.lengths = [0] * rows

    def start(self, ids: Sequence[int]) -> None:
        """Gives every row the same first tokens."""
        count = len(ids)
        self._run(np.array(ids), np.zeros(count, int), np.arange(count))
        self.keys[:, 1:, :, :count] = self.keys[:, :1, :, :count]
        self.values[:, 1:, :, :count] = self.values[:, :1, :, :count]
        self.lengths = [count] * len(self.lengths)

    def feed(self, tokens: Sequence[Sequence[int]]) -> Array:
        """Takes some tokens a row, none for a row that rests; returns the logits after each, (tokens, words)."""
        rows = np.array([row for row, ids in enumerate(tokens) for _ in ids])
        places = np.array([self.lengths[row] + step for row, ids in enumerate(tokens) for step in range(len(ids))])
        hidden = self._run(np.array([token for ids in tokens for token in ids]), rows, places)
        for row, ids in enumerate(tokens):
            self.lengths[row] += len(ids)
        logits: Array = hidden @ self.weights.answers
        return logits

    def rewind(self, row: int, count: int) -> None:
        """Forgets the last `count` tokens of a row."""
        self.lengths[row] -= count

    def _run(self, ids: Array, rows: Array, places: Array) -> Array:
        """Normalised hidden states (tokens, width) of `ids`, each for its row at its place; a row's are in order."""
        hidden = self.weights.embedding[ids]
        cos, sin = self.cos[places, None, None], self.sin[places, None, None]
        counts = np.bincount(rows)
        active, stop = len(counts), int(places.max()) + 1
        columns = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]
        asked = np.zeros((active, int(counts.max()), self.heads, self.head), np.float32)
        until = np.zeros(asked.shape[:2], int)  # what only fills the rectangle hears the first token
        until[rows, columns] = places
        unheard = np.where(np.arange(stop) > until[:, None, :, None], np.float32(-1e9), np.float32(0))
        for index, layer in enumerate(self.weights.layers):
            mixed = (self._normed(hidden) @ layer.qkv).reshape(len(ids), 3, self.heads, self.head)
            turned = _turned(mixed[:, :2], cos, sin)
            asked[rows, columns] = turned[:, 0]
            self.keys[index, rows, :, places] = turned[:, 1]
            self.values[index, rows, :, places] = mixed[:, 2]
            scores = asked.transpose(0, 2, 1, 3) @ self.keys[index, :active, :, :stop].swapaxes(2, 3)
            scores += unheard
            scores -= scores.max(-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(-1, keepdims=True)
            told = (scores @ self.values[index, :active, :, :stop]).transpose(0, 2, 1, 3)[rows, columns]
            hidden = hidden + told.reshape(len(ids), -1) @ layer.out
            both = self._normed(hidden) @ layer.gate_up
            half = both.shape[1] // 2
            gate, up = both[:, :half], both[:, half:]
            hidden = hidden + (gate / (1 + np.exp(-gate)) * up) @ layer.down
        return self._normed(hidden)

    def _normed(self, hidden: Array) -> Array:
        squares = np.einsum("ij,ij->i", hidden, hidden)[:, None]
        normed: Array = hidden / np.sqrt(squares / hidden.shape[1] + self.weights.epsilon)
        return normed


def log_sums(logits: Array) -> Array:
    """The logarithm of the sum of the exponentials of each row: what a logit is short of being a log-likelihood."""
    most = logits.max(-1)
    sums: Array = most + np.log(np.exp(logits - most[:, None]).sum(-1))
    return sums


def _turned(heads: Array, cos: Array, sin: Array) -> Array:
    """Rotary position for (tokens, 2, heads, width), halves paired as in transformers' Llama."""
    half = heads.shape[-1] // 2
    first, second = heads[..., :half], heads[..., half:]
    return np.concatenate((first * cos - second * sin, second * cos + first * sin), axis=-1)
