"""Tunes: writes a melody token by token under exact rules, arranges it for an ensemble and plays it; or goes on with a
piece that is there: repaints bars, continues it, arranges it in another way.

What is asked for is kept by construction: key, mode, metre, tempo, bars, form. Each output is audio with its MIDI, its
MusicXML and its score, from which every other format can be made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genai_studio.domain import events
from genai_studio.domain.modality import MediaKind
from genai_studio.errors import InvalidInput, ModelUnavailable
from genai_studio.models.base import Draft, ModelFiles, ModelSpec, RunContext
from genai_studio.models.tunes.composing import composed, form_for, header_for
from genai_studio.models.tunes.controls import Controls, decide
from genai_studio.models.tunes.editing import Edited, Pen, edited
from genai_studio.models.tunes.form import Form
from genai_studio.models.tunes.handover import companions, facts
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import Wishes, read_prompt
from genai_studio.models.tunes.tokens import Header, TuneNote
from genai_studio.score.document import read_document
from genai_studio.score.formats.importing import import_score
from genai_studio.score.model import TICKS, Score

if TYPE_CHECKING:
    from genai_studio.models.tunes.weights import Weights
    from genai_studio.score.sound.render import Band

PIECE = "piece"
"""Name of the input that an action other than composing works on."""
PROPOSALS = 4
"""Tunes written side by side for one output; the one that reads best is played."""


@dataclass
class Tunes:
    """The network and the band, loaded. `listener` is the file of the network that hears notes in recordings."""

    network: Weights
    band: Band
    listener: Path

    def generate(self, params: TuneParams, ctx: RunContext) -> None:
        """One piece for each of `params.count`, the i-th with seed + i. Raises InvalidInput before the first note."""
        asked = read_prompt(params.prompt)
        piece = self._piece(params, ctx)
        for index in range(params.count):
            seed = ctx.seed + index
            made = (
                self._composed(params, asked, seed, index, ctx)
                if piece is None
                else self._edited(piece, params, asked, seed, index, ctx)
            )
            _show(made.score, ctx, index)
            ctx.output(self._played(made, params, seed, index, ctx))

    def _piece(self, params: TuneParams, ctx: RunContext) -> Score | None:
        """What is to be repainted, continued or arranged; None to compose. An imported file becomes a score here."""
        given = ctx.has_input(PIECE)
        if params.action == "compose":
            if given:
                raise InvalidInput("A piece is given: choose to repaint, to continue or to arrange it.")
            return None
        if not given:
            raise InvalidInput(f"There is no piece to {params.action}; choose one first.")
        if not ctx.has_input(PIECE, "score"):
            ctx.progress(0, 1, "listening")
            return import_score(ctx.input(PIECE), notes=self.listener)
        try:
            return read_document(ctx.input(PIECE, "score"))
        except ValueError as error:
            raise InvalidInput(f"The score of this piece cannot be read: {error}") from error

    def _composed(self, params: TuneParams, asked: Wishes, seed: int, index: int, ctx: RunContext) -> Edited:
        """The best of the proposals; the first of them is shown note by note while it is written."""
        from genai_studio.models.tunes.decoding import write

        controls = decide(params.chosen(), asked, seed)
        form = form_for(controls)
        header = header_for(controls, form)
        best = write(
            self.network, header, form, lowest=controls.lowest, highest=controls.highest, seed=seed,
            temperature=params.temperature, top_p=params.top_p, proposals=PROPOSALS,
            written=_follow(controls, form, header, index, ctx),
        )[0]  # fmt: skip
        return Edited(composed(controls, form, best.tune, seed), (), best.likelihood)

    def _edited(
        self, piece: Score, params: TuneParams, asked: Wishes, seed: int, index: int, ctx: RunContext
    ) -> Edited:
        reported = -1

        def written(_section: int, bars: int, _note: TuneNote | None) -> None:
            nonlocal reported
            ctx.check()
            if bars != reported:
                reported = bars
                ctx.progress(bars, max(bars + 1, piece.bars), "writing", index)

        return edited(piece, params, asked, Pen(self.network, params, seed, PROPOSALS, written))

    def _played(self, made: Edited, params: TuneParams, seed: int, index: int, ctx: RunContext) -> Draft:
        from genai_studio.score.sound.mastering import RATE
        from genai_studio.score.sound.render import write_audio

        score = made.score
        audio = self.band.play(score, seed, lambda done, total: ctx.progress(done, total, "rendering", index))
        path = ctx.stage(f".{params.file_format}")
        write_audio(audio, path, params.file_format)
        info = {**facts(made), "duration": round(audio.shape[1] / RATE, 3)}
        return Draft(MediaKind.AUDIO, path, companions(score, ctx), info)

    def memory(self) -> int:
        """Bytes of the weights and of the soundfont's samples, which the synthesiser keeps as floats."""
        return self.network.nbytes + self.band.memory

    def environment(self) -> Mapping[str, str]:
        """Versions that decide the bytes."""
        names = ("numpy", "safetensors", "symusic", "scipy", "soundfile", "onnxruntime")
        return {**{name: version(name) for name in names}, "dtype": "float32"}

    def close(self) -> None:
        """Lets go of the network and the soundfont."""
        del self.network, self.band


