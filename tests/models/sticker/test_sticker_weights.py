"""The weights that come with the studio: small enough, loadable, and their card names every source of their data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from context import RecordingContext
from PIL import Image
from safetensors import safe_open

from genai_studio.models.base import ModelSpec
from genai_studio.models.sources import ASSETS, resolve
from genai_studio.models.sticker import family, icons

WEIGHTS = ASSETS / "weights" / "sticker"


def test_they_are_small_and_in_half_precision() -> None:
    files = list(WEIGHTS.rglob("*.safetensors"))
    assert len(files) == 3
    assert sum(file.stat().st_size for file in files) < 60e6
    for file in files:
        with safe_open(file, "pt") as tensors:
            assert {tensors.get_slice(name).get_dtype() for name in tensors.keys()} == {"BF16"}  # noqa: SIM118


def test_manifest_and_card_name_every_package() -> None:
    manifest = json.loads((WEIGHTS / "manifest.json").read_text("utf-8"))
    card = (WEIGHTS / "README.md").read_text("utf-8")
    stated = {(s["package"], s["version"], s["licence"], s["credit"]) for s in manifest["sources"]}
    assert stated == {(s.package, s.version, s.licence, s.credit) for s in icons.SETS}
    assert manifest["pictures"] == sum(s["trained"] + s["held_out"] for s in manifest["sources"])
    for package, version, licence, credit in stated:
        line = next(line for line in card.splitlines() if f"`{package}`" in line)
        assert version in line
        assert licence in line
        assert credit in line


@pytest.mark.parametrize("prompt", ["red heart", "红心"])
def test_they_draw_something(spec: ModelSpec, tmp_path: Path, prompt: str) -> None:
    files = resolve(spec, tmp_path, tmp_path, lambda fraction, sentence: None, lambda: None)
    model = family.FAMILY.load(spec, files, device="cpu", threads=1)
    ctx = RecordingContext(tmp_path / "staged")
    model.generate(family.StickerParams(prompt=prompt, count=1, num_inference_steps=4), ctx)
    red, green, blue, alpha = (band.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) for band in _bands(ctx))
    assert alpha > 20
    assert red > max(green, blue)


def _bands(ctx: RecordingContext) -> tuple[Image.Image, ...]:
    return Image.open(ctx.drafts[0].path).split()
