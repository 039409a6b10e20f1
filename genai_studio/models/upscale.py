"""Family of Real-ESRGAN upscalers run by ncnn: a picture in, the same picture two or four times larger out.

Tiles overlap by more than the network sees, so that no seam can show and memory stays flat for any size. Colour and
alpha go through the network apart; colour is first spread into the transparent parts, so that no fringe appears.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genai_studio.domain.image import UpscaleParams
from genai_studio.domain.modality import MediaKind
from genai_studio.errors import GenerationFailed, InvalidInput, ModelUnavailable
from genai_studio.models.base import Draft, ModelFiles, ModelSpec, RunContext

if TYPE_CHECKING:
    from PIL.Image import Image

TILE = 128  # input pixels a side that one tile contributes
CONTEXT = 20  # input pixels around it; 18 convolutions of 3 x 3 see 18
MAX_PIXELS = 64_000_000  # of the output: what a browser still shows
SCALES = (2, 4)

Plane = NDArray[np.float32]
"""Shape (3, height, width), values in [0, 1]."""


@dataclass(frozen=True)
class Tile:
    """One tile's place in the picture, in input pixels."""

    top: int
    left: int
    height: int
    width: int


class LoadedUpscaler:
    """One ncnn network a scale."""

    def __init__(self, networks: dict[int, Any], size: int) -> None:
        self._networks = networks
        self._size = size

    def generate(self, params: UpscaleParams, ctx: RunContext) -> None:
        """Enlarge the input `image` by `params.scale`; there is one output whatever the count."""
        colour, alpha = read_planes(ctx.input("image"))
        _, height, width = colour.shape
        if height * width * params.scale**2 > MAX_PIXELS:
            raise InvalidInput(
                f"Enlarged {params.scale} times, {width} x {height} px would be more than {MAX_PIXELS:,} pixels.",
                "Choose a smaller picture or a smaller factor.",
            )
        planes = [colour] if alpha is None else [colour, np.repeat(alpha[None], 3, 0)]
        total = len(planes) * len(list(tiles(height, width)))
        done = 0
        enlarged = []
        for plane in planes:
            large = np.empty((3, height * params.scale, width * params.scale), np.float32)
            for tile in tiles(height, width):
                ctx.check()
                self._enlarge(plane, tile, params.scale, large)
                done += 1
                ctx.progress(done, total, "enlarging")
            enlarged.append(large)
        picture = to_picture(enlarged[0], None if alpha is None else enlarged[1].mean(0))
        path = ctx.stage(".png")
        picture.save(path, "PNG")
        ctx.output(Draft(MediaKind.IMAGE, path, info={"width": picture.width, "height": picture.height}))

    def memory(self) -> int:
        """Bytes of the weight files, which ncnn unpacks to about twice that."""
        return 2 * self._size

    def environment(self) -> Mapping[str, str]:
        return {"ncnn": version("ncnn"), "pillow": version("pillow"), "dtype": "float32"}

    def close(self) -> None:
        self._networks.clear()

    def _enlarge(self, plane: Plane, tile: Tile, scale: int, into: Plane) -> None:
        import ncnn

        extractor = self._networks[scale].create_extractor()
        seen = with_context(
            plane, tile
        )  # a name of its own: a Mat borrows the array's memory and does not keep it alive
        extractor.input("data", ncnn.Mat(seen).clone())
        status, result = extractor.extract("output")
        if status != 0:
            raise GenerationFailed("The upscaler could not run on this picture.", "Try a smaller picture.")
        large = np.array(result)
        if not np.isfinite(large).all():
            raise GenerationFailed("The upscaler's numbers ran away, so there is no picture to show.")
        edge = CONTEXT * scale
        top, left, height, width = (scale * n for n in (tile.top, tile.left, tile.height, tile.width))
        into[:, top : top + height, left : left + width] = large[:, edge : edge + height, edge : edge + width]


