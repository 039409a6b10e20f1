"""Tunes of a person's own: an upload or a recording becomes an asset, and what is done with it becomes a job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.errors import InvalidInput
from genai_studio.score.formats.importing import MAX_AUDIO_BYTES, SUFFIXES
from genai_studio.ui.form import Form, Updates
from genai_studio.ui.form_events import QUIET
from genai_studio.ui.gallery_tab import uploaded
from genai_studio.ui.music import edits
from genai_studio.ui.music.versions import PIECE
from genai_studio.ui.room import Room
from genai_studio.ui.shell import owner_of, readable
from genai_studio.ui.stream import submit

if TYPE_CHECKING:
    from genai_studio.models.base import ModelSpec
    from genai_studio.studio import Studio

EMPTY: dict[str, Any] = {"asset": "", "name": "", "largest": MAX_AUDIO_BYTES, "endings": list(SUFFIXES)}
"""Value of the door while nothing was brought."""
_ASSET = re.compile(r"asset:[0-9a-f]{64}\.[a-z0-9]{1,10}")


class BringIn:
    def __init__(self, studio: Studio, form: Form, room: Room, door: gr.HTML) -> None:
        self.studio, self.form, self.room, self.door = studio, form, room, door

    def wire(self) -> None:
        self.door.brought(readable(self.brought), None, self.door, **QUIET)
        self.door.forget(lambda: EMPTY, None, self.door, **QUIET)
        self.room.then_watch(self.door.use(readable(self.use), self.form.inputs, self.room.queued, **QUIET))

    def brought(self, event: gr.EventData) -> dict[str, Any]:
        """A file has arrived: keep it."""
        path = uploaded(str(event.path))
        try:
            if path.suffix.lower() not in SUFFIXES:
                raise InvalidInput(
                    "This is not music that can be read: allowed are MIDI, MusicXML, ABC, WAV, FLAC, OGG and MP3."
                )
            asset = self.studio.keep_asset(path)
        finally:
            path.unlink(missing_ok=True)
        return {**EMPTY, "asset": asset, "name": str(event.name)[:200]}

    def use(self, request: gr.Request, event: gr.EventData, *values: Any) -> Updates:
        """What is done with it: the model reads it, arranges or continues it, and makes a recording of it."""
        asset = str(event.asset)
        if not _ASSET.fullmatch(asset):
            raise InvalidInput("Bring a tune first.")
        spec, prompt, params = self.form.read(values)
        model = spec if PIECE in spec.optional_inputs else self._able()
        wanted = edits.of_a_file(str(event.action), {**params, "prompt": prompt})
        return {self.room.queued: submit(self.studio, owner_of(request), model.id, wanted, {PIECE: asset}).id}

    def _able(self) -> ModelSpec:
        """The first model that takes a piece. Raises InvalidInput."""
        for spec in self.studio.models(modality=self.form.modality):
            if PIECE in spec.optional_inputs:
                return spec
        raise InvalidInput("There is no model here that works on a tune of your own.")
