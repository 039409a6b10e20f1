"""The music room: a prompt with its chips, the piece as sheet music and sound, its takes, versions and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from genai_studio.domain.modality import Modality
from genai_studio.ui.elements import element
from genai_studio.ui.elements.score.element import score
from genai_studio.ui.elements.waveform.element import waveform
from genai_studio.ui.form import Form
from genai_studio.ui.form_events import wire_form
from genai_studio.ui.music.bring_in import EMPTY, BringIn
from genai_studio.ui.music.calls import MusicCalls
from genai_studio.ui.music.chips import Chips
from genai_studio.ui.music.room import MusicRoom, Work
from genai_studio.ui.shell import Shell, TabHandles

if TYPE_CHECKING:
    from genai_studio.studio import Studio


def build(studio: Studio, shell: Shell) -> TabHandles:
    """Draw the room inside its tab and connect it."""
    form = Form(studio, shell, Modality.MUSIC, placeholder="A lively jig for a summer evening", button="Generate")
    chips: list[gr.HTML] = []
    with gr.Row(elem_classes="room room-music"):
        with gr.Column(elem_classes="room-prompt"):
            form.draw_prompt(below=lambda: chips.append(element("chips", {}, elem_id="music-chips")))
            door = element("bring_in", EMPTY, elem_id="music-bring-in")
        with gr.Column(elem_classes="room-work"):
            work = Work(
                score({}, server_functions=MusicCalls(studio).all(), elem_id="music-score"),
                element("takes", {}, elem_id="music-result"),
                waveform({}, elem_id="music-sound"),
                element("versions", {}, elem_id="music-versions"),
                element("recent", {}, elem_id="music-recent"),
            )
        with gr.Column(elem_classes="room-settings"):
            form.draw_settings()
    wire_form(shell, form)
    Chips(shell, form, chips[0]).wire()
    room = MusicRoom(studio, shell, form, work)
    room.wire()
    room.wire_actions()
    BringIn(studio, form, room, door).wire()
    return TabHandles("music", form.prompt)
