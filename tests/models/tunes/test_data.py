from __future__ import annotations

import random
from pathlib import Path

import pytest

from genai_studio.models.tunes.data import manifest, read_corpus, tune_from_print
from genai_studio.models.tunes.readings import (
    IGNORED,
    draw_blanks,
    fixed_blanks,
    reading,
    training_batches,
    with_blanks,
)
from genai_studio.models.tunes.tokens import ANY, IDS, WORDS, decode, encode
from genai_studio.models.tunes.train import prepare, train
from genai_studio.score.formats.abc import AbcError, parse_tune

JIG = """X:1
T:The First -- Jig
M:6/8
L:1/8
K:G
D|GBd GBd|cec B3|cec BdB|AFD D2D|GBd GBd|cec B3|cBA DEF|G3 G2:|
|:d|gfg dBd|gfg a2f|gfe dcB|AFD D2d|gfg dBd|gfg a2f|gfe dcA|G3 G2:|
"""


def reel(number: int) -> str:
    draw = random.Random(number)
    bars = ["".join(draw.choice("GABcdefg") for _ in range(8)) for _ in range(15)]
    line = "|".join(bars[:8])
    second = "|".join([*bars[8:], "G4 G4"])
    head = f"X:{number}\nT:Number {chr(64 + number) * 6}\nR:reel\nM:C|\nL:1/8\nK:G\n"
    return f"{head}{line}:|\n|:{second}:|\n"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for name in ("ryansMammoth", "oneills1850", "airdsAirs"):
        (folder / name).mkdir()
    (folder / "ryansMammoth" / "one.abc").write_text("\n\n".join([JIG, *(reel(number) for number in range(2, 22))]))
    again = JIG.replace("X:1", "X:9").replace("The First", "Another Name").replace("cBA DEF", "cBA DFA")
    (folder / "airdsAirs" / "book.abc").write_text(JIG.replace("X:1", "X:5") + "\n" + again)
    return folder


def test_a_printed_jig_becomes_two_sections_with_an_upbeat() -> None:
    tune = tune_from_print(parse_tune(JIG), "ryansMammoth")
    header = tune.header
    assert (header.style, header.mode, header.metre, header.pickup, header.bars) == ("jig", "major", "6/8", 12, 16)
    assert [(section.bars, section.pickup) for section in tune.sections] == [(8, 12), (8, 12)]
    assert tune.sections[0].notes[0].step == -5
    assert tune.sections[1].notes[-1].step == 0
    assert decode(encode(tune)) == tune


def test_a_reel_printed_in_sixteenths_is_read_in_eighths() -> None:
    text = "X:1\nT:R\nR:reel\nM:2/4\nL:1/16\nK:D\nABcd efga|ABcd efga|ABcd efga|d4 d4:|"
    tune = tune_from_print(parse_tune(text), "ryansMammoth")
    assert tune.header.metre == "4/4"
    assert tune.sections[0].notes[0].end == 12


def test_a_major_signature_over_a_minor_tune_is_seen_through() -> None:
    text = "X:1\nT:R\nM:6/8\nL:1/8\nK:G\nEGB e2B|EGB e2e|BAG FGA|E3 E3|EGB e2B|EGB e2e|BAG FGA|E3 E3:|"
    assert tune_from_print(parse_tune(text), "oneills1850").header.mode == "minor"


@pytest.mark.parametrize("body", ["ABcd efg|ABcd|", "M:5/4\nABcd|", "A/7B/7cdef|" * 8])
def test_what_does_not_fit_is_left_out(body: str) -> None:
    with pytest.raises(AbcError):
        tune_from_print(parse_tune("X:1\nT:T\nM:4/4\nL:1/8\nK:C\n" + body), "airdsAirs")


def test_twins_are_dropped_or_stay_on_one_side(corpus: Path) -> None:
    found = read_corpus(corpus, held_out_share=0.3)
    assert found.left_out["The same tune is printed twice."] >= 1
    assert found.training
    assert found.held_out
    sides = {}
    for row in manifest(found):
        if "First" in str(row["title"]) or "Another" in str(row["title"]):
            sides[row["number"]] = row["split"]
    assert len(set(sides.values())) == 1


def test_readings_of_a_tune_stay_in_the_vocabulary() -> None:
    tune = tune_from_print(parse_tune(JIG), "ryansMammoth")
    assert (tune.header.form, tune.header.range) == ("AB", "wide")
    readings = {tuple(reading(tune, random.Random(seed))) for seed in range(60)}
    assert len(readings) > 40
    headers = [decode(list(ids)).header for ids in readings]
    assert any(header.style == ANY for header in headers)
    assert {header.metre for header in headers} == {"6/8"}
    assert 20 < sum(IDS["fill"] in ids for ids in readings) < 40
    ids, wanted = next(training_batches([tune] * 6, 1024, 1))
    assert ids.max() < len(WORDS)
    learned = {WORDS[index] for index in wanted[wanted != IGNORED].tolist()}
    assert not any(word.startswith("blank:") or word == "pad" for word in learned)
    assert ids.shape == wanted.shape


def test_blanks_are_bars_of_the_tune() -> None:
    tune = tune_from_print(parse_tune(JIG), "ryansMammoth")
    places = {(number, bar) for number in (0, 1) for bar in range(-1, 8)}
    drawn = [draw_blanks(tune, random.Random(seed)) for seed in range(50)]
    assert all(blanks <= places for blanks in drawn)
    assert {len(blanks) for blanks in drawn} > {1, 5, 9}
    texts = [encode(tune)] * 4
    assert with_blanks(texts) == with_blanks(texts)
    assert all(decode(ids).sections == tune.sections for ids in with_blanks(texts))
    assert all(fixed_blanks(texts))


def test_prepare_and_a_few_steps_of_training_and_going_on(corpus: Path, tmp_path: Path) -> None:
    prepare(output=tmp_path / "data", corpus=corpus)
    assert (tmp_path / "data" / "provenance.tsv").read_text().count("\n") >= 20
    weights, work = tmp_path / "weights", tmp_path / "work"
    options = {"prepared": tmp_path / "data", "output": weights, "work": work, "batch_tokens": 256, "report_every": 1}
    first = train(steps=1, **options)
    assert (weights / "model.safetensors").exists()
    second = train(steps=2, start=weights, **options)
    assert (first.steps, second.steps) == (1, 2)
    assert second.parameters > 5_000_000