class UpscaleFamily:
    """Loads the `*UP2X` and `*UP4X` networks of a spec's files."""

    params = UpscaleParams

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> LoadedUpscaler:
        """Read both networks; they run on the CPU. Raises ModelUnavailable when ncnn does not take a file."""
        import ncnn

        networks = {}
        size = 0
        for scale in SCALES:
            try:
                param, weights = files.one(f"UP{scale}X.param"), files.one(f"UP{scale}X.bin")
            except KeyError as error:
                raise ModelUnavailable(f"{spec.title} lacks its network for {scale} times.") from error
            network = ncnn.Net()
            network.opt.use_vulkan_compute = False
            network.opt.num_threads = threads
            if network.load_param(str(param)) != 0 or network.load_model(str(weights)) != 0:
                raise ModelUnavailable(f"The weights of {spec.title} cannot be read.", "Download the model again.")
            networks[scale] = network
            size += weights.stat().st_size
        return LoadedUpscaler(networks, size)


FAMILY = UpscaleFamily()


def tiles(height: int, width: int) -> Iterator[Tile]:
    """The tiles that cover a picture, row by row; they don't overlap (what the network sees around them does)."""
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            yield Tile(top, left, min(TILE, height - top), min(TILE, width - left))


def with_context(plane: Plane, tile: Tile) -> Plane:
    """The tile with CONTEXT pixels around it; beyond the picture its border pixels repeat."""
    _, height, width = plane.shape
    rows = np.arange(tile.top - CONTEXT, tile.top + tile.height + CONTEXT).clip(0, height - 1)
    columns = np.arange(tile.left - CONTEXT, tile.left + tile.width + CONTEXT).clip(0, width - 1)
    return np.ascontiguousarray(plane[:, rows[:, None], columns[None]])


def read_planes(path: Path) -> tuple[Plane, Plane | None]:
    """Colour (3, h, w) and alpha (h, w) of a picture, in [0, 1]; alpha is None where all of it is opaque."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise InvalidInput(f"The picture has more than {MAX_PIXELS:,} pixels.", "Choose a smaller one.")
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InvalidInput("The picture cannot be read.", "Choose a PNG, JPEG or WebP file.") from error
    pixels = np.asarray(picture, np.float32) / np.float32(255)
    alpha = np.ascontiguousarray(pixels[..., 3])
    if (alpha == 1).all():
        return np.ascontiguousarray(np.moveaxis(pixels[..., :3], -1, 0)), None
    return np.ascontiguousarray(np.moveaxis(spread_colour(pixels), -1, 0)), alpha


def spread_colour(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Straight RGBA (h, w, 4) as opaque RGB (h, w, 3): transparent pixels take the colour of the nearest drawn area.

    Pull and push (Gortler et al., "The Lumigraph", 1996): halve the premultiplied picture until one pixel is left,
    then fill every level's gaps from the coarser one.
    """
    premultiplied = np.concatenate([pixels[..., :3] * pixels[..., 3:], pixels[..., 3:]], -1)
    levels = [premultiplied]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(_halved(levels[-1]))
    colour = levels[-1][..., :3] / levels[-1][..., 3:].clip(1e-6)
    for level in reversed(levels[:-1]):
        height, width = level.shape[:2]
        coarse = colour.repeat(2, 0).repeat(2, 1)[:height, :width]
        colour = level[..., :3] + (1 - level[..., 3:]) * coarse
    drawn = pixels[..., 3:] > 0
    return np.where(drawn, pixels[..., :3], colour).astype(np.float32)


def to_picture(colour: Plane, alpha: NDArray[np.float32] | None) -> Image:
    """Planes as an RGB or RGBA picture."""
    from PIL import Image

    planes = list(colour) if alpha is None else [*colour, alpha]
    pixels = (np.stack(planes, -1).clip(0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(pixels)


def _halved(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each 2 x 2 block; an odd border counts once more. Alpha is raised so that gaps close quickly."""
    height, width = level.shape[:2]
    even = np.pad(level, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    mean = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    alpha = mean[..., 3:]
    return np.asarray(mean * (np.minimum(1, alpha * 4) / alpha.clip(1e-6)), np.float32)
