"""The upscaler family: exact tiling, alpha, cancel between tiles, bad input. A network of one layer stands in."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from context import RecordingContext
from PIL import Image

from genai_studio.domain.image import UpscaleParams
from genai_studio.errors import Cancelled, GenerationFailed, InvalidInput, ModelUnavailable
from genai_studio.models import upscale
from genai_studio.models.base import ModelFiles
from genai_studio.models.catalog import MODELS

SPEC = next(spec for spec in MODELS if spec.family == "upscale")


def network(folder: Path, layer: str = "Interp") -> ModelFiles:
    """Files of a network that repeats every pixel (layer Interp, mode nearest) at each scale."""
    paths = {}
    for scale in upscale.SCALES:
        param = folder / f"UP{scale}X.param"
        param.write_text(f"7767517\n2 2\nInput in 0 1 data\n{layer} up 1 1 data output 0=1 1={scale}.0 2={scale}.0\n")
        weights = folder / f"UP{scale}X.bin"
        weights.write_bytes(b"")
        paths |= {param.name: param, weights.name: weights}
    return ModelFiles(paths, {}, "test")


def load(folder: Path) -> upscale.LoadedUpscaler:
    return upscale.FAMILY.load(SPEC, network(folder), device="cpu", threads=1)


def enlarge(folder: Path, picture: Image.Image, scale: Literal[2, 4] = 2) -> RecordingContext:
    picture.save(folder / "in.png")
    ctx = RecordingContext(folder / "staged", inputs={"image": folder / "in.png"})
    load(folder).generate(UpscaleParams(scale=scale), ctx)
    return ctx


def random_picture(height: int, width: int, channels: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 300), (128, 129)])
def test_tiles_join_without_a_seam(tmp_path: Path, height: int, width: int, scale: Literal[2, 4]) -> None:
    picture = random_picture(height, width, 3)
    ctx = enlarge(tmp_path, picture, scale)
    expected = np.asarray(picture).repeat(scale, 0).repeat(scale, 1)
    assert np.array_equal(np.asarray(Image.open(ctx.drafts[0].path)), expected)
    steps = [(step, total) for step, total, _, _ in ctx.progressed()]
    assert steps == [(i + 1, len(steps)) for i in range(len(steps))]
    assert ctx.drafts[0].info == {"width": width * scale, "height": height * scale}


def test_alpha_goes_its_own_way(tmp_path: Path) -> None:
    picture = random_picture(40, 40, 4)
    ctx = enlarge(tmp_path, picture)
    out = np.asarray(Image.open(ctx.drafts[0].path))
    expected = np.asarray(picture).repeat(2, 0).repeat(2, 1)
    assert np.array_equal(out[..., 3], expected[..., 3])
    drawn = expected[..., 3] > 0
    assert np.array_equal(out[drawn], expected[drawn])


def test_transparent_parts_take_the_colour_beside_them() -> None:
    pixels = np.zeros((16, 16, 4), np.float32)
    pixels[:, :8] = (1, 0, 0, 1)
    spread = upscale.spread_colour(pixels)
    assert np.allclose(spread, (1, 0, 0), atol=1e-5)
    assert np.isfinite(upscale.spread_colour(np.zeros((5, 3, 4), np.float32))).all()


def test_same_bytes_twice(tmp_path: Path) -> None:
    picture = random_picture(150, 40, 4)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = enlarge(tmp_path / "a", picture), enlarge(tmp_path / "b", picture)
    assert first.contents() == second.contents()


def test_cancel_stops_between_tiles(tmp_path: Path) -> None:
    random_picture(300, 300, 3).save(tmp_path / "in.png")
    ctx = RecordingContext(tmp_path / "staged", inputs={"image": tmp_path / "in.png"}, stop_after=4)
    with pytest.raises(Cancelled):
        load(tmp_path).generate(UpscaleParams(), ctx)
    assert len(ctx.progressed()) == 2
    assert not ctx.drafts


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    ctx = RecordingContext(tmp_path / "staged", inputs={"image": tmp_path / "in.png"})
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(tmp_path).generate(UpscaleParams(), ctx)


def test_a_picture_that_would_grow_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="more than"):
        enlarge(tmp_path, Image.new("RGB", (2100, 2000)), 4)


def test_numbers_that_ran_away_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upscale, "with_context", lambda plane, tile: np.full((3, 48, 48), np.nan, np.float32))
    with pytest.raises(GenerationFailed):
        enlarge(tmp_path, Image.new("RGB", (8, 8)))


def test_missing_or_broken_files_are_named(tmp_path: Path) -> None:
    files = network(tmp_path)
    with pytest.raises(ModelUnavailable, match="lacks"):
        upscale.FAMILY.load(SPEC, ModelFiles({}, {}, "test"), device="cpu", threads=1)
    files.one("UP2X.param").write_text("nonsense")
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        upscale.FAMILY.load(SPEC, files, device="cpu", threads=1)
