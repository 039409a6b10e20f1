"""Sound: each part through a soundfont, placed in a small hall, mixed and mastered; stereo at 44.1 kHz."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from genai_studio.score.mastering import RATE, Audio, loudness, master, reverberation
from genai_studio.score.midi import RESOLUTION
from genai_studio.score.model import Part, Score
from genai_studio.score.performance import perform

_TEMPO = 125.0
"""Beats a minute of the synthesiser's clock: at 480 ticks a quarter one tick is a millisecond."""
_SENT = {"melody": 0.22, "harmony": 0.26, "chords": 0.2, "bass": 0.08, "drums": 0.14}
"""How much of each role the hall hears."""
_TAIL = 1.5
_LEVEL = -24.0
"""LUFS of the melody before mastering."""


class SoundfontError(ValueError):
    """The file is not a soundfont that can be played."""


class Band:
    """A soundfont ready to play. Loading takes about a second; playing is many times faster than real time."""

    def __init__(self, soundfont: Path) -> None:
        import symusic

        with soundfont.open("rb") as file:
            start = file.read(12)
        if start[:4] != b"RIFF" or start[8:12] != b"sfbk":
            raise SoundfontError(f"{soundfont.name} is not a soundfont.")
        try:
            self._synthesizer: Any = symusic.Synthesizer(sf_path=str(soundfont), sample_rate=RATE, quality=4)
        except (RuntimeError, ValueError) as error:
            raise SoundfontError(f"{soundfont.name} cannot be read as a soundfont.") from error
        self.memory = 2 * soundfont.stat().st_size
        """Bytes held: the file's 16-bit samples are kept as 32-bit floats."""

    def part(self, score: Score, part: Part, seed: int) -> Audio:
        """One part alone, dry, panned and levelled: (2, samples). Silence where the soundfont lacks the sound."""
        import symusic

        track = symusic.Track(part.name, part.program, part.drums)
        for note in perform(score, part, seed):
            start, length = round(note.start * 1000), max(20, round(note.duration * 1000))
            track.notes.append(symusic.Note(start, length, note.pitch, note.velocity))
        clip = symusic.Score(RESOLUTION)
        clip.tempos.append(symusic.Tempo(0, _TEMPO))
        clip.tracks.append(track)
        sound = np.asarray(self._synthesizer.render(clip, stereo=True), dtype=np.float32)
        left, right = np.cos((part.pan + 1) * np.pi / 4), np.sin((part.pan + 1) * np.pi / 4)
        centre = sound.mean(axis=0)
        width = (sound - centre) * 0.6
        placed = np.stack([centre * left, centre * right]) + width * np.sqrt(0.5)
        measured = loudness(placed)
        gain = 10 ** ((_LEVEL + part.gain - measured) / 20) if np.isfinite(measured) else 1.0
        return np.asarray(placed * gain, dtype=np.float32)

    def play(self, score: Score, seed: int, step: Callable[[int, int], None] | None = None) -> Audio:
        """The whole score, mastered: (2, samples). `step(done, total)` is told before each stage; it may raise."""
        length = int((score.seconds + _TAIL + 1.0) * RATE)
        mix = np.zeros((2, length), dtype=np.float32)
        sent = np.zeros((2, length), dtype=np.float32)
        parts = [part for part in score.parts if part.notes]
        for number, part in enumerate(parts):
            if step is not None:
                step(number, len(parts) + 1)
            sound = self.part(score, part, seed)[:, :length]
            mix[:, : sound.shape[1]] += sound
            sent[:, : sound.shape[1]] += sound * _SENT[part.role]
        if step is not None:
            step(len(parts), len(parts) + 1)
        return master(_faded(mix + reverberation(sent)[:, :length]))


def write_audio(audio: Audio, path: Path, file_format: Literal["flac", "wav"]) -> None:
    """16-bit stereo at 44.1 kHz. The same audio gives the same bytes."""
    import soundfile

    soundfile.write(path, audio.T, RATE, format=file_format.upper(), subtype="PCM_16")


def _faded(audio: Audio) -> Audio:
    """Cuts the silence after the last ringing and fades the end to nothing."""
    loud = np.flatnonzero(np.abs(audio).max(axis=0) > 1e-4 * max(1e-9, float(np.abs(audio).max())))
    end = min(audio.shape[1], int(loud[-1]) + RATE // 5) if len(loud) else audio.shape[1]
    audio = audio[:, :end].copy()
    fade = min(end, int(0.4 * RATE))
    audio[:, end - fade :] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
    return audio
