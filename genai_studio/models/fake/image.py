"""The demo picture: soft discs on a gradient, in colours that follow from the prompt and the seed."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from genai_studio.domain.fields import Steps, panel
from genai_studio.domain.image import Background, ImageParams
from genai_studio.domain.modality import MediaKind
from genai_studio.models.base import Draft, Family, LoadedModel, ModelFiles, ModelSpec, RunContext
from genai_studio.models.fake import StepSeconds, digest, pause

if TYPE_CHECKING:
    from PIL.Image import Image

Side = Annotated[
    int,
    Field(
        ge=64,
        le=1024,
        multiple_of=8,
        title="Side",
        description="Width and height in pixels.",
        json_schema_extra=panel("more", "slider", 8),
    ),
]
PREVIEW = 128
"""Side of a preview in pixels."""


class DemoImageParams(ImageParams):
    num_inference_steps: Steps = 8
    side: Side = 384
    background: Background = "white"
    step_seconds: StepSeconds = 0.0


class DemoImage:
    def generate(self, params: DemoImageParams, ctx: RunContext) -> None:
        steps = params.num_inference_steps
        for index in range(params.count):
            key = digest(f"{params.prompt}\n{params.negative_prompt}\n{params.guidance_scale}", ctx.seed + index)
            noise = np.random.default_rng(ctx.seed + index).integers(0, 256, (PREVIEW, PREVIEW, 4), np.uint8)
            small = np.asarray(draw(key, PREVIEW, params.background))
            for step in range(1, steps + 1):
                ctx.progress(step, steps, index=index)
                ctx.preview(_blend(noise, small, step / steps), index=index)
                pause(params.step_seconds, ctx)
            path = ctx.stage(".png")
            draw(key, params.side, params.background).save(path, compress_level=3)
            ctx.output(Draft(MediaKind.IMAGE, path))

    def memory(self) -> int:
        return 1_000_000

    def environment(self) -> Mapping[str, str]:
        import PIL

        return {"numpy": np.__version__, "pillow": PIL.__version__}

    def close(self) -> None:
        _grid.cache_clear()


class DemoImageFamily:
    params = DemoImageParams

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> LoadedModel:
        return DemoImage()


def draw(key: bytes, side: int, background: str) -> Image:
    """An RGBA picture of `side` x `side` pixels. `key` decides colours and places."""
    from PIL import Image

    x, y = _grid(side)
    hue = key[0] / 255
    picture = np.empty((side, side, 4), np.float32)
    top, bottom = (np.array(colorsys.hsv_to_rgb(hue + shift, 0.35, 0.98), np.float32) for shift in (0.0, 0.12))
    picture[..., :3] = top + (bottom - top) * y[..., None]
    picture[..., 3] = 1.0 if background == "white" else 0.0
    for disc in range(5):
        place = key[1 + 5 * disc : 6 + 5 * disc]
        radius = 0.10 + 0.16 * place[0] / 255
        distance = np.hypot(x - (0.2 + 0.6 * place[1] / 255), y - (0.2 + 0.6 * place[2] / 255))
        cover = np.clip((radius - distance) * 60, 0, 1)[..., None]
        colour = np.array(
            colorsys.hsv_to_rgb(hue + 0.25 + 0.5 * place[3] / 255, 0.65, 0.75 + 0.25 * place[4] / 255), np.float32
        )
        shade = 1.0 - 0.35 * np.clip(distance / radius, 0, 1)[..., None]
        picture[..., :3] += cover * 0.85 * (colour * shade - picture[..., :3])
        picture[..., 3:] = np.maximum(picture[..., 3:], cover)
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8), "RGBA")


@cache
def _grid(side: int) -> tuple[Any, Any]:
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    return x, y


def _blend(noise: Any, picture: Any, share: float) -> Image:
    from PIL import Image

    mixed = noise.astype(np.float32) * (1 - share) + picture.astype(np.float32) * share
    return Image.fromarray(mixed.astype(np.uint8), "RGBA")


FAMILY: Family = DemoImageFamily()
