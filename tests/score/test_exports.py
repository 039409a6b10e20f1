from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

from genai_studio.errors import InvalidInput, StudioError
from genai_studio.score.document import write_document
from genai_studio.score.exports import FORMATS, export, format_of
from genai_studio.score.formats.importing import import_score
from genai_studio.score.model import Score
from genai_studio.score.sound.render import Band, write_audio
from tests.score.pieces import random_score
from tests.score.soundfont import write_soundfont

PLAIN = [name for name, kind in FORMATS.items() if not kind.needs_sound and not name.startswith("video")]


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> tuple[Score, Path]:
    """A short piece for two, and the folder of its score.json, its sound.flac and tone.sf2."""
    folder = tmp_path_factory.mktemp("piece")
    score = replace(random_score(6, "harp and flute"), tempo=240.0, title="Ein Stück")
    write_document(score, folder / "score.json")
    write_soundfont(folder / "tone.sf2")
    write_audio(Band(folder / "tone.sf2").play(score, 3), folder / "sound.flac", "flac")
    return score, folder


@pytest.fixture
def ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with ffmpeg in it, first on the path."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder / "ffmpeg"


@pytest.mark.parametrize("name", PLAIN)
def test_every_format_is_what_it_says(name: str, piece: tuple[Score, Path], tmp_path: Path) -> None:
    score, folder = piece
    out = tmp_path / f"a{FORMATS[name].suffix}"
    export(folder / "score.json", folder / "sound.flac", name, out)
    if name in ("wav", "flac", "mp3", "ogg"):
        info, whole = soundfile.info(out), soundfile.info(folder / "sound.flac")
        assert info.format == name.upper()
        assert info.duration == pytest.approx(whole.duration, abs=0.1)
        assert (info.samplerate, info.channels) == (44_100, 2)
        first, again = (soundfile.read(path)[0] for path in (folder / "sound.flac", out))
        assert np.sqrt((again**2).mean()) == pytest.approx(np.sqrt((first**2).mean()), rel=0.05)
    elif name in ("midi", "musicxml", "abc"):
        read = import_score(out).melody
        assert [(note.start, note.pitch) for note in read] == [(note.start, note.pitch) for note in score.melody]
    else:
        assert out.read_bytes()[:4] in (b"%PDF", b"<svg")


def test_stems_add_up_to_the_recording(piece: tuple[Score, Path], tmp_path: Path) -> None:
    score, folder = piece
    arguments = (folder / "score.json", folder / "sound.flac")
    export(*arguments, "stems", tmp_path / "a.zip", folder / "tone.sf2", 3)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert [Path(name).stem[3:] for name in archive.namelist()] == [part.name for part in score.parts]
        sounds = [soundfile.read(io.BytesIO(archive.read(name)))[0] for name in archive.namelist()]
    mix, _ = soundfile.read(folder / "sound.flac")
    together = sum(sounds)
    length = min(len(mix), len(together))
    assert np.abs(mix[:length] - together[:length]).max() < 0.02
    export(*arguments, "stem-2", tmp_path / "stem-2.ogg", folder / "tone.sf2", 3)
    assert [path.name for path in sorted(tmp_path.glob("*.ogg"))] == ["stem-1.ogg", "stem-2.ogg"]
    assert soundfile.info(tmp_path / "stem-1.ogg").duration == pytest.approx(len(sounds[0]) / 44_100, abs=0.1)
    with pytest.raises(InvalidInput, match=r"2 parts, so there is no stem-3\."):
        export(*arguments, "stem-3", tmp_path / "stem-3.ogg", folder / "tone.sf2", 3)


def test_a_loop_is_as_long_as_its_bars(piece: tuple[Score, Path], tmp_path: Path) -> None:
    score, folder = piece
    export(folder / "score.json", folder / "sound.flac", "loop", tmp_path / "a.wav", folder / "tone.sf2", 3)
    assert soundfile.info(tmp_path / "a.wav").duration == pytest.approx(score.seconds, abs=0.02)


@pytest.mark.parametrize("name", ["video-waveform", "video-score"])
def test_a_video_has_the_sound_and_moves(name: str, piece: tuple[Score, Path], tmp_path: Path, ffmpeg: Path) -> None:
    _, folder = piece
    out, short = tmp_path / "a.mp4", tmp_path / "short.flac"
    soundfile.write(short, soundfile.read(folder / "sound.flac", stop=44_100 * 3)[0], 44_100)
    export(folder / "score.json", short, name, out)
    told = subprocess.run([ffmpeg, "-hide_banner", "-i", out], capture_output=True, text=True, check=False).stderr
    assert "1280x720" in told
    assert "Audio: aac" in told
    frames = []
    for second in ("0.4", "2"):
        command = [ffmpeg, "-loglevel", "error", "-ss", second, "-i", out, "-frames:v", "1", "-f", "rawvideo",
                   "-pix_fmt", "gray", "-"]  # fmt: skip
        frames.append(np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8))
    assert len(frames[0]) == 1280 * 720
    assert np.abs(frames[0].astype(int) - frames[1]).max() > 40


def test_without_ffmpeg_a_video_is_one_sentence(
    piece: tuple[Score, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(StudioError, match="needs the program ffmpeg"):
        export(piece[1] / "score.json", piece[1] / "sound.flac", "video-score", tmp_path / "a.mp4")


def test_a_failing_ffmpeg_leaves_no_file(piece: tuple[Score, Path], tmp_path: Path, ffmpeg: Path) -> None:
    ffmpeg.unlink()
    ffmpeg.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    ffmpeg.chmod(0o755)
    with pytest.raises(StudioError, match="could not make the video: broken"):
        export(piece[1] / "score.json", piece[1] / "sound.flac", "video-waveform", tmp_path / "a.mp4")
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize("name", ["", "exe", "stem-", "stem-0", "stem-65", "stem-x", "stem-٣", "../pdf"])
def test_unknown_formats_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="There is no export named"):
        format_of(name)


def test_what_is_missing_is_said(piece: tuple[Score, Path], tmp_path: Path) -> None:
    _, folder = piece
    with pytest.raises(InvalidInput, match="needs a score"):
        export(None, folder / "sound.flac", "pdf", tmp_path / "a.pdf")
    with pytest.raises(InvalidInput, match="needs a soundfont"):
        export(folder / "score.json", folder / "sound.flac", "loop", tmp_path / "a.wav")
    with pytest.raises(InvalidInput, match="is not a score"):
        export(folder / "sound.flac", folder / "sound.flac", "pdf", tmp_path / "a.pdf")
    (tmp_path / "bad.sf2").write_bytes(b"no")
    with pytest.raises(InvalidInput, match=r"bad\.sf2"):
        export(folder / "score.json", folder / "sound.flac", "loop", tmp_path / "a.wav", tmp_path / "bad.sf2")
    export(None, folder / "sound.flac", "wav", tmp_path / "a.wav")
    assert soundfile.info(tmp_path / "a.wav").format == "WAV"


def test_as_a_program_it_writes_or_says_why(piece: tuple[Score, Path], tmp_path: Path) -> None:
    _, folder = piece
    order = {"format": "pdf-full", "document": str(folder / "score.json"), "audio": str(folder / "sound.flac"),
             "out": str(tmp_path / "a.pdf"), "soundfont": "", "seed": 1}  # fmt: skip
    for wanted, code in (("pdf-full", 0), ("loop", 1)):
        done = subprocess.run([sys.executable, "-m", "genai_studio.score.exports"], capture_output=True, text=True,
                              input=json.dumps({**order, "format": wanted}), check=False)  # fmt: skip
        assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["error"] == "InvalidInput"
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
