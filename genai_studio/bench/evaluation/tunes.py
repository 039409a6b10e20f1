"""The tune model: controls kept in its files, figures beside the old tunes it learned from, loudness of its sound."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from genai_studio.bench import direct
from genai_studio.bench.evaluation.promises import BROKEN, CONTROLS, kept
from genai_studio.bench.evaluation.readback import read_midi, read_sheet
from genai_studio.bench.evaluation.requests import random_request, request_like
from genai_studio.bench.figure import BEST, Figure
from genai_studio.errors import ModelUnavailable
from genai_studio.models.base import ModelFiles
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.tokens import Header, Section, Tune, TuneNote
from genai_studio.score.document import read_document
from genai_studio.score.model import INTRODUCTION, SCALES, TAG, Score
from genai_studio.settings import Settings
from genai_studio.studio import Studio

MODEL = "tunes"
LOUDNESS, TOLERANCE, PEAK = -16.0, 0.5, -1.0
"""LUFS and how near, and dB of true peak."""
_SHOWN = 5
"""Broken promises that are told one by one."""


class Mute:
    """A band that does not play: writing and exporting are what is looked at."""

    memory = 0

    def play(self, score: Score, seed: int, step: Any = None) -> Any:
        """A hundredth of a second of nothing."""
        return np.zeros((2, 441), dtype=np.float32)


@dataclass(frozen=True)
class Made:
    """One output as the family makes it."""

    score: Score
    midi: Path
    sheet: Path
    abc: Path


def tunes(settings: Settings, say: Callable[[str], None], *, requests: int, renders: int) -> Iterator[Figure]:
    """Everything in one run: `requests` random requests read back, `renders` of them played."""
    _need("mido", "music21")
    with Studio(settings) as studio:
        files = direct.files_of(studio, MODEL)
    folder = direct.scratch(settings)
    yield from _controls(files, folder, say, requests)
    yield from _beside_the_corpus(files, folder, say, requests)
    yield from _sound(files, folder, say, renders)


def _need(*packages: str) -> None:
    from importlib.util import find_spec

    for package in packages:
        if find_spec(package) is None:
            raise ModelUnavailable(
                f"The evaluation needs the package {package}.", f"Install it: pip install {package}."
            )


def _writer(files: ModelFiles) -> Any:
    from genai_studio.models.tunes.family import Tunes
    from genai_studio.models.tunes.weights import read_weights

    band: Any = Mute()
    return Tunes(read_weights(files.one("model.safetensors").parent), band, files.one(".onnx"))


def _made(writer: Any, params: TuneParams, folder: Path) -> Made:
    from genai_studio.score.formats.abc_writer import write_abc

    context = direct.DirectContext(folder, params.seed, 1)
    writer.generate(params, context)
    companions = context.drafts[0].companions
    score = read_document(companions["score"])
    abc = folder / "direct.abc"
    write_abc(score, abc)
    return Made(score, companions["midi"], companions["musicxml"], abc)


def _controls(files: ModelFiles, folder: Path, say: Callable[[str], None], requests: int) -> Iterator[Figure]:
    """Every control of every request, read back from the three files."""
    writer = _writer(files)
    counts: Counter[str] = Counter()
    broken = 0
    for number in range(requests):
        params = random_request(number)
        made = _made(writer, params, folder)
        readings = {
            "MIDI": read_midi(made.midi),
            "MusicXML": read_sheet(made.sheet),
            "ABC": read_sheet(made.abc),
        }
        verdict = kept(params, readings)
        counts.update(name for name, wrong in verdict.items() if not wrong)
        for name, wrong in verdict.items():
            if wrong and broken < _SHOWN:
                broken += 1
                say(f"Request {number}, {BROKEN.format(name=name, wrong=wrong)}")
        if (number + 1) % 25 == 0:
            say(f"{number + 1} of {requests} requests read back.")
    for name in CONTROLS:
        yield Figure(
            f"{name} kept", 100 * counts[name] / requests, "%", judged="value", limit=100, bound=BEST,
            note=f"{requests} random requests, read back from MIDI by mido, from MusicXML and ABC by music21",
        )  # fmt: skip


def _beside_the_corpus(files: ModelFiles, folder: Path, say: Callable[[str], None], requests: int) -> Iterator[Figure]:
    """How the tunes are spread, copied and foreseen, beside the old tunes that were held out of training."""
    from genai_studio.models.tunes import measure
    from genai_studio.models.tunes.data import read_corpus
    from genai_studio.models.tunes.readings import fixed_blanks
    from genai_studio.models.tunes.tokens import encode
    from genai_studio.models.tunes.train import corpus_folder

    corpus = read_corpus(corpus_folder())
    old = [source.tune for source in corpus.held_out][: max(1, requests)]
    training = [source.tune for source in corpus.training]
    writer = _writer(files)
    new = []
    for number, tune in enumerate(old):
        new.append(as_written(_made(writer, request_like(tune, number), folder).score))
        if (number + 1) % 50 == 0:
            say(f"{number + 1} of {len(old)} tunes written beside the held-out ones.")
    note = f"{len(new)} pieces, each with style, mode and metre of a held-out tune"
    ours, theirs = measure.spread(new, SCALES), measure.spread(old, SCALES)
    for name, unit in (("pitch_class_entropy", "bits"), ("in_scale", ""), ("groove", ""), ("notes_a_bar", "a bar"),
                       ("interval", "semitones")):  # fmt: skip
        title = name.replace("_", " ")
        yield Figure(title, getattr(ours, name), unit, getattr(theirs, name), "held-out tunes", note=note)
    ours_alike, theirs_alike = (
        overlap(intervals(new), intervals(old)),
        overlap(intervals(old[::2]), intervals(old[1::2])),
    )
    yield Figure(
        "overlap of the interval histograms", 100 * ours_alike, "%", 100 * theirs_alike,
        "two halves of the held-out tunes",
    )  # fmt: skip
    texts = [encode(source.tune) for source in corpus.held_out]
    yield Figure(
        "held-out loss", measure.network_loss(files.one("model.safetensors").parent, texts), "nats a note",
        measure.five_gram_loss([encode(tune) for tune in training], texts), "5-gram", "ratio", 1.0,
        note=f"{len(texts)} tunes",
    )  # fmt: skip
    filled, in_turn = measure.blank_losses(files.one("model.safetensors").parent, texts, fixed_blanks(texts))
    yield Figure("held-out loss in blank bars", filled, "nats a note", in_turn, "the same bars in their turn",
                 note="both sides in view, and only what comes before")  # fmt: skip
    copies, shared = measure.longest_copies(new, training), measure.longest_copies(old, training)
    yield Figure("longest run copied from training, median", median(copies), "notes", median(shared),
                 "held-out tunes share", note=f"longest of all {max(copies)}, held-out {max(shared)}")  # fmt: skip


def as_written(score: Score) -> Tune:
    """The melody's sections where each is first heard, in steps from the tonic, without introduction and tag."""
    tonic = min(
        (pitch for pitch in range(128) if pitch % 12 == score.key.pitch_class), key=lambda pitch: abs(pitch - 65)
    )
    header = Header(score.metre, style=score.style, mode=score.key.mode, pickup=score.pickup)
    heard: set[str] = set()
    sections = []
    for section in score.sections:
        if section.letter in heard or section.letter in (INTRODUCTION, TAG):
            continue
        heard.add(section.letter)
        first = score.pickup + section.first_bar * score.bar_ticks
        end = first + section.bars * score.bar_ticks - score.pickup
        notes = tuple(
            TuneNote(note.pitch - tonic, note.start - first, note.end - first)
            for note in score.melody
            if first - score.pickup <= note.start < end
        )
        sections.append(Section(section.bars, score.pickup, notes))
    return Tune(header, tuple(sections))


