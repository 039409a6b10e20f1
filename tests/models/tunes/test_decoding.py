from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM

from genai_studio.models.tunes.decoding import Proposal, fill, filled_key, write
from genai_studio.models.tunes.form import form_of
from genai_studio.models.tunes.judgement import leads_on, rules
from genai_studio.models.tunes.network import load_network, save_network
from genai_studio.models.tunes.sampling import Row, choose, draw_all
from genai_studio.models.tunes.stepper import Stepper
from genai_studio.models.tunes.tokens import WORDS, Header, Section, Tune, TuneNote, encode, notes_at
from genai_studio.models.tunes.weights import Weights, read_weights
from tests.models.tunes.test_blanks import overlapping


def written(network: Weights, seed: int, bars: int = 12, temperature: float = 0.9) -> list[Proposal]:
    form = form_of(bars)
    header = Header("6/8", form.written_bars, "jig", "minor")
    return write(
        network, header, form, lowest=-7, highest=17, temperature=temperature, top_p=0.95, seed=seed, proposals=3
    )


def test_the_stepper_does_the_networks_own_sums(llama: LlamaForCausalLM, network: Weights) -> None:
    ids = torch.randint(0, len(WORDS), (3, 40), generator=torch.Generator().manual_seed(1))
    ids[:, :10] = ids[0, :10]
    with torch.no_grad():
        whole = llama(input_ids=ids).logits.numpy()
    stepper = Stepper(network, 3, 64)
    stepper.start(ids[0, :10].tolist())
    draw = random.Random(1)
    seen = 0
    while min(stepper.lengths) < 40:
        before = list(stepper.lengths)
        feeds = [ids[row, at : at + draw.randint(0, 4)].tolist() for row, at in enumerate(before)]
        if not any(feeds):
            continue
        answers = iter(stepper.feed(feeds))
        for row, at in enumerate(before):
            for place in range(at, at + len(feeds[row])):
                assert np.allclose(next(answers), whole[row, place], atol=1e-4)
                seen += 1
            if feeds[row] and draw.random() < 0.3:
                stepper.rewind(row, 1)  # what is fed again is heard again
    assert seen > 90


