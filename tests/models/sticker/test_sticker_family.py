"""The sticker family: same recipe same bytes, batches that don't change their pictures, cancel, broken numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from context import RecordingContext
from PIL import Image

from genai_studio.errors import Cancelled, GenerationFailed, InvalidInput, ModelUnavailable
from genai_studio.models.base import ModelFiles, ModelSpec
from genai_studio.models.sticker import family
from genai_studio.models.sticker.icons import STYLES


@pytest.fixture(scope="module")
def model(spec: ModelSpec, files: ModelFiles) -> family.LoadedSticker:
    return load(spec, files)


def load(spec: ModelSpec, files: ModelFiles) -> family.LoadedSticker:
    return family.FAMILY.load(spec, files, device="cpu", threads=1)


def draw(model: family.LoadedSticker, folder: Path, seed: int = 7, **values: Any) -> RecordingContext:
    ctx = RecordingContext(folder, seed=seed)
    params = {"prompt": "a red heart", "num_inference_steps": 5, "count": 1, **values}
    model.generate(family.StickerParams.parse(params), ctx)
    return ctx


def test_same_recipe_gives_same_bytes(
    model: family.LoadedSticker, spec: ModelSpec, files: ModelFiles, tmp_path: Path
) -> None:
    first = draw(model, tmp_path / "a", count=2)
    again = draw(load(spec, files), tmp_path / "b", count=2)
    assert first.contents() == again.contents()
    assert first.contents()[0] != first.contents()[1]


def test_a_batch_does_not_change_its_pictures(model: family.LoadedSticker, tmp_path: Path) -> None:
    batch = draw(model, tmp_path / "batch", seed=40, count=3)
    alone = [draw(model, tmp_path / str(i), seed=40 + i).contents()[0] for i in range(3)]
    assert batch.contents() == alone


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a blue fish"},
        {"negative_prompt": "blue"},
        {"style": "twemoji"},
        {"guidance_scale": 6.0},
        {"guidance_scale": 1.0},
        {"num_inference_steps": 6},
    ],
)
def test_every_parameter_matters(model: family.LoadedSticker, tmp_path: Path, change: dict[str, Any]) -> None:
    assert draw(model, tmp_path / "a").contents() != draw(model, tmp_path / "b", **change).contents()


@pytest.mark.parametrize("size", [64, 128, 256, 512])
@pytest.mark.parametrize("background", ["transparent", "white"])
def test_size_and_background(model: family.LoadedSticker, tmp_path: Path, size: int, background: str) -> None:
    ctx = draw(model, tmp_path / "a", size=size, background=background)
    picture = Image.open(ctx.drafts[0].path)
    assert picture.size == (size, size)
    assert picture.mode == "RGBA"
    alpha = np.asarray(picture)[..., 3]
    assert (alpha == 255).all() == (background == "white")


def test_progress_and_previews(model: family.LoadedSticker, tmp_path: Path) -> None:
    ctx = draw(model, tmp_path / "a", count=2, num_inference_steps=9)
    assert [(step, total, index) for step, total, _, index in ctx.progressed()] == [
        (i % 9 + 1, 9, i // 9) for i in range(18)
    ]
    previews = [value for kind, value in ctx.said if kind == "preview"]
    assert previews == [((256, 256), index) for index in (0, 0, 1, 1)]


def test_cancel_stops_within_a_step(model: family.LoadedSticker, tmp_path: Path) -> None:
    ctx = RecordingContext(tmp_path / "a", stop_after=3)
    with pytest.raises(Cancelled):
        model.generate(family.StickerParams(prompt="cat", num_inference_steps=50), ctx)
    assert ctx.refusals == 1
    assert len(ctx.progressed()) == 3
    assert not ctx.drafts


def test_numbers_that_ran_away_are_an_error(spec: ModelSpec, files: ModelFiles, tmp_path: Path) -> None:
    broken = load(spec, files)
    with torch.no_grad():
        broken._loaded().transformer.latents_out.bias.fill_(float("nan"))
    with pytest.raises(GenerationFailed, match="ran away"):
        draw(broken, tmp_path / "a", num_inference_steps=2)


def test_an_empty_picture_is_an_error(spec: ModelSpec, files: ModelFiles, tmp_path: Path) -> None:
    broken = load(spec, files)
    with torch.no_grad():
        broken._loaded().autoencoder.decoder[-2].bias.fill_(-50)
    with pytest.raises(GenerationFailed, match="empty"):
        draw(broken, tmp_path / "a", num_inference_steps=2)


def test_a_truncated_file_is_refused_in_a_sentence(spec: ModelSpec, folder: Path, tmp_path: Path) -> None:
    copied = {}
    for path in (p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        data = path.read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2] if name.suffix == ".safetensors" else data)
        copied[str(name)] = tmp_path / name
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        load(spec, ModelFiles(copied, {}, "test"))
    with pytest.raises(ModelUnavailable):
        load(spec, ModelFiles({}, {}, "test"))


def test_a_closed_model_says_so(spec: ModelSpec, files: ModelFiles, tmp_path: Path) -> None:
    model = load(spec, files)
    assert model.memory() > 0
    assert model.environment()["threads"] == "1"
    model.close()
    with pytest.raises(ModelUnavailable):
        draw(model, tmp_path / "a")


@pytest.mark.parametrize("values", [{"size": 100}, {"style": "oil"}, {"num_inference_steps": 0}, {"count": 17}])
def test_values_outside_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        family.StickerParams.parse({"prompt": "cat", **values})


def test_the_style_choice_is_the_table_of_sets() -> None:
    choices = get_args(get_args(family.Style)[0])
    assert choices == ("any", *STYLES)


def test_importing_the_family_does_not_import_torch() -> None:
    code = "import sys, genai_studio.models.sticker.family, genai_studio.models.upscale; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
