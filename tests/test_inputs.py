"""Inputs of a request: records and assets, needed and optional, from the submission to the worker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from genai_studio.errors import InvalidInput, NotAllowed, NotFound
from genai_studio.models.catalog import DEMO_MODELS
from genai_studio.settings import Settings
from genai_studio.studio import Studio

WITHOUT_PIECE = replace(next(spec for spec in DEMO_MODELS if spec.id == "demo-music"), id="plain", optional_inputs=())


@pytest.fixture
def studio(settings: Settings) -> Studio:  # type: ignore[misc]
    with Studio(settings, inline=True, extra_models=[WITHOUT_PIECE]) as opened:
        yield opened  # type: ignore[misc]


def test_an_optional_input_may_be_left_out_and_an_unknown_one_may_not(studio: Studio) -> None:
    assert studio.request("demo-music", {"prompt": "a jig"}).inputs == {}
    with pytest.raises(InvalidInput, match="takes no input named 'piece'"):
        studio.request("plain", {"prompt": "a jig"}, {"piece": "x"})


def test_an_asset_is_an_input_but_no_parent(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "tune.mid"
    path.write_bytes(b"notes")
    name = studio.keep_asset(path)
    (record,) = studio.generate("demo-music", "a jig", inputs={"piece": name}, seed=3)
    assert record.recipe.request.inputs == {"piece": name}
    assert record.parents == []


def test_a_record_given_as_piece_is_the_parent(studio: Studio) -> None:
    (first,) = studio.generate("demo-music", "a jig", seed=3)
    (second,) = studio.generate("demo-music", "a jig", inputs={"piece": first.id}, seed=3)
    assert second.parents == [first.id]


def test_inputs_that_are_gone_or_somebody_elses_are_refused_before_the_queue(studio: Studio) -> None:
    (record,) = studio.generate("demo-music", "a jig", seed=3)
    for owner, source, error in (
        ("anna", record.id, NotAllowed),
        ("local", "0123456789abcdef0000-00", NotFound),
        ("local", "asset:" + "0" * 64, NotFound),
    ):
        request = studio.request("demo-music", {"prompt": "a jig"}, {"piece": source})
        with pytest.raises(error):
            studio.submit(request, owner)
