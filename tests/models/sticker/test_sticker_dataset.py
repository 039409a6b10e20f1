"""The training data: what is kept, what it is called, what is held out, and that the manifest tells the truth."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genai_studio.models.sticker import captions, dataset, icons
from genai_studio.models.sticker.captions import COLOURS, Names

SHAPES = {
    "red-heart": "#e00000",
    "red-apple": "#d01010",
    "green-square": "#00a000",
    "cat-face": "#ffcc00",
    "rocket": "#cc2222",
    "left-arrow": "#2266dd",
    "hand-light-skin-tone": "#ffcc99",
    "flag-france": "#0000ff",
    "nothing": "none",
}


def write_packages(folder: Path) -> None:
    """Two icon sets and the keyword package, as npm unpacks them, with a drawing for each of SHAPES."""
    table = {
        "width": 10,
        "height": 10,
        "icons": {name: {"body": f'<rect width="8" height="8" fill="{c}"/>'} for name, c in SHAPES.items()},
    }
    for icon_set in icons.SETS[:2]:
        target = folder / icon_set.package
        target.mkdir(parents=True)
        write(target / "icons.json", table)
        write(target / "package.json", {"version": icon_set.version})
    words = folder / icons.KEYWORDS[0]
    for language, label, tag in (("en", "Red heart", "love"), ("zh", "红心", "爱")):
        write(words / language / "data.json", [{"hexcode": "2764", "label": label, "tags": [tag]}])
    for name in ("cldr", "emojibase"):
        write(words / "en" / "shortcodes" / f"{name}.json", {"2764": ["red_heart"]})
    write(words / "package.json", {"version": icons.KEYWORDS[1]})


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_packages(folder / "packages")
    patch = pytest.MonkeyPatch()
    patch.setattr(icons, "SETS", icons.SETS[:2])
    dataset.prepare(packages=folder / "packages", out=folder, processes=1)
    patch.undo()
    return folder


def test_skin_tones_flags_and_empty_drawings_are_left_out(prepared: Path) -> None:
    data = dataset.load(prepared)
    assert Counter(e.style for e in data.examples) == {"noto": 6, "noto blob": 6}
    assert {e.slug for e in data.examples} == set(SHAPES) - {"hand-light-skin-tone", "flag-france", "nothing"}
    assert data.images.shape == (12, dataset.SIZE, dataset.SIZE, 4)


def test_the_manifest_counts_what_is_there(prepared: Path) -> None:
    data = dataset.load(prepared)
    manifest = json.loads((prepared / "manifest.json").read_text("utf-8"))
    assert manifest["pictures"] == len(data.examples)
    for source in manifest["sources"]:
        there = Counter(e.held_out for e in data.examples if e.style == source["style"])
        assert (source["trained"], source["held_out"]) == (there[False], there[True])
        assert source["licence"] in {"Apache-2.0", "MIT", "CC-BY-4.0"}


def test_preparing_twice_gives_the_same_pictures(prepared: Path, tmp_path: Path) -> None:
    write_packages(tmp_path / "packages")
    patch = pytest.MonkeyPatch()
    patch.setattr(icons, "SETS", icons.SETS[:2])
    dataset.prepare(packages=tmp_path / "packages", out=tmp_path, processes=1)
    patch.undo()
    for name in ("images.npy", "icons.json", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (prepared / name).read_bytes()


def test_a_concept_is_held_out_in_every_set_or_in_none(prepared: Path) -> None:
    data = dataset.load(prepared)
    held, trained = ({e.names.concept for e in data.examples if e.held_out is side} for side in (True, False))
    assert not held & trained
    assert {e.names.concept for e in data.trained()} == trained


def test_about_one_concept_in_twenty_is_held_out() -> None:
    held = sum(captions.is_held_out(f"concept {i}") for i in range(20_000))
    assert 800 < held < 1200
    assert captions.is_held_out("concept 7") == captions.is_held_out("concept 7")


def test_names_come_in_both_languages(prepared: Path) -> None:
    heart = next(e for e in dataset.load(prepared).examples if e.slug == "red-heart")
    spoken = captions.captions(heart.names)
    assert {"red heart", "a red heart", "love", "红心", "爱"} <= set(spoken)


def test_colour_words_are_not_doubled() -> None:
    assert captions.coloured_captions(Names("red heart", ("red heart",), ()), 5) == []
    assert captions.coloured_captions(Names("fish", ("fish",), ("鱼",)), 5)[0] == "blue fish"
    assert "蓝色鱼" in captions.coloured_captions(Names("fish", ("fish",), ("鱼",)), 5)


@pytest.mark.parametrize(("name", "allowed"), [("cat face", True), ("left arrow", False), ("letter b", False)])
def test_only_what_means_the_same_is_mirrored(name: str, allowed: bool) -> None:
    assert captions.may_mirror(Names(name, (name,), ())) is allowed


@pytest.mark.parametrize("source", range(len(COLOURS)))
def test_recolouring_gives_the_colour_that_the_caption_says(source: int) -> None:
    target = (source + 3) % len(COLOURS)
    picture = flat(source)
    assert dataset.dominant_colour(picture) == source
    turned = dataset.recolour(picture, source, target)
    assert dataset.dominant_colour(turned) == target
    assert np.array_equal(turned[..., 3], picture[..., 3])


def test_grey_and_many_coloured_pictures_have_no_colour() -> None:
    assert dataset.dominant_colour(np.full((8, 8, 4), 128, np.uint8)) is None
    half = flat(0)
    half[:, ::2] = flat(5)[:, ::2]
    assert dataset.dominant_colour(half) is None


@pytest.mark.parametrize("corner", range(4))
def test_both_pictures_show_in_a_composition(corner: int) -> None:
    side = dataset.SIZE
    pair = dataset.compose(flat(0, side), flat(5, side), corner)
    assert pair.shape == (side, side, 4)
    centre = pair[(side // 4, 3 * side // 4)[corner // 2], (side // 4, 3 * side // 4)[corner % 2]]
    assert dataset.dominant_colour(centre[None, None]) == 5
    opposite = pair[(3 * side // 4, side // 4)[corner // 2], (3 * side // 4, side // 4)[corner % 2]]
    assert dataset.dominant_colour(opposite[None, None]) == 0


def test_premultiplied_colours_stay_below_alpha() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 4), dtype=np.uint8)
    x = dataset.premultiplied(pictures)
    assert x.shape == (2, 4, 4, 4)
    assert (x[:, :3] <= x[:, 3:] + 1e-6).all()
    assert np.array_equal(x[:, 3], pictures[..., 3].astype(np.float32) / 255 * 2 - 1)


def flat(colour: int, side: int = 16) -> np.ndarray:
    """A square of one colour of COLOURS."""
    import colorsys

    rgb = colorsys.hsv_to_rgb(COLOURS[colour][2] / 360, 0.9, 0.9)
    return np.tile(np.array([*(int(255 * c) for c in rgb), 255], np.uint8), (side, side, 1))
