"""The image room: a prompt, a grid that shows pictures as they are drawn, and what can be done with each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.domain.image import UpscaleParams
from genai_studio.domain.modality import Modality
from genai_studio.models.base import ModelSpec
from genai_studio.ui.elements import element
from genai_studio.ui.form import Form, Updates
from genai_studio.ui.form_events import QUIET, wire_form
from genai_studio.ui.i18n import language_of
from genai_studio.ui.room import Room
from genai_studio.ui.shell import Shell, TabHandles, owner_of, readable
from genai_studio.ui.stream import latest_job, submit, view_of
from genai_studio.ui.views import JobView, record_card

if TYPE_CHECKING:
    from genai_studio.studio import Studio


def build(studio: Studio, shell: Shell) -> TabHandles:
    """Draw the room inside its tab and connect it."""
    form = Form(studio, shell, Modality.IMAGE, placeholder="A red fox asleep under a mushroom", button="Generate")
    with gr.Row(elem_classes="room room-image"):
        with gr.Column(elem_classes="room-prompt"):
            form.draw_prompt()
        with gr.Column(elem_classes="room-work"):
            grid = element("result_grid", {}, elem_id="image-result")
            recent = element("recent", {}, elem_id="image-recent")
        with gr.Column(elem_classes="room-settings"):
            form.draw_settings()
    wire_form(shell, form)
    room = ImageRoom(studio, shell, form, grid, recent)
    room.wire()
    room.wire_actions(grid, recent)
    return TabHandles("image", form.prompt)


class ImageRoom(Room):
    def __init__(self, studio: Studio, shell: Shell, form: Form, grid: gr.HTML, recent: gr.HTML) -> None:
        super().__init__(studio, shell, form, [grid], self.show, recent)
        self.grid = grid
        self.enlarge = UpscaleParams.model_json_schema()["properties"]["scale"]["enum"]

    def show(self, view: JobView, request: gr.Request) -> Updates:
        """The grid for a job. While it waits and has nothing, the pictures before it stay."""
        cards = self.cards_of(view, request)
        waits = view.live and not cards and not view.previews
        return {
            self.grid: {
                "job": view.job,
                "state": view.state,
                "status": view.status(language_of(request)),
                "fraction": view.fraction,
                "left": self.left(view),
                "tiles": None if waits and view.state != "running" else self.tiles(view, cards),
            }
        }

    def tiles(self, view: JobView, cards: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
        """One a picture that there is or will be."""
        places = range(view.count) if view.live else sorted(cards)
        return [
            {
                "index": place,
                "preview": view.previews.get(place),
                "record": {**cards[place], "enlarge": self.enlarge} if place in cards else None,
            }
            for place in places
        ]

    def wire_actions(self, grid: gr.HTML, recent: gr.HTML) -> None:
        asked = grid.act(readable(self.act), None, [self.queued, grid, *self.shell.delivery_outputs], **QUIET)
        self.then_watch(asked)
        recent.show(readable(self.show_record), None, grid, **QUIET)

    def act(self, request: gr.Request, event: gr.EventData) -> Updates:
        """What a button at a picture asks for."""
        record_id, action = str(event.record), str(event.action)
        if action == "star":
            self.star(record_id, request)
            return {self.queued: "", **self.refreshed(record_id, request)}
        if action == "again":
            return self.make_again(record_id, request)
        if action == "enlarge":
            job = submit(
                self.studio, owner_of(request), self.upscaler().id, {"scale": event.scale}, {"image": record_id}
            )
            return {self.queued: job.id}
        return {self.queued: "", **self.settings_of(record_id, request)}

    def upscaler(self) -> ModelSpec:
        return self.studio.models(task="upscale")[0]

    def refreshed(self, record_id: str, request: gr.Request) -> Updates:
        """The grid again, for a record that changed: its job when that is what is shown, else the record alone."""
        record = self.record(record_id, request)
        last = latest_job(self.studio, owner_of(request), Modality.IMAGE)
        if last and last.id == record.job:
            return self.show(view_of(self.studio, last), request)
        return self.alone(record_id, request)

    def show_record(self, request: gr.Request, event: gr.EventData) -> Any:
        return self.alone(str(event.record), request)[self.grid]

    def alone(self, record_id: str, request: gr.Request) -> Updates:
        """The grid with one saved picture."""
        card = record_card(self.record(record_id, request), language_of(request))
        tile = {"index": 0, "preview": None, "record": {**card, "enlarge": self.enlarge}}
        return {self.grid: {"job": record_id, "state": "finished", "status": "", "fraction": None, "tiles": [tile]}}
