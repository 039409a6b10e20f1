from __future__ import annotations

import contextlib
import io
import os
import random
import struct
import zipfile
from pathlib import Path

import music21
import numpy as np
import pytest
import soundfile

from genai_studio.errors import InvalidInput
from genai_studio.score.arranging.arrange import ENSEMBLES
from genai_studio.score.formats.abc_writer import write_abc
from genai_studio.score.formats.importing import import_score
from genai_studio.score.formats.midi import write_midi
from genai_studio.score.formats.musicxml import write_musicxml
from genai_studio.score.formats.played import Signs, played
from tests.score.pieces import random_score

WRITERS = {".mid": write_midi, ".musicxml": write_musicxml, ".abc": write_abc}
NOTE = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration></note>"

REPEATED = f'<measure>{NOTE}<barline><repeat direction="backward" times="16"/></barline></measure>'


@pytest.mark.parametrize("suffix", list(WRITERS))
@pytest.mark.parametrize("seed", range(12))
def test_what_was_written_comes_back_exactly(suffix: str, seed: int, tmp_path: Path) -> None:
    score = random_score(seed, list(ENSEMBLES)[seed % len(ENSEMBLES)])
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](score, path)
    read = import_score(path)
    assert [(n.start, n.duration, n.pitch) for n in read.melody] == [
        (n.start, n.duration, n.pitch) for n in score.melody
    ]
    assert (read.key, read.metre, read.bars, read.pickup) == (score.key, score.metre, score.bars, score.pickup)
    assert read.tempo == pytest.approx(score.tempo, abs=0.01)
    assert read.sections == score.sections
    assert suffix == ".mid" or read.title == score.title
    assert [part.role for part in read.parts] == ["melody"]


@pytest.mark.parametrize("file_format", ["midi", "musicxml"])
def test_what_music21_writes_is_read(file_format: str, tmp_path: Path) -> None:
    tune = music21.converter.parse("tinynotation: 3/4 c4 d8 e f4 g2 a4 b-4 c'2")
    path = Path(tune.write(file_format, tmp_path / f"a.{'mid' if file_format == 'midi' else 'musicxml'}"))
    read = import_score(path)
    assert read.metre == "3/4"
    assert [note.pitch for note in read.melody] == [60, 62, 64, 65, 67, 69, 70, 72]
    assert [note.duration for note in read.melody] == [24, 12, 12, 24, 48, 24, 24, 48]


def test_repeats_are_played_out() -> None:
    signs = [Signs(opens=True), Signs(times=2, rounds=(1,)), Signs(rounds=(2,)), Signs(), Signs(times=3)]
    assert [place for place, _ in played(signs)] == [0, 1, 0, 2, 3, 4, 3, 4, 3, 4]
    assert len(played([Signs(opens=True, times=16)] * 4000)) <= 4096


