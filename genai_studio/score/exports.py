"""Everything that a piece leaves the studio as, made from its score and its recording on demand.

`export` makes one format here and now. Run as a program (`python -m genai_studio.score.exports`, the order as JSON on
standard input) it does so in a process of its own, which may be ended when it takes too long.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genai_studio.errors import InvalidInput, StudioError
from genai_studio.score.document import read_document
from genai_studio.score.formats.abc_writer import write_abc
from genai_studio.score.formats.midi import write_midi
from genai_studio.score.formats.musicxml import write_musicxml
from genai_studio.score.model import Key, Score

if TYPE_CHECKING:
    from genai_studio.score.sound.mastering import Audio

STEM = "stem-"
MAX_STEMS = 64
_BLOCK = 1 << 16
"""Frames written at once: the Vorbis encoder of libsndfile keeps a whole call on its stack."""


@dataclass(frozen=True)
class ExportFormat:
    """One entry of the export menu. `quick` ones are made in milliseconds; `plain` ones from the recording alone,
    `needs_sound` ones with the soundfont, all others from the score."""

    title: str
    suffix: str
    media_type: str
    quick: bool = False
    plain: bool = False
    needs_sound: bool = False


FORMATS: dict[str, ExportFormat] = {
    "wav": ExportFormat("WAV", ".wav", "audio/wav", plain=True),
    "flac": ExportFormat("FLAC", ".flac", "audio/flac", plain=True),
    "mp3": ExportFormat("MP3", ".mp3", "audio/mpeg", plain=True),
    "ogg": ExportFormat("OGG Vorbis", ".ogg", "audio/ogg", plain=True),
    "midi": ExportFormat("MIDI", ".mid", "audio/midi", quick=True),
    "musicxml": ExportFormat("MusicXML", ".musicxml", "application/vnd.recordare.musicxml+xml", quick=True),
    "abc": ExportFormat("ABC notation", ".abc", "text/vnd.abc", quick=True),
    "svg": ExportFormat("Lead sheet (SVG)", ".svg", "image/svg+xml", quick=True),
    "pdf": ExportFormat("Lead sheet (PDF)", ".pdf", "application/pdf", quick=True),
    "pdf-full": ExportFormat("Full score (PDF)", ".pdf", "application/pdf"),
    "stems": ExportFormat("Stems (ZIP)", ".zip", "application/zip", needs_sound=True),
    "loop": ExportFormat("Seamless loop (WAV)", ".wav", "audio/wav", needs_sound=True),
    "video-waveform": ExportFormat("Video of the waveform", ".mp4", "video/mp4", plain=True),
    "video-score": ExportFormat("Video of the score", ".mp4", "video/mp4"),
}
"""Name of a format to what it is, in the order of the menu. Besides, `stem-1` and on are the parts one by one."""
STEM_FORMAT = ExportFormat("One part (OGG Vorbis)", ".ogg", "audio/ogg", needs_sound=True)


def format_of(name: str) -> ExportFormat:
    """The format of that name, `stem-1` to `stem-64` included. Raises InvalidInput."""
    number = name.removeprefix(STEM)
    if name.startswith(STEM) and number.isascii() and number.isdigit() and 1 <= int(number[:3]) <= MAX_STEMS:
        return STEM_FORMAT
    if name not in FORMATS:
        raise InvalidInput(
            f"There is no export named {name[:40]!r}; there are {', '.join(FORMATS)} and {STEM}1 and on."
        )
    return FORMATS[name]


@dataclass(frozen=True)
class Order:
    """What to make of what: the score, the recording, the soundfont where the format needs it, the seed of the
    performance. `out` is the file to write; one stem is written beside all the others, as <folder>/stem-1.ogg."""

    format: str
    score: Score
    audio: Path
    out: Path
    soundfont: Path | None
    seed: int


def export(
    document: Path | None, audio: Path, name: str, out: Path, soundfont: Path | None = None, seed: int = 0
) -> None:
    """Writes the format `name` to `out`. `document` is the score's file; a plain format does without. Raises
    InvalidInput for an unknown format, a score that cannot be read or a part that is not there, StudioError with one
    sentence where it cannot be made on this machine."""
    wanted = format_of(name)
    if wanted.needs_sound and soundfont is None:
        raise InvalidInput(f"{wanted.title} needs a soundfont.")
    if document is None and not wanted.plain:
        raise InvalidInput(f"{wanted.title} needs a score, and this recording has none.")
    try:
        score = read_document(document) if document else _UNKNOWN
    except (OSError, ValueError) as error:
        raise InvalidInput(str(error)) from error
    maker = _MAKERS.get(name, _single_stems if wanted is STEM_FORMAT else _recording)
    try:
        maker(Order(name, score, audio, out, soundfont, seed))
    except ValueError as error:
        raise StudioError(f"{wanted.title} could not be made: {error}") from error


_UNKNOWN = Score("", Key("C", "major"), "4/4", 100.0, 1, 0, ())
"""The score of a recording that has none."""


def _svg(order: Order) -> None:
    from genai_studio.score.sheet.engrave import engrave

    order.out.write_text(engrave(order.score, title=True).svg, encoding="utf-8")


def _pdf(order: Order) -> None:
    from genai_studio.score.sheet.engrave import pdf

    order.out.write_bytes(pdf(order.score, parts="all" if order.format == "pdf-full" else "lead"))


def _recording(order: Order) -> None:
    """The recording in another format, as it is."""
    import soundfile

    sound, rate = soundfile.read(order.audio, dtype="float32", always_2d=True)
    write_sound(sound, rate, order.out, order.format, order.score.title)


def write_sound(sound: Any, rate: int, path: Path, file_format: str, title: str = "") -> None:
    """`sound` (samples, channels) in -1 to 1 as wav, flac, mp3 or ogg; the last two about as good as they can be."""
    import soundfile

    options: dict[str, Any] = {"subtype": "PCM_16"}
    if file_format == "ogg":
        options = {"subtype": "VORBIS", "compression_level": 0.3}
    elif file_format == "mp3":
        options = {"subtype": "MPEG_LAYER_III", "bitrate_mode": "VARIABLE", "compression_level": 0.1}
    with soundfile.SoundFile(
        path, "w", samplerate=rate, channels=sound.shape[1], format=file_format.upper(), **options
    ) as file:
        if title and file_format != "wav":
            file.title = title
        for start in range(0, len(sound), _BLOCK):
            file.write(sound[start : start + _BLOCK])


def _stems(order: Order) -> None:
    """All parts as WAV files that begin together, in one archive; their sum is the mix before its limiter."""
    from genai_studio.score.sound.mastering import RATE

    with zipfile.ZipFile(order.out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, (name, sound) in enumerate(_parts(order)):
            path = order.out.with_name(f"{number}.part.wav")
            write_sound(sound.T, RATE, path, "wav")
            plain = "".join(letter if letter.isalnum() or letter in " -" else "_" for letter in name)[:60]
            entry = zipfile.ZipInfo(f"{number + 1:02d} {plain}.wav")  # carries no date
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
            path.unlink()


def _single_stems(order: Order) -> None:
    from genai_studio.score.sound.mastering import RATE

    parts = _parts(order)
    if int(order.format.removeprefix(STEM)) > len(parts):
        raise InvalidInput(f"This piece has {len(parts)} parts, so there is no {order.format}.")
    for number, (_, sound) in enumerate(parts):
        write_sound(sound.T, RATE, order.out.with_name(f"{STEM}{number + 1}.ogg"), "ogg")


def _parts(order: Order) -> list[tuple[str, Audio]]:
    return list(_band(order).stems(order.score, order.seed))


def _loop(order: Order) -> None:
    from genai_studio.score.sound.mastering import RATE

    write_sound(_band(order).loop(order.score, order.seed).T, RATE, order.out, "wav")


def _band(order: Order) -> Any:
    from genai_studio.score.sound.render import Band, SoundfontError

    assert order.soundfont is not None
    try:
        return Band(order.soundfont)
    except (OSError, SoundfontError) as error:
        raise InvalidInput(str(error)) from error


def _video(order: Order) -> None:
    from genai_studio.score.sheet.video import score_video, waveform_video

    film = waveform_video if order.format == "video-waveform" else score_video
    film(order.score, order.audio, order.out)


_MAKERS: dict[str, Callable[[Order], None]] = {
    "midi": lambda order: write_midi(order.score, order.out),
    "musicxml": lambda order: write_musicxml(order.score, order.out),
    "abc": lambda order: write_abc(order.score, order.out),
    "svg": _svg,
    "pdf": _pdf,
    "pdf-full": _pdf,
    "stems": _stems,
    "loop": _loop,
    "video-waveform": _video,
    "video-score": _video,
}


def main() -> int:
    """Reads one order as JSON from standard input. On failure prints {"error", "message", "hint"} and returns 1."""
    order = json.load(sys.stdin)
    paths = {name: Path(order[name]) if order[name] else None for name in ("document", "audio", "out", "soundfont")}
    try:
        export(name=order["format"], seed=order["seed"], **paths)  # type: ignore[arg-type]
    except StudioError as error:
        json.dump({"error": type(error).__name__, "message": error.message, "hint": error.hint}, sys.stdout)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
