"""What happens in a form: switching models, presets, seeds, ideas, "Use settings", and coming back after a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from genai_studio.errors import InvalidInput
from genai_studio.ui import presets
from genai_studio.ui.form import Form, Updates
from genai_studio.ui.i18n import language_of, say
from genai_studio.ui.shell import Shell, inform, owner_of, readable

QUIET: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
"""For events that answer at once: no spinner, no place in Gradio's own queue, not in the API's list."""


def wire_form(shell: Shell, form: Form) -> None:
    """Connect everything in `form` but Generate and Stop, which belong to the tab."""
    keep = keeper(form)
    _wire_model(shell, form, keep)
    _wire_presets(form, keep)
    _wire_seeds(form, keep)
    _wire_ideas(form, keep)
    _wire_inbox(shell, form, keep)
    gr.on([_typed(control) for control in form.inputs], **_keeping(form))


def _typed(control: Any) -> Any:
    """The event of a person's change. A text box tells of its input before its new value can be read; its change
    comes after."""
    return control.change if isinstance(control, gr.Textbox) else control.input


Keeper = Callable[[Any], Any]


def _keeping(form: Form) -> dict[str, Any]:
    return {
        "fn": None,
        "js": form.collect_js,
        "inputs": form.inputs,
        "outputs": form.saved,
        "trigger_mode": "multiple",
        "show_progress": "hidden",
        "api_visibility": "private",
    }


def keeper(form: Form) -> Keeper:
    """Chain onto an event that changed the form by itself, so that the browser keeps the new values."""
    return lambda event: event.then(**_keeping(form))


def _wire_model(shell: Shell, form: Form, keep: Keeper) -> None:
    @readable
    def switch(request: gr.Request, model: str) -> Updates:
        updates, _ = form.filled(model, {}, None, language_of(request))
        updates.pop(form.model)
        spec = form.studio.model(model)
        updates[form.model] = gr.Dropdown(info=form.summary(spec, language_of(request)))
        return {**updates, form.preset: presets.BALANCED, form.ideas: form.ideas_for(model, owner_of(request))}

    @readable
    def come_back(request: gr.Request, stored: Any, own: Any) -> Updates:
        updates = form.restored(stored, language_of(request))
        model = stored.get("model", "") if isinstance(stored, dict) else ""
        names = presets.names(form.modality, own if isinstance(own, dict) else {})
        return {
            **updates,
            form.preset: gr.Dropdown(choices=_preset_choices(names, request)),
            form.ideas: form.ideas_for(str(model), owner_of(request)),
        }

    keep(form.model.input(switch, form.model, [*form.outputs, form.ideas], **QUIET))
    shell.blocks.load(come_back, [form.saved, form.own_presets], [*form.outputs, form.ideas], **QUIET)


def _preset_choices(names: list[str], request: gr.Request) -> list[tuple[str, str]]:
    return [(say(name, language_of(request)), name) for name in names]


def _wire_presets(form: Form, keep: Keeper) -> None:
    @readable
    def use(name: str | None, own: Any, *values: Any) -> Updates:
        spec, _, _ = form.read(values)
        panel = form.panel_of(spec)
        found = presets.values_of(form.modality, name or "", own if isinstance(own, dict) else {}, panel.fields)
        if found is None:
            return {form.preset: gr.skip()}
        kept, _ = panel.accept(found, spec.defaults)
        return {panel.fields[field]: kept[field] for field in kept if field not in presets.NOT_KEPT}

    @readable
    def save(request: gr.Request, name: str | None, own: Any, *values: Any) -> Updates:
        name = (name or "").strip()
        if not name or len(name) > presets.LONGEST_NAME or name in presets.BUILT_IN[form.modality]:
            raise InvalidInput("Type a name of your own for the preset.", "It can have up to 60 characters.")
        spec, _, params = form.read(values)
        fields = form.panel_of(spec).fields
        shown = {field: value for field, value in params.items() if field in fields}
        own = presets.with_saved(own if isinstance(own, dict) else {}, name, shown)
        inform("Preset saved.", request)
        return {form.own_presets: own, form.preset: _listed(own, name, request)}

    @readable
    def delete(request: gr.Request, name: str | None, own: Any) -> Updates:
        if not isinstance(own, dict) or name not in own:
            raise InvalidInput("Only presets of your own can be deleted.")
        left = {key: value for key, value in own.items() if key != name}
        return {form.own_presets: left, form.preset: _listed(left, presets.BALANCED, request)}

    def _listed(own: dict[str, Any], chosen: str, request: gr.Request) -> gr.Dropdown:
        return gr.Dropdown(choices=_preset_choices(presets.names(form.modality, own), request), value=chosen)

    typed = [form.preset, form.own_presets]
    keep(form.preset.input(use, [*typed, *form.inputs], [form.preset, *form.controls], **QUIET))
    form.keep_preset.click(save, [*typed, *form.inputs], [form.own_presets, form.preset], **QUIET)
    form.drop_preset.click(delete, typed, [form.own_presets, form.preset], **QUIET)


def _wire_seeds(form: Form, keep: Keeper) -> None:
    @readable
    def last_used(request: gr.Request) -> Any:
        seed = form.last_seed(owner_of(request))
        if seed is None:
            inform("Nothing was made here yet.", request)
            return gr.skip()
        return seed

    for panel in form.panels:
        seed = panel.fields.get("seed")
        if panel.dice and panel.recycle and seed:
            keep(panel.dice.click(lambda: -1, None, seed, **QUIET))
            keep(panel.recycle.click(last_used, None, seed, **QUIET))


def _wire_ideas(form: Form, keep: Keeper) -> None:
    @readable
    def pick(event: gr.EventData) -> Any:
        return str(event.text)

    keep(form.ideas.pick(pick, None, form.prompt, **QUIET))


def _wire_inbox(shell: Shell, form: Form, keep: Keeper) -> None:
    @readable
    def receive(request: gr.Request, letter: Any) -> Updates:
        if not isinstance(letter, dict) or "model" not in letter:
            return {form.prompt: gr.skip()}
        params = dict(letter.get("params") or {})
        prompt = params.pop("prompt", None)
        known = {spec.id for spec in form.studio.models(modality=form.modality)}
        if letter["model"] not in known:
            inform("The model {model} is not here; its settings were put into another.", request, model=letter["model"])
        updates, dropped = form.filled(str(letter["model"]), params, prompt, language_of(request))
        unknown = [*letter.get("dropped", []), *(name for name in dropped if name != "prompt")]
        if unknown:
            inform("Not kept, because this model has no such setting: {names}.", request, names=", ".join(unknown))
        return updates

    keep(shell.inbox[form.modality].change(receive, shell.inbox[form.modality], form.outputs, **QUIET))
