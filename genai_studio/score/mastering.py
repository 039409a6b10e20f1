"""Room and loudness: a short hall, then -16 LUFS with the true peak under -1 dB. NumPy arrays (2, samples), float32."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE = 44_100
LOUDNESS = -16.0
"""Integrated loudness in LUFS, the level that streaming services ask of a stereo mix."""
PEAK = -1.0
"""Highest true peak in dB."""
_MARGIN = 0.3
Audio: TypeAlias = NDArray[np.float32]


@lru_cache(maxsize=2)
def hall(seconds: float = 1.1, seed: int = 7) -> Audio:
    """The impulse response of a small hall, (2, samples): noise that dies away, sooner the higher it is."""
    draw = np.random.Generator(np.random.PCG64(seed))
    length = int(seconds * RATE)
    time = np.arange(length) / RATE
    noise = draw.standard_normal((2, length))
    spectrum = np.fft.rfft(noise, axis=1)
    frequencies = np.fft.rfftfreq(length, 1 / RATE)
    bands = ((0.0, 900.0, 5.2), (900.0, 3500.0, 6.5), (3500.0, 9000.0, 11.0))  # Hz from, Hz to, decay a second
    tail = np.zeros((2, length))
    for low, high, decay in bands:
        inside = (frequencies >= max(low, 120.0)) & (frequencies < high)
        tail += np.fft.irfft(spectrum * inside, length, axis=1) * np.exp(-decay * time)
    tail *= np.minimum(1.0, time / 0.012)
    return np.asarray(tail / np.sqrt((tail**2).sum(axis=1, keepdims=True)), dtype=np.float32)


def reverberation(audio: Audio) -> Audio:
    """What the hall answers to `audio`, without the audio itself; longer than it by the hall's tail."""
    from scipy.signal import oaconvolve

    return np.asarray(oaconvolve(audio, hall(), axes=1), dtype=np.float32)


def true_peak(audio: Audio) -> float:
    """The highest level between samples too, in dB: four times oversampled, as ITU-R BS.1770 annex 2 asks."""
    from scipy.signal import resample_poly

    peak = max(float(np.abs(resample_poly(channel, 4, 1)).max()) for channel in audio)
    return 20 * float(np.log10(max(peak, 1e-9)))


def loudness(audio: Audio) -> float:
    """Integrated loudness in LUFS by ITU-R BS.1770-4."""
    import pyloudnorm

    return float(pyloudnorm.Meter(RATE).integrated_loudness(audio.T.astype(np.float64)))


def master(audio: Audio) -> Audio:
    """`audio` at `LOUDNESS` with true peaks under `PEAK`. Silence stays silence.

    Peaks that stand out are turned down over a few milliseconds rather than cut off, then the loudness is set again.
    """
    loudest = float(np.abs(audio).max())
    if loudest < 1e-6:
        return audio
    audio = np.asarray(audio / loudest, dtype=np.float32)  # lifts a quiet mix over the meter's -70 LUFS gate
    level = loudness(audio)
    for _ in range(3):
        audio = _limited(np.asarray(audio * 10 ** ((LOUDNESS - level) / 20), dtype=np.float32))
        level = loudness(audio)
        if abs(level - LOUDNESS) < 0.1:
            break
    over = true_peak(audio) - (PEAK - 0.05)
    if over > 0:
        audio = np.asarray(audio * 10 ** (-over / 20), dtype=np.float32)
    return audio


def _limited(audio: Audio) -> Audio:
    """Gain that keeps samples under the peak with some margin for what lies between them; looks 5 ms ahead."""
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    ceiling = 10 ** ((PEAK - _MARGIN) / 20)
    needed = np.minimum(1.0, ceiling / np.maximum(np.abs(audio).max(axis=0), 1e-9))
    if needed.min() >= 1.0:
        return audio
    window = int(0.010 * RATE) | 1
    gain = uniform_filter1d(minimum_filter1d(needed, window), window)
    return np.asarray(audio * gain, dtype=np.float32)
