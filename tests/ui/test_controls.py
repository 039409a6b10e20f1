"""Every control comes from its field: title, help, bounds, start value; what a model ignores is not there."""

from __future__ import annotations

from typing import Annotated, Literal

import gradio as gr
import pytest
from pydantic import Field

from genai_studio.domain.fields import Steps, TopP, panel
from genai_studio.domain.params import Params
from genai_studio.models.base import family_of
from genai_studio.models.catalog import DEMO_MODELS, MODELS
from genai_studio.ui.controls import Panel, build_panel, drawable, group_of, properties, resolved

Mood = Annotated[
    Literal["calm", "wild", "sad", "gay", ""], Field(title="Mood", description="How.", json_schema_extra=panel("more"))
]
Loud = Annotated[bool, Field(title="Loud", description="Or not.", json_schema_extra=panel("essential"))]


class Sample(Params):
    prompt: str = ""
    num_inference_steps: Steps = 7
    top_p: TopP = 0.5
    mood: Mood = "calm"
    loud: Loud = True


def panel_for(params: type[Params], hidden: tuple[str, ...] = (), **own: object) -> Panel:
    with gr.Blocks():
        return build_panel(params, hidden, own, visible=True)


@pytest.mark.parametrize("spec", [*MODELS, *DEMO_MODELS], ids=lambda spec: spec.id)
def test_each_control_says_what_its_field_says(spec) -> None:
    params = family_of(spec).params
    schema = properties(params)
    built = panel_for(params, tuple(spec.hidden), **spec.defaults)
    expected = {
        name
        for name, field in schema.items()
        if name not in spec.hidden | {"prompt"} and group_of(field) != "hidden" and drawable(field)
    }
    assert set(built.fields) == expected
    for name, control in built.fields.items():
        field = resolved(schema[name])
        assert control.label == field["title"]
        assert control.info == field["description"]
        assert control.value == spec.defaults.get(name, schema[name].get("default"))
        if isinstance(control, gr.Slider):
            assert control.maximum == field["maximum"]
            assert control.minimum == field.get("minimum", control.minimum)
            assert control.minimum > field.get("exclusiveMinimum", control.minimum - 1)
        if "enum" in field:
            assert [value for _, value in control.choices] == field["enum"]


def test_what_the_controls_show_at_the_start_is_valid_for_every_model() -> None:
    for spec in [*MODELS, *DEMO_MODELS]:
        params = family_of(spec).params
        built = panel_for(params, tuple(spec.hidden), **spec.defaults)
        values = built.values([control.value for control in built.fields.values()])
        prompt = {"prompt": "a fox"} if "prompt" in params.model_fields else {}
        assert params.parse({**spec.defaults, **values, **prompt})


def test_hidden_fields_and_the_prompt_have_no_control() -> None:
    assert set(panel_for(Sample, ("top_p", "count")).fields) == {"num_inference_steps", "mood", "loud", "seed"}


def test_many_choices_are_a_list_and_an_empty_one_is_named() -> None:
    control = panel_for(Sample).fields["mood"]
    assert isinstance(control, gr.Dropdown)
    assert ("Any", "") in control.choices
    assert ("Calm", "calm") in control.choices


def test_only_whole_numbers_of_whole_fields_are_converted() -> None:
    built = panel_for(Sample)
    shown = {"seed": 7.0, "count": 2.0, "num_inference_steps": 7.5, "top_p": 1.0, "mood": "calm", "loud": True}
    values = built.values([shown[name] for name in built.fields])
    assert values["seed"] == 7
    assert type(values["seed"]) is int
    assert values["num_inference_steps"] == 7.5
    assert type(values["top_p"]) is float
    assert values["loud"] is True


def test_an_old_save_keeps_what_is_still_allowed_and_names_the_rest() -> None:
    built = panel_for(Sample)
    values, dropped = built.accept(
        {"num_inference_steps": 9, "top_p": 40.0, "mood": "angry", "gone": 1}, {"top_p": 0.25}
    )
    assert values["num_inference_steps"] == 9
    assert values["top_p"] == 0.25
    assert values["mood"] == "calm"
    assert set(dropped) == {"top_p", "mood"}


def test_a_save_that_is_no_save_gives_the_defaults() -> None:
    built = panel_for(Sample)
    values, _ = built.accept({"seed": "x", "count": None, "top_p": float("nan")}, {})
    assert values == built.defaults({})
