"""Tunes: writes a melody token by token under exact rules, arranges it for an ensemble and plays it.

What is asked for is kept by construction: key, mode, metre, tempo, bars. Each output is audio with its MIDI and
MusicXML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from genai_studio.domain import events
from genai_studio.domain.modality import MediaKind
from genai_studio.errors import ModelUnavailable
from genai_studio.models.base import Draft, ModelFiles, ModelSpec, RunContext
from genai_studio.models.tunes.controls import Controls, decide
from genai_studio.models.tunes.form import Form, form_of
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import read_prompt
from genai_studio.models.tunes.tokens import Header, Tune, TuneNote
from genai_studio.score.arrange import arrange
from genai_studio.score.harmony import harmonise
from genai_studio.score.midi import write_midi
from genai_studio.score.model import TICKS, Note, Score, Section
from genai_studio.score.musicxml import write_musicxml

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

    from genai_studio.score.render import Band

PROPOSALS = 4
"""Tunes written side by side for one output; the one that reads best is played."""


@dataclass
class Tunes:
    """The network and the band, loaded."""

    network: LlamaForCausalLM
    band: Band

    def generate(self, params: TuneParams, ctx: RunContext) -> None:
        """One piece for each of `params.count`, the i-th with seed + i. Raises InvalidInput before the first note."""
        wishes = read_prompt(params.prompt)
        for index in range(params.count):
            seed = ctx.seed + index
            controls = decide(params.chosen(), wishes, seed)
            form = form_of(controls.bars)
            tune, likelihood = self._written(controls, form, params, seed, index, ctx)
            score = composed(controls, form, tune)
            _show(score, ctx, index)
            ctx.output(self._played(score, params, seed, index, ctx, likelihood))

    def _written(
        self, controls: Controls, form: Form, params: TuneParams, seed: int, index: int, ctx: RunContext
    ) -> tuple[Tune, float]:
        """The best of the proposals; the first of them is shown note by note while it is written."""
        from genai_studio.models.tunes.decoding import write

        header = Header(controls.metre, form.written_bars, controls.style, controls.key.mode, density=controls.density)
        offsets = _first_places(form, header.bar_ticks)
        quarters = controls.bars * header.bar_ticks / TICKS
        reported = -1

        def follow(section: int, bars: int, note: TuneNote | None) -> None:
            nonlocal reported
            ctx.check()
            if bars != reported:
                reported = bars
                ctx.progress(bars, form.written_bars, "writing", index)
            if note is not None and section >= 0:
                start = max(0, offsets[section] + note.start) / TICKS
                shown = events.Note(
                    part=0, pitch=controls.tonic + note.step, start=start, duration=(note.end - note.start) / TICKS
                )
                ctx.notes([shown], parts=[controls.instrument], total_quarters=quarters, index=index)

        proposals = write(
            self.network, header, form, lowest=controls.lowest, highest=controls.highest, seed=seed,
            temperature=params.temperature, top_p=params.top_p, proposals=PROPOSALS, written=follow,
        )  # fmt: skip
        return proposals[0].tune, proposals[0].likelihood

    def _played(
        self, score: Score, params: TuneParams, seed: int, index: int, ctx: RunContext, likelihood: float
    ) -> Draft:
        from genai_studio.score.render import write_audio

        audio = self.band.play(score, seed, lambda done, total: ctx.progress(done, total, "rendering", index))
        path = ctx.stage(f".{params.file_format}")
        write_audio(audio, path, params.file_format)
        midi, sheet = ctx.stage(".mid"), ctx.stage(".musicxml")
        write_midi(score, midi)
        write_musicxml(score, sheet)
        info = {
            "title": score.title,
            "key": str(score.key),
            "metre": score.metre,
            "tempo": score.tempo,
            "bars": score.bars,
            "parts": [part.name for part in score.parts],
            "notes": sum(len(part.notes) for part in score.parts),
            "duration": round(audio.shape[1] / 44_100, 3),
            "likelihood": round(likelihood, 4),
        }
        return Draft(MediaKind.AUDIO, path, {"midi": midi, "musicxml": sheet}, info)

    def memory(self) -> int:
        """Bytes of the weights and of the soundfont's samples, which the synthesiser keeps as floats."""
        weights = sum(int(tensor.numel()) * int(tensor.element_size()) for tensor in self.network.parameters())
        return weights + self.band.memory

    def environment(self) -> Mapping[str, str]:
        """Versions that decide the bytes."""
        names = ("torch", "transformers", "symusic", "numpy", "scipy", "pyloudnorm", "soundfile")
        return {**{name: version(name) for name in names}, "dtype": "float32"}

    def close(self) -> None:
        """Lets go of the network and the soundfont."""
        del self.network, self.band


class TunesFamily:
    """Loads the network's folder and the soundfont."""

    params = TuneParams

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> Tunes:
        """Always on the CPU: the network is too small for an accelerator to help, and its draws stay the same."""
        import torch

        from genai_studio.models.tunes.network import load_network
        from genai_studio.score.render import Band, SoundfontError

        torch.set_num_threads(max(1, threads))
        try:
            network = load_network(files.one("model.safetensors").parent)
            band = Band(files.one(".sf2"))
        except (KeyError, OSError, SoundfontError) as error:
            raise ModelUnavailable(f"{spec.title} cannot be loaded: {error}") from error
        return Tunes(network, band)


FAMILY = TunesFamily()


def composed(controls: Controls, form: Form, tune: Tune) -> Score:
    """The tune played out in its form, with chords and accompaniment."""
    sections = dict(zip(form.lengths, tune.sections, strict=True))
    pickup, length = tune.header.pickup, tune.header.bar_ticks
    melody: list[Note] = []
    played: list[Section] = []
    bar = 0
    for letter in form.order:
        played.append(Section(letter, bar, sections[letter].bars))
        at = pickup + bar * length
        melody += [
            Note(at + note.start, note.end - note.start, controls.tonic + note.step) for note in sections[letter].notes
        ]
        bar += sections[letter].bars
    swing = {"hornpipe": 0.25, "strathspey": 0.1}.get(controls.style, 0.0)
    ticks = bar * length
    chords = harmonise(melody, controls.key, controls.metre, ticks=ticks, pickup=pickup)
    score = Score(
        controls.title, controls.key, controls.metre, controls.tempo, bar, pickup, (), chords, tuple(played), swing
    )
    return arrange(score, melody, controls.ensemble, controls.instrument, style=controls.style)


def _first_places(form: Form, bar_ticks: int) -> list[int]:
    """The tick at which each written section is first heard, in the order of writing."""
    places: dict[str, int] = {}
    bar = 0
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
