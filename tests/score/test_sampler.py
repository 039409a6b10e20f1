from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genai_studio.score.sound.mastering import RATE, Audio
from genai_studio.score.sound.sampler import Sampler
from tests.score.soundfont import write_soundfont

KEYS, FILTER, PAN, ATTACK, DECAY, SUSTAIN, RELEASE, ATTENUATION, FINE = 43, 8, 17, 34, 36, 37, 38, 48, 52


def note(folder: Path, *more: tuple[int, int], pitch: int = 69, velocity: int = 127, duration: float = 1.0) -> Audio:
    sampler = Sampler(write_soundfont(folder / "tone.sf2", more=more))
    return sampler.note(0, drums=False, pitch=pitch, velocity=velocity, duration=duration)


def level(sound: Audio, second: float) -> float:
    """Decibels of the twentieth of a second from `second` on."""
    at = int(second * RATE)
    return float(20 * np.log10(np.sqrt((sound[:, at : at + RATE // 20] ** 2).mean()) + 1e-9))


def test_a_plain_note_stays_as_loud_as_it_is_and_stops(tmp_path: Path) -> None:
    sound = note(tmp_path)
    assert level(sound, 0.1) == pytest.approx(level(sound, 0.9), abs=0.1)
    assert sound.shape[1] == pytest.approx(RATE, abs=0.02 * RATE)
    assert np.abs(sound[:, -1]).max() < 1e-3


def test_decay_falls_to_where_it_stays(tmp_path: Path) -> None:
    sound = note(tmp_path, (DECAY, 0), (SUSTAIN, 240))
    start = level(sound, 0.0)
    assert level(sound, 0.1) - start == pytest.approx(-9.6, abs=1.5)  # 96 dB in the decay's second
    assert level(sound, 0.5) - start == pytest.approx(-22, abs=3)
    assert level(sound, 0.9) == pytest.approx(level(sound, 0.5), abs=0.1)


def test_attack_rises_and_release_rings(tmp_path: Path) -> None:
    sound = note(tmp_path, (ATTACK, -1200), (RELEASE, 0))
    assert level(sound, 0.0) < level(sound, 0.2) - 6 < level(sound, 0.6) - 6
    assert sound.shape[1] > 1.5 * RATE
    assert level(sound, 1.3) < level(sound, 1.1) < level(sound, 0.9)


def test_velocity_pan_and_attenuation(tmp_path: Path) -> None:
    loud, soft = note(tmp_path), note(tmp_path, velocity=64)
    assert level(loud, 0.2) - level(soft, 0.2) == pytest.approx(11.9, abs=0.2)
    left = note(tmp_path, (PAN, -500))
    assert np.abs(left[1]).max() < 1e-6 < np.abs(left[0]).max()
    quiet = note(tmp_path, (ATTENUATION, 200))
    assert level(loud, 0.2) - level(quiet, 0.2) == pytest.approx(8.0, abs=0.2)


def test_a_filter_takes_the_overtone(tmp_path: Path) -> None:
    plain, dark = (np.abs(np.fft.rfft(sound[0, :RATE])) for sound in (note(tmp_path), note(tmp_path, (FILTER, 6900))))
    assert dark[882] / dark[441] < 0.5 * plain[882] / plain[441]


def test_a_zone_plays_its_keys_only_and_tunes_finely(tmp_path: Path) -> None:
    low = 60 | 70 << 8
    assert note(tmp_path, (KEYS, low), pitch=65).shape[1] > 0
    assert note(tmp_path, (KEYS, low), pitch=71).shape[1] == 0
    sound = note(tmp_path, (FINE, 50))
    spectrum = np.abs(np.fft.rfft(sound[0, :RATE] * np.hanning(RATE)))
    assert int(spectrum.argmax()) == pytest.approx(441 * 2 ** (50 / 1200), abs=2)


def test_what_is_missing_is_replaced_and_the_same_note_is_the_same(tmp_path: Path) -> None:
    sampler = Sampler(write_soundfont(tmp_path / "tone.sf2"))
    assert sampler.note(40, drums=True, pitch=38, velocity=90, duration=0.2).shape[1] > 0
    once = sampler.note(5, drums=False, pitch=60, velocity=90, duration=0.333)
    again = sampler.note(5, drums=False, pitch=60, velocity=90, duration=0.333)
    assert once is not again
    assert (once == again).all()
    assert sampler.memory > 0


@pytest.mark.parametrize("amount", [-32_768, 32_767])
@pytest.mark.parametrize("kind", [0, 2, 3, 8, 9, 11, 28, 33, 34, 35, 36, 37, 38, 39, 40, 48, 51, 52, 54, 56, 58])
def test_any_amount_of_any_generator_gives_finite_sound_soon(kind: int, amount: int, tmp_path: Path) -> None:
    sound = note(tmp_path, (kind, amount), pitch=100, duration=0.1)
    assert np.isfinite(sound).all()
    assert sound.shape[1] < 2 * RATE
