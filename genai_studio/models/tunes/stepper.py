"""The network's sums in numpy, many tokens of several tunes a step, keys and values kept.

On a CPU a network this small spends its time on reading weights and on starting operations. So the tokens of all rows
go through one matrix together, the query, key and value weights are one, so are gate and up, and what only scales (the
norms' weights, the root of the head's width) is in the matrices. A test compares it with transformers' own Llama.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Layer:
    """A decoder layer's matrices, inputs first: (width, 3 width), (width, width), (width, 2 inner), (inner, width)."""

    qkv: Array
    out: Array
    gate_up: Array
    down: Array


class Stepper:
    """Writes `rows` tunes of up to `length` tokens side by side. Each row takes as many tokens a step as it likes."""

    def __init__(self, network: LlamaForCausalLM, rows: int, length: int) -> None:
        config = network.config
        self.heads, self.head = config.num_attention_heads, config.hidden_size // config.num_attention_heads
        weights = {name: tensor.detach().float().numpy() for name, tensor in network.state_dict().items()}
        self.layers = [
            _layer(weights, f"model.layers.{index}.", self.head) for index in range(config.num_hidden_layers)
        ]
        self.embedding = weights["model.embed_tokens.weight"]
        self.answers = np.ascontiguousarray((self.embedding * weights["model.norm.weight"]).T)
        self.epsilon = config.rms_norm_eps
        self.keys = np.zeros((len(self.layers), rows, self.heads, length, self.head), np.float32)
        self.values = np.zeros_like(self.keys)
        base = config.rope_parameters["rope_theta"]
        turns = np.arange(length)[:, None] * base ** -(np.arange(0, self.head, 2) / self.head)
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
        logits: Array = hidden @ self.answers
        return logits

    def rewind(self, row: int, count: int) -> None:
        """Forgets the last `count` tokens of a row."""
        self.lengths[row] -= count

    def _run(self, ids: Array, rows: Array, places: Array) -> Array:
        """Normalised hidden states (tokens, width) of `ids`, each for its row at its place; a row's are in order."""
        hidden = self.embedding[ids]
        cos, sin = self.cos[places, None, None], self.sin[places, None, None]
        counts = np.bincount(rows)
        active, stop = len(counts), int(places.max()) + 1
        columns = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]
        asked = np.zeros((active, int(counts.max()), self.heads, self.head), np.float32)
        until = np.zeros(asked.shape[:2], int)  # what only fills the rectangle hears the first token
        until[rows, columns] = places
        unheard = np.where(np.arange(stop) > until[:, None, :, None], np.float32(-1e9), np.float32(0))
        for index, layer in enumerate(self.layers):
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
            gate, up = np.split(self._normed(hidden) @ layer.gate_up, 2, axis=-1)
            hidden = hidden + (gate / (1 + np.exp(-gate)) * up) @ layer.down
        return self._normed(hidden)

    def _normed(self, hidden: Array) -> Array:
        squares = np.einsum("ij,ij->i", hidden, hidden)[:, None]
        normed: Array = hidden / np.sqrt(squares / hidden.shape[1] + self.epsilon)
        return normed


def _layer(weights: dict[str, Array], name: str, head: int) -> _Layer:
    before, between = weights[f"{name}input_layernorm.weight"], weights[f"{name}post_attention_layernorm.weight"]
    query, key, value = (weights[f"{name}self_attn.{part}_proj.weight"] for part in "qkv")
    gate, up = weights[f"{name}mlp.gate_proj.weight"], weights[f"{name}mlp.up_proj.weight"]
    return _Layer(
        np.ascontiguousarray((np.concatenate((query / head**0.5, key, value)) * before).T, np.float32),
        np.ascontiguousarray(weights[f"{name}self_attn.o_proj.weight"].T),
        np.ascontiguousarray((np.concatenate((gate, up)) * between).T),
        np.ascontiguousarray(weights[f"{name}mlp.down_proj.weight"].T),
    )


def _turned(heads: Array, cos: Array, sin: Array) -> Array:
    """Rotary position for (tokens, 2, heads, width), halves paired as in transformers' Llama."""
    first, second = np.split(heads, 2, axis=-1)
    return np.concatenate((first * cos - second * sin, second * cos + first * sin), axis=-1)
