"""Params: strict validation in one readable sentence, and reading old saves."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_studio.domain.fields import MAX_COUNT, MAX_PROMPT, MAX_SEED, Steps
from genai_studio.domain.image import ImageParams, UpscaleParams
from genai_studio.domain.music import MusicParams
from genai_studio.domain.params import Params
from genai_studio.domain.text import TextParams
from genai_studio.errors import InvalidInput

ALL = (ImageParams, UpscaleParams, MusicParams, TextParams)


def refusal(model: type[Params], **values: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        model.parse({"prompt": "x", **values} if "prompt" in model.model_fields else values)
    message = caught.value.message
    assert "\n" not in message
    assert "pydantic" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"num_inference_steps": 151}, "Steps is 151; allowed is from 1 to 150."),
        ({"num_inference_steps": 0}, "Steps is 0; allowed is from 1 to 150."),
        ({"num_inference_steps": True}, "Steps is True; allowed is a whole number from 1 to 150."),
        ({"num_inference_steps": "7"}, "Steps is '7'; allowed is a whole number from 1 to 150."),
        ({"num_inference_steps": 7.5}, "Steps is 7.5; allowed is a whole number from 1 to 150."),
        ({"num_inference_steps": None}, "Steps is None; allowed is a whole number from 1 to 150."),
        ({"guidance_scale": float("nan")}, "Guidance is nan; allowed is a finite number from 0.0 to 20.0."),
        ({"guidance_scale": float("inf")}, "Guidance is inf; allowed is a finite number from 0.0 to 20.0."),
        ({"guidance_scale": "4"}, "Guidance is '4'; allowed is a number from 0.0 to 20.0."),
        ({"seed": 2**64}, f"Seed is {2**64}; allowed is from -1 to {MAX_SEED}."),
        ({"seed": -2}, f"Seed is -2; allowed is from -1 to {MAX_SEED}."),
        ({"count": 17}, f"How many is 17; allowed is from 1 to {MAX_COUNT}."),
        ({"prompt": ""}, "Prompt is empty; type what you would like."),
        ({"prompt": " \n\t "}, "Prompt is empty; type what you would like."),
        ({"prompt": "a\0b"}, "Prompt has a NUL character, which no text can hold; remove it."),
        ({"prompt": 7}, "Prompt is 7; allowed is text."),
        ({"prompt": "x" * 100_000}, "Prompt has 100,000 characters; at most 20,000 are allowed."),
        ({"negative_prompt": "a\0"}, "Negative prompt has a NUL character, which no text can hold; remove it."),
    ],
)
def test_each_refusal_names_the_field_and_what_is_allowed(values, sentence):
    assert refusal(ImageParams, **values) == sentence


def test_half_a_character_is_refused_in_words():
    assert "Prompt" in refusal(ImageParams, prompt="\ud83d")


def test_an_unknown_parameter_names_the_known_ones():
    message = refusal(ImageParams, steps=4)
    assert "no parameter named 'steps'" in message
    assert "num_inference_steps" in message
    refusal(ImageParams, **{"x" * 10_000: 1})


def test_a_missing_prompt_is_said():
    with pytest.raises(InvalidInput, match=r"^Prompt is missing\.$"):
        ImageParams.parse({})
    assert MusicParams.parse({}).prompt == ""


def test_an_exclusive_bound_is_said_as_such():
    assert refusal(TextParams, top_p=0.0) == "Top-p is 0.0; allowed is above 0.0 to 1.0."


def test_a_wrong_choice_names_the_choices():
    assert refusal(UpscaleParams, scale=3) == "Enlarge is 3; allowed is 2 or 4."
    assert refusal(UpscaleParams, count=2) == "How many is 2; allowed is from 1 to 1."


def test_the_conversation_is_checked_as_strictly():
    for turns in (
        [{"role": "system", "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": "x", "more": 1}],
        [{"role": "user", "content": "a\0"}],
        [{"role": "user", "content": 1}],
        ["hello"],
        "hello",
        None,
        [{"role": "user", "content": "x"}] * 1001,
    ):
        assert "Conversation" in refusal(TextParams, messages=turns)


@given(st.text(min_size=1, max_size=200).filter(lambda text: text.strip() and "\0" not in text))
def test_any_other_text_stays_as_it_is(text):
    """Emoji, right-to-left marks and markup are the person's own text."""
    assert ImageParams.parse({"prompt": text}).prompt == text


@given(
    st.sampled_from(["num_inference_steps", "guidance_scale", "seed", "count"]),
    st.one_of(
        st.integers(),
        st.floats(),
        st.booleans(),
        st.text(),
        st.none(),
        st.lists(st.integers(), max_size=2),
        st.binary(),
    ),
)
def test_whatever_comes_is_taken_as_it_is_or_refused_in_one_sentence(name, value):
    try:
        params = ImageParams.parse({"prompt": "x", name: value})
    except InvalidInput as error:
        assert "\n" not in error.message  # noqa: PT017
    else:
        assert getattr(params, name) == value
        assert not isinstance(value, (bool, str))


@pytest.mark.parametrize("model", ALL)
def test_saved_and_read_again_it_is_the_same(model):
    params = model.parse({"prompt": "x", "seed": 5} if "prompt" in model.model_fields else {"seed": 5})
    saved = json.loads(params.model_dump_json())
    assert model.restore(saved) == (params, [])


def test_an_old_save_loses_only_what_is_gone_or_out_of_bounds():
    saved = {"prompt": "x", "sampler": "euler", "num_inference_steps": 9000, "guidance_scale": 3.0, "seed": "7"}
    params, dropped = ImageParams.restore(saved)
    assert sorted(dropped) == ["num_inference_steps", "sampler", "seed"]
    assert params == ImageParams.parse({"prompt": "x", "guidance_scale": 3.0})


@given(st.dictionaries(st.sampled_from([*ImageParams.model_fields, "gone"]), st.integers() | st.text() | st.none()))
def test_restore_gives_valid_params_or_a_sentence(saved):
    try:
        params, dropped = ImageParams.restore(saved)
    except InvalidInput:
        assert (
            not str(saved.get("prompt") or "").strip()
            or not isinstance(saved["prompt"], str)
            or "\0" in saved["prompt"]
        )
    else:
        assert ImageParams.parse(params.model_dump()) == params
        assert set(dropped) <= saved.keys()
        for name in saved.keys() - set(dropped):
            assert getattr(params, name) == saved[name]


def test_params_cannot_be_changed_afterwards():
    params = ImageParams.parse({"prompt": "x"})
    with pytest.raises(ValueError, match="frozen"):
        params.seed = 3  # type: ignore[misc]


def test_a_subclass_with_the_alias_keeps_the_bounds():
    class Quick(ImageParams):
        num_inference_steps: Steps = 4

    assert Quick.parse({"prompt": "x"}).num_inference_steps == 4
    assert "from 1 to 150" in refusal(Quick, num_inference_steps=999)


@pytest.mark.parametrize("model", ALL)
def test_every_field_says_where_it_stands_on_the_panel(model):
    for name, schema in model.model_json_schema()["properties"].items():
        assert schema["title"], name
        assert schema["description"].endswith("."), name
        assert schema["panel"]["group"] in {"essential", "more", "hidden"}, name


def test_the_longest_prompt_is_allowed():
    assert len(ImageParams.parse({"prompt": "x" * MAX_PROMPT}).prompt) == MAX_PROMPT
