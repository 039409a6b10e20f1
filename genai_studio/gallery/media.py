"""What an output file is: its kind, type, size, length, excerpt, thumbnail and the hash of its content, whatever its
container. A file is decoded once for all of them.

Heavy libraries are imported where they are used: the page starts without them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genai_studio.domain.modality import MediaKind
from genai_studio.errors import GenerationFailed
from genai_studio.gallery import thumbnails

if TYPE_CHECKING:
    from PIL.Image import Image

EXCERPT = 500
"""Characters of a text that its record shows and the search looks through."""
PEAKS = 400
MAX_PIXELS = 120_000_000
MAIN_FILES = {
    "png": (MediaKind.IMAGE, "image/png"),
    "jpg": (MediaKind.IMAGE, "image/jpeg"),
    "webp": (MediaKind.IMAGE, "image/webp"),
    "wav": (MediaKind.AUDIO, "audio/wav"),
    "flac": (MediaKind.AUDIO, "audio/flac"),
    "ogg": (MediaKind.AUDIO, "audio/ogg"),
    "txt": (MediaKind.TEXT, "text/plain; charset=utf-8"),
    "md": (MediaKind.TEXT, "text/markdown; charset=utf-8"),
}
"""Kind and content type of a main file by its extension."""


@dataclass(frozen=True)
class Facts:
    """`seconds` and `peaks` are of audio: its length, and PEAKS loudest samples, 0 to 1, over its whole length."""

    content_sha256: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    excerpt: str = ""
    peaks: tuple[float, ...] = ()
    thumbnail: bytes = b""
    """WebP; none for a text."""


def facts(kind: MediaKind, path: Path) -> Facts:
    """Raises GenerationFailed for a file that cannot be decoded as `kind`, OSError when it cannot be read."""
    with path.open("rb"):
        pass
    if kind is MediaKind.IMAGE:
        pixels = load_image(path)
        width, height = pixels.size
        small = thumbnails.of_image(pixels)
        return Facts(content_sha256=_image_hash(pixels), width=width, height=height, thumbnail=small)
    if kind is MediaKind.AUDIO:
        return _audio_facts(path)
    data = path.read_bytes()
    excerpt = data[: 4 * EXCERPT].decode(errors="replace").replace("\x00", "\ufffd")[:EXCERPT]
    return Facts(content_sha256=hashlib.sha256(data).hexdigest(), excerpt=excerpt)


def load_image(path: Path) -> Image:
    """As RGBA. Raises GenerationFailed."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG", "JPEG", "WEBP"]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise GenerationFailed(f"The picture has {image.width:,} x {image.height:,} pixels, which is too many.")
            image.load()
            return image if image.mode == "RGBA" else image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise GenerationFailed("The model wrote a file that is not a picture.") from error


def _image_hash(image: Image) -> str:
    """Hash of the pixels of an RGBA image and its size."""
    digest = hashlib.sha256(f"{image.width}x{image.height};".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def open_audio(path: Path) -> Any:
    """A soundfile.SoundFile. Raises GenerationFailed."""
    import soundfile

    try:
        return soundfile.SoundFile(path)
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise GenerationFailed("The model wrote a file that is not a recording.") from error


def _audio_facts(path: Path) -> Facts:
    """One pass over the samples. Integer samples are hashed in 32 bits, so WAV and FLAC of one recording agree."""
    with open_audio(path) as file:
        floats = file.subtype in {"FLOAT", "DOUBLE", "VORBIS", "OPUS"}
        full = 1.0 if floats else 2.0**31
        digest = hashlib.sha256(f"{file.samplerate};{file.channels};{'f' if floats else 'i'};".encode())
        peaks: list[float] = []
        for i in range(PEAKS):
            count = file.frames * (i + 1) // PEAKS - file.frames * i // PEAKS
            block = file.read(count, dtype="float32" if floats else "int32", always_2d=True)
            digest.update(block.tobytes())
            loudest = max(float(block.max()), -float(block.min())) / full if block.size else 0.0
            peaks.append(round(min(1.0, loudest), 3))
        return Facts(
            content_sha256=digest.hexdigest(),
            seconds=round(file.frames / file.samplerate, 3),
            peaks=tuple(peaks),
            thumbnail=thumbnails.of_audio(peaks),
        )
