"""The demo tune: a random walk in the scale that was asked for, arranged by the studio's own players and sounded as
sine tones. It takes the controls, the pieces and the actions of Tunes, so that the whole room runs without weights."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from genai_studio.domain.events import Note as Shown
from genai_studio.domain.modality import MediaKind
from genai_studio.models.base import Draft, Family, LoadedModel, ModelFiles, ModelSpec, RunContext
from genai_studio.models.fake import StepSeconds, digest, pause
from genai_studio.models.tunes.composing import arranged, form_for
from genai_studio.models.tunes.controls import Controls, decide
from genai_studio.models.tunes.editing import Edited, edited
from genai_studio.models.tunes.handover import companions, facts
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import Wishes, read_prompt
from genai_studio.models.tunes.recast import FreshBar, Melody
from genai_studio.score.document import read_document
from genai_studio.score.formats.importing import AUDIO, import_score
from genai_studio.score.model import METRES, SCALES, TICKS, Note, Score, Section

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
            if piece is None:
                made = Edited(_composed(decide(chosen, asked, seed), draw), (), None)
            else:
                made = edited(piece, params, asked, _Dice(draw))
            self._told(made.score, params, index, ctx)
            ctx.output(_saved(made, params, ctx))

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
    path = ctx.input("piece")
    if path.suffix.lower() in AUDIO:
        # The demo does not hear: it makes a tune of its own for each recording.
        draw = random.Random(path.read_bytes())
        return _composed(decide(Wishes(bars=SHORT), Wishes(), draw.randrange(1000)), draw)
    return import_score(path)


def _composed(controls: Controls, draw: random.Random) -> Score:
    """Sections in the form that is asked for; one that comes back is the same."""
    form = form_for(controls)
    length = METRES[controls.metre]
    written = {
        letter: [_bar(draw, controls, home=bar == bars - 1) for bar in range(bars)]
        for letter, bars in form.lengths.items()
    }
    sections: list[Section] = []
    notes: list[Note] = []
    for letter in form.order:
        first = sections[-1].end_bar if sections else 0
        sections.append(Section(letter, first, form.lengths[letter]))
        for bar, fresh in enumerate(written[letter], first):
            notes += [replace(note, start=bar * length + note.start) for note in fresh.notes]
    return arranged(Melody(tuple(notes), tuple(sections), controls.key, controls.metre, 0), controls)


class _Dice:
    """Writes bars as the dice fall."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def fill(self, melody: Melody, bars: list[int], controls: Controls) -> tuple[dict[int, FreshBar], float]:
        return {bar: _bar(self._draw, controls, home=bar == melody.end_bar - 1) for bar in bars}, 0.0


def _bar(draw: random.Random, controls: Controls, *, home: bool) -> FreshBar:
    """One bar of melody in eighths and quarters; one that comes `home` holds the tonic."""
    end = METRES[controls.metre]
    if home:
        return FreshBar((Note(0, end, controls.tonic),), end)
    scale = SCALES[controls.key.mode]
    notes: list[Note] = []
    start, step = 0, draw.randrange(3, 8)
    while start < end:
        length = min(draw.choice((TICKS // 2, TICKS // 2, TICKS)), end - start)
        step = max(0, min(11, step + draw.choice((-2, -1, -1, 1, 1, 2))))
        notes.append(Note(start, length, controls.tonic + 12 * (step // 7) + scale[step % 7]))
        start += length
    return FreshBar(tuple(notes), end)


def _saved(made: Edited, params: DemoMusicParams, ctx: RunContext) -> Draft:
    import soundfile

    score = made.score
    path = ctx.stage(f".{params.file_format}")
    soundfile.write(path, sounded(score), RATE, subtype="PCM_16", format=params.file_format.upper())
    return Draft(MediaKind.AUDIO, path, companions(score, ctx), facts(made))


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
