"""Trains the upsampler: from what the autoencoder decodes at 128 px to the drawing itself at 256 px."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genai_studio.models.sticker.checkpoint import Run, average
from genai_studio.models.sticker.dataset import LARGE, SIZE, Dataset, premultiplied
from genai_studio.models.sticker.network import StickerAutoencoder, StickerUpsampler
from genai_studio.models.sticker.sampler import decode
from genai_studio.models.sticker.train_autoencoder import reconstruction_loss

BATCH = 32  # crops
PICTURES = 4  # that a batch's crops come from
CROP = 40  # pixels a side of the input
PEAK_RATE = 1.5e-3
NOISE = 0.12  # on the latents: the flow's are not as clean as the encoder's
SAVE_EVERY = 100


def train_upsampler(
    dataset: Dataset, autoencoder: StickerAutoencoder, folder: Path, minutes: float
) -> StickerUpsampler:
    """Train (or go on training) for `minutes` of work in all; returns the averaged network."""
    torch.manual_seed(0)
    rows = np.array([e.row for e in dataset.trained()])
    model = StickerUpsampler().to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98))
    run = Run(folder, "upsampler", minutes * 60)
    run.restore(model=model, averaged=averaged, optimiser=optimiser)
    draw = np.random.default_rng(run.step)
    total = 0.0
    while run.share < 1:
        for group in optimiser.param_groups:
            group["lr"] = PEAK_RATE * min(1, (run.step + 1) / 100) * (1 - run.share) ** 0.5
        small, large = _crops(dataset, autoencoder, draw.choice(rows, PICTURES), draw)
        with torch.autocast("cpu", torch.bfloat16):
            drawn = model(small)
        loss, error = reconstruction_loss(drawn, large)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average(averaged, model, run.step, 0.998)
        run.step += 1
        run.samples += BATCH
        total += error
        if run.step % SAVE_EVERY == 0:
            run.record(l1=total / SAVE_EVERY)
            total = 0.0
            run.save(model=model, averaged=averaged, optimiser=optimiser)
    run.save(model=model, averaged=averaged, optimiser=optimiser)
    return averaged


@torch.no_grad()
def _crops(
    dataset: Dataset, autoencoder: StickerAutoencoder, rows: NDArray[np.int64], draw: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Decoded crops (BATCH, 4, CROP, CROP) and the drawings there (BATCH, 4, 2 CROP, 2 CROP), in [0, 1]."""
    pictures = torch.from_numpy(premultiplied(dataset.images[rows]))
    with torch.autocast("cpu", torch.bfloat16):
        latents = autoencoder.normalise(autoencoder.encode(pictures))
    latents = latents + NOISE * torch.randn_like(latents)
    decoded = decode(autoencoder, latents)
    drawn = (torch.from_numpy(premultiplied(dataset.large[rows])) + 1) / 2
    scale = LARGE // SIZE
    small, large = [], []
    for i in range(BATCH):
        y, x = (int(n) for n in draw.integers(SIZE - CROP + 1, size=2))
        small.append(decoded[i % PICTURES, :, y : y + CROP, x : x + CROP])
        y, x = y * scale, x * scale
        large.append(drawn[i % PICTURES, :, y : y + scale * CROP, x : x + scale * CROP])
    flip = [-1] if draw.random() < 0.5 else []
    return torch.stack(small).flip(flip), torch.stack(large).flip(flip)
