"""The music room: a prompt, the notes as they are written, then the recording with its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.domain.modality import Modality
from genai_studio.ui.elements import element
from genai_studio.ui.elements.piano_roll.element import piano_roll
from genai_studio.ui.elements.waveform.element import waveform
from genai_studio.ui.form import Form, Updates
from genai_studio.ui.form_events import QUIET, wire_form
from genai_studio.ui.i18n import language_of
from genai_studio.ui.piece import notes_of_midi
from genai_studio.ui.room import Room
from genai_studio.ui.shell import Shell, TabHandles, owner_of, readable
from genai_studio.ui.stream import latest_job, view_of
from genai_studio.ui.views import JobView, record_card

if TYPE_CHECKING:
    from genai_studio.gallery.records import Record
    from genai_studio.studio import Studio

MIDI = "midi"


def build(studio: Studio, shell: Shell) -> TabHandles:
    """Draw the room inside its tab and connect it."""
    form = Form(studio, shell, Modality.MUSIC, placeholder="A lively jig for a summer evening", button="Generate")
    with gr.Row(elem_classes="room room-music"):
        with gr.Column(elem_classes="room-prompt"):
            form.draw_prompt()
        with gr.Column(elem_classes="room-work"):
            roll = piano_roll({}, elem_id="music-roll")
            sound = waveform({}, elem_id="music-sound")
            takes = element("takes", {}, elem_id="music-result")
            recent = element("recent", {}, elem_id="music-recent")
        with gr.Column(elem_classes="room-settings"):
            form.draw_settings()
    wire_form(shell, form)
    room = MusicRoom(studio, shell, form, (roll, sound, takes), recent)
    room.wire()
    room.wire_actions()
    return TabHandles("music", form.prompt)


class MusicRoom(Room):
    def __init__(
        self, studio: Studio, shell: Shell, form: Form, work: tuple[gr.HTML, gr.HTML, gr.HTML], recent: gr.HTML
    ) -> None:
        super().__init__(studio, shell, form, list(work), self.show, recent)
        self.roll, self.sound, self.takes = work

    def wire_actions(self) -> None:
        outputs = [self.queued, *self.outputs, *self.shell.delivery_outputs]
        self.then_watch(self.takes.act(readable(self.act), None, outputs, **QUIET))
        assert self.recent
        self.recent.show(readable(self.show_record), None, self.outputs, **QUIET)

    def show(self, view: JobView, request: gr.Request) -> Updates:
        """What is being written; the recording once it is there. While a job waits, the piece before it stays."""
        cards = self.cards_of(view, request)
        status = {
            "job": view.job,
            "state": view.state,
            "status": view.status(language_of(request)),
            "fraction": view.fraction,
            "left": self.left(view),
        }
        if view.live and view.state != "running":
            return {self.takes: {**status, "takes": []}}
        shown = max(cards, default=0) if view.live else min(cards, default=0)
        takes = self._takes(view.count if view.live else len(cards), cards)
        writing = max(view.notes, default=0)
        if view.live and writing not in cards:
            return {
                self.roll: {
                    "notes": view.notes.get(writing, []),
                    "parts": view.parts,
                    "total_quarters": view.total_quarters,
                },
                self.sound: {},
                self.takes: {**status, "takes": takes, "shown": writing},
            }
        updates: Updates = {self.takes: {**status, "takes": takes, "shown": shown}}
        if shown in cards:
            updates.update(self._piece(self.record(cards[shown]["id"], request)))
        return updates

    def _takes(self, count: int, cards: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"index": place, "record": cards.get(place)} for place in range(max(count, max(cards, default=-1) + 1))]

    def _piece(self, record: Record) -> Updates:
        """Roll and player of a saved recording."""
        found = notes_of_midi(self.studio.gallery.open(record.id, MIDI)) if MIDI in record.companions else {}
        return {
            self.roll: {**found, "src": record.url},
            self.sound: {
                "url": record.url,
                "peaks": record.info.get("peaks", []),
                "duration": record.duration,
                "title": record.prompt,
                "roles": record.roles,
            },
        }

    def act(self, request: gr.Request, event: gr.EventData) -> Updates:
        """What a button below the piece asks for."""
        record_id, action = str(event.record), str(event.action)
        if action == "again":
            return self.make_again(record_id, request)
        if action == "settings":
            return {self.queued: "", **self.settings_of(record_id, request)}
        if action == "star":
            self.star(record_id, request)
        return {self.queued: "", **self.alone(record_id, request)}

    def show_record(self, request: gr.Request, event: gr.EventData) -> Updates:
        return self.alone(str(event.record), request)

    def alone(self, record_id: str, request: gr.Request) -> Updates:
        """One recording; with the other takes of its job while that is the newest."""
        record = self.record(record_id, request)
        cards = {record.output_index: record_card(record, language_of(request))}
        last = latest_job(self.studio, owner_of(request), Modality.MUSIC)
        if last and last.id == record.job:
            cards = self.cards_of(view_of(self.studio, last), request)
        takes = [{"index": place, "record": card} for place, card in sorted(cards.items())]
        value = {"job": record.job, "state": "finished", "status": "", "takes": takes, "shown": record.output_index}
        return {**self._piece(record), self.takes: value}
