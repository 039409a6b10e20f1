"""The networks: an autoencoder to an 8 x 8 latent, a flow transformer that writes that latent from a prompt, and an
upsampler that draws the decoded picture at twice the size.

All are ordinary diffusers models: `save_pretrained` and `from_pretrained` work.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(self.norm(x)))))


class Downsample(nn.Sequential):
    """Half the size: a pixel unshuffle and a 1 x 1 convolution (a strided one is ten times slower in bf16 on a CPU)."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__(nn.PixelUnshuffle(2), nn.Conv2d(4 * width_in, width_out, 1))


class Upsample(nn.Sequential):
    """Twice the size: a 1 x 1 convolution and a pixel shuffle."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__(nn.Conv2d(width_in, 4 * width_out, 1), nn.PixelShuffle(2))


class StickerAutoencoder(ModelMixin, ConfigMixin):
    """Premultiplied RGBA (n, 4, 128, 128) in [-1, 1] to latents (n, channels, 8, 8) in [-2, 2], and back.

    `latent_mean` and `latent_std` hold the statistics of the training latents, one a channel: the flow works on
    latents normalised with them.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 128,
        latent_channels: int = 24,
        widths: tuple[int, int, int, int] = (32, 64, 128, 192),
    ) -> None:
        super().__init__()
        w0, w1, w2, w3 = widths
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(64, w1, 3, padding=1),
            ResidualBlock(w1),
            Downsample(w1, w2),
            ResidualBlock(w2),
            Downsample(w2, w3),
            ResidualBlock(w3),
            ResidualBlock(w3),
            nn.GroupNorm(8, w3),
            nn.SiLU(),
            nn.Conv2d(w3, latent_channels, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, w3, 3, padding=1),
            ResidualBlock(w3),
            ResidualBlock(w3),
            Upsample(w3, w2),
            ResidualBlock(w2),
            ResidualBlock(w2),
            Upsample(w2, w1),
            ResidualBlock(w1),
            Upsample(w1, w0),
            ResidualBlock(w0),
            nn.GroupNorm(8, w0),
            nn.SiLU(),
            nn.Conv2d(w0, 16, 3, padding=1),
            nn.PixelShuffle(2),
        )
        self.register_buffer("latent_mean", torch.zeros(latent_channels))
        self.register_buffer("latent_std", torch.ones(latent_channels))

    def encode(self, pictures: Tensor) -> Tensor:
        """Latents bounded softly to [-2, 2], float32."""
        bounded: Tensor = 2 * torch.tanh(self.encoder(pictures).float() / 2)
        return bounded

    def decode(self, latents: Tensor) -> Tensor:
        """Premultiplied RGBA; may overshoot [-1, 1] a little."""
        pictures: Tensor = self.decoder(latents)
        return pictures

    def normalise(self, latents: Tensor) -> Tensor:
        """Latents of zero mean and unit variance a channel."""
        return (latents - _by_channel(self.latent_mean)) / _by_channel(self.latent_std)

    def denormalise(self, latents: Tensor) -> Tensor:
        """The inverse of `normalise`."""
        return latents * _by_channel(self.latent_std) + _by_channel(self.latent_mean)


