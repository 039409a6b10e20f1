"""Small pictures for the grid: of an image, the image; of a recording, its waveform. WebP, with transparency."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 384
"""Pixels of the longer side: twice a grid cell, for screens with two dots a pixel."""
WAVE_SIZE = (384, 144)
BARS = 64
COLOUR = (123, 134, 188)
"""In the middle between black and white, so that it stands out on a light and on a dark page."""
_SMOOTH = 4


def of_image(image: Image) -> bytes:
    """`image` is RGBA, and stays as it is."""
    scale = min(1.0, SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    opaque = image.getchannel("A").getextrema() == (255, 255)
    small = image.convert("RGB") if opaque else image
    return _webp(small if size == image.size else small.resize(size, reducing_gap=2.0))


def of_audio(peaks: Sequence[float]) -> bytes:
    """Rounded bars, the same above and below the middle, on nothing. `peaks` are 0 to 1; the loudest is full."""
    from PIL import Image, ImageDraw

    width, height = (side * _SMOOTH for side in WAVE_SIZE)
    image = Image.new("RGBA", (width, height), (*COLOUR, 0))
    draw = ImageDraw.Draw(image)
    pitch = width // BARS
    half_bar = pitch * 3 // 10
    loudest = max(peaks, default=0.0) or 1.0
    for bar in range(BARS):
        first, end = bar * len(peaks) // BARS, (bar + 1) * len(peaks) // BARS
        level = max(peaks[first : max(end, first + 1)], default=0.0) / loudest
        half = half_bar + round(level * (height // 2 - half_bar))
        left, top = bar * pitch + pitch // 2 - half_bar, height // 2 - half
        # The last pixel of a box belongs to it.
        box = (left, top, left + 2 * half_bar - 1, top + 2 * half - 1)
        draw.rounded_rectangle(box, radius=half_bar, fill=(*COLOUR, 255))
    return _webp(image.resize(WAVE_SIZE, Image.Resampling.BOX))


def _webp(image: Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=82, method=2)
    return file.getvalue()
