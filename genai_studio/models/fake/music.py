"""The demo tune: a random walk in the scale that was asked for, arranged by the studio's own players and sounded as
sine tones. It takes the controls, the pieces and the actions of Tunes, so that the whole room runs without weights."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from genai_studio.domain.events import Note as Shown
from genai_studio.domain.modality import MediaKind
from genai_studio.models.base import Draft, Family, LoadedModel, ModelFiles, ModelSpec, RunContext
from genai_studio.models.fake import StepSeconds, digest, pause
from genai_studio.models.tunes.controls import Controls, decide
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import Wishes, read_prompt
from genai_studio.score.arrange import arrange
from genai_studio.score.document import read_document, write_document
from genai_studio.score.harmony import harmonise
from genai_studio.score.midi import write_midi
from genai_studio.score.model import SCALES, TICKS, Note, Score, Section
from genai_studio.score.musicxml import write_musicxml

RATE = 44_100
LONGEST_TONE = 0.6
"""Seconds. A demo is heard, not listened to."""
SHORT = 8
"""Bars of a piece that asks for none, and that are added to one."""


class DemoMusicParams(TuneParams):
    step_seconds: StepSeconds = 0.0


class DemoMusic:
    def generate(self, params: DemoMusicParams, ctx: RunContext) -> None:
        piece = _piece(ctx) if params.action != "compose" else None
        chosen, asked = params.chosen(), read_prompt(params.prompt)
        if not (chosen.bars or asked.bars or asked.seconds):
            chosen = replace(chosen, bars=SHORT)
        for index in range(params.count):
            seed = ctx.seed + index
            draw = random.Random(digest(f"{params.prompt}\n{params.temperature}", seed))
            controls = decide(chosen, asked, seed)
            score = _recast(piece, params, controls, draw) if piece else _composed(controls, draw)
            self._told(score, params, index, ctx)
            ctx.output(_saved(score, params, ctx))

    def _told(self, score: Score, params: DemoMusicParams, index: int, ctx: RunContext) -> None:
        """Bar after bar, as if it were being written."""
        parts = [part.name for part in score.parts]
        total = score.ticks / TICKS
        for bar in range(score.bars):
            first = score.pickup + bar * score.bar_ticks if bar else 0
            end = score.pickup + (bar + 1) * score.bar_ticks
            notes = [
                Shown(part=number, pitch=note.pitch, start=note.start / TICKS, duration=note.duration / TICKS,
                      velocity=note.velocity)
                for number, part in enumerate(score.parts) for note in part.notes if first <= note.start < end
            ]  # fmt: skip
            ctx.notes(notes, parts=parts, total_quarters=total, index=index)
            ctx.progress(bar + 1, score.bars, phase="composing", index=index)
            pause(params.step_seconds, ctx)
        ctx.progress(score.bars, score.bars, phase="rendering", index=index)

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


def _piece(ctx: RunContext) -> Score:
    """The given piece. Raises InvalidInput where there is none, or it is no music."""
    if ctx.has_input("piece", "score"):
        return read_document(ctx.input("piece", "score"))
    from genai_studio.score.importing import AUDIO, import_score

    path = ctx.input("piece")
    if path.suffix.lower() in AUDIO:
        # The demo does not hear: it makes a tune of its own for each recording.
        draw = random.Random(path.read_bytes())
        return _composed(decide(Wishes(bars=SHORT), Wishes(), draw.randrange(1000)), draw)
    return import_score(path)


def _composed(controls: Controls, draw: random.Random) -> Score:
    half = controls.bars // 2
    sections = (Section("A", 0, half), Section("B", half, controls.bars - half))
    score = Score(
        controls.title, controls.key, controls.metre, controls.tempo, controls.bars, 0, (), (), sections,
        style=controls.style,
    )  # fmt: skip
    melody = [note for bar in range(score.bars) for note in _bar(draw, score, bar, controls.tonic)]
    return _arranged(score, melody, controls.ensemble, controls.instrument)


def _recast(piece: Score, params: DemoMusicParams, controls: Controls, draw: random.Random) -> Score:
    """`piece` with some bars anew, with more bars, or as it is in the key, tempo and setting of the controls."""
    melody = list(piece.melody)
    home = melody[0].pitch - (melody[0].pitch - piece.key.pitch_class) % 12 if melody else 60
    if params.action == "repaint":
        bars = range((params.first_bar or 1) - 1, min(params.last_bar or piece.bars, piece.bars))
        kept = [note for note in melody if _bar_of(piece, note.start) not in bars]
        new = [note for bar in bars for note in _bar(draw, piece, bar, home)]
        melody = sorted([*kept, *new], key=lambda note: note.start)
    elif params.action == "continue":
        more = params.bars or SHORT
        grown = replace(piece, bars=piece.bars + more, sections=(*piece.sections, Section("C", piece.bars, more)))
        melody += [note for bar in range(piece.bars, grown.bars) for note in _bar(draw, grown, bar, home)]
        piece = grown
    else:
        key = replace(piece.key, tonic=params.key) if params.key != "auto" else piece.key
        up = (key.pitch_class - piece.key.pitch_class + 6) % 12 - 6
        melody = [replace(note, pitch=note.pitch + up) for note in melody]
        piece = replace(piece, key=key, tempo=float(params.tempo_bpm or piece.tempo))
        return _arranged(piece, melody, controls.ensemble, controls.instrument)
    return _arranged(piece, melody, piece.ensemble or controls.ensemble, piece.instrument or controls.instrument)


def _bar_of(score: Score, tick: int) -> int:
    return max(0, tick - score.pickup) // score.bar_ticks


def _bar(draw: random.Random, score: Score, bar: int, tonic: int) -> list[Note]:
    """One bar of melody in eighths and quarters; the last one is the tonic, held."""
    start = score.pickup + bar * score.bar_ticks
    end = min(start + score.bar_ticks, score.ticks)
    if bar == score.bars - 1:
        return [Note(start, end - start, tonic + 12)]
    scale = SCALES[score.key.mode]
    notes, step = [], draw.randrange(3, 8)
    while start < end:
        length = min(draw.choice((TICKS // 2, TICKS // 2, TICKS)), end - start)
        step = max(0, min(11, step + draw.choice((-2, -1, -1, 1, 1, 2))))
        notes.append(Note(start, length, tonic + 12 * (step // 7) + scale[step % 7]))
        start += length
    return notes


def _arranged(score: Score, melody: Sequence[Note], ensemble: str, instrument: str) -> Score:
    chords = harmonise(melody, score.key, score.metre, ticks=score.ticks, pickup=score.pickup)
    return arrange(replace(score, chords=chords), melody, ensemble, instrument, style=score.style)


def _saved(score: Score, params: DemoMusicParams, ctx: RunContext) -> Draft:
    import soundfile

    path = ctx.stage(f".{params.file_format}")
    soundfile.write(path, sounded(score), RATE, subtype="PCM_16", format=params.file_format.upper())
    files: dict[str, Path] = {
        "midi": ctx.stage(".mid"),
        "musicxml": ctx.stage(".musicxml"),
        "score": ctx.stage(".json"),
    }
    write_midi(score, files["midi"])
    write_musicxml(score, files["musicxml"])
    write_document(score, files["score"])
    info = {
        "title": score.title,
        "key": str(score.key),
        "metre": score.metre,
        "tempo": score.tempo,
        "bars": score.bars,
        "parts": [part.name for part in score.parts],
        "notes": sum(len(part.notes) for part in score.parts),
    }
    return Draft(MediaKind.AUDIO, path, files, info)


def sounded(score: Score) -> Any:
    """Stereo samples (n, 2) in -1 to 1: decaying sines with one overtone, each part at its place; drums are clicks."""
    second = 60.0 / score.quarters_per_minute / TICKS
    sound = np.zeros((int(RATE * (score.ticks * second + LONGEST_TONE)), 2), np.float64)
    for part in score.parts:
        sides = np.array([1 - max(0.0, part.pan) / 2, 1 + min(0.0, part.pan) / 2]) * 10 ** (part.gain / 20)
        for note in part.notes:
            first = int(RATE * note.start * second)
            length = 0.04 if part.drums else min(note.duration * second + 0.2, LONGEST_TONE)
            time = np.arange(min(int(RATE * length), len(sound) - first)) / RATE
            wave = 2 * np.pi * 440.0 * 2 ** ((note.pitch - 69) / 12) * time
            tone = (np.sin(wave) + 0.3 * np.sin(2 * wave)) * np.exp(-5 * time) * np.minimum(time * 200, 1)
            sound[first : first + len(time)] += tone[:, None] * sides * (0.16 * note.velocity / 100)
    return np.tanh(sound)


FAMILY: Family = DemoMusicFamily()
