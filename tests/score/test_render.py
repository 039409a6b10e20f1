from __future__ import annotations

import struct
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from genai_studio.score.model import Ending, Note
from genai_studio.score.sound.mastering import LOUDNESS, PEAK, RATE, hall, loudness, mastering, true_peak
from genai_studio.score.sound.performance import perform, seconds_at
from genai_studio.score.sound.render import Band, SoundfontError, write_audio
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


@pytest.mark.parametrize("ending", ["plain", "ritardando", "tag"])
@pytest.mark.parametrize("style", ["reel", "jig"])
@pytest.mark.parametrize("metre", ["3/4", "4/4", "6/8", "9/8"])
def test_a_tick_sounds_later_than_the_one_before_and_endings_slow_down(ending: Ending, style: str, metre: str) -> None:
    score = replace(random_score(6, "waltz band"), tempo=120.0, ending=ending, swing=0.3, style=style, metre=metre)
    times = [seconds_at(score, tick) for tick in range(score.ticks + 1)]
    assert times[0] == pytest.approx(0.0, abs=0.02)
    assert all(before < after for before, after in pairwise(times))
    in_time = seconds_at(score, score.ticks, closing=False)
    assert in_time == pytest.approx(score.seconds, abs=0.1)
    last = times[-1] - times[-1 - score.bar_ticks]
    assert last > (1.1 if ending == "plain" else 1.3) * score.seconds / score.bars
    assert times[-1] < score.seconds + 0.6 * 4 * score.seconds / score.bars


def test_a_player_never_moves_a_note_far_from_its_tick() -> None:
    for ensemble in ("lo-fi", "jazz trio", "folk band"):
        score = random_score(4, ensemble)
        for part in score.parts:
            for note, played in zip(part.notes, perform(score, part, 3), strict=True):
                assert abs(played.start - seconds_at(score, note.start)) < 0.12
                assert played.duration > 0
                assert abs(played.velocity - note.velocity) < 30


def test_a_sound_that_the_soundfont_lacks_is_replaced(band: Band) -> None:
    score = random_score(3, "jazz trio")
    drums = next(part for part in score.parts if part.drums)
    assert drums.program != 0  # brushes, and the soundfont of the tests has one kit
    assert np.abs(band.part(score, drums, 1)).max() > 0.01


def test_lo_fi_has_a_soft_top(band: Band) -> None:
    score = random_score(3, "lo-fi")
    part = replace(score.parts[0], notes=tuple(replace(note, pitch=108) for note in score.parts[0].notes))
    bright = {}
    for ensemble in ("lo-fi", "piano"):
        power = np.abs(np.fft.rfft(band.part(replace(score, ensemble=ensemble), part, 1)[0])) ** 2
        above = np.fft.rfftfreq(2 * len(power) - 1, 1 / RATE) > 12_000
        bright[ensemble] = power[above].sum() / power.sum()
    assert bright["lo-fi"] < 0.3 * bright["piano"]


def test_a_velocity_is_heard(band: Band) -> None:
    score = replace(random_score(3, "solo"), tempo=60.0)
    notes = tuple(Note(48 * place, 24, 60, velocity) for place, velocity in enumerate((30, 60, 90, 120)))
    sound = band.part(score, replace(score.parts[0], notes=notes), 1)
    heard = [np.abs(sound[:, 2 * RATE * place : 2 * RATE * place + RATE]).max() for place in range(4)]
    decibels = [20 * np.log10(after / before) for before, after in pairwise(heard)]
    assert decibels == pytest.approx([12.0, 7.0, 5.0], abs=2.5)


def test_stems_together_are_the_mix(band: Band) -> None:
    score = replace(random_score(5, "marching band"), tempo=220.0)
    stems = band.stems(score, 7)
    assert [name for name, _ in stems] == [part.name for part in score.parts]
    mix = band.play(score, 7)
    assert np.abs(sum(audio for _, audio in stems) - mix).max() < 1e-4
    assert all(np.abs(audio).max() > 1e-3 for _, audio in stems)


@pytest.mark.parametrize("seed", [2, 9])
def test_a_loop_has_no_seam_and_no_frame(band: Band, seed: int) -> None:
    score = replace(random_score(seed, "harp and flute", introduction=4, ending="tag"), tempo=200.0)
    audio = band.loop(score, 1)
    assert audio.shape[1] == round((score.bars - 8) * score.seconds / score.bars * RATE)
    assert loudness(audio) == pytest.approx(LOUDNESS, abs=0.5)
    assert true_peak(np.tile(audio, 2)) < PEAK
    steps = np.abs(np.diff(np.concatenate([audio, audio[:, :2000]], axis=1), axis=1)).max(axis=0)
    assert steps[audio.shape[1] - 2 : audio.shape[1] + 1].max() <= np.quantile(steps, 0.999)
    ringing = np.abs(audio[:, :200]).max()
    assert ringing > 1e-3  # the end's tail is heard under the start


def test_a_piece_that_is_too_long_is_refused(band: Band) -> None:
    score = replace(random_score(1), tempo=5.0)
    with pytest.raises(ValueError, match=r"lasts \d+ seconds; at most 330"):
        band.play(score, 1)