class StickerUpsampler(ModelMixin, ConfigMixin):
    """Decoded premultiplied RGBA (n, 4, h, w) in [0, 1] to the same picture at twice the size, with crisp edges.

    A correction on top of bicubic interpolation; no normalisation, so that a crop is treated as the whole picture.
    """

    @register_to_config
    def __init__(self, width: int = 48, depth: int = 4) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2), nn.Conv2d(16, width, 3, padding=1)]
        layers += [PlainBlock(width) for _ in range(depth)]
        layers += [Upsample(width, width // 2), nn.SiLU(), nn.Conv2d(width // 2, 16, 3, padding=1), nn.PixelShuffle(2)]
        self.layers = nn.Sequential(*layers)
        for parameter in layers[-2].parameters():
            nn.init.zeros_(parameter)

    def forward(self, picture: Tensor) -> Tensor:
        smooth = F.interpolate(picture, scale_factor=2, mode="bicubic", align_corners=False)
        return smooth + self.layers(picture * 2 - 1).float()


class PlainBlock(nn.Module):
    """Two 3 x 3 convolutions beside a skip, without normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(x)))


class HeadNorm(nn.RMSNorm):
    """RMS norm whose weight takes the type of its input: under autocast only equal types run as one kernel."""

    def forward(self, x: Tensor) -> Tensor:
        assert self.weight is not None
        return F.rms_norm(x, x.shape[-1:], self.weight.to(x.dtype))


class Attention(nn.Module):
    """Self-attention with RMS-normalised queries and keys and rotary positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.query_norm = HeadNorm(width // heads)
        self.key_norm = HeadNorm(width // heads)

    def forward(self, x: Tensor, bias: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        n, length, width = x.shape
        shape = (n, length, 3, self.heads, width // self.heads)
        q, k, v = self.qkv(x).view(shape).permute(2, 0, 3, 1, 4)
        q, k = rotate(self.query_norm(q), rotation), rotate(self.key_norm(k), rotation)
        y = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, attn_mask=bias.to(v.dtype))
        mixed: Tensor = self.out(y.transpose(1, 2).reshape(n, length, width))
        return mixed


class Block(nn.Module):
    """Attention and a gated MLP; scale, shift and gate come from one shared projection plus an offset of its own."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        hidden = int(width * 8 / 3) // 32 * 32
        self.attention = Attention(width, heads)
        self.norm_attention = nn.RMSNorm(width, elementwise_affine=False)
        self.norm_mlp = nn.RMSNorm(width, elementwise_affine=False)
        self.mlp_in = nn.Linear(width, 2 * hidden, bias=False)
        self.mlp_out = nn.Linear(hidden, width, bias=False)
        self.offset = nn.Parameter(torch.randn(6, width) * 0.02)

    def forward(self, x: Tensor, condition: Tensor, bias: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        scale1, shift1, gate1, scale2, shift2, gate2 = (condition + self.offset).unsqueeze(2).unbind(1)
        x = x + gate1 * self.attention(self.norm_attention(x) * (1 + scale1) + shift1, bias, rotation)
        up, gate = self.mlp_in(self.norm_mlp(x) * (1 + scale2) + shift2).chunk(2, -1)
        return x + gate2 * self.mlp_out(F.silu(gate) * up)


class StickerTransformer(ModelMixin, ConfigMixin):
    """Predicts the clean latent from a noisy one, its time, prompt vectors and a style.

    Prompt tokens and the 64 latent positions attend to each other in one sequence. Style `styles` (one past the last
    set) means "any". After "Back to Basics: Let Denoising Generative Models Denoise" (Li and He, 2025) the network's
    output is the clean latent, while the loss and the sampler use the velocity that follows from it.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 24,
        latent_size: int = 8,
        text_width: int = 512,
        text_tokens: int = 11,
        styles: int = 11,
        width: int = 320,
        depth: int = 8,
        heads: int = 5,
    ) -> None:
        super().__init__()
        self.latents_in = nn.Linear(latent_channels, width)
        self.text_in = nn.Linear(text_width, width)
        self.phrase_in = nn.Linear(text_width, width)
        self.style = nn.Embedding(styles + 1, width)
        self.latent_position = nn.Parameter(torch.randn(1, latent_size**2, width) * 0.02)
        self.text_position = nn.Parameter(torch.randn(1, text_tokens, width) * 0.02)
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm_out = nn.RMSNorm(width, elementwise_affine=False)
        self.modulation_out = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.latents_out = nn.Linear(width, latent_channels)
        for last in (self.modulation[-1], self.modulation_out[-1], self.latents_out):
            for parameter in last.parameters():
                nn.init.zeros_(parameter)
        cosine, sine = rotary_angles(latent_size, text_tokens, width // heads)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of one latent."""
        side = math.isqrt(self.latent_position.shape[1])
        return self.latents_in.in_features, side, side

    def forward(self, latents: Tensor, time: Tensor, text: Tensor, mask: Tensor, style: Tensor) -> Tensor:
        """The clean latent that (n, c, s, s) `latents` at `time` (n,), 0 noise to 1 clean, came from.

        `text` is (n, tokens, 512) with `mask` (n, tokens); token 0 is the whole phrase. `style` is (n,) of int.
        """
        n, channels, size, _ = latents.shape
        tokens, text_width = text.shape[1:]
        text = text * math.sqrt(text_width)  # sentence vectors have length 1; this gives their numbers variance 1
        condition = self.time(time_features(time)) + self.style(style) + self.phrase_in(text[:, 0])
        modulation = self.modulation(condition).view(n, 6, -1)
        x = self.latents_in(latents.flatten(2).transpose(1, 2)) + self.latent_position
        x = torch.cat([self.text_in(text) + self.text_position, x], 1)
        visible = torch.cat([mask, mask.new_ones(n, size * size)], 1)
        bias = torch.zeros(visible.shape, device=x.device).masked_fill(~visible, -1e4)[:, None, None]
        for block in self.blocks:
            x = block(x, modulation, bias, (self.cosine, self.sine))
        scale, shift = self.modulation_out(condition).unsqueeze(1).chunk(2, -1)
        x = self.latents_out(self.norm_out(x[:, tokens:]) * (1 + scale) + shift)
        clean: Tensor = x.transpose(1, 2).reshape(n, channels, size, size)
        return clean


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position embedding (Su et al., 2021) over the last axis."""
    cosine, sine = rotation
    first, second = x.chunk(2, -1)
    return x * cosine + torch.cat([-second, first], -1) * sine


def rotary_angles(size: int, text_tokens: int, head_width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (tokens + size * size, head_width) of row and column; text tokens are not rotated."""
    quarter = head_width // 4
    frequency = 100 ** (-torch.arange(quarter) / quarter)
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    angles = torch.cat([rows.reshape(-1, 1) * frequency, columns.reshape(-1, 1) * frequency], -1)
    angles = torch.cat([torch.zeros(text_tokens, 2 * quarter), angles])
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def time_features(time: Tensor) -> Tensor:
    """Sinusoidal features (n, 256) of a time in [0, 1]."""
    frequency = torch.exp(-math.log(10_000) * torch.arange(128, device=time.device) / 128)
    angles = time[:, None] * 1000 * frequency
    return torch.cat([angles.cos(), angles.sin()], -1)


def _by_channel(values: Tensor) -> Tensor:
    return values.view(1, -1, 1, 1)
