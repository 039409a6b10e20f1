"""The tune writer's weights as numpy arrays, ready to write with: no torch is imported to compose.

They lie on disk as transformers saves a Llama (`config.json`, `model.safetensors`, bfloat16); `network.py` loads the
same folder for training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, deserialize

from genai_studio.models.tunes.novelty import known_runs
from genai_studio.models.tunes.tokens import WORDS

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Layer:
    """A decoder layer's matrices, inputs first: (width, 3 width), (width, width), (width, 2 inner), (inner, width).

    The query, key and value weights are one matrix, so are gate and up; the norms' weights and the root of the head's
    width are in them.
    """

    qkv: Array
    out: Array
    gate_up: Array
    down: Array


@dataclass(frozen=True)
class Weights:
    """All that writing needs. `folder` is where they came from, "" for a network in memory."""

    layers: tuple[Layer, ...]
    embedding: Array
    """(words, width)"""
    answers: Array
    """(width, words), the last norm's weights in it."""
    heads: int
    epsilon: float
    rope_base: float
    folder: str = ""

    @property
    def head_width(self) -> int:
        """Numbers in one head's query."""
        return int(self.embedding.shape[1]) // self.heads

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        layers = sum(part.nbytes for layer in self.layers for part in vars(layer).values())
        return layers + self.embedding.nbytes + self.answers.nbytes

    @classmethod
    def of(cls, network: LlamaForCausalLM) -> Weights:
        """The weights of transformers' own network."""
        state = {name: tensor.detach().float().numpy() for name, tensor in network.state_dict().items()}
        return _arranged(state, network.config.to_dict(), "")


def read_weights(folder: Path) -> Weights:
    """The weights in `folder`. Raises OSError where it holds none, they are broken or know other words."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        found = deserialize((folder / "model.safetensors").read_bytes())
        weights = _arranged({name: _floats(entry) for name, entry in found}, config, str(folder))
        known_runs(str(folder))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise OSError(f"The weights in {folder.name} cannot be read.") from error
    if len(weights.embedding) != len(WORDS):
        raise OSError(f"The weights in {folder.name} know {len(weights.embedding)} tokens, not {len(WORDS)}.")
    return weights


def _floats(entry: Mapping[str, Any]) -> Array:
    """A stored tensor in float32; a bfloat16 is the upper half of one."""
    if entry["dtype"] == "BF16":
        halves = np.frombuffer(entry["data"], np.uint16).astype(np.uint32)
        return (halves << 16).view(np.float32).reshape(entry["shape"])
    if entry["dtype"] == "F32":
        return np.frombuffer(entry["data"], np.float32).reshape(entry["shape"])
    raise ValueError(f"Weights of type {entry['dtype']} are not known.")


def _arranged(state: Mapping[str, Array], config: Mapping[str, Any], folder: str) -> Weights:
    embedding, heads = state["model.embed_tokens.weight"], config["num_attention_heads"]
    layers = [
        _layer(state, f"model.layers.{index}.", embedding.shape[1] // heads)
        for index in range(config["num_hidden_layers"])
    ]
    answers = np.ascontiguousarray((embedding * state["model.norm.weight"]).T)
    base = config["rope_parameters"]["rope_theta"]
    return Weights(tuple(layers), embedding, answers, heads, config["rms_norm_eps"], base, folder)


def _layer(state: Mapping[str, Array], name: str, head: int) -> Layer:
    before, between = state[f"{name}input_layernorm.weight"], state[f"{name}post_attention_layernorm.weight"]
    query, key, value = (state[f"{name}self_attn.{part}_proj.weight"] for part in "qkv")
    gate, up = state[f"{name}mlp.gate_proj.weight"], state[f"{name}mlp.up_proj.weight"]
    return Layer(
        np.ascontiguousarray((np.concatenate((query / head**0.5, key, value)) * before).T, np.float32),
        np.ascontiguousarray(state[f"{name}self_attn.o_proj.weight"].T),
        np.ascontiguousarray((np.concatenate((gate, up)) * between).T),
        np.ascontiguousarray(state[f"{name}mlp.down_proj.weight"].T),
    )
