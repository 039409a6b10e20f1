"""The demo upscaler: Lanczos, in rows of tiles so that there is progress to see."""

from __future__ import annotations

from collections.abc import Mapping

from genai_studio.domain.image import UpscaleParams
from genai_studio.domain.modality import MediaKind
from genai_studio.errors import InvalidInput
from genai_studio.models.base import Draft, Family, LoadedModel, ModelFiles, ModelSpec, RunContext
from genai_studio.models.fake import StepSeconds, pause

ROWS = 4
MAX_SIDE = 8192
"""Pixels of the result's longer side."""


class DemoUpscaleParams(UpscaleParams):
    step_seconds: StepSeconds = 0.0


class DemoUpscaler:
    def generate(self, params: DemoUpscaleParams, ctx: RunContext) -> None:
        from PIL import Image

        with Image.open(ctx.input("image"), formats=["PNG", "JPEG", "WEBP"]) as source:
            width, height = source.width * params.scale, source.height * params.scale
            if max(width, height) > MAX_SIDE:
                raise InvalidInput(f"The result would be {width} x {height} pixels; at most {MAX_SIDE} are allowed.")
            result = source.convert("RGBA").resize((width, height), Image.Resampling.LANCZOS)
        for row in range(1, ROWS + 1):
            ctx.progress(row, ROWS)
            pause(params.step_seconds, ctx)
        for _ in range(params.count):
            path = ctx.stage(".png")
            result.save(path, compress_level=3)
            ctx.output(Draft(MediaKind.IMAGE, path))

    def memory(self) -> int:
        return 1_000_000

    def environment(self) -> Mapping[str, str]:
        import PIL

        return {"pillow": PIL.__version__}

    def close(self) -> None:
        pass


class DemoUpscaleFamily:
    params = DemoUpscaleParams

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> LoadedModel:
        return DemoUpscaler()


FAMILY: Family = DemoUpscaleFamily()
