"""Sound: each part through a soundfont, placed in a small hall, mixed and mastered; stereo at 44.1 kHz."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from genai_studio.score.arranging.structure import body_of
from genai_studio.score.model import Part, Score
from genai_studio.score.sound.mastering import (
    RATE,
    Audio,
    Gain,
    add_reverberation,
    loudness,
    mastering,
    peak,
    rolled_off,
)
from genai_studio.score.sound.performance import PlayedNote, perform, seconds_at
from genai_studio.score.sound.sampler import Sampler
from genai_studio.score.sound.soundfont import SoundfontError

LONGEST = 330.0
"""Seconds that a piece may last: five minutes and the slowing down at its end."""
_SENT = {"melody": 0.22, "harmony": 0.26, "chords": 0.2, "bass": 0.08, "drums": 0.14}
"""How much of each role the hall hears."""
_ROOM = {"string quartet": 1.3, "harp and flute": 1.4, "music box": 1.2, "solo": 1.5, "jazz trio": 0.7, "lo-fi": 0.6,
         "chiptune": 0.35, "marching band": 0.8}  # fmt: skip
"""By ensemble: how large its room is beside the usual one."""
_TOP = {"lo-fi": 5500.0}
"""By ensemble: Hz from which its sound is rolled off, as an old tape does."""
_TAIL = 2.5
"""Seconds after the last note for what still rings, in the instruments and in the hall."""
_LEVEL = -24.0
"""LUFS of the melody before mastering."""

Step = Callable[[int, int], None]

__all__ = ["LONGEST", "Band", "SoundfontError", "write_audio"]


class Band:
    """A soundfont ready to play. Loading takes under a second; playing is many times faster than real time."""

    def __init__(self, soundfont: Path) -> None:
        """Raises SoundfontError, in one sentence, for a file that is not a soundfont or is damaged."""
        self._sampler = Sampler(soundfont)
        self.memory = self._sampler.memory
        """Bytes held at most."""

    def part(self, score: Score, part: Part, seed: int, *, closing: bool = True) -> Audio:
        """One part alone, dry, panned and levelled: (2, samples). Where the soundfont lacks the sound, the first of its
        family plays, else any; `closing=False` plays to the end in time."""
        notes = perform(score, part, seed, closing=closing)
        limit = int((seconds_at(score, score.ticks) + _TAIL) * RATE)
        sound = self._sung(notes, part, limit)
        if score.ensemble in _TOP:
            sound = rolled_off(sound, _TOP[score.ensemble])
        left, right = np.cos((part.pan + 1) * np.pi / 4), np.sin((part.pan + 1) * np.pi / 4)
        middle = (sound[0] + sound[1]) * np.float32(0.5)
        side = (sound[0] - middle) * np.float32(0.6 * np.sqrt(0.5))
        np.add(middle * np.float32(left), side, out=sound[0])
        np.subtract(middle * np.float32(right), side, out=sound[1])
        measured = loudness(sound)
        if np.isfinite(measured):
            sound *= np.float32(10 ** ((_LEVEL + part.gain - measured) / 20))
        return sound

    def _sung(self, notes: list[PlayedNote], part: Part, limit: int) -> Audio:
        """The notes as the soundfont sounds, (2, samples), at most `limit` samples long."""
        whole = np.zeros((2, limit), dtype=np.float32)
        last = 0
        for note in notes:
            start = round(note.start * RATE)
            sound = self._sampler.note(
                part.program, drums=part.drums, pitch=note.pitch, velocity=note.velocity, duration=note.duration
            )[:, : max(0, limit - start)]
            whole[:, start : start + sound.shape[1]] += sound
            last = max(last, start + sound.shape[1])
        return whole[:, :last]

    def play(self, score: Score, seed: int, step: Step | None = None) -> Audio:
        """The whole score, mastered: (2, samples). `step(done, total)` is told before each stage; it may raise.

        Raises ValueError for a piece of more than `LONGEST` seconds.
        """
        mix = self._mixed(score, seed, step)
        gain = _whole_gain(mix)
        mix = mix[:, : len(gain)]
        mix *= gain
        return mix

    def stems(self, score: Score, seed: int, step: Step | None = None) -> list[tuple[str, Audio]]:
        """(name, audio) of every part that plays, each with its share of the hall: together they are what `play` gives,
        as each has the gain that mastering gave the mix."""
        parts = list(self._placed(score, seed, step))
        mix = sum((audio for _, audio in parts), np.zeros((2, _samples(score)), dtype=np.float32))
        gain = _whole_gain(mix)
        return [(part.name, np.asarray(audio[:, : len(gain)] * gain, dtype=np.float32)) for part, audio in parts]

    def loop(self, score: Score, seed: int, step: Step | None = None) -> Audio:
        """The form without introduction and tag, as (2, samples) that can be repeated without a seam: exactly as long
        as its bars, in time to the end, and what rings after the end is heard at the start."""
        body = replace(body_of(score), ending="plain")
        length = max(1, round(seconds_at(body, body.ticks, closing=False) * RATE))
        sound = self._mixed(body, seed, step, closing=False)
        folded = np.zeros((2, length), dtype=np.float32)
        for start in range(0, sound.shape[1], length):
            stretch = sound[:, start : start + length]
            folded[:, : stretch.shape[1]] += stretch
        return np.asarray(folded * mastering(folded, circular=True), dtype=np.float32)

    def _mixed(self, score: Score, seed: int, step: Step | None, *, closing: bool = True) -> Audio:
        mix = np.zeros((2, _samples(score)), dtype=np.float32)
        sent = np.zeros_like(mix)
        for part, sound in self._dry(score, seed, step, closing=closing):
            mix[:, : sound.shape[1]] += sound
            sound *= _share(score, part)
            sent[:, : sound.shape[1]] += sound
            del sound  # before the next one is made
        add_reverberation(sent, mix)
        return mix

    def _placed(self, score: Score, seed: int, step: Step | None) -> Iterator[tuple[Part, Audio]]:
        """Each part with what the hall answers to it, before mastering."""
        for part, sound in self._dry(score, seed, step):
            wet = np.zeros((2, _samples(score)), dtype=np.float32)
            wet[:, : sound.shape[1]] += sound
            add_reverberation(sound * _share(score, part), wet)
            yield part, wet

    def _dry(self, score: Score, seed: int, step: Step | None, *, closing: bool = True) -> Iterator[tuple[Part, Audio]]:
        if (lasts := seconds_at(score, score.ticks)) > LONGEST:
            raise ValueError(f"This piece lasts {lasts:.0f} seconds; at most {LONGEST:.0f} can be played.")
        parts = [part for part in score.parts if part.notes]
        for number, part in enumerate(parts):
            if step is not None:
                step(number, len(parts) + 1)
            yield part, self.part(score, part, seed, closing=closing)
        if step is not None:
            step(len(parts), len(parts) + 1)


def write_audio(audio: Audio, path: Path, file_format: Literal["flac", "wav"]) -> None:
    """16-bit stereo at 44.1 kHz. The same audio gives the same bytes."""
    import soundfile

    soundfile.write(path, audio.T, RATE, format=file_format.upper(), subtype="PCM_16")


def _share(score: Score, part: Part) -> np.float32:
    """How much of a part the hall hears."""
    return np.float32(_SENT[part.role] * _ROOM.get(score.ensemble, 1.0))


def _samples(score: Score) -> int:
    return int((seconds_at(score, score.ticks) + _TAIL) * RATE)


def _whole_gain(mix: Audio) -> Gain:
    """Mastering's gain with a fade to nothing where the last ringing ends; what comes after is left off."""
    audible = np.maximum(np.abs(mix[0]), np.abs(mix[1])) > 1e-4 * max(1e-9, peak(mix))
    end = min(mix.shape[1], mix.shape[1] - int(audible[::-1].argmax()) + RATE // 5)
    del audible
    fade = np.ones(end, dtype=np.float32)
    size = min(end, int(0.4 * RATE))
    fade[end - size :] = np.linspace(1, 0, size, dtype=np.float32) ** 2
    return fade * mastering(mix[:, :end] * fade)
