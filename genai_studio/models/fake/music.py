"""The demo tune: eight bars in a pentatonic scale over a bass, as sine tones, with its notes and a MIDI file."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from genai_studio.domain.events import Note
from genai_studio.domain.fields import panel
from genai_studio.domain.modality import MediaKind
from genai_studio.domain.music import MusicParams
from genai_studio.models.base import Draft, Family, LoadedModel, ModelFiles, ModelSpec, RunContext
from genai_studio.models.fake import StepSeconds, digest, pause

RATE = 44_100
PENTATONIC = (0, 2, 4, 7, 9)
PARTS = ("Melody", "Bass")
BEATS = 4
"""Quarter notes in a bar."""
TICKS = 480
"""MIDI ticks a quarter note."""

Tempo = Annotated[
    int,
    Field(
        ge=40,
        le=240,
        title="Tempo",
        description="Quarter notes in a minute.",
        json_schema_extra=panel("essential", "slider", 1),
    ),
]
Bars = Annotated[
    int,
    Field(ge=1, le=64, title="Bars", description="Of four quarters.", json_schema_extra=panel("more", "slider", 1)),
]


class DemoMusicParams(MusicParams):
    tempo: Tempo = 160
    bars: Bars = 4
    step_seconds: StepSeconds = 0.0


class DemoMusic:
    def generate(self, params: DemoMusicParams, ctx: RunContext) -> None:
        import soundfile

        total = float(params.bars * BEATS)
        for index in range(params.count):
            draw = random.Random(digest(f"{params.prompt}\n{params.temperature}", ctx.seed + index))
            root = 57 + draw.randrange(8)
            piece: list[Note] = []
            for bar in range(params.bars):
                notes = _bar(draw, root, bar)
                piece += notes
                ctx.notes(notes, parts=PARTS, total_quarters=total, index=index)
                ctx.progress(bar + 1, params.bars, phase="composing", index=index)
                pause(params.step_seconds, ctx)
            ctx.progress(params.bars, params.bars, phase="rendering", index=index)
            path, midi = ctx.stage(".flac"), ctx.stage(".mid")
            soundfile.write(path, render(piece, total, params.tempo), RATE, subtype="PCM_16", format="FLAC")
            write_midi(piece, params.tempo, midi)
            ctx.output(Draft(MediaKind.AUDIO, path, {"midi": midi}, {"tempo": params.tempo, "notes": len(piece)}))

    def memory(self) -> int:
        return 1_000_000

    def environment(self) -> Mapping[str, str]:
        return {name: version(name) for name in ("numpy", "soundfile", "symusic")}

    def close(self) -> None:
        pass


class DemoMusicFamily:
    params = DemoMusicParams

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> LoadedModel:
        return DemoMusic()


def _bar(draw: random.Random, root: int, bar: int) -> list[Note]:
    """One bar of melody in eighths and quarters over a held bass note."""
    start, end = bar * float(BEATS), (bar + 1) * float(BEATS)
    notes = [Note(part=1, pitch=root - 12 + draw.choice((0, 7, 9)), start=start, duration=float(BEATS), velocity=60)]
    while start < end:
        length = min(draw.choice((0.5, 0.5, 1.0)), end - start)
        pitch = root + 12 * draw.randrange(2) + draw.choice(PENTATONIC)
        notes.append(Note(part=0, pitch=pitch, start=start, duration=length, velocity=70 + draw.randrange(30)))
        start += length
    return notes


def render(notes: Sequence[Note], total_quarters: float, tempo: int) -> Any:
    """Stereo samples (n, 2) in -1 to 1: decaying sines with one overtone, the melody a little to the right."""
    second = 60.0 / tempo
    sound = np.zeros((int(RATE * (total_quarters * second + 0.5)), 2), np.float64)
    for note in notes:
        first = int(RATE * note.start * second)
        time = np.arange(int(RATE * min(note.duration * second + 0.3, 2.0))) / RATE
        time = time[: len(sound) - first]
        wave = 2 * np.pi * 440.0 * 2 ** ((note.pitch - 69) / 12) * time
        tone = (np.sin(wave) + 0.3 * np.sin(2 * wave)) * np.exp(-4 * time) * np.minimum(time * 200, 1)
        loudness = 0.2 * note.velocity / 100
        sound[first : first + len(time)] += tone[:, None] * loudness * ((0.8, 1.0) if note.part == 0 else (1.0, 0.8))
    return np.tanh(sound)


def write_midi(notes: Sequence[Note], tempo: int, path: Path) -> None:
    """A type 1 file: the tempo, then one track a part."""
    import symusic

    midi = symusic.Score(TICKS)
    midi.tempos.append(symusic.Tempo(0, tempo))
    for part, name in enumerate(PARTS):
        track = symusic.Track(name)
        for note in (note for note in notes if note.part == part):
            start, length = round(note.start * TICKS), round(note.duration * TICKS)
            track.notes.append(symusic.Note(start, length, note.pitch, note.velocity))
        midi.tracks.append(track)
    midi.dump_midi(path)


FAMILY: Family = DemoMusicFamily()
