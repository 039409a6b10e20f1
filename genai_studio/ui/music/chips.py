"""Chips: what the prompt asks for and what the form sets, live below the prompt, each to be changed or taken away.

A chip of the prompt that is changed becomes a setting of the form, which goes before the prompt; one that is taken away
takes its words out of the prompt.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes.composing import form_for
from genai_studio.models.tunes.controls import AUTO, decide
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import Found, found, read_prompt
from genai_studio.models.tunes.surprise import surprise
from genai_studio.ui.controls import Panel, option_title, properties, resolved
from genai_studio.ui.form import Form, Updates
from genai_studio.ui.form_events import QUIET, keeper
from genai_studio.ui.i18n import language_of, say
from genai_studio.ui.shell import Shell, readable

if TYPE_CHECKING:
    from genai_studio.models.base import ModelSpec

ORDER = (
    "style", "mood", "key", "mode", "metre", "tempo_bpm", "pace", "bars", "seconds", "form", "introduction", "ending",
    "accompaniment", "instrument", "pitch_range", "density", "variation",
)  # fmt: skip
"""The controls that a prompt can speak of, as the chips stand."""
PANEL = "panel"
MOST_SEED = 2**31


class Chips:
    def __init__(self, shell: Shell, form: Form, row: gr.HTML) -> None:
        self.shell, self.form, self.row = shell, form, row

    def wire(self) -> None:
        """Follow the prompt and the panel; take changes back into them."""
        form = self.form
        told = [form.prompt.change, form.model.change, *(control.change for control in form.controls)]
        reading = {**QUIET, "trigger_mode": "always_last"}
        gr.on(told, readable(self.read), form.inputs, self.row, **reading)
        self.shell.blocks.load(readable(self.read), form.inputs, self.row, **reading)
        keep = keeper(form)
        keep(self.row.wish(readable(self.change), form.inputs, form.controls, **QUIET))
        keep(self.row.remove(readable(self.remove), form.inputs, [form.prompt, *form.controls], **QUIET))
        keep(self.row.surprise(readable(self.surprise), form.inputs, [form.prompt, *form.controls], **QUIET))

    def read(self, request: gr.Request, *values: Any) -> dict[str, Any]:
        """Value of the row for what the form holds."""
        spec, typed, params = self.form.read(values)
        panel, prompt = self.form.panel_of(spec), typed or ""
        if "style" not in panel.fields:
            return {}
        language = language_of(request)
        problem, asked = "", []
        try:
            asked = found(prompt)
            _judged(panel, prompt, params)
        except InvalidInput as error:
            problem = " ".join(filter(None, (say(error.message, language), say(error.hint, language))))
        wishes = {wish.field: wish for wish in asked if wish.field in panel.fields}
        wishes |= {field: Found(field, params[field], "", PANEL) for field in self.set_in(panel, spec, params)}  # type: ignore[arg-type]
        return {
            "wishes": [_chip(wishes[field], panel, language) for field in ORDER if field in wishes],
            "problem": problem,
            "surprising": True,
        }

    def set_in(self, panel: Panel, spec: ModelSpec, params: dict[str, Any]) -> list[str]:
        """The fields that the panel itself decides."""
        start = panel.defaults(spec.defaults)
        return [field for field in ORDER if field in panel.fields and params.get(field) not in (start[field], AUTO)]

    def change(self, request: gr.Request, event: gr.EventData, *values: Any) -> Updates:
        """A chip was changed: the panel's control takes the value."""
        spec, _, params = self.form.read(values)
        panel, field = self.form.panel_of(spec), str(event.field)
        if field not in ORDER or field not in panel.fields:
            raise InvalidInput("This model has no such setting.")
        kept, dropped = panel.accept({**params, field: event.value}, spec.defaults)
        if field in dropped:
            raise InvalidInput("This value is not allowed here.")
        return {panel.fields[field]: gr.update(value=kept[field])}

    def remove(self, request: gr.Request, event: gr.EventData, *values: Any) -> Updates:
        """A chip was taken away: its control is open again, or its words leave the prompt."""
        spec, prompt, _ = self.form.read(values)
        panel, field = self.form.panel_of(spec), str(event.field)
        if str(event.source) != PANEL:
            return {self.form.prompt: gr.update(value=without(prompt, str(event.words)))}
        if field not in panel.fields:
            raise InvalidInput("This model has no such setting.")
        return {panel.fields[field]: gr.update(value=panel.defaults(spec.defaults)[field])}

    def surprise(self, request: gr.Request, *values: Any) -> Updates:
        """A prompt that nobody had thought of, in the page's language; the panel follows it."""
        spec, _, params = self.form.read(values)
        panel = self.form.panel_of(spec)
        drawn = surprise(secrets.randbelow(MOST_SEED), language_of(request))
        start = panel.defaults(spec.defaults)
        kept, _ = panel.accept(
            {**params, **{field: start[field] for field in ORDER if field in start}, **drawn.values}, spec.defaults
        )
        touched = {*ORDER, *drawn.values} & panel.fields.keys()
        return {
            self.form.prompt: gr.update(value=drawn.prompt),
            **{panel.fields[field]: gr.update(value=kept[field]) for field in touched},
        }


def _judged(panel: Panel, prompt: str, params: dict[str, Any]) -> None:
    """Raises InvalidInput where prompt and panel cannot be kept together, before anybody presses Generate."""
    if issubclass(panel.params, TuneParams):
        chosen = panel.params.parse({**params, "prompt": prompt}).chosen()
        form_for(decide(chosen, read_prompt(prompt), 0))


_LEFT_OVER = re.compile(r"(?:\b(?:a|an|and|at|by|for|in|of|on|the|to|with)\b|[\s,;，、；])+$", re.IGNORECASE)


def without(prompt: str, words: str) -> str:
    """`prompt` without the first place of `words`, and without the comma, space or preposition that they leave."""
    start = prompt.lower().find(words.lower())
    if start < 0 or not words:
        return prompt
    before = _LEFT_OVER.sub("", prompt[:start])
    after = prompt[start + len(words) :].strip(" ,，、;；")
    apart = " " if before and after and before[-1].isascii() and after[0].isascii() else ""
    return f"{before}{apart}{after}"


def _chip(wish: Found, panel: Panel, language: str) -> dict[str, Any]:
    schema = properties(panel.params)[wish.field]
    field = resolved(schema)
    hints = schema.get("panel") or {}
    choices = None
    if "enum" in field:
        open_ones = [option for option in field["enum"] if option != AUTO]
        choices = [[say(option_title(option), language), option] for option in open_ones]
    return {
        "field": wish.field,
        "title": say(schema["title"], language),
        "value": wish.value,
        "words": wish.words,
        "source": wish.source,
        "removable": wish.source in ("words", PANEL),
        "choices": choices,
        "low": field.get("minimum"),
        "high": field.get("maximum"),
        "step": hints.get("step"),
    }
