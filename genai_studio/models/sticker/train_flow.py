"""Trains the flow transformer on captioned latents."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from genai_studio.models.sticker.checkpoint import Run, average
from genai_studio.models.sticker.icons import STYLES
from genai_studio.models.sticker.latents import Captioned
from genai_studio.models.sticker.network import StickerTransformer

BATCH = 64
MATRIX_RATE = 0.02  # Muon
OTHER_RATE = 1e-3  # AdamW
WARM_UP = 200  # steps
COOL_DOWN = 0.35  # last share of the run, over which the rates fall to zero
UNPROMPTED = 0.1  # share of samples without caption and style, for guidance
UNSTYLED = 0.15  # share of the others without a style
MIN_REMAINING = 0.05  # of time, in the loss weight
AVERAGING = 0.998
RECORD_EVERY = 50
SAVE_EVERY = 200


def train_flow(
    captioned: Captioned,
    folder: Path,
    minutes: float,
    *,
    device: str = "cpu",
    batch: int = BATCH,
    compiled: bool = True,
    seed: int = 0,
) -> StickerTransformer:
    """Train (or go on training) for `minutes` of work in all; returns the averaged network, on the CPU."""
    torch.manual_seed(seed)
    captioned = captioned.to(device)
    model = StickerTransformer(latent_channels=captioned.latents.shape[1], styles=len(STYLES)).to(device)
    averaged = copy.deepcopy(model)
    muon, adam = optimisers(model)
    run = Run(folder, "flow", minutes * 60)
    run.restore(model=model, averaged=averaged, muon=muon, adam=adam)
    draw = torch.Generator(device).manual_seed(seed + run.step)
    forward = torch.compile(model) if compiled else model
    total = torch.zeros((), device=device)
    while run.share < 1:
        rate = min(1.0, (run.step + 1) / WARM_UP, (1 - run.share) / COOL_DOWN)
        for optimiser, peak in ((muon, MATRIX_RATE), (adam, OTHER_RATE)):
            for group in optimiser.param_groups:
                group["lr"] = peak * rate
        loss = velocity_loss(forward, captioned, draw, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in (muon, adam):
            optimiser.step()
            optimiser.zero_grad()
        average(averaged, model, run.step, AVERAGING)
        run.step += 1
        run.samples += batch
        total += loss.detach()
        if run.step % RECORD_EVERY == 0:
            run.record(loss=total.item() / RECORD_EVERY)
            total.zero_()
        if run.step % SAVE_EVERY == 0:
            run.save(model=model, averaged=averaged, muon=muon, adam=adam)
    run.save(model=model, averaged=averaged, muon=muon, adam=adam)
    return averaged.cpu()


def velocity_loss(
    forward: Callable[..., Tensor], captioned: Captioned, draw: torch.Generator, batch: int = BATCH
) -> Tensor:
    """Squared error of the velocity on one random batch.

    z = t x + (1 - t) noise; the velocity is (x - z) / (1 - t), so the error of the predicted x counts 1 / (1 - t)^2.
    Times are logit-normal (Esser et al., 2024).
    """
    rows = torch.multinomial(captioned.weight, batch, replacement=True, generator=draw)
    clean = captioned.latents[rows].float()
    text, mask = captioned.text(rows, draw)
    style = captioned.style[rows].clone()
    chance = torch.rand(batch, generator=draw, device=draw.device)
    unprompted = chance < UNPROMPTED
    text[unprompted] = 0
    mask[unprompted, 1:] = False
    style[chance < UNPROMPTED + UNSTYLED] = len(STYLES)
    time = torch.sigmoid(torch.randn(batch, generator=draw, device=draw.device))
    noise = torch.randn(clean.shape, generator=draw, device=draw.device)
    share = time[:, None, None, None]
    with torch.autocast(clean.device.type, torch.bfloat16):
        predicted = forward(share * clean + (1 - share) * noise, time, text, mask, style)
    weight = 1 / (1 - share).clamp(min=MIN_REMAINING) ** 2
    loss: Tensor = (weight * (predicted.float() - clean) ** 2).mean()
    return loss


def optimisers(model: StickerTransformer) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Muon (Jordan et al., 2024) for the blocks' matrices, AdamW for everything else."""
    matrices = [p for name, p in model.blocks.named_parameters() if p.ndim == 2 and not name.endswith("offset")]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    muon = torch.optim.Muon(matrices, lr=MATRIX_RATE, momentum=0.95, weight_decay=0.01, adjust_lr_fn="original")
    adam = torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.98), weight_decay=0.0)
    return muon, adam
