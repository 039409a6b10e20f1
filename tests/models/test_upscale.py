"""The upscaler family: exact tiling, alpha, cancel between tiles, bad input. A network of one layer stands in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genai_studio.domain.image import UpscaleParams
from genai_studio.domain.modality import Modality
from genai_studio.errors import Cancelled, GenerationFailed, InvalidInput, ModelUnavailable
from genai_studio.models import upscale
from genai_studio.models.base import Draft, ModelFiles, ModelSpec

SPEC = ModelSpec(
    id="enlarge",
    family="upscale",
    modality=Modality.IMAGE,
    task="upscale",
    title="Enlarge",
    summary="",
    licence="",
    commercial=True,
    sources=(),
)


class Context:
    """Collects what the family hands over; stops after `stop_after` tiles."""

    seed, device, threads = 0, "cpu", 1

    def __init__(self, folder: Path, picture: Path, stop_after: int = 10**9) -> None:
        self.folder, self.picture, self.stop_after = folder, picture, stop_after
        self.steps: list[tuple[int, int]] = []
        self.drafts: list[Draft] = []

    def input(self, name: str) -> Path:
        assert name == "image"
        return self.picture

    def check(self) -> None:
        if len(self.steps) >= self.stop_after:
            raise Cancelled

    def progress(self, step: int, total: int, phase: str = "", index: int = 0) -> None:
        self.steps.append((step, total))

    def stage(self, suffix: str) -> Path:
        return self.folder / f"staged{suffix}"

    def output(self, draft: Draft) -> None:
        self.drafts.append(draft)


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


def enlarge(folder: Path, picture: Image.Image, scale: int = 2, name: str = "in.png", **context: int) -> Context:
    picture.save(folder / name)
    ctx = Context(folder, folder / name, **context)
    model = upscale.FAMILY.load(SPEC, network(folder), device="cpu", threads=1)
    model.generate(UpscaleParams(scale=scale), ctx)  # type: ignore[arg-type]
    return ctx


def random_picture(height: int, width: int, channels: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 300), (128, 129)])
def test_tiles_join_without_a_seam(tmp_path: Path, height: int, width: int, scale: int) -> None:
    picture = random_picture(height, width, 3)
    ctx = enlarge(tmp_path, picture, scale)
    expected = np.asarray(picture).repeat(scale, 0).repeat(scale, 1)
    assert np.array_equal(np.asarray(Image.open(ctx.drafts[0].path)), expected)
    assert ctx.steps == [(i + 1, len(ctx.steps)) for i in range(len(ctx.steps))]
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
    assert first.drafts[0].path.read_bytes() == second.drafts[0].path.read_bytes()


def test_cancel_stops_between_tiles(tmp_path: Path) -> None:
    random_picture(300, 300, 3).save(tmp_path / "in.png")
    ctx = Context(tmp_path, tmp_path / "in.png", stop_after=2)
    model = upscale.FAMILY.load(SPEC, network(tmp_path), device="cpu", threads=1)
    with pytest.raises(Cancelled):
        model.generate(UpscaleParams(), ctx)  # type: ignore[arg-type]
    assert len(ctx.steps) == 2
    assert not ctx.drafts


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    model = upscale.FAMILY.load(SPEC, network(tmp_path), device="cpu", threads=1)
    with pytest.raises(InvalidInput, match="cannot be read"):
        model.generate(UpscaleParams(), Context(tmp_path, tmp_path / "in.png"))  # type: ignore[arg-type]


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
