"""From noise to pictures: noise, schedule, guided steps, decode, upsample. Times run from 0 (noise) to 1 (clean)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genai_studio.models.sticker.network import StickerAutoencoder, StickerTransformer, StickerUpsampler

MIN_REMAINING = 0.05  # of time, as in training


@dataclass(frozen=True)
class Prompt:
    """What steers one picture: token vectors (tokens, 512) and mask of the prompt and of its negative, and a style."""

    text: Tensor
    mask: Tensor
    negative_text: Tensor
    negative_mask: Tensor
    style: int
    any_style: int


def noise(shape: tuple[int, int, int], seed: int) -> Tensor:
    """Standard normal (c, s, s) drawn on the CPU: one generator a picture, so a batch doesn't change its pictures."""
    return torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))


def schedule(num_inference_steps: int, shift: float = 1.0) -> Tensor:
    """Times (num_inference_steps + 1,) from 0 to 1; a `shift` above 1 spends more steps near the noise."""
    even = torch.linspace(0, 1, num_inference_steps + 1, dtype=torch.float64)
    return (even / (even + shift * (1 - even))).float()


def velocity(latents: Tensor, clean: Tensor, time: float) -> Tensor:
    """The direction in which `latents` at `time` reach `clean` at time 1."""
    return (clean - latents) / max(1 - time, MIN_REMAINING)


@torch.no_grad()
def predict(model: StickerTransformer, latents: Tensor, time: float, prompt: Prompt, guidance: float) -> Tensor:
    """The clean latent (1, c, s, s), guided away from the negative prompt (Ho and Salimans, 2022)."""
    if guidance == 1:
        text, mask, style = prompt.text[None], prompt.mask[None], [prompt.style]
    else:
        text = torch.stack([prompt.text, prompt.negative_text])
        mask = torch.stack([prompt.mask, prompt.negative_mask])
        style = [prompt.style, prompt.any_style]
    count = len(style)
    times = torch.full((count,), time)
    clean = model.forward(latents.expand(count, -1, -1, -1), times, text, mask, torch.tensor(style)).float()
    if guidance == 1:
        return clean
    wanted, unwanted = clean.chunk(2)
    return unwanted + guidance * (wanted - unwanted)


@torch.no_grad()
def sample(
    model: StickerTransformer,
    prompt: Prompt,
    seed: int,
    times: Tensor,
    guidance: float,
    on_step: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """One normalised latent (1, c, s, s), by Euler steps along `times`.

    `on_step(i, clean)` is told the clean latent that step `i` foresees; what it raises ends the sampling.
    """
    z = noise(model.latent_shape, seed)[None]
    with torch.autocast("cpu", torch.bfloat16):  # around the whole loop: it casts each weight once
        for i, (now, after) in enumerate(zip(times[:-1].tolist(), times[1:].tolist(), strict=True)):
            clean = predict(model, z, now, prompt, guidance)
            z = z + (after - now) * velocity(z, clean, now)
            if on_step is not None:
                on_step(i, clean)
    return z


@torch.no_grad()
def decode(autoencoder: StickerAutoencoder, latents: Tensor) -> Tensor:
    """Premultiplied RGBA (n, 4, h, w) in [0, 1]: colours never above alpha."""
    with torch.autocast("cpu", torch.bfloat16):
        pictures = autoencoder.decode(autoencoder.denormalise(latents)).float()
    return valid((pictures + 1) / 2)


@torch.no_grad()
def upsample(upsampler: StickerUpsampler, pictures: Tensor) -> Tensor:
    """What `decode` returned at twice the size."""
    with torch.autocast("cpu", torch.bfloat16):
        large = upsampler.forward(pictures).float()
    return valid(large)


def valid(pictures: Tensor) -> Tensor:
    """Premultiplied RGBA with every value in [0, 1] and no colour above its alpha."""
    alpha = pictures[:, 3:].clamp(0, 1)
    return torch.cat([torch.minimum(pictures[:, :3].clamp(0, 1), alpha), alpha], 1)
