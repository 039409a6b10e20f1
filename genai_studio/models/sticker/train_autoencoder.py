"""Trains the autoencoder on premultiplied pictures."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genai_studio.models.sticker.checkpoint import Run, average
from genai_studio.models.sticker.dataset import Dataset, premultiplied
from genai_studio.models.sticker.network import StickerAutoencoder

BATCH = 16
PEAK_RATE = 1.2e-3
NOISE = 0.15  # on the latents, so that the decoder forgives what the flow gets slightly wrong
SAVE_EVERY = 100


def train_autoencoder(dataset: Dataset, folder: Path, minutes: float) -> StickerAutoencoder:
    """Train (or go on training) for `minutes` of work in all; returns the averaged network and its statistics."""
    torch.manual_seed(0)
    rows = np.array([e.row for e in dataset.trained()])
    model = StickerAutoencoder().to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.95))
    run = Run(folder, "autoencoder", minutes * 60)
    run.restore(model=model, averaged=averaged, optimiser=optimiser)
    draw = np.random.default_rng(run.step)
    total = 0.0
    while run.share < 1:
        rate = PEAK_RATE * min(1, (run.step + 1) / 100) * (1 - run.share) ** 0.5
        for group in optimiser.param_groups:
            group["lr"] = rate
        pictures = _batch(dataset, draw.choice(rows, BATCH), draw)
        with torch.autocast("cpu", torch.bfloat16):
            latents = model.encode(pictures)
            latents = latents + torch.randn_like(latents) * NOISE * torch.rand(BATCH, 1, 1, 1)
            rebuilt = model.decode(latents).float()
        loss, error = reconstruction_loss(rebuilt, pictures)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average(averaged, model, run.step, 0.995)
        run.step += 1
        run.samples += BATCH
        total += error
        if run.step % SAVE_EVERY == 0:
            run.record(l1=total / SAVE_EVERY)
            total = 0.0
            run.save(model=model, averaged=averaged, optimiser=optimiser)
    measure_latents(averaged, dataset, rows)
    run.save(model=model, averaged=averaged, optimiser=optimiser)
    return averaged


def reconstruction_loss(rebuilt: Tensor, pictures: Tensor) -> tuple[Tensor, float]:
    """L1 on pixels, on their differences (edges) and on 4 px means (areas); and the first of these as a number."""
    pixels = (rebuilt - pictures).abs().mean()
    edges = (_differences(rebuilt) - _differences(pictures)).abs().mean()
    areas = (F.avg_pool2d(rebuilt, 4) - F.avg_pool2d(pictures, 4)).abs().mean()
    return pixels + edges + 0.5 * areas, pixels.item()


@torch.no_grad()
def measure_latents(model: StickerAutoencoder, dataset: Dataset, rows: np.ndarray) -> None:
    """Set the model's latent mean and deviation from up to 2048 training pictures."""
    some = np.sort(np.random.default_rng(0).permutation(rows)[:2048])
    latents = torch.cat(
        [model.encode(torch.from_numpy(premultiplied(dataset.images[part]))) for part in np.array_split(some, 32)]
    )
    model.latent_mean.copy_(latents.mean((0, 2, 3)))
    model.latent_std.copy_(latents.std((0, 2, 3)))


def _batch(dataset: Dataset, rows: np.ndarray, draw: np.random.Generator) -> Tensor:
    pictures = torch.from_numpy(premultiplied(dataset.images[rows]))
    if draw.random() < 0.5:
        pictures = pictures.flip(-1)
    if draw.random() < 0.25:  # channels in another order: other colours, same shapes
        pictures = pictures[:, [*draw.permutation(3).tolist(), 3]]
    return pictures.contiguous(memory_format=torch.channels_last)


def _differences(x: Tensor) -> Tensor:
    across, down = x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]
    return torch.cat([across.flatten(1), down.flatten(1)], 1)
