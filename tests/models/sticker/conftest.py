"""A sticker pipeline of the real classes with small random weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from genai_studio.models.base import ModelFiles, ModelSpec
from genai_studio.models.catalog import MODELS
from genai_studio.models.sticker.network import StickerAutoencoder, StickerTransformer, StickerUpsampler
from genai_studio.models.sticker.pipeline import StickerPipeline

torch.set_num_threads(1)  # these networks are too small for more


@pytest.fixture(scope="session")
def spec() -> ModelSpec:
    return next(spec for spec in MODELS if spec.id == "sticker")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `export` writes it."""
    torch.manual_seed(0)
    transformer = StickerTransformer(width=64, depth=2, heads=2)
    for parameter in transformer.parameters():  # the last layers start at zero, which would hide the prompt
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    folder = tmp_path_factory.mktemp("sticker")
    upsampler = StickerUpsampler(width=8, depth=1)
    pipeline = StickerPipeline(StickerAutoencoder(widths=(8, 16, 16, 32)), transformer, upsampler)
    pipeline.to(torch.bfloat16).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def files(folder: Path) -> ModelFiles:
    paths = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return ModelFiles(paths, {}, "test")
