"""Damaged files, files of another kind and fuzzed heads: one sentence, and never llama.cpp ending the process."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_text_llamacpp import load
from tiny_gguf import CONTEXT, gguf_bytes, write_tiny

from genai_studio.errors import ModelUnavailable
from genai_studio.models.gguf import Header, read_header


def test_the_head_of_a_whole_file(tmp_path):
    header = read_header(write_tiny(tmp_path / "tiny.gguf"))
    assert header.architecture == "llama"
    assert header.number("context_length") == CONTEXT
    assert (header.token("bos"), header.token("eos"), header.token("unknown")) == ("<|im_start|>", "<|im_end|>", "")
    assert header.tensors == 21


REFUSED = {
    "zero bytes": (lambda whole: b"", "is empty"),
    "a text": (lambda whole: b"Once upon a time there was a file", "is not a GGUF file"),
    "a zip": (lambda whole: b"PK\x03\x04" + whole[4:], "is not a GGUF file"),
    "cut in the head": (lambda whole: whole[:700], "is cut off"),
    "cut in the tensors": (lambda whole: whole[:-64], "is cut off"),
    "half": (lambda whole: whole[: len(whole) // 2], "is cut off"),
    "version 1": (lambda whole: whole[:4] + struct.pack("<I", 1) + whole[8:], "version 1"),
    "big endian": (lambda whole: whole[:4] + struct.pack(">I", 3) + whole[8:], "makes no sense"),
    "a trillion tensors": (lambda whole: whole[:8] + struct.pack("<Q", 10**12) + whole[16:], "makes no sense"),
    "a trillion keys": (lambda whole: whole[:16] + struct.pack("<Q", 10**12) + whole[24:], "makes no sense"),
    "a key of 2^60 characters": (lambda whole: whole[:24] + struct.pack("<Q", 1 << 60) + whole[32:], "makes no sense"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_damaged_file_is_one_sentence(tmp_path, kind):
    damage, sentence = REFUSED[kind]
    path = write_tiny(tmp_path / "mine.gguf")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelUnavailable, match=sentence) as caught:
        load(path)
    assert caught.value.message.startswith("mine.gguf ")
    assert "\n" not in caught.value.sentence


def test_a_folder_and_a_file_that_is_gone(tmp_path):
    (tmp_path / "folder.gguf").mkdir()
    for path in (tmp_path / "folder.gguf", tmp_path / "gone.gguf"):
        with pytest.raises(ModelUnavailable, match="is not a file"):
            load(path)


@pytest.mark.parametrize(
    ("changed", "without", "sentence"),
    [
        ({"general.type": "adapter"}, (), "a LoRA adapter"),
        ({"general.type": "mmproj"}, (), "the eyes of a vision model"),
        ({"general.architecture": "nomic-bert", "nomic-bert.block_count": 2}, (), "reads text and writes none"),
        ({"general.architecture": "flux"}, ("tokenizer.ggml.model",), "a flux model without a tokenizer"),
        ({}, ("general.architecture", "tokenizer.ggml.model"), "a GGUF without a model"),
        ({"llama.context_length": 0}, (), "makes no sense"),
        ({"llama.block_count": 100_000}, (), "makes no sense"),
        ({"llama.block_count": 50}, (), "cannot be loaded"),
        ({}, ("llama.embedding_length",), "cannot be loaded"),
        ({"tokenizer.ggml.tokens": ["a"] * 258}, (), "makes no sense"),
        ({"tokenizer.chat_template": "{% for %}"}, (), "template of this model is damaged"),
    ],
)
def test_a_file_that_does_not_write_text(tmp_path, changed, without, sentence):
    with pytest.raises(ModelUnavailable, match=sentence):
        load(write_tiny(tmp_path / "mine.gguf", changed=changed, without=without))


def test_an_architecture_that_llama_cpp_does_not_know(tmp_path):
    path = write_tiny(tmp_path / "mine.gguf")
    path.write_bytes(path.read_bytes().replace(b"llama", b"qwert"))
    with pytest.raises(ModelUnavailable, match="does not know its kind of model"):
        load(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_the_head_raises_anything_else(tmp_path_factory, data):
    whole = _whole_file(tmp_path_factory)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, 4600))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged
    path = tmp_path_factory.getbasetemp() / "fuzzed.gguf"
    path.write_bytes(damaged)
    with contextlib.suppress(ModelUnavailable):
        assert isinstance(read_header(path), Header)


def _whole_file(tmp_path_factory) -> bytes:
    path = tmp_path_factory.getbasetemp() / "whole.gguf"
    return (path if path.exists() else write_tiny(path)).read_bytes()


def test_values_of_every_kind_and_nested_nonsense(tmp_path):
    path = tmp_path / "x.gguf"
    path.write_bytes(gguf_bytes({"general.architecture": "a", "a.n": 3, "a.list": [1, 5, 2], "a.f": 0.5}, {}))
    header = read_header(path)
    assert (header.number("n"), header.number("list"), header.number("f", 9), header.number("absent", 4)) == (
        3,
        5,
        9,
        4,
    )
    nested = gguf_bytes({"k": [1]}, {}).replace(struct.pack("<II", 9, 5), struct.pack("<II", 9, 9))
    path.write_bytes(nested)
    with pytest.raises(ModelUnavailable, match="makes no sense"):
        read_header(path)
