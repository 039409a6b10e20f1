"""The sticker model as a diffusers pipeline: `StickerPipeline.from_pretrained(folder)(prompt="a red heart")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor

from genai_studio.models.sticker import sampler
from genai_studio.models.sticker.icons import STYLES
from genai_studio.models.sticker.network import StickerAutoencoder, StickerTransformer, StickerUpsampler
from genai_studio.models.sticker.text import PromptEncoder

if TYPE_CHECKING:
    from PIL.Image import Image

ANY_STYLE = "any"


class StickerPipeline(DiffusionPipeline):
    """Text to a transparent sticker. Every picture is sampled on its own, so a batch never changes its pictures."""

    autoencoder: StickerAutoencoder
    transformer: StickerTransformer
    upsampler: StickerUpsampler

    def __init__(
        self, autoencoder: StickerAutoencoder, transformer: StickerTransformer, upsampler: StickerUpsampler
    ) -> None:
        super().__init__()
        self.register_modules(autoencoder=autoencoder, transformer=transformer, upsampler=upsampler)
        self.prompts = PromptEncoder()

    def __call__(
        self,
        prompt: str,
        *,
        negative_prompt: str = "",
        style: str = ANY_STYLE,
        num_inference_steps: int = 20,
        guidance_scale: float = 5.0,
        num_images_per_prompt: int = 1,
        seed: int = 0,
    ) -> list[Image]:
        """`num_images_per_prompt` RGBA pictures of 256 px; picture i uses seed + i."""
        steered = self.encode_prompt(prompt, negative_prompt, style)
        times = sampler.schedule(num_inference_steps)
        latents = [
            sampler.sample(self.transformer, steered, seed + i, times, guidance_scale)
            for i in range(num_images_per_prompt)
        ]
        return [to_picture(self.draw(z)[0]) for z in latents]

    def draw(self, latents: Tensor) -> Tensor:
        """Latents (n, c, 8, 8) as premultiplied RGBA (n, 4, 256, 256) in [0, 1]."""
        return sampler.upsample(self.upsampler, sampler.decode(self.autoencoder, latents))

    def encode_prompt(self, prompt: str, negative_prompt: str = "", style: str = ANY_STYLE) -> sampler.Prompt:
        """What steers the sampling; an unknown `style` raises ValueError."""
        tokens, mask = self.prompts([prompt, negative_prompt])
        text, visible = torch.from_numpy(tokens), torch.from_numpy(mask)
        any_style = len(STYLES)
        chosen = any_style if style == ANY_STYLE else STYLES.index(style)
        return sampler.Prompt(text[0], visible[0], text[1], visible[1], chosen, any_style)


def to_picture(premultiplied: Tensor) -> Image:
    """Premultiplied (4, h, w) in [0, 1] as a straight-alpha RGBA picture."""
    from PIL import Image

    colour, alpha = premultiplied[:3], premultiplied[3:]
    straight = torch.cat([(colour / alpha.clamp(min=1e-3)).clamp(0, 1), alpha])
    pixels = (straight * 255).round().to(torch.uint8).permute(1, 2, 0)
    return Image.fromarray(np.ascontiguousarray(pixels.numpy()), "RGBA")
