"""The weights that come with the studio: small, safe to read, and pieces made with them keep what was asked for."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import mido
import music21
import pytest

from genai_studio.models.tunes.composing import composed, form_for, header_for
from genai_studio.models.tunes.controls import STYLE_METRES, decide
from genai_studio.models.tunes.decoding import Proposal, write
from genai_studio.models.tunes.examples import WEIGHTS
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import Wishes
from genai_studio.models.tunes.weights import Weights, read_weights
from genai_studio.score.formats.midi import write_midi
from genai_studio.score.formats.musicxml import write_musicxml
from genai_studio.score.model import KEYS, SCALES, Score


@pytest.fixture(scope="module")
def trained() -> Weights:
    return read_weights(WEIGHTS)


def piece(network: Weights, params: TuneParams) -> tuple[Score, Proposal]:
    controls = decide(params.chosen(), Wishes(), params.seed)
    form = form_for(controls)
    header = header_for(controls, form)
    best = write(network, header, form, lowest=controls.lowest, highest=controls.highest, seed=params.seed,
                 temperature=params.temperature, top_p=params.top_p, proposals=2)[0]  # fmt: skip
    return composed(controls, form, best.tune, 1), best


def test_files() -> None:
    weights = WEIGHTS / "model.safetensors"
    assert weights.stat().st_size < 30_000_000
    assert not [path for path in WEIGHTS.rglob("*") if path.suffix in {".bin", ".pt", ".pkl", ".ckpt"}]
    assert (WEIGHTS / "README.md").read_text(encoding="utf-8").count("\n") > 30
    assert len((WEIGHTS / "provenance.tsv").read_text(encoding="utf-8").splitlines()) > 3000


@pytest.mark.parametrize("seed", range(6))
def test_what_was_asked_for_is_in_the_files(seed: int, trained: Weights, tmp_path: Path) -> None:
    draw = random.Random(seed)
    style = draw.choice(list(STYLE_METRES))
    metre = draw.choice(STYLE_METRES[style])
    key, mode = draw.choice(KEYS), draw.choice(list(SCALES))
    bars, tempo = draw.choice((8, 12, 16)), draw.randrange(40, 241)
    params = TuneParams.parse(
        {"style": style, "metre": metre, "key": key, "mode": mode, "bars": bars, "tempo_bpm": tempo, "seed": seed}
    )
    score, best = piece(trained, params)
    write_midi(score, tmp_path / "a.mid")
    write_musicxml(score, tmp_path / "a.musicxml")
    midi = mido.MidiFile(tmp_path / "a.mid")
    beats, unit = (int(number) for number in metre.split("/"))
    quarters = 4 * beats / unit
    beat = 1.5 if unit == 8 else 1.0
    assert midi.length == pytest.approx(bars * quarters / (tempo * beat) * 60, abs=0.3)
    read = music21.converter.parse(tmp_path / "a.musicxml").parts[0]
    measures = [measure for measure in read.getElementsByClass("Measure") if measure.number > 0]
    assert len(measures) == bars
    assert all(measure.duration.quarterLength == quarters for measure in measures[:-1])
    assert read.recurse().getElementsByClass("MetronomeMark").first().number == tempo
    notes = [note for note in read.flatten().notes if note.isNote]
    assert notes[-1].pitch.pitchClass == KEYS.index(key)
    scale = {(KEYS.index(key) + step) % 12 for step in SCALES[mode]}
    assert sum(note.pitch.pitchClass in scale for note in notes) / len(notes) > 0.8
    assert best.likelihood > -1.5  # an untrained network stands near -5


def test_tunes_move_mostly_by_small_steps(trained: Weights) -> None:
    _, best = piece(trained, TuneParams(style="jig", mode="major", bars=16, seed=5))
    leaps = [abs(after.step - before.step) for before, after in pairwise(best.tune.notes)]
    assert sum(leaps) / len(leaps) < 4.5
    assert max(leaps) <= 16
