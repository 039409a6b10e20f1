"""How far apart two outputs are: the answer of "Make again"."""

from __future__ import annotations

import difflib
from pathlib import Path

from genai_studio.domain.modality import MediaKind
from genai_studio.gallery.media import load_image, open_audio

MAX_MIDDLE = 3_000
"""Characters; longer differing parts are judged by their beginning. difflib's time grows with the square, or faster."""
BLOCK = 1 << 18
"""Audio frames read at once."""


def difference(kind: MediaKind, one: Path, other: Path) -> float:
    """0 for the same content, 1 for nothing in common: mean absolute difference of RGBA values (1 for another size)
    or of samples (the shorter recording counted as silent at its end), or the share of characters that don't match.

    Raises OSError, and GenerationFailed for a file that cannot be decoded.
    """
    if kind is MediaKind.IMAGE:
        return _of_images(one, other)
    if kind is MediaKind.AUDIO:
        return _of_recordings(one, other)
    return _of_texts(one.read_bytes().decode(errors="replace"), other.read_bytes().decode(errors="replace"))


def _of_images(one: Path, other: Path) -> float:
    import numpy as np

    first, second = load_image(one), load_image(other)
    if first.size != second.size:
        return 1.0
    total, rows = 0, 256
    for top in range(0, first.height, rows):
        box = (0, top, first.width, min(top + rows, first.height))
        strips = [np.asarray(image.crop(box), dtype=np.int16) for image in (first, second)]
        total += int(np.abs(strips[0] - strips[1]).sum(dtype=np.int64))
    return total / (255 * 4 * first.width * first.height)


def _of_recordings(one: Path, other: Path) -> float:
    """Samples are -1 to 1, so that the largest difference is 2."""
    import numpy as np

    with open_audio(one) as first, open_audio(other) as second:
        if (first.samplerate, first.channels) != (second.samplerate, second.channels):
            return 1.0
        frames = max(first.frames, second.frames)
        total = 0.0
        for _ in range(0, frames, BLOCK):
            blocks = [file.read(BLOCK, dtype="float32", always_2d=True) for file in (first, second)]
            longest = max(len(block) for block in blocks)
            padded = [np.pad(block, ((0, longest - len(block)), (0, 0))) for block in blocks]
            total += float(np.abs(padded[0] - padded[1]).sum(dtype=np.float64))
        return min(1.0, total / (2 * frames * first.channels)) if frames else 0.0


def _of_texts(one: str, other: str) -> float:
    """Twins mostly part somewhere and go on differently, so only what lies between the common ends is matched."""
    start = _common(one, other)
    end = _common(one[start:][::-1], other[start:][::-1])
    first, second = one[start : len(one) - end], other[start : len(other) - end]
    if not first and not second:
        return 0.0
    matcher = difflib.SequenceMatcher(None, first[:MAX_MIDDLE], second[:MAX_MIDDLE], autojunk=False)
    share = (len(first) + len(second)) / (len(one) + len(other))
    return float((1 - matcher.ratio()) * share)


def _common(one: str, other: str) -> int:
    """Length of the beginning that both have."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (first, second) in pairs if first != second), min(len(one), len(other)))
