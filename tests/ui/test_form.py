"""The form: what the browser kept comes back, strange saves count as absent, and presets hold no seed."""

from __future__ import annotations

import pytest

from genai_studio.domain.modality import Modality
from genai_studio.errors import NotFound
from genai_studio.studio import Studio
from genai_studio.ui import presets
from genai_studio.ui.form import Form

MODALITY = Modality.IMAGE


def shown(form: Form, updates: dict) -> dict[str, object]:
    """What the controls show after `updates`."""
    panel = form.panels[0]
    return {name: updates[control]["value"] for name, control in panel.fields.items() if control in updates}


def test_what_was_shown_comes_back(form: Form) -> None:
    values = ["demo-image", "a fox", *(control.value for control in form.controls)]
    stored = dict(zip(form.store_names, values, strict=True))
    key = form.panels[0].key
    stored |= {f"{key}.count": 3, f"{key}.guidance_scale": 2.5}
    updates = form.restored(stored, "en")
    assert updates[form.prompt]["value"] == "a fox"
    assert shown(form, updates)["count"] == 3
    assert shown(form, updates)["guidance_scale"] == 2.5


@pytest.mark.parametrize(
    "stored",
    [
        None,
        7,
        "text",
        [],
        {"model": 9, "prompt": ["x"]},
        {"model": "gone"},
        {"image.DemoImageParams.count": "many", "image.DemoImageParams.seed": 2**64},
    ],
)
def test_a_strange_save_counts_as_absent(form: Form, stored: object) -> None:
    updates = form.restored(stored, "en")
    assert updates[form.model].value == "demo-image"
    assert shown(form, updates) == form.panels[0].defaults({})
    assert form.prompt not in updates


def test_reading_gives_the_model_the_prompt_and_what_is_shown(form: Form) -> None:
    spec, prompt, params = form.read(["demo-image", "a fox", *(control.value for control in form.controls)])
    assert (spec.id, prompt) == ("demo-image", "a fox")
    assert form.studio.request(spec.id, {**params, "prompt": prompt}).prompt == "a fox"
    with pytest.raises(NotFound):
        form.read(["nothing", "a fox", *(control.value for control in form.controls)])


def test_earlier_prompts_are_the_owners_newest_first_and_each_once(form: Form) -> None:
    for owner, prompt in [("local", "one"), ("local", "two"), ("local", "one"), ("bob", "secret")]:
        form.studio.generate("demo-image", prompt, owner=owner)
    form.studio.generate("demo-text", "not here")
    assert form.earlier_prompts("local") == ["one", "two"]
    assert form.ideas_for("demo-image", "bob")["history"] == ["secret"]


def test_the_last_seed_is_of_this_room(form: Form) -> None:
    assert form.last_seed("local") is None
    form.studio.generate("demo-image", "one", seed=41)
    form.studio.generate("demo-text", "two", seed=42)
    assert form.last_seed("local") == 41


def test_a_preset_sets_only_fields_of_the_panel_and_never_the_seed() -> None:
    own = presets.with_saved({}, "mine", {"seed": 5, "prompt": "x", "temperature": 0.3})
    assert own == {"mine": {"temperature": 0.3}}
    assert presets.values_of(Modality.TEXT, "mine", {"mine": {"seed": 5, "a": 1}}, ["a", "seed"]) == {"a": 1}
    assert presets.values_of(Modality.TEXT, "none", own, ["temperature"]) is None
    assert presets.values_of(Modality.TEXT, presets.BALANCED, own, ["temperature"]) == {}


def test_the_list_of_own_presets_has_an_end() -> None:
    own: dict[str, dict[str, object]] = {}
    for number in range(3 * presets.MOST):
        own = presets.with_saved(own, f"preset {number}", {"a": number})
    assert len(own) == presets.MOST
    assert f"preset {3 * presets.MOST - 1}" in own


@pytest.mark.parametrize("modality", list(Modality))
def test_built_in_presets_are_valid(studio: Studio, modality: Modality) -> None:
    spec = studio.default_model(modality)
    for name in presets.names(modality, {}):
        values = presets.values_of(modality, name, {}, presets.BUILT_IN[modality][name])
        assert values is not None
        assert studio.request(spec.id, {"prompt": "a fox", **values})
