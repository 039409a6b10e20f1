"""Plays single notes from a soundfont: the right samples at the right pitch, looped, with their envelope and filter.

Pure NumPy and SciPy: the synthesisers at hand ignore velocities, envelopes or tunings, or cannot be installed without a
compiler. Left out of the standard: modulators, low-frequency oscillators, the modulation envelope's part in pitch.
Source of the numbers: SoundFont Technical Specification 2.04, chapters 8 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genai_studio.score.sound.mastering import RATE, Audio
from genai_studio.score.sound.soundfont import INSTRUMENT, SAMPLE, Table, read_soundfont

_DRUM_BANK = 128
_KEYS, _VELOCITIES, _ROOT, _MODE = 43, 44, 58, 54
_FILTER, _RESONANCE, _PAN, _ATTENUATION = 8, 9, 17, 48
_ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE, _KEY_TO_HOLD, _KEY_TO_DECAY = 34, 35, 36, 37, 38, 39, 40
_COARSE, _FINE, _SCALE = 51, 52, 56
_OPENING, _MOD_ATTACK, _MOD_HOLD, _MOD_DECAY, _MOD_SUSTAIN = 11, 26, 27, 28, 29
_OFFSETS = ((0, 4), (1, 12), (2, 45), (3, 50))
"""Generators that move start, end, loop start and loop end: by single samples, and by 32,768."""
_DEFAULTS = {_FILTER: 13_500, _ATTACK: -12_000, _HOLD: -12_000, _DECAY: -12_000, _RELEASE: -12_000, _SCALE: 100,
             _MOD_ATTACK: -12_000, _MOD_HOLD: -12_000, _MOD_DECAY: -12_000}  # fmt: skip
_ONLY_INSTRUMENT = {*(kind for pair in _OFFSETS for kind in pair), _ROOT, _MODE, SAMPLE, INSTRUMENT}
"""Generators that say nothing in a preset."""
_RANGE = 96.0
"""Decibels that an envelope falls through in its decay or release time."""
_LONGEST_RELEASE = 1.5
_OPEN = 12_800
"""Cents of a filter that nobody hears."""
_CACHED = 12_000_000
"""Samples of notes kept to be used again."""
_MOST_REGIONS, _MOST_LAYERS = 4096, 16
"""Regions of one preset, and how many of them sound for one note; more is a damaged file."""
_STRETCH = 10 * RATE
"""Long notes are read in stretches of this many samples."""


@dataclass(frozen=True)
class _Region:
    """One sample as one zone plays it: everything in samples, seconds, decibels and cents."""

    keys: tuple[int, int]
    velocities: tuple[int, int]
    start: int
    end: int
    loop: tuple[int, int] | None
    rate: int
    root: int
    tuning: float
    scale: float
    gain: float
    pan: float
    attack: float
    hold: float
    decay: float
    sustain: float
    release: float
    key_to_hold: float
    key_to_decay: float
    filter: float
    resonance: float
    opening: float
    opens: tuple[float, float, float, float]
    """The envelope that opens the filter: attack, hold and decay in seconds, and how open it stays, 0 to 1."""


class Sampler:
    """A soundfont's sounds by program and key."""

    def __init__(self, path: Path) -> None:
        """Raises SoundfontError, in one sentence, for a file that is not a soundfont or is damaged."""
        self._font = read_soundfont(path)
        presets = self._font.presets[:-1]
        self._presets = {(int(row["bank"]), int(row["program"])): number for number, row in enumerate(presets)}
        self._regions: dict[tuple[int, bool], list[_Region]] = {}
        self._notes: dict[tuple[_Region, int, int], Audio] = {}
        self._kept = 0
        self.memory = self._font.samples.nbytes + 4 * _CACHED
        """Bytes held at most: the samples, and the notes that are kept."""

    def note(self, program: int, *, drums: bool, pitch: int, velocity: int, duration: float) -> Audio:
        """One note of `duration` seconds with its release, (2, samples); nothing where there is no such sound.

        In decibels it is 40 log(velocity / 127), as the specification has it (8.4.1). Where the soundfont lacks the
        program, the first of its family plays, else whatever there is.
        """
        frames = max(1, round(duration * 100)) * RATE // 100
        regions = [
            region
            for region in self._preset(program, drums=drums)
            if region.keys[0] <= pitch <= region.keys[1] and region.velocities[0] <= velocity <= region.velocities[1]
        ]
        sounds = [self._sounding(region, pitch, frames) for region in regions[:_MOST_LAYERS]]
        whole = np.zeros((2, max((sound.shape[1] for sound in sounds), default=0)), dtype=np.float32)
        for sound in sounds:
            whole[:, : sound.shape[1]] += sound
        whole *= np.float32((velocity / 127) ** 2)
        return whole

    def _preset(self, program: int, *, drums: bool) -> list[_Region]:
        if (program, drums) not in self._regions:
            bank = _DRUM_BANK if drums else 0
            wanted = [(bank, program), (bank, 0 if drums else program // 8 * 8), (bank, 0)]
            same_kind = [key for key in sorted(self._presets) if (key[0] == _DRUM_BANK) == drums]
            found = next((key for key in [*wanted, *same_kind] if key in self._presets), None)
            self._regions[program, drums] = [] if found is None else self._read_preset(self._presets[found])
        return self._regions[program, drums]

    def _read_preset(self, number: int) -> list[_Region]:
        font = self._font
        regions = []
        for outer in _zones(font.presets, number, font.preset_bags, font.preset_generators, INSTRUMENT):
            added = {kind: value for kind, value in outer.items() if kind not in _ONLY_INSTRUMENT}
            instrument = outer[INSTRUMENT] & 0xFFFF
            for zone in _zones(font.instruments, instrument, font.instrument_bags, font.instrument_generators, SAMPLE):
                region = self._region(zone, added)
                if region is not None:
                    regions.append(region)
                if len(regions) == _MOST_REGIONS:
                    return regions
        return regions

    def _region(self, zone: Mapping[int, int], added: Mapping[int, int]) -> _Region | None:
        """The zone of an instrument with what the preset adds; None where it has nothing to play."""
        header = self._font.headers[zone[SAMPLE] & 0xFFFF]

        def value(kind: int) -> int:
            return zone.get(kind, _DEFAULTS.get(kind, 0)) + added.get(kind, 0)

        def seconds(kind: int) -> float:
            return float(2 ** (min(max(value(kind), -12_000), 8000) / 1200)) if value(kind) > -12_000 else 0.0

        places = [
            int(header[name]) + zone.get(fine, 0) + 32_768 * zone.get(coarse, 0)
            for name, (fine, coarse) in zip(("start", "end", "loop_start", "loop_end"), _OFFSETS, strict=True)
        ]
        most = len(self._font.samples)
        start, end, loop_start, loop_end = (min(max(place, 0), most) for place in places)
        keys = _meet(_span(zone.get(_KEYS)), _span(added.get(_KEYS)))
        velocities = _meet(_span(zone.get(_VELOCITIES)), _span(added.get(_VELOCITIES)))
        if end - start < 2 or not 400 <= header["rate"] <= 400_000 or keys[0] > keys[1]:
            return None
        looped = zone.get(_MODE, 0) & 1 and start <= loop_start and loop_end - loop_start >= 2 and loop_end <= end
        root = zone.get(_ROOT, -1)
        if not 0 <= root <= 127:
            root = int(header["pitch"]) if header["pitch"] <= 127 else 60
        return _Region(
            keys, velocities, start, end, (loop_start, loop_end) if looped else None, int(header["rate"]), root,
            float(np.clip(100 * value(_COARSE) + value(_FINE) + int(header["correction"]), -12_000, 12_000)),
            float(np.clip(value(_SCALE), 0, 1200)), 10 ** (-0.04 * np.clip(value(_ATTENUATION), 0, 1440) / 20),
            float(np.clip(value(_PAN), -500, 500)) / 1000, seconds(_ATTACK), seconds(_HOLD), seconds(_DECAY),
            float(np.clip(value(_SUSTAIN), 0, 1440)) / 10, seconds(_RELEASE),
            float(np.clip(value(_KEY_TO_HOLD), -1200, 1200)), float(np.clip(value(_KEY_TO_DECAY), -1200, 1200)),
            float(np.clip(value(_FILTER), 1500, 13_500)),
            float(np.clip(value(_RESONANCE), 0, 960)) / 10, float(np.clip(value(_OPENING), -12_000, 12_000)),
            (seconds(_MOD_ATTACK), seconds(_MOD_HOLD), seconds(_MOD_DECAY),
             1 - float(np.clip(value(_MOD_SUSTAIN), 0, 1000)) / 1000),
        )  # fmt: skip

    def _sounding(self, region: _Region, pitch: int, frames: int) -> Audio:
        """The region's sample for a note of `frames`, at full velocity."""
        key = (region, pitch, frames)
        if key in self._notes:
            return self._notes[key]
        tail = int(min(max(region.release, 0.005), _LONGEST_RELEASE) * RATE)
        sound = self._at_pitch(region, pitch, frames + tail)
        sound *= _envelope(region, pitch, frames, len(sound))
        if region.filter < _OPEN or region.filter + region.opening < _OPEN:
            sound = _filtered(sound, region)
        left, right = np.sqrt(0.5 - region.pan), np.sqrt(0.5 + region.pan)
        placed = np.stack([sound * np.float32(left * region.gain), sound * np.float32(right * region.gain)])
        if self._kept + placed.size > _CACHED:
            self._notes.clear()
            self._kept = 0
        self._notes[key] = placed
        self._kept += placed.size
        return placed

    def _at_pitch(self, region: _Region, pitch: int, frames: int) -> NDArray[np.float32]:
        """`frames` samples (fewer where an unlooped sample ends), read at the speed that gives the pitch."""
        cents = (pitch - region.root) * region.scale + region.tuning
        speed = min(64.0, 2 ** (cents / 1200) * region.rate / RATE)
        if region.loop is None:
            frames = min(frames, int((region.end - region.start - 1) / speed))
        sound = np.empty(frames, dtype=np.float32)
        for begin in range(0, frames, _STRETCH):
            places = np.arange(begin, min(frames, begin + _STRETCH)) * speed
            whole = places.astype(np.int64)
            low, high = (self._samples_at(region, at) for at in (whole, whole + 1))
            sound[begin : begin + len(places)] = low + (high - low) * (places - whole).astype(np.float32)
        return sound / np.float32(32_768)

    def _samples_at(self, region: _Region, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """The region's samples at places from its start, round and round in its loop."""
        if region.loop is not None:
            opens, closes = (place - region.start for place in region.loop)
            places = np.where(places < closes, places, opens + (places - opens) % (closes - opens))
        return self._font.samples[places + region.start].astype(np.float32)


def _zones(owners: Table, number: int, bags: Table, generators: Table, leaf: int) -> list[dict[int, int]]:
    """The zones of an owner that end in a `leaf`, as generator to amount; a first zone without one is common to all."""
    common: dict[int, int] = {}
    found = []
    for bag in range(int(owners["bag"][number]), int(owners["bag"][number + 1])):
        rows = generators[int(bags["generator"][bag]) : int(bags["generator"][bag + 1])]
        zone = {int(kind): int(amount) for kind, amount in zip(rows["kind"], rows["amount"], strict=True)}
        if leaf in zone:
            found.append({**common, **zone})
        elif not found and not common:
            common = zone
    return found


def _span(amount: int | None) -> tuple[int, int]:
    """A range of keys or velocities: its two ends in the two bytes of an amount."""
    return (0, 127) if amount is None else (amount & 0xFF, (amount >> 8) & 0xFF)


def _meet(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), min(one[1], other[1])


def _envelope(region: _Region, pitch: int, frames: int, size: int) -> NDArray[np.float32]:
    """How loud the sample is from moment to moment: a rise, a hold, a fall in decibels to where it stays, a release."""
    time = np.arange(size, dtype=np.float32) / RATE
    hold = region.hold * 2 ** ((60 - pitch) * region.key_to_hold / 1200)
    decay = max(0.001, region.decay * 2 ** ((60 - pitch) * region.key_to_decay / 1200))
    fall = np.clip((time - (region.attack + hold)) * np.float32(_RANGE / decay), 0, min(region.sustain, _RANGE))
    release = max(region.release, 0.005)
    after = max(0, min(frames, size))
    fall[after:] += (time[after:] - frames / RATE) * np.float32(_RANGE / min(release, 4 * _LONGEST_RELEASE))
    level = np.exp(fall * np.float32(-np.log(10) / 20))
    if region.attack > 0.001:
        level *= np.minimum(1.0, time / np.float32(region.attack))
    fade = min(size, int(0.005 * RATE))
    level[size - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)  # no click where the tail is cut
    return level


def _filtered(sound: NDArray[np.float32], region: _Region) -> NDArray[np.float32]:
    """The sound through the region's low pass; where an envelope moves it, from one filter over to the other."""
    closed = _low_pass(sound, region.filter, region.resonance)
    if abs(region.opening) < 100:
        return closed
    attack, hold, decay, stays = region.opens
    time = np.arange(len(sound), dtype=np.float32) / RATE
    level = 1 - np.clip((time - (attack + hold)) / np.float32(max(decay, 0.001)), 0, 1 - stays)
    if attack > 0.001:
        level *= np.minimum(1.0, time / np.float32(attack))
    opened = _low_pass(sound, region.filter + region.opening, region.resonance)
    return np.asarray(closed + (opened - closed) * level, dtype=np.float32)


def _low_pass(sound: NDArray[np.float32], cents: float, resonance: float) -> NDArray[np.float32]:
    """A low pass of the second order at `cents` above 8.176 Hz, by the Audio EQ Cookbook (Bristow-Johnson)."""
    from scipy.signal import lfilter

    if cents >= _OPEN:
        return sound
    frequency = max(30.0, 8.176 * 2 ** (cents / 1200))
    quality = max(0.5, 10 ** ((resonance - 3.01) / 20))
    angle = 2 * np.pi * frequency / RATE
    slope, cosine = np.sin(angle) / (2 * quality), np.cos(angle)
    above = np.array([(1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2])
    below = np.array([1 + slope, -2 * cosine, 1 - slope])
    return np.asarray(lfilter(above, below, sound), dtype=np.float32)
