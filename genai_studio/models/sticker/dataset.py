"""The training set on disk: rendered icons, their names, and a manifest that says where each came from.

A prepared folder holds `images.npy` (n, 128, 128, 4) uint8 straight-alpha RGBA, the same at 256 px in `large.npy`,
`icons.json` and `manifest.json`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genai_studio.models.sticker import icons
from genai_studio.models.sticker.captions import COLOURS, Names, Vocabulary, is_held_out, names_of

SIZE = 128  # pixels a side of a training picture
LARGE = 256  # and of the picture that the upsampler learns to draw from it
_DOMINANT_SHARE = 0.65  # of the coloured area within 30 degrees of one hue, to call a picture by that colour
_COLOURED_SHARE = 0.3  # of the drawn area that is coloured at all
_MIN_INK = 0.02  # share of drawn pixels below which a picture is empty


@dataclass(frozen=True)
class Example:
    """One rendered icon: its row in `images.npy`, its style, and what it is called."""

    row: int
    style: str
    slug: str
    names: Names
    held_out: bool


@dataclass(frozen=True)
class Dataset:
    """A prepared folder, opened. `images` and `large` are memory-mapped."""

    images: NDArray[np.uint8]
    large: NDArray[np.uint8]
    examples: tuple[Example, ...]

    def trained(self) -> list[Example]:
        """The examples of concepts that are not held out."""
        return [e for e in self.examples if not e.held_out]


def prepare(*, packages: Path, out: Path, processes: int = 2) -> dict[str, Any]:
    """Download (or read) the icon sets below `packages`, render them into `out`, and return the manifest.

    `packages` is a folder of unpacked npm packages (a `node_modules`); what it lacks is downloaded into it.
    """
    out.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary(icons.fetch(icons.KEYWORDS[0], icons.KEYWORDS[1], packages))
    pictures: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []
    examples: list[Example] = []
    sources: list[dict[str, Any]] = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for icon_set in icons.SETS:
            folder = icons.fetch(icon_set.package, icon_set.version, packages)
            found = list(_named(icon_set, folder, vocabulary))
            rendered = pool.map(_render, [icon.svg for icon, _ in found], chunksize=32)
            count = Counter[str]()
            for (icon, names), picture in zip(found, rendered, strict=True):
                if picture is None or (picture[0][..., 3] > 8).mean() < _MIN_INK:
                    continue
                held_out = is_held_out(names.concept)
                examples.append(Example(len(pictures), icon.style, icon.name, names, held_out))
                pictures.append(picture)
                count["held_out" if held_out else "trained"] += 1
            sources.append(_provenance(icon_set, folder, count))
    for position, name in enumerate(("images.npy", "large.npy")):
        np.save(out / name, np.stack([picture[position] for picture in pictures]))
    _write_json(out / "icons.json", [asdict(e) for e in examples])
    manifest = {"size": SIZE, "pictures": len(pictures), "sources": sources, "keywords": list(icons.KEYWORDS)}
    _write_json(out / "manifest.json", manifest)
    return manifest


def load(folder: Path) -> Dataset:
    """Open a folder that `prepare` wrote."""
    images, large = (np.load(folder / name, mmap_mode="r") for name in ("images.npy", "large.npy"))
    rows = json.loads((folder / "icons.json").read_text("utf-8"))
    return Dataset(images, large, tuple(_example(row) for row in rows))


def dominant_colour(picture: NDArray[np.uint8]) -> int | None:
    """The index in COLOURS of the one colour that a picture has, or None when it is grey or many-coloured."""
    hue, saturation, drawn = _hue(picture)
    coloured = drawn & (saturation > 0.3)
    if coloured.sum() < _COLOURED_SHARE * max(1, drawn.sum()):
        return None
    distances = np.abs((hue[coloured][:, None] - np.array([h for _, _, h in COLOURS]) + 180) % 360 - 180)
    best = int(np.bincount(distances.argmin(1), minlength=len(COLOURS)).argmax())
    return best if (distances[:, best] < 30).mean() >= _DOMINANT_SHARE else None


def recolour(picture: NDArray[np.uint8], source: int, target: int) -> NDArray[np.uint8]:
    """The picture with all hues turned so that colour `source` becomes colour `target` (indices of COLOURS)."""
    from PIL import Image

    turn = round((COLOURS[target][2] - COLOURS[source][2]) / 360 * 256)
    hsv = np.array(Image.fromarray(picture[..., :3].copy()).convert("HSV"))
    hsv[..., 0] = (hsv[..., 0].astype(int) + turn) % 256
    rgb = np.asarray(Image.fromarray(hsv, mode="HSV").convert("RGB"))
    return np.concatenate([rgb, picture[..., 3:]], -1)


def compose(big: NDArray[np.uint8], small: NDArray[np.uint8], corner: int) -> NDArray[np.uint8]:
    """Two pictures as one: `big` at three quarters, `small` at half size over it in corner 0 to 3."""
    from PIL import Image

    canvas = Image.new("RGBA", (SIZE, SIZE))
    x, y = corner % 2, corner // 2
    for picture, share, flip in ((big, 0.74, True), (small, 0.5, False)):
        side = int(SIZE * share)
        sized = Image.fromarray(np.ascontiguousarray(picture)).resize((side, side), Image.Resampling.LANCZOS)
        place = ((1 - x if flip else x) * (SIZE - side), (1 - y if flip else y) * (SIZE - side))
        canvas.alpha_composite(sized, place)
    return np.array(canvas)


def premultiplied(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Straight uint8 RGBA (n, h, w, 4) as premultiplied float32 (n, 4, h, w) in [-1, 1], what the network sees."""
    x = np.moveaxis(pictures, -1, 1).astype(np.float32) / 255
    x[:, :3] *= x[:, 3:]
    return np.asarray(x * 2 - 1, np.float32)


def _named(icon_set: icons.IconSet, folder: Path, vocabulary: Vocabulary) -> Iterator[tuple[icons.Icon, Names]]:
    for icon in icons.read_set(icon_set, folder):
        names = names_of(icon.name, vocabulary, words_are_split=icon_set.style != "fxemoji")
        if names is not None:
            yield icon, names


def _render(svg: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    try:
        return icons.render(svg, SIZE), icons.render(svg, LARGE)
    except ValueError:  # resvg refuses a drawing: one icon less
        return None


def _provenance(icon_set: icons.IconSet, folder: Path, count: Counter[str]) -> dict[str, Any]:
    return {
        "package": icon_set.package,
        "version": icons.package_version(folder),
        "licence": icon_set.licence,
        "credit": icon_set.credit,
        "style": icon_set.style,
        "trained": count["trained"],
        "held_out": count["held_out"],
    }


def _hue(picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Hue in degrees, saturation in [0, 1] (0 for what is nearly black), and where anything is drawn."""
    from PIL import Image

    hsv = np.asarray(Image.fromarray(picture[..., :3].copy()).convert("HSV")).astype(np.float32)
    saturation = np.where(hsv[..., 2] > 60, hsv[..., 1] / 255, 0).astype(np.float32)
    return (hsv[..., 0] * np.float32(360 / 256)).astype(np.float32), saturation, picture[..., 3] > 128


def _example(row: dict[str, Any]) -> Example:
    names = row.pop("names")
    return Example(names=Names(names["concept"], tuple(names["english"]), tuple(names["chinese"])), **row)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