def intervals(tunes: Sequence[Tune]) -> Counter[int]:
    """How often each interval between neighbours occurs, in semitones, up positive, leaps beyond an octave as one."""
    return Counter(
        max(-13, min(13, after.step - before.step))
        for tune in tunes
        for section in tune.sections
        for before, after in pairwise(section.notes)
    )


def overlap(first: Counter[int], second: Counter[int]) -> float:
    """The share that two histograms have in common, 0 to 1."""
    return sum(min(first[size] / first.total(), second[size] / second.total()) for size in first | second)


def _sound(files: ModelFiles, folder: Path, say: Callable[[str], None], renders: int) -> Iterator[Figure]:
    """Loudness and true peak of `renders` pieces, measured on the files as they are given out."""
    import pyloudnorm
    import soundfile
    from scipy.signal import resample_poly

    from genai_studio.models.tunes.family import Tunes
    from genai_studio.score.sound.render import Band

    player = Tunes(_writer(files).network, Band(files.one(".sf2")), files.one(".onnx"))
    loud, peaks = [], []
    for number in range(renders):
        params = random_request(10_000 + number)
        context = direct.DirectContext(folder, params.seed, 1)
        player.generate(params, context)
        samples, rate = soundfile.read(str(context.drafts[0].path), dtype="float64")
        loud.append(pyloudnorm.Meter(rate).integrated_loudness(samples))
        peaks.append(20 * math.log10(max(1e-9, float(np.abs(resample_poly(samples, 4, 1, axis=0)).max()))))
        if (number + 1) % 10 == 0:
            say(f"{number + 1} of {renders} pieces played.")
    if not renders:
        return
    note = f"{renders} pieces; {min(loud):.2f} to {max(loud):.2f}"
    yield Figure("loudness, farthest from -16 LUFS", max(abs(value - LOUDNESS) for value in loud), "LU",
                 judged="value", limit=TOLERANCE, note=note)  # fmt: skip
    yield Figure("true peak, highest", max(peaks), "dB", judged="value", limit=PEAK, note=f"{renders} pieces")
