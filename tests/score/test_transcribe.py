from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genai_studio.errors import InvalidInput
from genai_studio.models import catalog, sources
from genai_studio.score.formats.foreign import Foreign, Heard, key_of, leading, melody_of, on_grid, score_of
from genai_studio.score.formats.foreign import Voice as Line
from genai_studio.score.formats.importing import import_score
from genai_studio.score.hearing.pulse import Sounded, beats_of
from genai_studio.score.hearing.transcribe import HOP, LOWEST, RATE, Heights, melody_line, read_sound
from genai_studio.score.model import Key, Note

JIG = [(2, 0), (1, 4), (2, 7), (1, 4), (1, 5), (1, 4), (1, 2), (3, 0)] * 4
REEL = [(2, 0), (1, 4), (1, 7), (1, 4), (1, 2), (2, 0), (1, 2), (1, 4), (1, 5), (1, 2), (4, 0)] * 4
WALTZ = [(4, 0), (2, 4), (4, 7), (2, 5), (2, 4), (2, 2), (2, 0), (6, 2), (4, 4), (2, 5), (4, 2), (2, -1), (6, 0)] * 2


def played(tune: list[tuple[int, int]], eighth: float, seed: int) -> list[Sounded]:
    """The tune in eighths and steps above middle C, as a person with a good sense of time would play it."""
    draw = random.Random(seed)
    at, notes = 0.3, []
    for length, step in tune:
        start = at + draw.gauss(0, 0.012)
        notes.append(Sounded(start, at + length * eighth * 0.9, 60 + step))
        at += length * eighth
    return notes


@pytest.mark.parametrize(
    ("tune", "eighth", "metres", "tempo"),
    [(JIG, 0.18, {"6/8"}, 111), (REEL, 0.25, {"4/4"}, 120), (WALTZ, 0.24, {"3/4"}, 125)],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_played_tune_finds_its_beat(
    tune: list[tuple[int, int]], eighth: float, metres: set[str], tempo: float, seed: int
) -> None:
    beats = beats_of(played(tune, eighth, seed))
    assert beats.metre in metres
    unit = 1.5 if beats.metre == "6/8" else 1.0
    assert beats.quarters / unit == pytest.approx(tempo, rel=0.03)
    lengths = [length for length, _ in tune]
    starts = [start for start, *_ in beats.notes]
    assert starts == pytest.approx([sum(lengths[:place]) / 2 for place in range(len(tune))])


def test_tempo_and_metre_that_are_given_are_kept() -> None:
    beats = beats_of(played(REEL, 0.25, 1), tempo=60, metre="2/4")
    assert beats.metre == "2/4"
    assert beats.quarters == pytest.approx(60, rel=0.03)


def test_one_note_is_enough_for_a_beat() -> None:
    assert len(beats_of([Sounded(0.1, 0.6, 60)]).notes) == 1


def heights(notes: list[tuple[float, float, int, float]], seconds: float) -> Heights:
    """What the network would say of notes (start, end, pitch, how surely), with a little noise."""
    frames = int(seconds * RATE / HOP)
    draw = np.random.default_rng(1)
    sounding = draw.uniform(0, 0.15, (frames, 88)).astype(np.float32)
    beginning = draw.uniform(0, 0.15, (frames, 88)).astype(np.float32)
    for start, end, pitch, sure in notes:
        first, last = int(start * RATE / HOP), int(end * RATE / HOP)
        sounding[first:last, pitch - LOWEST] = sure
        beginning[first : first + 3, pitch - LOWEST] = (sure, sure * 1.05, sure * 0.9)
    return Heights(sounding, beginning)


def test_the_line_has_the_notes_that_were_heard_and_repeats_and_rests() -> None:
    written = [(0.2, 0.7, 60, 0.9), (0.7, 1.2, 62, 0.9), (1.2, 1.7, 62, 0.9), (2.2, 3.0, 67, 0.9)]
    line = melody_line(heights([*written, (0.2, 3.0, 40, 0.25), (1.5, 1.53, 80, 0.9)], 3.5))
    assert [note.pitch for note in line] == [60, 62, 62, 67]
    for note, (start, end, _, _) in zip(line, written, strict=True):
        assert note.start == pytest.approx(start, abs=0.05)
        assert note.end == pytest.approx(end, abs=0.08)


def test_nothing_heard_is_no_line() -> None:
    assert melody_line(heights([], 2.0)) == []


def test_any_rate_and_channels_become_mono(tmp_path: Path) -> None:
    time = np.arange(96_000) / 48_000
    tone = 0.3 * np.sin(2 * np.pi * 441 * time)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, 0 * tone], axis=1), 48_000)
    sound = read_sound(tmp_path / "a.wav")
    assert len(sound) == pytest.approx(2 * RATE, abs=2)
    spectrum = np.abs(np.fft.rfft(sound))
    assert spectrum.argmax() * RATE / len(sound) == pytest.approx(441, abs=1)