@pytest.mark.parametrize("level", [-50.0, -23.0, -8.0])
def test_loudness_agrees_with_filtering_as_the_standard_says(level: float) -> None:
    draw = np.random.default_rng(3)
    time = np.arange(RATE * 6) / RATE
    sound = np.stack([np.sin(2 * np.pi * 220 * time), np.sin(2 * np.pi * 1870 * time)])
    sound += draw.standard_normal(sound.shape) * 0.2
    sound *= 0.5 + 0.5 * np.sin(2 * np.pi * 0.4 * time) ** 2
    sound[:, RATE * 4 :] *= 0.02
    sound = (sound * 10 ** (level / 20)).astype(np.float32)
    reference = pyloudnorm.Meter(RATE).integrated_loudness(sound.T.astype(np.float64))
    assert loudness(sound) == pytest.approx(reference, abs=0.1)
    assert loudness(np.zeros((2, RATE), dtype=np.float32)) == -np.inf


@pytest.mark.parametrize("level", [1e-4, 0.02, 8.0])
def test_mastering_reaches_the_level_from_anywhere(level: float) -> None:
    draw = np.random.default_rng(1)
    noise = draw.standard_normal((2, RATE * 2)).astype(np.float32) * level
    noise[:, ::9000] *= 6
    out = noise * mastering(noise)
    assert true_peak(out) < PEAK
    assert loudness(out) == pytest.approx(LOUDNESS, abs=1.0)


def test_silence_stays_silence() -> None:
    silence = np.zeros((2, RATE), dtype=np.float32)
    assert (mastering(silence) == 1).all()
    assert hall().shape[0] == 2


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0sfbkLIST", b"not a soundfont at all", bytes(4000)])
def test_a_file_that_is_no_soundfont_is_refused_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.sf2"
    path.write_bytes(content)
    with pytest.raises(SoundfontError, match=r"bad\.sf2"):
        Band(path)


def _spoilt(content: bytes, table: bytes, place: int, number: int) -> bytes:
    """The soundfont with two bytes of a table overwritten."""
    at = content.index(table) + 8 + place
    return content[:at] + struct.pack("<H", number) + content[at + 2 :]


@pytest.mark.parametrize(
    ("table", "place", "number"),
    [
        (b"phdr", 24, 60_000),
        (b"pbag", 4, 60_000),
        (b"ibag", 4, 60_000),
        (b"inst", 20, 60_000),
        (b"shdr", 26, 60_000),
        (b"pgen", 2, 5000),
        (b"igen", 10, 5000),
    ],
)
def test_a_soundfont_that_points_outside_itself_is_refused(
    table: bytes, place: int, number: int, tmp_path: Path
) -> None:
    content = write_soundfont(tmp_path / "good.sf2").read_bytes()
    path = tmp_path / "bad.sf2"
    path.write_bytes(_spoilt(content, table, place, number))
    with pytest.raises(SoundfontError, match=r"bad\.sf2 is a damaged soundfont: .+\.$"):
        Band(path)


def test_samples_without_a_pitch_are_played(tmp_path: Path) -> None:
    content = write_soundfont(tmp_path / "good.sf2").read_bytes()
    path = tmp_path / "pitchless.sf2"
    path.write_bytes(_spoilt(content, b"shdr", 40, 255))
    score = random_score(2, "solo")
    assert np.abs(Band(path).part(score, score.parts[0], 1)).max() > 0.01
    assert path.read_bytes()[content.index(b"shdr") + 48] == 255


def test_a_soundfont_cut_anywhere_is_refused_and_one_with_noise_in_it_does_no_harm(tmp_path: Path) -> None:
    content = write_soundfont(tmp_path / "good.sf2").read_bytes()
    for share in (0.1, 0.5, 0.9, 0.99):
        cut = tmp_path / "cut.sf2"
        cut.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(SoundfontError):
            Band(cut)
    code = (
        "import random, sys\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from genai_studio.score.sound.render import Band, SoundfontError\n"
        "from tests.score.pieces import random_score\n"
        "good, bad = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])\n"
        "score = replace(random_score(2, 'solo'), tempo=240.0)\n"
        "score = replace(score, parts=(replace(score.parts[0], notes=score.parts[0].notes[:6]),))\n"
        "heard = 0\n"
        "for seed in range(60):\n"
        "    draw = random.Random(seed)\n"
        "    spoilt = bytearray(good)\n"
        "    for _ in range(draw.randrange(1, 12)):\n"
        "        spoilt[draw.randrange(12, len(spoilt))] = draw.randrange(256)\n"
        "    bad.write_bytes(bytes(spoilt))\n"
        "    try:\n"
        "        audio = Band(bad).part(score, score.parts[0], 1)\n"
        "    except SoundfontError:\n"
        "        continue\n"
        "    heard += 1\n"
        "    assert np.isfinite(audio).all()\n"
        "print(heard)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "good.sf2"), str(tmp_path / "noisy.sf2")],
        capture_output=True, text=True, timeout=120, cwd=root, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 0 < int(done.stdout) < 60
