from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genai_studio.score.mastering import LOUDNESS, PEAK, RATE, hall, loudness, master, true_peak
from genai_studio.score.performance import perform
from genai_studio.score.render import Band, SoundfontError, write_audio
from tests.score.pieces import random_score
from tests.score.soundfont import write_soundfont


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> Band:
    return Band(write_soundfont(tmp_path_factory.mktemp("soundfont") / "tone.sf2"))


@pytest.mark.parametrize("seed", [1, 5])
def test_loudness_peak_and_length(band: Band, seed: int) -> None:
    score = replace(random_score(seed), tempo=200.0)
    audio = band.play(score, seed)
    assert audio.shape[0] == 2
    assert loudness(audio) == pytest.approx(LOUDNESS, abs=0.5)
    assert true_peak(audio) < PEAK
    assert score.seconds < audio.shape[1] / RATE < score.seconds + 3
    assert np.abs(audio[:, -1]).max() < 1e-3


@pytest.mark.parametrize("file_format", ["flac", "wav"])
def test_same_seed_same_bytes(band: Band, file_format: str, tmp_path: Path) -> None:
    score = replace(random_score(2, "piano"), tempo=240.0)
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        write_audio(band.play(score, seed), tmp_path / name, file_format)  # type: ignore[arg-type]
    first, second, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == second
    assert first != other
    assert soundfile.info(tmp_path / "a").samplerate == RATE
    assert soundfile.info(tmp_path / "a").channels == 2


def test_the_step_before_each_stage_may_stop_it(band: Band) -> None:
    score = random_score(3, "folk band")
    told: list[tuple[int, int]] = []

    def step(done: int, total: int) -> None:
        told.append((done, total))
        if done == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        band.play(score, 1, step)
    assert told == [(0, 6), (1, 6)]


def test_playing_is_close_to_the_page_and_swings() -> None:
    score = replace(random_score(6, "solo"), metre="4/4", tempo=120.0)
    straight = perform(score, score.parts[0], 1)
    ticks = 60 / 120 / 24
    for note, played in zip(score.parts[0].notes, straight, strict=True):
        assert played.duration > 0
        if note.start < score.ticks - score.bar_ticks:
            assert played.start == pytest.approx(note.start * ticks, abs=0.06)
    swung = perform(replace(score, swing=0.3), score.parts[0], 1)
    later = [b.start - a.start for a, b in zip(straight, swung, strict=True)]
    assert max(later) == pytest.approx(0.3 * 12 * ticks, abs=1e-6)
    assert min(later) >= -1e-9


@pytest.mark.parametrize("level", [1e-4, 0.02, 8.0])
def test_mastering_reaches_the_level_from_anywhere(level: float) -> None:
    draw = np.random.default_rng(1)
    noise = draw.standard_normal((2, RATE * 2)).astype(np.float32) * level
    noise[:, ::9000] *= 6
    out = master(noise)
    assert true_peak(out) < PEAK
    assert loudness(out) == pytest.approx(LOUDNESS, abs=1.0)


def test_silence_stays_silence() -> None:
    silence = np.zeros((2, RATE), dtype=np.float32)
    assert not master(silence).any()
    assert hall().shape[0] == 2


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0sfbkLIST", b"not a soundfont at all", bytes(4000)])
def test_a_file_that_is_no_soundfont_is_refused_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.sf2"
    path.write_bytes(content)
    with pytest.raises(SoundfontError, match=r"bad\.sf2"):
        Band(path)
