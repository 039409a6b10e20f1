"""The evaluation itself: its requests can be made, its readers read, and it says so where a promise is broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import pytest

from genai_studio.bench import EVALUATIONS, evaluate
from genai_studio.bench.direct import DirectContext
from genai_studio.bench.evaluation.promises import CONTROLS, kept
from genai_studio.bench.evaluation.readback import Reading, read_midi, read_sheet
from genai_studio.bench.evaluation.requests import random_request
from genai_studio.bench.evaluation.tunes import Mute, as_written, intervals, overlap
from genai_studio.errors import InvalidInput
from genai_studio.models.tunes.controls import decide
from genai_studio.models.tunes.customs import STYLE_METRES
from genai_studio.models.tunes.examples import PROMPTS, picture
from genai_studio.models.tunes.family import Tunes
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import Wishes, read_prompt
from genai_studio.score.document import read_document
from genai_studio.score.formats.abc_writer import write_abc
from genai_studio.score.model import Score
from genai_studio.settings import Settings

VALUES: dict[str, Any] = {
    "style": "march", "metre": "2/4", "key": "Eb", "mode": "dorian", "tempo_bpm": 97, "bars": 24, "form": "AB",
    "introduction": "4 bars", "ending": "tag", "pitch_range": "low", "accompaniment": "piano", "instrument": "flute",
    "seed": 3,
}  # fmt: skip


def test_random_requests_can_be_made_and_differ() -> None:
    drawn = [random_request(seed) for seed in range(300)]
    assert drawn[:3] == [random_request(seed) for seed in range(3)]
    for params in drawn:
        controls = decide(params.chosen(), Wishes(), params.seed)
        assert (controls.bars, controls.tempo, controls.form) == (params.bars, params.tempo_bpm, params.form)
    for field in ("style", "key", "mode", "metre", "form", "accompaniment", "instrument", "pitch_range", "ending"):
        assert len({getattr(params, field) for params in drawn}) >= 3, field


@pytest.fixture(scope="module")
def made(tunes: Tunes, tmp_path_factory: pytest.TempPathFactory) -> tuple[TuneParams, Score, dict[str, Reading]]:
    """One piece of the untrained network, read back from all three files."""
    folder = tmp_path_factory.mktemp("read")
    params = TuneParams.parse(VALUES)
    band: Any = Mute()
    context = DirectContext(folder, params.seed, 1)
    Tunes(tunes.network, band, tunes.listener).generate(params, context)
    files = context.drafts[0].companions
    score = read_document(files["score"])
    write_abc(score, folder / "tune.abc")
    readings = {
        "MIDI": read_midi(files["midi"]),
        "MusicXML": read_sheet(files["musicxml"]),
        "ABC": read_sheet(folder / "tune.abc"),
    }
    return params, score, readings


def test_every_promise_is_held(made: tuple[TuneParams, Score, dict[str, Reading]]) -> None:
    params, _, readings = made
    assert kept(params, readings) == dict.fromkeys(CONTROLS, "")


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"key": "E"}, "key"),
        ({"mode": "major"}, "mode"),
        ({"metre": "4/4"}, "metre"),
        ({"tempo_bpm": 98}, "tempo"),
        ({"bars": 28}, "bars"),
        ({"form": "ABA"}, "form"),
        ({"introduction": "none"}, "form"),
        ({"ending": "plain"}, "form"),
        ({"pitch_range": "high"}, "range"),
    ],
)
def test_a_broken_promise_is_seen(
    made: tuple[TuneParams, Score, dict[str, Reading]], values: dict[str, object], broken: str
) -> None:
    assert kept(TuneParams.parse({**VALUES, **values}), made[2])[broken]


def test_a_wrong_bar_and_another_melody_are_seen(made: tuple[TuneParams, Score, dict[str, Reading]]) -> None:
    params, _, readings = made
    abc = readings["ABC"]
    assert kept(params, {**readings, "ABC": replace(abc, whole=False)})["bar lengths"]
    assert kept(params, {**readings, "ABC": replace(abc, melody=abc.melody[1:])})["melody in all files"]


def test_midi_is_read_by_what_it_says(tmp_path: Path) -> None:
    """A file that no part of the studio wrote: three bars of 3/4 in B minor after a pickup of one quarter."""
    file = mido.MidiFile(ticks_per_beat=96)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=600_000))
    track.append(mido.MetaMessage("key_signature", key="Bm"))
    track.append(mido.MetaMessage("time_signature", numerator=1, denominator=4))
    track.append(mido.Message("note_on", note=59, velocity=80))
    track.append(mido.Message("note_off", note=59, time=96))
    track.append(mido.MetaMessage("time_signature", numerator=3, denominator=4))
    track.append(mido.Message("note_on", note=66, velocity=80))
    track.append(mido.Message("note_on", note=66, velocity=0, time=96 * 8))
    path = tmp_path / "tune.mid"
    file.save(path)
    reading = read_midi(path)
    assert (reading.fifths, reading.metre, reading.bars) == (2, "3/4", 3)
    assert reading.quarters_per_minute == 100
    assert [(float(onset), float(length), pitch) for onset, length, pitch in reading.melody] == [(0, 1, 59), (1, 8, 66)]


def test_the_tune_is_taken_from_its_first_hearing(made: tuple[TuneParams, Score, dict[str, Reading]]) -> None:
    _, score, _ = made
    tune = as_written(score)
    assert [section.bars for section in tune.sections] == [8, 8]
    assert tune.notes[-1].step % 12 == 0
    assert intervals([tune]).total() == sum(len(section.notes) - 1 for section in tune.sections)


def test_histograms_overlap_by_what_they_share() -> None:
    assert overlap(Counter({1: 3, 2: 1}), Counter({1: 30, 2: 10})) == 1
    assert overlap(Counter({1: 1, 2: 1}), Counter({2: 5})) == 0.5
    assert overlap(Counter({1: 1}), Counter({2: 1})) == 0


def test_the_examples_can_be_made_and_show_what_there_is() -> None:
    made = [decide(TuneParams().chosen(), read_prompt(prompt), seed) for seed, prompt in enumerate(PROMPTS)]
    assert len(PROMPTS) == 24
    assert {controls.style for controls in made} == set(STYLE_METRES)
    assert len({controls.ensemble for controls in made}) >= 9
    assert len({controls.form for controls in made}) >= 3
    assert sum(not prompt.isascii() for prompt in PROMPTS) >= 6


def test_a_picture_is_notes_on_white(made: tuple[TuneParams, Score, dict[str, Reading]]) -> None:
    shown = picture(made[1])
    greys = shown.convert("L").histogram()
    assert shown.width == 900
    assert shown.height > 150
    assert greys[255] > 0.8 * sum(greys)
    assert sum(greys[:100]) > 1000


def test_an_unknown_model_has_no_evaluation(tmp_path: Path) -> None:
    settings = Settings.read({}, home=tmp_path)
    with pytest.raises(InvalidInput, match="no evaluation of 'sticker'"):
        list(evaluate(settings, "sticker", lambda _: None, requests=1, renders=0))
    assert set(EVALUATIONS) == {"tunes"}
