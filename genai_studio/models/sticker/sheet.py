"""The contact sheet: fixed prompts, fixed seeds, one picture of everything, to be looked at and judged."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from genai_studio.models.sticker import resize, sampler
from genai_studio.models.sticker.pipeline import ANY_STYLE, StickerPipeline, to_picture

CELL = 96  # pixels a picture
BLOCK = 2 * CELL + 8  # four pictures of one prompt, and a margin
LABEL = 20
COLUMNS = 8


class Line(NamedTuple):
    """One prompt of the sheet, and the label under it (plain letters, so that no font is needed)."""

    prompt: str
    style: str = ANY_STYLE
    label: str = ""


PROMPTS: tuple[Line, ...] = (
    *(Line(p) for p in ("red heart", "blue heart", "smiling cat face", "pizza", "green apple", "rocket", "bird")),
    *(Line(p) for p in ("snowman", "birthday cake", "sunflower", "dog face", "dragon", "hot beverage", "house")),
    *(Line(p) for p in ("robot", "rainbow", "yellow star", "purple star", "fish", "blue fish", "frog", "pig face")),
    *(Line(p) for p in ("mushroom", "strawberry", "banana", "tree", "car", "red car", "bicycle", "airplane")),
    *(Line(p) for p in ("guitar", "umbrella", "crying face", "angry face", "face with sunglasses", "ghost")),
    Line("red heart", "fluent", "red heart / fluent"),
    Line("red heart", "outline", "red heart / outline"),
    Line("cat face", "noto blob", "cat face / noto blob"),
    Line("cat face", "twemoji", "cat face / twemoji"),
    Line("红苹果", label="red apple (in Chinese)"),
    Line("小狗", label="puppy (in Chinese)"),
    Line("蓝色的鱼", label="blue fish (in Chinese)"),
    Line("笑脸", label="smiling face (in Chinese)"),
    *(Line(p) for p in ("cat with umbrella", "dog and pizza", "a purple rocket", "a wizard with a hat")),
)


def contact_sheet(
    *,
    weights: Path,
    out: Path,
    prompts: tuple[Line, ...] = PROMPTS,
    num_inference_steps: int = 20,
    guidance_scale: float = 5.0,
) -> Path:
    """Draw each prompt with seeds 0 to 3 on one white picture at `out`, and return it."""
    pipeline = StickerPipeline.from_pretrained(weights, local_files_only=True, low_cpu_mem_usage=False)
    rows = -(-len(prompts) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * BLOCK, rows * (BLOCK + LABEL)), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    times = sampler.schedule(num_inference_steps)
    for number, line in enumerate(prompts):
        left, top = number % COLUMNS * BLOCK, number // COLUMNS * (BLOCK + LABEL)
        prompt = pipeline.encode_prompt(line.prompt, style=line.style)
        for seed in range(4):
            latents = sampler.sample(pipeline.transformer, prompt, seed, times, guidance_scale)
            picture = to_picture(resize.resize(pipeline.draw(latents), CELL)[0])
            sheet.paste(picture, (left + seed % 2 * CELL, top + seed // 2 * CELL), picture)
        pen.text((left + CELL, top + 2 * CELL + 4), line.label or line.prompt, "black", font, "ma")
    sheet.save(out)
    return out
