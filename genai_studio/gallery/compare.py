"""How far apart two outputs are: the answer of "Make again"."""

from __future__ import annotations

import difflib
from pathlib import Path

from genai_studio.domain.modality import MediaKind
from genai_studio.gallery.media import load_image, open_audio

MAX_CHARACTERS = 20_000
"""Longer texts are compared by their beginning: the time difflib takes grows with the square."""
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
    if one == other:
        return 0.0
    matcher = difflib.SequenceMatcher(None, one[:MAX_CHARACTERS], other[:MAX_CHARACTERS], autojunk=False)
    # Texts that differ only after the part that is compared are still not the same.
    return max(1 - matcher.ratio(), 1 / max(len(one), len(other)))
