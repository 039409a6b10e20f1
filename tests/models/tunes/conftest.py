"""A network of the real classes that is small and untrained, and a band with a made-up soundfont."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from genai_studio.models.tunes.family import Tunes
from genai_studio.models.tunes.network import new_network
from genai_studio.models.tunes.weights import Weights
from genai_studio.score.sound.render import Band
from tests.score.soundfont import write_soundfont


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Two threads that wait for each other are slower than one on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def llama() -> LlamaForCausalLM:
    torch.manual_seed(1)
    return new_network(hidden_size=64, layers=2, intermediate_size=128).eval()


@pytest.fixture(scope="session")
def network(llama: LlamaForCausalLM) -> Weights:
    return Weights.of(llama)


@pytest.fixture(scope="session")
def soundfont(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_soundfont(tmp_path_factory.mktemp("soundfont") / "tone.sf2")


@pytest.fixture(scope="session")
def tunes(network: Weights, soundfont: Path) -> Tunes:
    return Tunes(network, Band(soundfont), soundfont.with_name("no-listener.onnx"))
