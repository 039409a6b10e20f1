"""The tune writer's network: a small Llama decoder of transformers, loaded from and saved to its own folder.

Imports torch and transformers; only the family's functions and the training import this module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging as transformers_logging

from genai_studio.models.tunes.tokens import BEGIN, END, IDS, MAX_TOKENS, PAD, WORDS


def new_network(*, hidden_size: int = 256, layers: int = 7, intermediate_size: int = 640) -> LlamaForCausalLM:
    """An untrained network; the default has 5.3 million parameters."""
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=hidden_size,
        intermediate_size=intermediate_size,
        num_hidden_layers=layers,
        num_attention_heads=hidden_size // 64,
        num_key_value_heads=hidden_size // 64,
        max_position_embeddings=MAX_TOKENS,
        tie_word_embeddings=True,
        pad_token_id=IDS[PAD],
        bos_token_id=IDS[BEGIN],
        eos_token_id=IDS[END],
    )
    return LlamaForCausalLM(config)


def load_network(folder: Path) -> LlamaForCausalLM:
    """The network in `folder`, in float32 and ready to write. Raises OSError where the folder holds none."""
    transformers_logging.disable_progress_bar()
    try:
        network: LlamaForCausalLM = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except SafetensorError as error:
        raise OSError(f"The weights in {folder.name} cannot be read.") from error
    if network.config.vocab_size != len(WORDS):
        raise OSError(f"The weights in {folder.name} know {network.config.vocab_size} tokens, not {len(WORDS)}.")
    network.eval()
    return network


def save_network(network: LlamaForCausalLM, folder: Path) -> None:
    """Writes `config.json` and `model.safetensors` in bfloat16, half the size at no loss that one can measure."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().to(torch.bfloat16).contiguous() for name, tensor in network.state_dict().items()}
    half = LlamaForCausalLM(network.config)
    torch.nn.Module.to(half, torch.bfloat16)
    half.load_state_dict(state)
    transformers_logging.disable_progress_bar()
    half.save_pretrained(folder)


class Stepper:
    """Writes several tunes side by side, one token each a step, with the keys and values of all before it kept.

    The same sums as the network's own forward pass (a test compares them), in fewer and larger operations: the query,
    key and value weights are one matrix, so are gate and up, and the cache is one tensor made once.
    """

    def __init__(self, network: LlamaForCausalLM, rows: int, length: int) -> None:
        config = network.config
        self.heads, self.width = config.num_attention_heads, config.hidden_size // config.num_attention_heads
        self.layers = [_Layer(layer) for layer in network.model.layers]
        self.embedding = network.model.embed_tokens.weight.detach()
        self.norm, self.epsilon = network.model.norm.weight.detach(), config.rms_norm_eps
        shape = (len(self.layers), rows, self.heads, length, self.width)
        self.keys = torch.zeros(shape)
        self.values = torch.zeros(shape)
        probe = torch.zeros(1, length, config.hidden_size)
        cos, sin = network.model.rotary_emb(probe, torch.arange(length)[None])
        self.cos, self.sin = cos[0], sin[0]
        self.at = 0

    def step(self, ids: torch.Tensor) -> torch.Tensor:
        """Takes one token id a row, (rows,); returns the logits of the next, (rows, words)."""
        with torch.inference_mode():
            return self._step(ids)

    def _step(self, ids: torch.Tensor) -> torch.Tensor:
        hidden = self.embedding[ids]
        cos, sin, stop = self.cos[self.at], self.sin[self.at], self.at + 1
        for index, layer in enumerate(self.layers):
            mixed = rms_norm(hidden, layer.norm_in, self.epsilon) @ layer.qkv
            query, key, value = mixed.view(len(ids), 3, self.heads, self.width).unbind(1)
            self.keys[index, :, :, self.at] = _rotate(key, cos, sin)
            self.values[index, :, :, self.at] = value
            heard = torch.nn.functional.scaled_dot_product_attention(
                _rotate(query, cos, sin).unsqueeze(2), self.keys[index, :, :, :stop], self.values[index, :, :, :stop]
            )
            hidden = hidden + heard.reshape(len(ids), -1) @ layer.out
            gate, up = (rms_norm(hidden, layer.norm_out, self.epsilon) @ layer.gate_up).chunk(2, dim=-1)
            hidden = hidden + (torch.nn.functional.silu(gate) * up) @ layer.down
        self.at = stop
        return rms_norm(hidden, self.norm, self.epsilon) @ self.embedding.T


class _Layer:
    """One decoder layer's weights, transposed and joined for `Stepper`."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        projections = (attention.q_proj, attention.k_proj, attention.v_proj)
        self.qkv = torch.cat([linear.weight.detach() for linear in projections]).T.contiguous()
        self.out = attention.o_proj.weight.detach().T.contiguous()
        self.gate_up = torch.cat([mlp.gate_proj.weight.detach(), mlp.up_proj.weight.detach()]).T.contiguous()
        self.down = mlp.down_proj.weight.detach().T.contiguous()
        self.norm_in = layer.input_layernorm.weight.detach()
        self.norm_out = layer.post_attention_layernorm.weight.detach()


def rms_norm(hidden: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Root-mean-square normalisation over the last axis."""
    return torch.nn.functional.rms_norm(hidden, (hidden.shape[-1],), weight, epsilon)


def _rotate(heads: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary position for (rows, heads, width), halves paired as in transformers' Llama."""
    first, second = heads.chunk(2, dim=-1)
    return heads * cos + torch.cat((-second, first), dim=-1) * sin
