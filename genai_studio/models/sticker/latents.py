"""What the flow transformer trains on: latents of every picture and of its variants, with all their captions.

Variants cost nothing with drawings: mirrored, recoloured ("blue heart"), and two composed ("cat with umbrella").
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genai_studio.models.sticker import captions
from genai_studio.models.sticker.dataset import (
    Dataset,
    Example,
    compose,
    dominant_colour,
    premultiplied,
    recolour,
)
from genai_studio.models.sticker.icons import STYLES
from genai_studio.models.sticker.network import StickerAutoencoder
from genai_studio.models.sticker.text import TOKENS, PromptEncoder, words

RECOLOURS = 2  # of each picture that has one colour
PAIRS = 5000
SHARES = {"plain": 0.72, "recoloured": 0.18, "pair": 0.10}  # of a training batch, about


@dataclass
class Variants:
    """Pictures still to be encoded, each with its style, kind and captions."""

    pictures: list[NDArray[np.uint8]] = field(default_factory=list)
    styles: list[int] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    captions: list[list[str]] = field(default_factory=list)

    def add(self, picture: NDArray[np.uint8], style: str, kind: str, spoken: list[str]) -> None:
        self.pictures.append(picture)
        self.styles.append(STYLES.index(style))
        self.kinds.append(kind)
        self.captions.append(spoken)


@dataclass(frozen=True)
class Captioned:
    """Normalised latents (n, c, 8, 8) float16 and, for each, the phrases that describe it.

    `phrases[first[i] : first[i] + count[i]]` are rows of `tokens` (p, TOKENS), which index `vectors`; -1 is no token.
    """

    latents: Tensor
    style: Tensor
    weight: Tensor
    first: Tensor
    count: Tensor
    phrases: Tensor
    tokens: Tensor
    vectors: Tensor

    def to(self, device: str) -> Captioned:
        """The same, all of it on `device`."""
        return Captioned(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def text(self, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """One random caption for each row, as token vectors (n, TOKENS, 512) and mask (n, TOKENS)."""
        pick = (torch.rand(len(rows), generator=generator, device=rows.device) * self.count[rows]).long()
        tokens = self.tokens[self.phrases[self.first[rows] + pick]]
        mask = tokens >= 0
        return self.vectors[tokens.clamp(min=0)].float() * mask[..., None], mask


def caption_latents(dataset: Dataset, autoencoder: StickerAutoencoder, encoder: PromptEncoder) -> Captioned:
    """Encode the trained concepts' pictures, their variants and all captions."""
    variants = make_variants(dataset)
    table: dict[str, int] = {}
    phrases = [table.setdefault(text, len(table)) for spoken in variants.captions for text in spoken]
    count = torch.tensor([len(spoken) for spoken in variants.captions])
    tokens, vectors = _tokenise(list(table), encoder)
    kinds = np.array(variants.kinds)
    weight = np.zeros(len(kinds))
    for kind, share in SHARES.items():
        weight[kinds == kind] = share / max(1, (kinds == kind).sum())
    return Captioned(
        latents=_encode(variants.pictures, autoencoder),
        style=torch.tensor(variants.styles),
        weight=torch.from_numpy(weight),
        first=count.cumsum(0) - count,
        count=count,
        phrases=torch.tensor(phrases),
        tokens=tokens,
        vectors=vectors,
    )


def make_variants(dataset: Dataset) -> Variants:
    """Every trained picture plain, mirrored and recoloured, and PAIRS of them composed. Deterministic."""
    draw = np.random.default_rng(0)
    examples = dataset.trained()
    made = Variants()
    for example in examples:
        picture = np.array(dataset.images[example.row])
        colour = dominant_colour(picture)
        spoken = captions.captions(example.names)
        coloured = [] if colour is None else captions.coloured_captions(example.names, colour)
        made.add(picture, example.style, "plain", spoken + coloured)
        if captions.may_mirror(example.names):
            made.add(picture[:, ::-1], example.style, "plain", spoken + coloured)
        if coloured and colour is not None:
            others = [c for c in range(len(captions.COLOURS)) if c != colour]
            for target in draw.choice(others, RECOLOURS, replace=False):
                spoken = captions.coloured_captions(example.names, int(target))
                made.add(recolour(picture, colour, int(target)), example.style, "recoloured", spoken)
    _add_pairs(made, dataset, examples, draw)
    return made


def _add_pairs(made: Variants, dataset: Dataset, examples: list[Example], draw: np.random.Generator) -> None:
    by_style: dict[str, list[Example]] = {}
    for example in examples:
        by_style.setdefault(example.style, []).append(example)
    for lead in draw.integers(len(examples), size=PAIRS):
        big = examples[int(lead)]
        peers = by_style[big.style]
        small = peers[int(draw.integers(len(peers)))]
        picture = compose(dataset.images[big.row], dataset.images[small.row], int(draw.integers(4)))
        made.add(picture, big.style, "pair", captions.paired_captions(big.names, small.names))


@torch.no_grad()
def _encode(pictures: list[NDArray[np.uint8]], autoencoder: StickerAutoencoder) -> Tensor:
    parts = []
    for start in range(0, len(pictures), 128):
        x = torch.from_numpy(premultiplied(np.stack(pictures[start : start + 128])))
        with torch.autocast("cpu", torch.bfloat16):
            latents = autoencoder.encode(x.contiguous(memory_format=torch.channels_last))
        parts.append(autoencoder.normalise(latents).half())
    return torch.cat(parts)


def _tokenise(phrases: list[str], encoder: PromptEncoder) -> tuple[Tensor, Tensor]:
    table: dict[str, int] = {}
    tokens = torch.full((len(phrases), TOKENS), -1)
    for row, phrase in enumerate(phrases):
        ids = [table.setdefault(piece, len(table)) for piece in (phrase, *words(phrase))]
        tokens[row, : len(ids)] = torch.tensor(ids)
    return tokens, torch.from_numpy(encoder.vectors(list(table))).half()
