"""The icon sets the model learns from: where they come from, which icons are kept, how they become pixels.

Every set is a pinned npm package under a permissive licence. Share-alike sets are refused by not being in the table.
"""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

REGISTRY = "https://registry.npmjs.org"
REGISTRY_VARIABLE = "npm_config_registry"  # lower case, as npm itself reads it


@dataclass(frozen=True)
class IconSet:
    """One npm package of icons. `style` is the name an artist sees; `drop_suffix` removes a duplicate variant."""

    package: str
    version: str
    licence: str
    credit: str
    style: str
    drop_suffix: str = ""

    @property
    def folder(self) -> str:
        return self.package.rsplit("/", 1)[-1]


SETS: tuple[IconSet, ...] = (
    IconSet("@iconify-json/noto", "1.2.9", "Apache-2.0", "Noto Emoji, Google Inc.", "noto"),
    IconSet("@iconify-json/noto-v1", "1.2.5", "Apache-2.0", "Noto Emoji v1, Google Inc.", "noto blob"),
    IconSet("@iconify-json/twemoji", "1.2.5", "CC-BY-4.0", "Twitter Emoji, Twitter", "twemoji"),
    IconSet("@iconify-json/emojione", "1.2.3", "CC-BY-4.0", "Emoji One (Colored), Emoji One", "emojione"),
    IconSet("@iconify-json/fluent-emoji", "1.2.7", "MIT", "Fluent Emoji, Microsoft Corporation", "fluent"),
    IconSet(
        "@iconify-json/fluent-emoji-flat",
        "1.2.6",
        "MIT",
        "Fluent Emoji Flat, Microsoft Corporation",
        "fluent flat",
    ),
    IconSet("@iconify-json/fxemoji", "1.2.2", "Apache-2.0", "Firefox OS Emoji, Mozilla", "fxemoji"),
    IconSet("@iconify-json/streamline-emojis", "1.2.4", "CC-BY-4.0", "Streamline Emojis, Streamline", "outline"),
    IconSet("@iconify-json/flat-color-icons", "1.2.3", "MIT", "Flat Color Icons, Icons8", "flat icons"),
    IconSet(
        "@iconify-json/streamline-kameleon-color",
        "1.2.2",
        "CC-BY-4.0",
        "Kameleon color icons, Streamline",
        "badge",
        "-duo",
    ),
    IconSet(
        "@iconify-json/streamline-plump-color",
        "1.2.2",
        "CC-BY-4.0",
        "Plump color icons, Streamline",
        "plump",
        "-flat",
    ),
)
STYLES: tuple[str, ...] = tuple(s.style for s in SETS)

KEYWORDS = ("emojibase-data", "17.0.0", "MIT")

# Skin tones and flags would be a third of the pictures and teach one thing; families are too fine for 64 latents.
_UNWANTED = re.compile(
    r"skin-tone|^flag-(?!in-hole)|^u1f|regional-indicator|-(medium-)?(light|dark|medium)$"
    r"|^(family|couple-with-heart|kiss|couple|people-holding|man-and-woman|women-holding|men-holding)-"
    r"|^woman-and-man-",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Icon:
    """One drawing: `name` is its slug in the set, `svg` a complete document."""

    style: str
    name: str
    svg: str


def fetch(package: str, version: str, folder: Path) -> Path:
    """The unpacked npm package below `folder`, downloaded from the registry when it is not there yet.

    `npm_config_registry` chooses another registry, as it does for npm itself. Only regular files are unpacked.
    """
    target = folder / package
    if (target / "package.json").is_file():
        return target
    registry = os.environ.get(REGISTRY_VARIABLE, REGISTRY).rstrip("/")
    url = f"{registry}/{package}/-/{package.rsplit('/', 1)[-1]}-{version}.tgz"
    with urllib.request.urlopen(url, timeout=120) as reply:
        body = reply.read()
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
        for member in tar.getmembers():
            if member.isfile() and member.name.startswith("package/"):
                member.name = member.name.removeprefix("package/")
                tar.extract(member, target, filter="data")
    return target


def package_version(folder: Path) -> str:
    """The version that an unpacked npm package states of itself."""
    version: str = json.loads((folder / "package.json").read_text("utf-8"))["version"]
    return version


def read_set(icon_set: IconSet, folder: Path) -> Iterator[Icon]:
    """The wanted icons of an unpacked iconify package, in the package's order."""
    table: dict[str, Any] = json.loads((folder / "icons.json").read_text("utf-8"))
    for name, entry in table["icons"].items():
        if entry.get("hidden") or _UNWANTED.search(name):
            continue
        if icon_set.drop_suffix and name.endswith(icon_set.drop_suffix):
            continue
        yield Icon(icon_set.style, name, _document(entry, table))


def render(svg: str, size: int) -> NDArray[np.uint8]:
    """An SVG document as straight-alpha RGBA, shape (size, size, 4)."""
    import resvg_py
    from PIL import Image

    data = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size))
    picture = Image.open(io.BytesIO(data)).convert("RGBA")
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.LANCZOS)
    return np.array(picture, dtype=np.uint8)


def _document(entry: dict[str, Any], table: dict[str, Any]) -> str:
    left, top = entry.get("left", 0), entry.get("top", 0)
    width = entry.get("width", table.get("width", 16))
    height = entry.get("height", table.get("height", 16))
    body = entry["body"].replace("currentColor", "#444")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}">{body}</svg>'
    )
