"""The tune writer's network: a small Llama decoder of transformers, loaded from and saved to its own folder.

Imports torch and transformers; only the family's functions and the training import this module.
"""

from __future__ import annotations

from pathlib import Path

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