def test_a_recording_needs_its_network(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.sin(np.arange(16_000) / 5), 8_000)
    with pytest.raises(InvalidInput, match="needs the transcription model"):
        import_score(tmp_path / "a.wav")
    (tmp_path / "other.onnx").write_bytes(b"no network")
    with pytest.raises(InvalidInput, match=r"other\.onnx is not the transcription model"):
        import_score(tmp_path / "a.wav", notes=tmp_path / "other.onnx")


@pytest.mark.weights
def test_a_whistled_tune_comes_in(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """Sine tones with a soft attack, as of a whistle."""
    cache = Path.home() / ".cache" / "genai-studio-tests"
    files = sources.resolve(catalog.find("tunes", tmp_path), cache, tmp_path, lambda *_: None, lambda: None)
    sound = np.zeros(int(RATE * 14))
    notes = played([(length, step + 12) for length, step in REEL[:33]], 0.25, 2)
    for note in notes:
        time = np.arange(int((note.end - note.start) * RATE)) / RATE
        shape = np.minimum(1, time / 0.02) * np.minimum(1, (time[-1] - time) / 0.03)
        first = int(note.start * RATE)
        piece = shape * np.sin(2 * np.pi * 440 * 2 ** ((note.pitch - 69) / 12) * time)
        sound[first : first + len(piece)] += piece[: len(sound) - first]
    soundfile.write(tmp_path / "a.flac", 0.5 * sound, RATE)
    score = import_score(tmp_path / "a.flac", notes=files.one("nmp.onnx"))
    assert score.metre == "4/4"
    assert score.tempo == pytest.approx(120, rel=0.03)
    assert [note.pitch for note in score.melody] == [note.pitch for note in notes]


def test_of_several_lines_the_melody_leads() -> None:
    melody = [Heard(Fraction(place), Fraction(place % 3 + 1, 2), 67 + place % 5) for place in range(16)]
    figure = [Heard(Fraction(place, 4), Fraction(1, 4), 60 + place % 3 * 4) for place in range(64)]
    bass = [Heard(Fraction(place), Fraction(1), 36 + place % 4) for place in range(16)]
    assert leading([Line("Bass", bass), Line("Arpeggio", figure), Line("", melody)]).notes is melody


def test_a_melody_is_one_note_at_a_time() -> None:
    chords = [
        Heard(Fraction(0), Fraction(1), 60),
        Heard(Fraction(0), Fraction(2), 67),
        Heard(Fraction(1), Fraction(1), 62),
    ]
    assert [(note.start, note.end, note.pitch) for note in melody_of(chords)] == [(0, 2, 67)]


def test_uneven_playing_moves_to_the_grid() -> None:
    rough = [
        Heard(Fraction(place * 240 + shift, 480), Fraction(210, 480), 60) for place, shift in enumerate((3, -4, 7, 2))
    ]
    assert [note.start for note in on_grid([Heard(max(Fraction(0), n.start), n.duration, 60) for n in rough], 0)] == [
        0, 12, 24, 36,
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["major", "minor", "dorian", "mixolydian"])
def test_a_key_is_found_with_and_without_a_signature(mode: str) -> None:
    key = Key("D", mode)
    steps = {"major": (0, 4, 7, 11, 2, 0), "minor": (0, 3, 7, 8, 2, 0), "dorian": (0, 3, 7, 9, 2, 0)}
    pitches = [62 + step for step in (*steps.get(mode, (0, 4, 7, 10, 2, 0)), 7, 0)]
    notes = [Note(24 * place, 24, pitch) for place, pitch in enumerate(pitches)]
    assert key_of(notes, key.fifths) == key
    assert key_of(notes).pitch_class == 2


def test_a_last_note_gives_way_to_the_pickup() -> None:
    notes = [Heard(Fraction(0), Fraction(1, 2), 67), Heard(Fraction(1, 2), Fraction(8), 60)]
    score = score_of(Foreign("T", notes, "4/4", Fraction(1, 2)))
    assert (score.pickup, score.bars, score.melody[-1].end) == (12, 2, 192)


def test_notes_closer_than_the_grid_leave_no_gaps() -> None:
    five = [Heard(Fraction(place, 10), Fraction(1, 10), 60 + place) for place in range(5)]
    notes = on_grid([*five, Heard(Fraction(1, 2), Fraction(1, 2), 70)], 0)
    assert notes[0].start == 0
    assert all(note.end == after.start for note, after in pairwise(notes))
    assert (notes[-1].pitch, notes[-1].end) == (70, 24)
