"""Films of a piece: its waveform or its score with a cursor that follows the sound, as MP4 by ffmpeg.

Frames are drawn as planes of luma and chroma (YUV 4:2:0) and piped to ffmpeg, so nothing is written but the film.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genai_studio.errors import StudioError
from genai_studio.score.model import Score
from genai_studio.score.sheet.engrave import Engraving, engrave
from genai_studio.score.sheet.typeset import png_of

WIDTH, HEIGHT, RATE = 1280, 720, 25
_BARS = 256
"""Columns of the waveform."""
Plane = NDArray[np.uint8]
Frame = tuple[Plane, Plane, Plane]
_BACK, _QUIET, _LOUD = (24, 26, 34), (86, 92, 112), (255, 176, 92)
"""Colours (red, green, blue) of the waveform's ground, what is to come and what has sounded."""


def waveform_video(score: Score, audio: Path, out: Path) -> None:
    """The recording's waveform, filling with colour as it sounds. Raises StudioError without ffmpeg."""
    import soundfile

    sound, rate = soundfile.read(audio, dtype="float32", always_2d=True)
    quiet, loud = (_planes(_waveform(sound, score.title, colour)) for colour in (_QUIET, _LOUD))
    seconds = len(sound) / rate

    def frames() -> Iterator[Frame]:
        for number in range(max(1, round(seconds * RATE))):
            x = int(_margin() + (WIDTH - 2 * _margin()) * min(1.0, number / RATE / seconds)) // 2 * 2
            yield (
                _joined(loud[0], quiet[0], x),
                _joined(loud[1], quiet[1], x // 2),
                _joined(loud[2], quiet[2], x // 2),
            )

    _film(frames(), audio, out)


def score_video(score: Score, audio: Path, out: Path) -> None:
    """The lead sheet, scrolling by systems, with the sounding bar tinted and a cursor. Raises StudioError."""
    import soundfile
    from PIL import Image

    _ffmpeg()
    engraving = engrave(score, width=900, title=True)
    picture = Image.open(io.BytesIO(png_of(engraving.svg, engraving.width, engraving.height, WIDTH))).convert("L")
    page = np.full((max(HEIGHT, picture.height + HEIGHT // 2), WIDTH), 255, np.uint8)
    page[: picture.height, : picture.width] = np.asarray(picture)[:, :WIDTH]
    info = soundfile.info(audio)
    _film(_score_frames(engraving, page, info.frames / info.samplerate), audio, out)


def _score_frames(engraving: Engraving, page: Plane, seconds: float) -> Iterator[Frame]:
    """Luma is a window of the page; the bar's tint is in the chroma alone, so that the notes stay black."""
    scale = WIDTH / engraving.width
    times = np.array([moment[0] for moment in engraving.cursor] or [0.0])
    starts = np.array([bar.seconds for bar in engraving.bars])
    top = 0.0
    for number in range(max(1, round(seconds * RATE))):
        now = number / RATE
        bar = engraving.bars[max(0, int(np.searchsorted(starts, now, "right")) - 1)]
        aim = min(max(0.0, bar.y * scale - HEIGHT * 0.3), page.shape[0] - HEIGHT)
        top = aim if number == 0 else top + (aim - top) * 0.12
        first = round(top / 2) * 2
        luma = page[first : first + HEIGHT].copy()
        blue, red = np.full((2, HEIGHT // 2, WIDTH // 2), 128, np.uint8)
        y, height = round(bar.y * scale) - first - 14, round(bar.height * scale) + 28
        rows = slice(max(0, y), max(0, y + height))
        left, right = round(bar.x * scale), round((bar.x + bar.width) * scale)
        luma[rows, left:right] = np.minimum(luma[rows, left:right], 232)
        half = slice(rows.start // 2, rows.stop // 2), slice(left // 2, right // 2)
        blue[half], red[half] = 146, 116
        x = round(_cursor_x(engraving, times, now) * scale)
        luma[rows, max(0, x - 1) : x + 2] = 90
        blue[half[0], x // 2 : x // 2 + 1] = 220
        yield luma, blue, red


def _cursor_x(engraving: Engraving, times: NDArray[np.float64], now: float) -> float:
    """Between two notes of one system the cursor moves evenly; at the end of a system to its bar line."""
    if not engraving.cursor:
        return 0.0
    place = max(0, int(np.searchsorted(times, now, "right")) - 1)
    seconds, x, y, _ = engraving.cursor[place]
    later = engraving.cursor[place + 1] if place + 1 < len(engraving.cursor) else None
    if later is None:
        return x
    end = later[1] if later[2] == y else max(bar.x + bar.width for bar in engraving.bars if bar.y == y)
    share = min(1.0, max(0.0, (now - seconds) / max(1e-6, later[0] - seconds)))
    return x + (end - x) * share


def _margin() -> int:
    return WIDTH // 16


def _waveform(sound: NDArray[np.float32], title: str, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """(HEIGHT, WIDTH, 3): bars as high as the sound is loud there, under the title."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (WIDTH, HEIGHT), _BACK)
    draw = ImageDraw.Draw(picture)
    heights = [float(np.sqrt((piece**2).mean())) if len(piece) else 0.0 for piece in np.array_split(sound, _BARS)]
    loudest = max(max(heights), 1e-6)
    step = (WIDTH - 2 * _margin()) / _BARS
    for number, height in enumerate(heights):
        half = max(2.0, 200 * (height / loudest) ** 0.8)
        x = _margin() + number * step
        draw.rounded_rectangle((x, HEIGHT / 2 - half, x + step * 0.6, HEIGHT / 2 + half), 2, fill=colour)
    font = ImageFont.load_default(36)
    shown = title if all(letter < "\u0250" for letter in title) else ""  # the font that Pillow brings is Latin
    draw.text((WIDTH / 2, HEIGHT * 0.11), shown[:70], font=font, fill=(235, 236, 240), anchor="mm")
    return np.asarray(picture)


def _planes(picture: NDArray[np.uint8]) -> Frame:
    """Red, green, blue (HEIGHT, WIDTH, 3) as luma and the two chroma planes of half the size (BT.601, full range
    squeezed into 16 to 235 as video players expect)."""
    red, green, blue = (picture[..., channel].astype(np.float32) for channel in range(3))
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    chroma_blue = 128 - 0.148 * red - 0.291 * green + 0.439 * blue
    chroma_red = 128 + 0.439 * red - 0.368 * green - 0.071 * blue
    return luma.astype(np.uint8), chroma_blue[::2, ::2].astype(np.uint8), chroma_red[::2, ::2].astype(np.uint8)


def _joined(left: Plane, right: Plane, x: int) -> Plane:
    joined = right.copy()
    joined[:, :x] = left[:, :x]
    return joined


def _ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found is None:
        raise StudioError(
            "A video needs the program ffmpeg, which is not on this machine.", "Install it, then try again."
        )
    return found


def _film(frames: Iterator[Sequence[Plane]], audio: Path, out: Path) -> None:
    """Encodes the frames with the recording. Raises StudioError where ffmpeg fails; then there is no file."""
    command = [_ffmpeg(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p",
               "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", "-", "-i", str(audio), "-map", "0:v", "-map", "1:a",
               "-preset", "veryfast", "-crf", "22", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k",
               "-shortest", "-movflags", "+faststart", "-threads", "1", "-f", "mp4", str(out)]  # fmt: skip
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        assert process.stdin is not None
        try:
            for planes in frames:
                for plane in planes:
                    process.stdin.write(np.ascontiguousarray(plane).data)
            process.stdin.close()
        except BrokenPipeError:
            pass  # what ffmpeg said tells why it stopped reading
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
        if process.returncode:
            out.unlink(missing_ok=True)
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
            raise StudioError(f"ffmpeg could not make the video: {lines[-1][:200]}.")
