"""Form: the left side of a room. Model, prompt, presets and a panel for each class of params; what is in it is kept
in the browser, put back after a reload, and filled by "Use settings"."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.domain.modality import Modality
from genai_studio.models.base import ModelSpec, family_of
from genai_studio.ui import presets
from genai_studio.ui.controls import Panel, build_panel
from genai_studio.ui.elements import element
from genai_studio.ui.i18n import ENGLISH, say
from genai_studio.ui.shell import Shell
from genai_studio.ui.stream import latest_job

if TYPE_CHECKING:
    from genai_studio.studio import Studio

COLLECT = (Path(__file__).parent / "collect.js").read_text(encoding="utf-8")
HISTORY = 30

Updates = dict[gr.blocks.Block, Any]


class Form:
    """`inputs` are what an event function gets, in the order that `read` takes them."""

    def __init__(
        self,
        studio: Studio,
        shell: Shell,
        modality: Modality,
        *,
        placeholder: str,
        button: str,
        without: frozenset[str] = frozenset(),
    ) -> None:
        """`without` are params that this room has no control for, whatever the model."""
        self.studio, self.modality = studio, modality
        self.placeholder, self.button, self.without = placeholder, button, without
        self.saved = shell.stores[modality.value]
        self.own_presets = shell.stores[f"{modality.value}-presets"]
        self.first = studio.default_model(modality)

    # Drawing, in the two places of a room.

    def draw_prompt(self, lines: int = 3, below: Callable[[], object] = lambda: None) -> None:
        """The prompt box with examples and history, what `below` draws under them, Generate and Stop."""
        key = self.modality.value
        self.prompt = gr.Textbox(
            label="Prompt",
            placeholder=self.placeholder,
            lines=lines,
            max_lines=12,
            elem_id=f"{key}-prompt",
            elem_classes="prompt-box",
        )
        self.ideas = element("prompt_ideas", self._ideas("", []), elem_id=f"{key}-ideas")
        below()
        with gr.Row(elem_classes="actions"):
            self.generate = gr.Button(
                self.button, variant="primary", size="lg", elem_id=f"{key}-generate", elem_classes="generate", scale=3
            )
            self.stop = gr.Button(
                "Stop", size="lg", elem_id=f"{key}-stop", elem_classes="stop", interactive=False, scale=1, min_width=88
            )

    def draw_settings(self) -> None:
        """Model, preset and the panels; the one of the first model is open."""
        key = self.modality.value
        self.model = gr.Dropdown(
            self._choices(), value=self.first.id, label="Model", info=self.first.summary, elem_id=f"{key}-model"
        )
        with gr.Row(elem_classes="preset-row"):
            self.preset = gr.Dropdown(
                [(name, name) for name in presets.names(self.modality, None)],
                value=presets.BALANCED,
                label="Preset",
                allow_custom_value=True,
                elem_id=f"{key}-preset",
            )
            self.keep_preset = gr.Button("Save", size="sm", elem_classes="quiet", min_width=0)
            self.drop_preset = gr.Button("Delete", size="sm", elem_classes="quiet", min_width=0)
        self.panels = self._draw_panels()

    def _draw_panels(self) -> list[Panel]:
        panels: list[Panel] = []
        for spec in self.studio.models(modality=self.modality):
            params = family_of(spec).params
            if spec.inputs or any(
                panel.params is params and panel.hidden == spec.hidden | self.without for panel in panels
            ):
                continue
            visible = spec.id == self.first.id
            panels.append(build_panel(params, spec.hidden | self.without, spec.defaults, visible=visible))
        return panels

    # What the form holds.

    @cached_property
    def controls(self) -> list[gr.components.Component]:
        return [control for panel in self.panels for control in panel.fields.values()]

    @cached_property
    def inputs(self) -> list[gr.components.Component]:
        return [self.model, self.prompt, *self.controls]

    @property
    def outputs(self) -> list[gr.blocks.Block]:
        """Everything `filled` may change."""
        return [self.model, self.prompt, self.preset, *(panel.column for panel in self.panels), *self.controls]

    @property
    def store_names(self) -> list[str]:
        """Name of each of `inputs` in the browser's store."""
        return ["model", "prompt", *(f"{panel.key}.{name}" for panel in self.panels for name in panel.fields)]

    @property
    def collect_js(self) -> str:
        return COLLECT.replace("/*NAMES*/ []", json.dumps(self.store_names))

    def panel_of(self, spec: ModelSpec) -> Panel:
        """The panel a model uses; a file that was dropped in after the page was built shares its family's."""
        params = family_of(spec).params
        same = [panel for panel in self.panels if panel.params is params]
        return next((panel for panel in same if panel.hidden == spec.hidden | self.without), same[0])

    def shown_in(self, panel: Panel, controls: Sequence[Any]) -> list[Any]:
        """Of the values of all controls, those of one panel."""
        start = 0
        for other in self.panels:
            if other is panel:
                return list(controls[start : start + len(panel.fields)])
            start += len(other.fields)
        raise ValueError("That panel is not on this form.")

    def read(self, values: Sequence[Any]) -> tuple[ModelSpec, str, dict[str, Any]]:
        """Values of `inputs` to model, prompt and params as they are shown; nothing is judged here but the model.
        Raises NotFound."""
        model, prompt, *controls = values
        spec = self.studio.model(model)
        panel = self.panel_of(spec)
        return spec, prompt, {**spec.defaults, **panel.values(self.shown_in(panel, controls))}

    # Updates.

    def filled(
        self, model: str, saved: Mapping[str, Any], prompt: str | None = None, language: str = ENGLISH
    ) -> tuple[Updates, list[str]]:
        """Updates that show `model` with the values in `saved` (by field), and the names that could not be kept.
        A model that is gone gives the first one. `prompt` None leaves the box as it is."""
        known = {spec.id: spec for spec in self._specs()}
        spec = known.get(model) or self.first
        panel = self.panel_of(spec)
        values, dropped = panel.accept(saved, spec.defaults)
        updates: Updates = {
            self.model: gr.Dropdown(choices=self._choices(), value=spec.id, info=self.summary(spec, language)),
            **{other.column: gr.Column(visible=other is panel) for other in self.panels},
            **{panel.fields[name]: gr.update(value=value) for name, value in values.items()},
        }
        if prompt is not None:
            updates[self.prompt] = gr.update(value=prompt)
        return updates, dropped

    def restored(self, stored: Any, language: str) -> Updates:
        """Updates from what the browser kept (see collect.js); anything strange in it counts as absent."""
        if not isinstance(stored, dict):
            return self.filled(self.first.id, {}, None, language)[0]
        model = stored.get("model") if isinstance(stored.get("model"), str) else ""
        known = {spec.id: spec for spec in self._specs()}
        panel = self.panel_of(known.get(str(model)) or self.first)
        prefix = f"{panel.key}."
        saved = {name.removeprefix(prefix): value for name, value in stored.items() if name.startswith(prefix)}
        prompt = stored.get("prompt")
        return self.filled(str(model), saved, prompt if isinstance(prompt, str) else None, language)[0]

    def earlier_prompts(self, owner: str) -> list[str]:
        """The owner's last prompts of this modality, newest first, each once."""
        jobs = [job for job in self.studio.jobs(owner=owner, limit=200) if job.request.modality is self.modality]
        jobs.sort(key=lambda job: -job.created)
        return list(dict.fromkeys(job.request.prompt for job in jobs if job.request.prompt.strip()))[:HISTORY]

    def ideas_for(self, model: str, owner: str) -> dict[str, Any]:
        """Value of the line under the prompt box."""
        return self._ideas(model, self.earlier_prompts(owner))

    def last_seed(self, owner: str) -> int | None:
        job = latest_job(self.studio, owner, self.modality)
        return job.request.seed if job else None

    def _ideas(self, model: str, history: list[str]) -> dict[str, Any]:
        spec = next((spec for spec in self._specs() if spec.id == model), self.first)
        return {"examples": list(spec.examples or self.first.examples)[:7], "history": history}

    def _specs(self) -> list[ModelSpec]:
        return [spec for spec in self.studio.models(modality=self.modality) if not spec.inputs]

    def _choices(self) -> list[tuple[str, str]]:
        return [(spec.title, spec.id) for spec in self._specs()]

    def summary(self, spec: ModelSpec, language: str) -> str:
        """What the model is; and what it costs, once, when its files are not here yet."""
        summary = say(spec.summary, language)
        size = sum(source.size for source in (*spec.sources[:1], *spec.extras)) / 1e6
        if size < 1 or self.studio.is_present(spec.id):
            return summary
        return f"{summary} {say('Downloads {size} MB once, at the first start.', language, size=f'{size:.0f}')}"
