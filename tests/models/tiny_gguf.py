"""Writes GGUF files for tests: a complete llama of random weights that loads in a blink and writes nonsense, byte by
byte, and the pieces to damage one on purpose."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WIDTH, HEADS, LAYERS, HIDDEN, CONTEXT = 32, 4, 2, 64, 512


def write_tiny(path: Path, *, changed: Mapping[str, Any] | None = None, without: tuple[str, ...] = ()) -> Path:
    """A random model with 256 byte tokens and two special ones. `changed` and `without` touch its metadata."""
    tokens = [*_byte_tokens(), "<|im_start|>", "<|im_end|>"]
    values: dict[str, Any] = {
        "general.architecture": "llama",
        "general.name": "tiny",
        "llama.block_count": LAYERS,
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.feed_forward_length": HIDDEN,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * 256 + [3, 3],
        "tokenizer.ggml.merges": ["a b"],
        "tokenizer.ggml.bos_token_id": 256,
        "tokenizer.ggml.eos_token_id": 257,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": TEMPLATE,
    }
    values.update(changed or {})
    for key in without:
        del values[key]
    path.write_bytes(gguf_bytes(values, _weights(len(tokens))))
    return path


def gguf_bytes(values: Mapping[str, Any], tensors: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """A whole file, version 3, 32-bit tensors."""
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(values))
    for key, value in values.items():
        head += string(key) + typed(value)
    offset, data = 0, b""
    for name, tensor in tensors.items():
        shape = tensor.shape[::-1]
        head += string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        blob = tensor.astype("<f4").tobytes()
        blob += b"\0" * (-len(blob) % 32)
        offset, data = offset + len(blob), data + blob
    return head + b"\0" * (-len(head) % 32) + data


def string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def typed(value: Any) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + string(value)
    if value and isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(string(item) for item in value)
    return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


def _byte_tokens() -> list[str]:
    """The printable stand-in of every byte, as GPT-2's tokenizer has it."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + others.index(byte)) for byte in range(256)]


def _weights(vocabulary: int) -> dict[str, np.ndarray[Any, Any]]:
    draw = np.random.default_rng(5)

    def random(*shape: int) -> np.ndarray[Any, Any]:
        return draw.normal(0, 0.4, shape)

    tensors = {"token_embd.weight": random(vocabulary, WIDTH), "output_norm.weight": np.ones(WIDTH)}
    for layer in range(LAYERS):
        prefix = f"blk.{layer}."
        tensors |= {
            prefix + "attn_norm.weight": np.ones(WIDTH),
            prefix + "attn_q.weight": random(WIDTH, WIDTH),
            prefix + "attn_k.weight": random(WIDTH, WIDTH),
            prefix + "attn_v.weight": random(WIDTH, WIDTH),
            prefix + "attn_output.weight": random(WIDTH, WIDTH),
            prefix + "ffn_norm.weight": np.ones(WIDTH),
            prefix + "ffn_gate.weight": random(HIDDEN, WIDTH),
            prefix + "ffn_up.weight": random(HIDDEN, WIDTH),
            prefix + "ffn_down.weight": random(WIDTH, HIDDEN),
        }
    tensors["output.weight"] = random(vocabulary, WIDTH)
    tensors["output.weight"][-2:] = 0  # so that it hardly ever ends by itself
    return tensors
