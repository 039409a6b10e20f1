"""The training command: `prepare` the data, `train` the networks, `export` the weights."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from genai_studio.models.sticker import dataset
from genai_studio.models.sticker.latents import Captioned, caption_latents
from genai_studio.models.sticker.network import StickerAutoencoder
from genai_studio.models.sticker.pipeline import StickerPipeline
from genai_studio.models.sticker.text import PromptEncoder
from genai_studio.models.sticker.train_autoencoder import train_autoencoder
from genai_studio.models.sticker.train_flow import train_flow
from genai_studio.models.sticker.train_upsampler import train_upsampler


def prepare(*, data: Path, packages: Path | None = None, processes: int = 2) -> dict[str, Any]:
    """Render the icon sets into `data`; returns the provenance manifest.

    `packages` is a folder of unpacked npm packages to read; without it they are downloaded into `data/packages`.
    """
    return dataset.prepare(packages=packages or data / "packages", out=data, processes=processes)


def train(
    *,
    data: Path,
    run: Path,
    out: Path,
    autoencoder_minutes: float = 25,
    flow_minutes: float = 95,
    upsampler_minutes: float = 15,
    threads: int = 2,
    device: str = "auto",
    batch: int = 64,
    compiled: bool = True,
) -> None:
    """Train the three networks on `data` and export the averaged weights to `out`.

    The flow, by far the longest, trains on `device` ("auto" takes CUDA where there is one) with `batch` samples a step.
    `run` keeps checkpoints and loss curves: the same command goes on where it stopped. `minutes` count work only.
    """
    torch.set_num_threads(threads)
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    pictures = dataset.load(data)
    autoencoder = train_autoencoder(pictures, run, autoencoder_minutes).eval()
    captioned = cached_latents(pictures, autoencoder, run / "latents.safetensors")
    transformer = train_flow(captioned, run, flow_minutes, device=chosen, batch=batch, compiled=compiled)
    upsampler = train_upsampler(pictures, autoencoder, run, upsampler_minutes)
    export(StickerPipeline(autoencoder, transformer, upsampler), out=out, data=data)


def cached_latents(pictures: dataset.Dataset, autoencoder: StickerAutoencoder, path: Path) -> Captioned:
    """The captioned latents, made once and kept at `path` for as long as the autoencoder stays the same."""
    if path.is_file():
        return Captioned(**load_file(path))
    captioned = caption_latents(pictures, autoencoder, PromptEncoder())
    save_file({f.name: getattr(captioned, f.name).contiguous() for f in fields(captioned)}, path)
    return captioned


def export(pipeline: StickerPipeline, *, out: Path, data: Path) -> None:
    """Write the pipeline in bfloat16 as a diffusers folder, with the manifest of its data beside it."""
    pipeline.to(torch.bfloat16).save_pretrained(out, safe_serialization=True)
    shutil.copyfile(data / "manifest.json", out / "manifest.json")