def test_abc_repeats_become_sections(tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    path.write_text("X:1\nT:Two\nM:2/4\nL:1/8\nK:D\nA|:d2fd|e2ce|1 d4:|2 d3A|]:f2af|d4:|\n", encoding="utf-8")
    score = import_score(path)
    assert score.pickup == 12
    assert [section.letter for section in score.sections][-2:] == ["B", "B"] or len(score.sections) >= 2
    assert score.key.tonic == "D"


def test_a_compressed_score_is_read(tmp_path: Path) -> None:
    score = random_score(2)
    write_musicxml(score, tmp_path / "a.musicxml")
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.write(tmp_path / "a.musicxml", "score.xml")
    assert import_score(tmp_path / "a.mxl").melody == import_score(tmp_path / "a.musicxml").melody


@pytest.mark.parametrize(("metre", "read"), [("2/2", "4/4"), ("12/8", "6/8"), ("3/8", "6/8"), ("6/4", "3/4")])
def test_metres_that_are_others_exactly_are_taken_for_them(metre: str, read: str, tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    path.write_text(f"X:1\nM:{metre}\nL:1/8\nK:C\n" + "C3D3E3F3|G12|\n", encoding="utf-8")
    assert import_score(path).metre == read


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">I", len(body)) + body


def midi(body: bytes, division: int = 480) -> bytes:
    return chunk(b"MThd", struct.pack(">HHh", 1, 1, division)) + chunk(b"MTrk", body)


def packed(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def recording(samples: np.ndarray, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC")
    return file.getvalue()


END = b"\x00\xff\x2f\x00"
BAD = {
    "million.mid": (midi(b"\x00\x90\x3c\x40" + b"\x10\x3c\x00\x10\x3c\x40" * 1_000_000 + END), "than 50,000 notes"),
    "negative.mid": (midi(b"\xff\xff\xff\xff\x7f\x90\x3c\x40" + END), "negative or too long"),
    "long.mid": (midi(b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x40" + END), "139,811 bars; allowed are 512"),
    "events.mid": (midi(b"\x00\xb0\x01\x02" + b"\x00\x01\x02" * 1_000_000 + END), "more than 400,000 events"),
    "none.mid": (midi(END), "no notes"),
    "film.mid": (midi(END, -25 * 256 + 40), "film frames"),
    "cut.mid": (midi(b"\x00\x90\x3c\x40" + END)[:-6], "ends in the middle"),
    "text.mid": (b"hello", "not a MIDI file"),
    "13-8.mid": (midi(b"\x00\xff\x58\x04\x0d\x03\x18\x08\x00\x90\x3c\x40\x60\x3c\x00" + END), "13/8; allowed are 2/4"),
    "metre.mid": (
        midi(b"\x00\xff\x58\x04\x04\x02\x18\x08\x00\x90\x3c\x40\x60\xff\x58\x04\x03\x02\x18\x08\x8f\x00\x3c\x00" + END),
        "changes its metre from 4/4 to 3/4",
    ),
    "empty.mid": (b"", "is empty"),
    "outside.musicxml": (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><score-partwise>&b;</score-partwise>',
                         "entities"),
    "laughs.musicxml": (b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><score-partwise>&c;</score-partwise>',
                        "entities"),
    "deep.musicxml": (b"<score-partwise>" + b"<a>" * 100_000, "too deep"),
    "page.xml": (b"<html><body/></html>", "not a MusicXML score"),
    "repeats.musicxml": (f"<score-partwise><part>{REPEATED * 200}</part></score-partwise>".encode(), "allowed are 512"),
    "bomb.mxl": (packed("a.xml", b"<score-partwise>" + b" " * 20_000_000), "larger than 10 MB"),
    "other.mxl": (packed("a.txt", b"x"), "no score in this archive"),
    "broken.mxl": (b"PK\x03\x04" + bytes(100), "broken"),
    "13-8.abc": (b"X:1\nM:13/8\nK:C\nCDEF|", "13/8; allowed are"),
    "zero.abc": (b"X:1\nM:4/0\nK:C\nCDEF|", "divided by zero"),
    "long.abc": (b"X:1\nM:4/4\nK:C\n" + b"CDEF" * 60_000, "characters; allowed are 200,000"),
    "voices.abc": (b"X:1\nM:4/4\nK:C\nV:1\nCDEF|", "several voices"),
    "noise.bin": (bytes(range(200, 250)), "neither MIDI"),
    "short.flac": (recording(np.zeros(100)), "shorter than half a second"),
    "silent.flac": (recording(np.zeros(8000 * 3)), "silent"),
    "ten hours.flac": (recording(np.zeros(8000 * 60 * 11)), "lasts 11 minutes; allowed are 10"),
    "cut.flac": (recording(np.zeros(8000 * 3))[:60], "cannot be read"),
    "called.wav": (b"RIFF\x00\x00\x00\x00WAVE", "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    content, says = BAD[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        import_score(path, notes=tmp_path / "network.onnx")
    assert says in refused.value.message
    assert len(refused.value.message) < 200
    assert refused.value.message.endswith(".")
    assert "\n" not in refused.value.message


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        import_score(tmp_path / "gone.mid")
    large = tmp_path / "large.mid"
    with large.open("wb") as file:
        file.write(b"MThd")
        os.truncate(file.fileno(), 11_000_000)
    with pytest.raises(InvalidInput, match="allowed are 10 MB"):
        import_score(large)


@pytest.mark.parametrize("suffix", list(WRITERS))
def test_broken_files_are_scores_or_sentences(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](random_score(5, "solo"), path)
    good = path.read_bytes()
    draw = random.Random(3)
    for _ in range(150):
        bad = bytearray(good)
        for _ in range(draw.choice((1, 2, 5, 30))):
            bad[draw.randrange(len(bad))] = draw.randrange(256)
        path.write_bytes(bad[: draw.randrange(1, len(bad))] if draw.random() < 0.2 else bad)
        with contextlib.suppress(InvalidInput):  # anything else fails
            score = import_score(path)
            assert all(0 <= note.start < note.end <= score.ticks for note in score.melody)
