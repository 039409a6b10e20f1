from __future__ import annotations

import pytest
import torch
from transformers import LlamaForCausalLM

from genai_studio.models.tunes.decoding import Proposal, rules, write
from genai_studio.models.tunes.form import form_of
from genai_studio.models.tunes.network import Stepper, load_network, save_network
from genai_studio.models.tunes.tokens import WORDS, Header, Section, Tune, TuneNote, encode


def written(network: LlamaForCausalLM, seed: int, bars: int = 12, temperature: float = 0.9) -> list[Proposal]:
    form = form_of(bars)
    header = Header("6/8", form.written_bars, "jig", "minor")
    return write(
        network, header, form, lowest=-7, highest=17, temperature=temperature, top_p=0.95, seed=seed, proposals=3
    )


def test_the_stepper_does_the_networks_own_sums(network: LlamaForCausalLM) -> None:
    ids = torch.randint(0, len(WORDS), (3, 40), generator=torch.Generator().manual_seed(1))
    stepper = Stepper(network, 3, 64)
    stepped = torch.stack([stepper.step(ids[:, place]) for place in range(40)], 1)
    with torch.no_grad():
        whole = network(input_ids=ids).logits
    assert torch.allclose(stepped, whole, atol=1e-4)


def test_same_seed_same_tunes_and_other_seed_others(network: LlamaForCausalLM) -> None:
    first, again, other = written(network, 3), written(network, 3), written(network, 4)
    assert first == again
    assert first != other
    assert [proposal.score for proposal in first] == sorted((proposal.score for proposal in first), reverse=True)


def test_no_temperature_is_one_tune_whatever_the_seed(network: LlamaForCausalLM) -> None:
    assert written(network, 1, temperature=0) == written(network, 2, temperature=0)
    assert len(written(network, 1, temperature=0)) == 1


@pytest.mark.parametrize("bars", [8, 36, 64])
def test_every_proposal_has_the_form(network: LlamaForCausalLM, bars: int) -> None:
    form = form_of(bars)
    for proposal in written(network, bars, bars, temperature=2.0):
        assert [section.bars for section in proposal.tune.sections] == list(form.lengths.values())
        assert len(encode(proposal.tune)) <= 1024


def test_the_writer_may_be_stopped_at_any_token(network: LlamaForCausalLM) -> None:
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


def test_weights_survive_the_disk(network: LlamaForCausalLM, tmp_path) -> None:  # type: ignore[no-untyped-def]
    save_network(network, tmp_path)
    again = load_network(tmp_path)
    ids = torch.arange(30)[None]
    with torch.no_grad():
        assert torch.allclose(network(input_ids=ids).logits, again(input_ids=ids).logits, atol=0.05)
    assert not list(tmp_path.glob("*.bin"))