class _Anything:
    """Rules that leave every word open for a while."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.finished = False

    def allowed(self) -> tuple[str, ...]:
        return WORDS if len(self.words) % 7 else ("begin",)

    def push(self, word: str) -> None:
        self.words.append(word)
        self.finished = len(self.words) == 50


def test_guessing_ahead_changes_no_word(network: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for guesses in (0, 1, 5):
        monkeypatch.setattr("genai_studio.models.tunes.sampling.GUESSES", guesses)
        rules = [_Anything(), _Anything()]
        rows = [Row(rule, [number / 50 for number in range(50)]) for rule in rules]
        draw_all(Stepper(network, 2, 64), rows, 0.1, 0.9)
        found.append([rule.words for rule in rules])
    assert found[0] == found[1] == found[2]


def test_draws_follow_the_chances_and_keep_to_the_likeliest() -> None:
    logits = np.log(np.array([0.4, 0.05, 0.25, 0.2, 0.1]))
    allowed = np.array([0, 2, 3, 1])
    drawn = [choose(logits, allowed, 1.0, 1.0, (number + 0.5) / 900) for number in range(900)]
    assert [drawn.count(index) for index in (0, 1, 2, 3)] == pytest.approx([400, 50, 250, 200], abs=2)
    assert {choose(logits, allowed, 1.0, 0.6, number / 100) for number in range(100)} == {0, 2}
    assert {choose(logits, allowed, 0.0, 1.0, number / 100) for number in range(100)} == {0}


def test_same_seed_same_tunes_and_other_seed_others(network: Weights) -> None:
    first, again, other = written(network, 3), written(network, 3), written(network, 4)
    assert first == again
    assert first != other
    assert [proposal.score for proposal in first] == sorted((proposal.score for proposal in first), reverse=True)


def test_no_temperature_is_one_tune_whatever_the_seed(network: Weights) -> None:
    assert written(network, 1, temperature=0) == written(network, 2, temperature=0)
    assert len(written(network, 1, temperature=0)) == 1


@pytest.mark.parametrize("bars", [8, 36, 128])
def test_every_proposal_has_the_form(network: Weights, bars: int) -> None:
    form = form_of(bars)
    for proposal in written(network, bars, bars, temperature=2.0):
        assert [section.bars for section in proposal.tune.sections] == list(form.lengths.values())
        assert len(encode(proposal.tune)) <= 1024


def test_the_writer_may_be_stopped_at_any_token(network: Weights) -> None:
    calls = 0

    def stop(section: int, bars: int, note: TuneNote | None) -> None:
        nonlocal calls
        calls += 1
        if calls == 30:
            raise InterruptedError

    form = form_of(8)
    with pytest.raises(InterruptedError):
        write(network, Header("4/4", 8, "reel", "major"), form, lowest=-5, highest=16, temperature=1.0, top_p=1.0,
              seed=1, written=stop)  # fmt: skip
    assert calls == 30


def test_rules_prefer_steps_to_leaps() -> None:
    header = Header("2/4", 4, "march", "major")
    smooth = tuple(TuneNote(step, index * 24, index * 24 + 24) for index, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12)))
    wild = tuple(
        TuneNote(step, index * 24, index * 24 + 24) for index, step in enumerate((0, 19, 2, 21, -3, 16, 0, 24))
    )
    assert rules(Tune(header, (Section(4, 0, smooth),))) > rules(Tune(header, (Section(4, 0, wild),)))


def test_weights_survive_the_disk_for_training_and_for_writing(llama: LlamaForCausalLM, tmp_path: Path) -> None:
    save_network(llama, tmp_path)
    again, read = load_network(tmp_path), read_weights(tmp_path)
    ids = torch.arange(30)[None]
    with torch.no_grad():
        logits = again(input_ids=ids).logits
        assert torch.allclose(llama(input_ids=ids).logits, logits, atol=0.05)
    assert np.allclose(Stepper(read, 1, 30).feed([list(range(30))]), logits[0].numpy(), atol=1e-4)
    assert read.folder == str(tmp_path)
    assert not list(tmp_path.glob("*.bin"))


@pytest.mark.parametrize("fault", ["missing", "cut", "no json", "other words", "another network"])
def test_weights_that_cannot_be_read_are_refused(llama: LlamaForCausalLM, tmp_path: Path, fault: str) -> None:
    folder = tmp_path / "weights"
    save_network(llama, folder)
    stored = folder / "model.safetensors"
    if fault == "missing":
        stored.unlink()
    elif fault == "cut":
        stored.write_bytes(stored.read_bytes()[:5000])
    elif fault == "no json":
        (folder / "config.json").write_text("{")
    elif fault == "other words":
        save_file({**load_file(stored), "model.embed_tokens.weight": torch.zeros(9, 64)}, stored)
    else:
        save_file({"weight": torch.zeros(3)}, stored)
    with pytest.raises(OSError, match=r"weights|No such file"):
        read_weights(folder)


def refilled(network: Weights, tune: Tune, seed: int, *, temperature: float = 1.0) -> list[Proposal]:
    blanks = [(0, 2), (0, 3), (1, 7)]
    return fill(
        network, tune, blanks, lowest=-7, highest=17, temperature=temperature, top_p=0.95, seed=seed, proposals=3
    )


def test_bars_are_written_anew_and_nothing_else(network: Weights) -> None:
    tune = written(network, 5, 16)[0].tune
    first, again, other = refilled(network, tune, 1), refilled(network, tune, 1), refilled(network, tune, 2)
    assert first == again != other
    assert [proposal.score for proposal in first] == sorted((proposal.score for proposal in first), reverse=True)
    places = [(0, 2), (0, 3), (1, 7)]
    keys = {filled_key(proposal.tune, places) for proposal in first}
    assert len(keys) == 3
    assert filled_key(tune, places) not in keys
    kept = [(number, bar) for number in (0, 1) for bar in range(-1, 8) if (number, bar) not in places]
    for proposal in first:
        assert filled_key(proposal.tune, kept) == filled_key(tune, kept)
        assert not overlapping(proposal.tune)
        assert proposal.tune.sections[1].notes[-1].step % 12 == 0
    assert len(refilled(network, tune, 1, temperature=0)) == 1


def test_a_bar_with_one_way_to_be_filled_gives_fewer_proposals(network: Weights) -> None:
    tune = Tune(Header("2/4", 4, "march", "major"), (Section(4, 0, (TuneNote(0, 0, 4 * 48),)),))
    held = fill(network, tune, [(0, 2)], lowest=0, highest=12, temperature=1.0, top_p=1.0, seed=1, proposals=2)
    assert [proposal.tune for proposal in held] == [tune]
    with pytest.raises(ValueError, match="no section 3"):
        fill(network, tune, [(2, 0)], lowest=0, highest=12, temperature=1.0, top_p=1.0, seed=1)
    with pytest.raises(ValueError, match="tonic"):
        fill(network, tune, [(0, 0)], lowest=1, highest=11, temperature=1.0, top_p=1.0, seed=1)


def test_what_follows_a_blank_says_how_well_it_leads_on(llama: LlamaForCausalLM, network: Weights) -> None:
    tune = written(network, 5, 16)[0].tune
    places = [(0, 2), (0, 3)]
    others = [proposal.tune for proposal in fill(network, tune, places, lowest=-7, highest=17, temperature=1.0,
                                                 top_p=1.0, seed=1)]  # fmt: skip
    for one, found in zip([tune, *others], leads_on(network, [tune, *others], places), strict=True):
        ids = encode(one)
        with torch.no_grad():
            chances = torch.log_softmax(llama(input_ids=torch.tensor([ids])).logits[0], -1)
        words = [place for place, counts in enumerate(notes_at(ids, {(0, 4), (0, 5)})) if counts]
        assert {WORDS[ids[place - 1]].partition(":")[0] for place in words} > {"bar", "step"}
        assert found == pytest.approx(
            sum(float(chances[place - 1, ids[place]]) for place in words) / len(words), abs=1e-3
        )
    assert leads_on(network, [tune, *others], [(1, 7)]) == [0.0] * 4


def test_filling_reports_its_notes_and_may_be_stopped(network: Weights) -> None:
    tune = written(network, 5, 16)[0].tune
    heard: list[tuple[int, int, TuneNote]] = []

    def listen(section: int, bars: int, note: TuneNote | None) -> None:
        if note is not None:
            heard.append((section, bars, note))
        if len(heard) > 8:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fill(network, tune, [(1, bar) for bar in range(6)], lowest=-7, highest=17, temperature=1.0, top_p=1.0, seed=1,
             written=listen)  # fmt: skip
    assert {section for section, _, _ in heard} == {1}
    assert all(0 <= note.start < 6 * 72 for _, _, note in heard)
