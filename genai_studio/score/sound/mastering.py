"""Room and loudness: a short hall, then -16 LUFS with the true peak under -1 dB. NumPy arrays (2, samples), float32.

Mastering is one gain for every sample, so what is done to a mix can be done to each of its parts.
"""

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
_BLOCK = RATE // 10
_STRETCH = 1024
_CHUNK = 20 * RATE
"""Long pieces are worked on in stretches of this many samples, so that memory does not grow with them."""
Audio: TypeAlias = NDArray[np.float32]
Gain: TypeAlias = NDArray[np.float32]
"""A factor for each sample: (samples,)."""


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


def add_reverberation(sent: Audio, mix: Audio) -> None:
    """Adds to `mix` what the hall answers to `sent`; what would sound after the end of `mix` is lost."""
    from scipy.signal import oaconvolve

    for start in range(0, sent.shape[1], _CHUNK):
        answer = oaconvolve(sent[:, start : start + _CHUNK], hall(), axes=1)
        room = min(answer.shape[1], mix.shape[1] - start)
        mix[:, start : start + room] += answer[:, :room].astype(np.float32)


def peak(audio: Audio) -> float:
    """The highest sample, whatever its sign."""
    return max(float(audio.max(initial=0.0)), -float(audio.min(initial=0.0)))


def rolled_off(audio: Audio, top: float) -> Audio:
    """The audio with what lies above `top` Hz fading by 12 dB an octave."""
    from scipy.signal import butter, sosfilt

    return np.asarray(
        sosfilt(butter(2, top, fs=RATE, output="sos").astype(np.float32), audio, axis=1), dtype=np.float32
    )


def true_peak(audio: Audio) -> float:
    """The highest level between samples too, in dB: four times oversampled, as ITU-R BS.1770 annex 2 asks.

    Only where samples come within 6 dB of the highest: between lower ones no peak of music reaches it.
    """
    from scipy.signal import resample_poly

    level = np.maximum(np.abs(audio[0]), np.abs(audio[1]))
    highest = max(float(level.max(initial=0.0)), 1e-9)
    starts = np.arange(0, len(level), _STRETCH)
    loud = np.maximum.reduceat(level, starts) > highest / 2 if len(level) else starts
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(np.int8), [0]])))
    for first, last in edges.reshape(-1, 2):
        for start in range(first * _STRETCH, last * _STRETCH, _CHUNK):
            stretch = audio[:, max(0, start - 64) : min(last * _STRETCH, start + _CHUNK) + 64]
            highest = max(highest, peak(resample_poly(stretch, 4, 1, axis=1)))
    return 20 * float(np.log10(highest))


@lru_cache(maxsize=1)
def _ear() -> NDArray[np.float32]:
    """BS.1770's weighting as a factor for the power of each frequency of a block: a shelf of 4 dB from 1.5 kHz and a
    high pass at 38 Hz, (block // 2 + 1,)."""
    frequencies = np.fft.rfftfreq(_BLOCK, 1 / RATE)
    turn = np.exp(-2j * np.pi * frequencies / RATE)
    response = np.ones_like(turn)
    for kind, centre, quality in (("shelf", 1500.0, 2**-0.5), ("pass", 38.0, 0.5)):
        angle = 2 * np.pi * centre / RATE
        slope, cosine = np.sin(angle) / (2 * quality), np.cos(angle)
        # Audio EQ Cookbook (Bristow-Johnson): high shelf and high pass.
        if kind == "shelf":
            size = 10 ** (4 / 40)
            root = 2 * np.sqrt(size) * slope
            above = (size * (size + 1 + (size - 1) * cosine + root), -2 * size * (size - 1 + (size + 1) * cosine),
                     size * (size + 1 + (size - 1) * cosine - root))  # fmt: skip
            below = (size + 1 - (size - 1) * cosine + root, 2 * (size - 1 - (size + 1) * cosine),
                     size + 1 - (size - 1) * cosine - root)  # fmt: skip
        else:
            above = ((1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2)
            below = (1 + slope, -2 * cosine, 1 - slope)
        response = response * (above[0] + above[1] * turn + above[2] * turn**2)
        response = response / (below[0] + below[1] * turn + below[2] * turn**2)
    return np.asarray(np.abs(response) ** 2, dtype=np.float32)


def loudness(audio: Audio) -> float:
    """Integrated loudness in LUFS by ITU-R BS.1770-4, weighted by the spectrum of each tenth of a second, which is
    within a tenth of a LU of filtering and several times faster. -inf where nothing is over the gate of -70."""
    from scipy.fft import rfft

    count = audio.shape[1] // _BLOCK
    powers = np.zeros(max(count, 4))
    for start in range(0, count, 200):
        stop = min(count, start + 200)
        blocks = audio[:, start * _BLOCK : stop * _BLOCK].reshape(2, stop - start, _BLOCK)
        spectrum = rfft(blocks, axis=2)
        weighted = (spectrum.real**2 + spectrum.imag**2) @ _ear()
        powers[start:stop] = weighted.sum(axis=0) * 2 / _BLOCK**2
    gated = np.convolve(powers, np.full(4, 0.25), mode="valid")  # 400 ms, every 100 ms
    levels = -0.691 + 10 * np.log10(np.maximum(gated, 1e-12))
    heard = gated[levels > -70]
    if not len(heard):
        return -np.inf
    threshold = -10.691 + 10 * np.log10(heard.mean())
    heard = gated[(levels > -70) & (levels > threshold)]
    return float(-0.691 + 10 * np.log10(heard.mean()))


def mastering(audio: Audio, *, circular: bool = False) -> Gain:
    """The gain that brings `audio` to `LOUDNESS` with true peaks under `PEAK`. Silence stays silence.

    Peaks that stand out are turned down over a few milliseconds rather than cut off, then the loudness is set again.
    `circular`: the end is heard before the start, as in a loop.
    """
    gain = np.ones(audio.shape[1], dtype=np.float32)
    loudest = peak(audio)
    if loudest < 1e-6:
        return gain
    gain /= np.float32(loudest)  # lifts a quiet mix over the meter's -70 LUFS gate
    level = loudness(heard := audio * gain)
    if not np.isfinite(level):
        return gain
    for _ in range(3):
        gain *= np.float32(10 ** ((LOUDNESS - level) / 20))
        np.multiply(audio, gain, out=heard)
        gain *= _limit(heard, "wrap" if circular else "nearest")
        level = loudness(np.multiply(audio, gain, out=heard))
        if abs(level - LOUDNESS) < 0.1:
            break
    over = true_peak(heard) - (PEAK - 0.05)
    return gain * np.float32(10 ** (-over / 20)) if over > 0 else gain


def _limit(audio: Audio, edges: str) -> Gain:
    """Gain that keeps samples under the peak with some margin for what lies between them; looks 5 ms ahead."""
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    ceiling = np.float32(10 ** ((PEAK - _MARGIN) / 20))
    needed = np.maximum(np.abs(audio[0]), np.abs(audio[1]))
    needed = np.minimum(np.float32(1.0), ceiling / np.maximum(needed, np.float32(1e-9)))
    if needed.min() >= 1.0:
        return needed
    window = int(0.010 * RATE) | 1
    return np.asarray(uniform_filter1d(minimum_filter1d(needed, window, mode=edges), window, mode=edges))