class TunesFamily:
    """Loads the network's folder and the soundfont."""

    params = TuneParams

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> Tunes:
        """Always on the CPU: the network is too small for an accelerator to help, and its draws stay the same."""
        from genai_studio.models.tunes.weights import read_weights
        from genai_studio.score.hearing.transcribe import open_network
        from genai_studio.score.sound.render import Band, SoundfontError

        try:
            network = read_weights(files.one("model.safetensors").parent)
            band = Band(files.one(".sf2"))
            listener = files.one(".onnx")
            open_network(listener)  # so that a damaged file is told now, not when somebody has hummed
        except (KeyError, OSError, SoundfontError, InvalidInput) as error:
            raise ModelUnavailable(f"{spec.title} cannot be loaded: {error}") from error
        return Tunes(network, band, listener)


FAMILY = TunesFamily()


def _follow(
    controls: Controls, form: Form, header: Header, index: int, ctx: RunContext
) -> Callable[[int, int, TuneNote | None], None]:
    """Reports the first proposal while it is written: its notes for the piano roll, its bars as progress."""
    offsets = _first_places(form, header.bar_ticks, controls.introduction)
    quarters = controls.bars * header.bar_ticks / TICKS
    reported = -1

    def written(section: int, bars: int, note: TuneNote | None) -> None:
        nonlocal reported
        ctx.check()
        if bars != reported:
            reported = bars
            ctx.progress(bars, form.written_bars, "writing", index)
        if note is not None and section >= 0:
            start = max(0, offsets[section] + note.start) / TICKS
            length = (note.end - note.start) / TICKS
            shown = events.Note(part=0, pitch=controls.tonic + note.step, start=start, duration=length)
            ctx.notes([shown], parts=[controls.instrument], total_quarters=quarters, index=index)

    return written


def _first_places(form: Form, bar_ticks: int, introduction: int) -> list[int]:
    """The tick at which each written section is first heard, in the order of writing."""
    places: dict[str, int] = {}
    bar = introduction
    for letter in form.order:
        places.setdefault(letter, bar * bar_ticks)
        bar += form.lengths[letter]
    return [places[letter] for letter in form.lengths]


def _show(score: Score, ctx: RunContext, index: int) -> None:
    """The whole arrangement for the piano roll, in place of the melody that was shown while it was written."""
    notes: list[Any] = [
        events.Note(
            part=number,
            pitch=note.pitch,
            start=note.start / TICKS,
            duration=note.duration / TICKS,
            velocity=note.velocity,
        )
        for number, part in enumerate(score.parts)
        for note in part.notes
    ]
    names = [part.name for part in score.parts]
    ctx.notes(notes, parts=names, total_quarters=score.ticks / TICKS, replace=True, index=index)
