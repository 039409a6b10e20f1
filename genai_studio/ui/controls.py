"""Controls from a params class: one declaration in domain/fields.py gives title, help, bounds, group and widget here.
Nothing in this file names a parameter of a family or repeats a bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from genai_studio.domain.params import Params
from genai_studio.errors import InvalidInput

PROMPT = "prompt"
"""Has its own box above the panel, so the panel leaves it out."""
FEW = 4
"""Up to this many choices stand side by side; more go into a list."""

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Panel:
    """The controls of one params class as one kind of model uses it. `fields` are in the order of the class."""

    params: type[Params]
    hidden: frozenset[str]
    fields: dict[str, gr.components.Component]
    column: gr.Column
    dice: gr.Button | None = None
    recycle: gr.Button | None = None

    @property
    def key(self) -> str:
        """Names the panel in the browser's saved form."""
        return f"{self.params.__module__.rpartition('.')[2]}.{self.params.__name__}"

    def values(self, shown: Sequence[Any]) -> dict[str, Any]:
        """What the controls show, as the params class takes it. Sliders may give 4.0 for a whole number; nothing
        else is converted, so that the strict class judges it."""
        schema = properties(self.params)
        return {
            name: _whole(value) if resolved(schema[name]).get("type") == "integer" else value
            for name, value in zip(self.fields, shown, strict=True)
        }

    def defaults(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Starting value of each control: the class's, then the model's `own`."""
        schema = properties(self.params)
        return {name: own.get(name, schema[name].get("default")) for name in self.fields}

    def accept(self, saved: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Values of the controls from an old save: what is unknown or no longer allowed falls back to the default
        and is named in the second part."""
        start = self.defaults(own)
        kept = {name: value for name, value in saved.items() if name in self.fields}
        filler = {PROMPT: "-"} if PROMPT in self.params.model_fields else {}
        try:
            params, dropped = self.params.restore({**filler, **start, **kept})
        except InvalidInput:
            return start, sorted(kept)
        restored = params.model_dump(mode="json")
        return {name: start[name] if name in dropped else restored[name] for name in self.fields}, dropped


def build_panel(params: type[Params], hidden: Iterable[str], own: Mapping[str, Any], *, visible: bool) -> Panel:
    """Draw the controls of `params` without those in `hidden`: the essential ones open, the rest under "More"."""
    left_out = frozenset(hidden)
    schema = properties(params)
    names = [
        name
        for name in schema
        if name != PROMPT and name not in left_out and group_of(schema[name]) != "hidden" and drawable(schema[name])
    ]
    fields: dict[str, gr.components.Component] = {}
    dice = recycle = None
    with gr.Column(visible=visible, elem_classes="panel") as column:
        essential = [name for name in names if group_of(schema[name]) == "essential" and name != "seed"]
        for name in essential:
            fields[name] = build_control(schema[name], own.get(name, schema[name].get("default")))
        if "seed" in names:
            with gr.Row(elem_classes="seed-row"):
                fields["seed"] = build_control(schema["seed"], own.get("seed", schema["seed"].get("default")))
                dice = gr.Button("Random", size="sm", elem_classes="quiet", min_width=0)
                recycle = gr.Button("Last used", size="sm", elem_classes="quiet", min_width=0)
        more = [name for name in names if group_of(schema[name]) == "more" and name != "seed"]
        if more:
            with gr.Accordion("More", open=False, elem_classes="more"):
                for name in more:
                    fields[name] = build_control(schema[name], own.get(name, schema[name].get("default")))
    return Panel(params, left_out, fields, column, dice, recycle)


def build_control(schema: Schema, value: Any) -> gr.components.Component:
    """The Gradio component that fits one property of a JSON schema."""
    field = resolved(schema)
    title, help_text = schema.get("title", ""), schema.get("description") or None
    hints = schema.get("panel") or {}
    widget, kind = hints.get("widget", "auto"), field.get("type")
    if "enum" in field:
        choices = [(option_title(option), option) for option in field["enum"]]
        if len(choices) <= FEW:
            return gr.Radio(choices, value=value, label=title, info=help_text)
        return gr.Dropdown(choices, value=value, label=title, info=help_text)
    if kind == "boolean":
        return gr.Checkbox(value=bool(value), label=title, info=help_text)
    if kind in {"integer", "number"}:
        low, high = _low(field, hints), field.get("maximum")
        if widget == "seed" or low is None or high is None:
            return gr.Number(value, label=title, info=help_text, precision=0 if kind == "integer" else None)
        step = hints.get("step") or (1 if kind == "integer" else 0.01)
        return gr.Slider(low, high, value=value, step=step, label=title, info=help_text, buttons=[])
    lines = 2 if widget == "lines" else 1
    return gr.Textbox(value or "", label=title, info=help_text, lines=lines, max_lines=4 * lines)


def properties(params: type[Params]) -> dict[str, dict[str, Any]]:
    """The JSON schema of each field, by name."""
    found: dict[str, dict[str, Any]] = params.model_json_schema()["properties"]
    return found


def resolved(schema: Schema) -> Schema:
    """The part that says the type: of "this or null", this."""
    for option in schema.get("anyOf", ()):
        if option.get("type") != "null":
            return {**schema, **option}
    return schema


def group_of(schema: Schema) -> str:
    return str((schema.get("panel") or {}).get("group", "more"))


def drawable(schema: Schema) -> bool:
    """Lists and nested objects (a conversation) have no control; their tab draws them."""
    return "enum" in resolved(schema) or resolved(schema).get("type") in {"string", "integer", "number", "boolean"}


def option_title(option: Any) -> str:
    """How a choice reads: "transparent" as "Transparent", "" as "Any"; translated like every label."""
    if isinstance(option, str):
        words = option.replace("_", " ")
        return words[:1].upper() + words[1:] if words else "Any"
    return str(option)


def _low(field: Schema, hints: Mapping[str, Any]) -> float | None:
    """A slider cannot leave its end out, so an exclusive minimum starts one step above."""
    if "exclusiveMinimum" in field:
        low: float = field["exclusiveMinimum"] + (hints.get("step") or 0.01)
        return low
    return field.get("minimum")


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
