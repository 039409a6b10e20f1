"""The gallery: everything that was made, in one endless grid. The element draws and asks; this module answers, puts
settings back into the rooms, and reads the recipe out of a dropped file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import gradio as gr
from gradio.utils import get_upload_folder
from pydantic import Field

from genai_studio.domain.job import JobState
from genai_studio.domain.recipe import Recipe
from genai_studio.errors import InvalidInput, NotFound, StudioError
from genai_studio.ui.elements import element
from genai_studio.ui.elements.piano_roll.element import ROLL
from genai_studio.ui.elements.waveform.element import PLAYER
from genai_studio.ui.form import Updates
from genai_studio.ui.i18n import say
from genai_studio.ui.record_view import card_of, details_of
from genai_studio.ui.room import WATCHING
from genai_studio.ui.server_calls import Answer, Asked, Caller, server_call
from genai_studio.ui.shell import Shell, TabHandles, inform, owner_of, readable
from genai_studio.ui.stream import title_of, view_of

if TYPE_CHECKING:
    from genai_studio.studio import Studio

PARTS = (PLAYER, ROLL, "gallery_grid/cards", "gallery_grid/toolbar", "gallery_grid/large")
PAGE = 48
LARGEST_FILE = 64 * 1024**2
"""Bytes of a dropped file; the studio's own are smaller."""

Id = Annotated[str, Field(min_length=1, max_length=60)]


class PageAsked(Asked):
    words: Annotated[str, Field(max_length=500)] = ""
    modality: Literal["image", "text", "music"] | None = None
    model: Annotated[str, Field(max_length=200)] | None = None
    starred: bool | None = None
    trashed: bool = False
    before: Annotated[str, Field(max_length=100)] | None = None


class RecordAsked(Asked):
    id: Id


class RecordsAsked(Asked):
    ids: Annotated[list[Id], Field(min_length=1, max_length=500)]


class StarAsked(RecordsAsked):
    on: bool


class UpscaleAsked(RecordAsked):
    scale: int


class JobAsked(Asked):
    job: Annotated[str, Field(min_length=1, max_length=60)]


def build(studio: Studio, shell: Shell) -> TabHandles:
    """Draw the gallery inside its tab and connect it."""
    calls = GalleryCalls(studio)
    grid = element(
        "gallery_grid",
        {"largest": LARGEST_FILE},
        parts=PARTS,
        server_functions=calls.all(),
        elem_id="gallery-grid",
    )
    door = SettingsDoor(studio, shell)
    # Through Gradio's queue: only there does a changed inbox call the room that waits for it.
    grid.use(readable(door.from_record), None, shell.delivery_outputs, **WATCHING)
    grid.dropped(readable(door.from_file), None, shell.delivery_outputs, **WATCHING)
    return TabHandles("gallery")


class GalleryCalls:
    """What the element asks. Each method sees only the caller's own records and jobs."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def all(self) -> list[Any]:
        return [
            server_call(PageAsked, self.gallery_page),
            server_call(Asked, self.gallery_newest),
            server_call(Asked, self.gallery_models),
            server_call(RecordAsked, self.gallery_details),
            server_call(StarAsked, self.gallery_star),
            server_call(RecordsAsked, self.gallery_trash),
            server_call(RecordsAsked, self.gallery_restore),
            server_call(RecordsAsked, self.gallery_purge),
            server_call(Asked, self.gallery_empty),
            server_call(RecordAsked, self.gallery_again),
            server_call(UpscaleAsked, self.gallery_upscale),
            server_call(JobAsked, self.gallery_job),
        ]

    def gallery_page(self, caller: Caller, asked: PageAsked) -> Answer:
        page = self.studio.gallery.page(owner=caller.owner, limit=PAGE, **asked.model_dump())
        return {"cards": [card_of(record) for record in page.records], "next": page.next}

    def gallery_newest(self, caller: Caller, asked: Asked) -> Answer:
        """The newest record's id, so that a page that is looked at sees what others made."""
        records = self.studio.gallery.page(owner=caller.owner, limit=1).records
        return {"newest": records[0].id if records else ""}

    def gallery_models(self, caller: Caller, asked: Asked) -> Answer:
        models = self.studio.gallery.models(caller.owner)
        return {"models": [[model, title_of(self.studio, model)] for model in models]}

    def gallery_details(self, caller: Caller, asked: RecordAsked) -> Answer:
        record = self.studio.gallery.get(asked.id, owner=caller.owner)
        return details_of(self.studio, record, caller.language)

    def gallery_star(self, caller: Caller, asked: StarAsked) -> Answer:
        self.studio.gallery.star(asked.ids, asked.on, owner=caller.owner)
        return {}

    def gallery_trash(self, caller: Caller, asked: RecordsAsked) -> Answer:
        self.studio.gallery.trash(asked.ids, owner=caller.owner)
        return {}

    def gallery_restore(self, caller: Caller, asked: RecordsAsked) -> Answer:
        self.studio.gallery.restore(asked.ids, owner=caller.owner)
        return {}

    def gallery_purge(self, caller: Caller, asked: RecordsAsked) -> Answer:
        """For good; only what is in the trash already."""
        for record_id in asked.ids:
            if self.studio.gallery.get(record_id, owner=caller.owner).trashed is None:
                raise InvalidInput("This is not in the trash.", "Delete it first.")
        self.studio.gallery.purge(asked.ids, owner=caller.owner)
        return {}

    def gallery_empty(self, caller: Caller, asked: Asked) -> Answer:
        self.studio.gallery.empty_trash(owner=caller.owner)
        return {}

    def gallery_again(self, caller: Caller, asked: RecordAsked) -> Answer:
        return {"job": self.studio.make_again(asked.id, caller.owner).id}

    def gallery_upscale(self, caller: Caller, asked: UpscaleAsked) -> Answer:
        models = self.studio.models(task="upscale")
        if not models:
            raise NotFound("There is no model here that enlarges pictures.")
        request = self.studio.request(models[0].id, {"scale": asked.scale}, {"image": asked.id})
        return {"job": self.studio.submit(request, caller.owner).id}

    def gallery_job(self, caller: Caller, asked: JobAsked) -> Answer:
        """How far a job is; at the end, which record it made and, of one made again, how it compares."""
        job = self.studio.job(asked.job, owner=caller.owner)
        view = view_of(self.studio, job)
        answer: Answer = {"line": view.status(caller.language), "ended": job.state.ended, "kind": "", "made": ""}
        if not job.state.ended:
            return answer
        answer["kind"] = "" if job.state is JobState.FINISHED else "bad"
        made = [self.studio.gallery.get(record, owner=caller.owner) for record in job.outputs]
        if made:
            answer["made"] = made[0].id
        for record in made:
            if record.comparison and record.output_index == _index(job.again_of):
                answer["made"], answer["kind"] = record.id, record.comparison.verdict.split()[0]
                answer["line"] = say(record.comparison.sentence(), caller.language)
        return answer


class SettingsDoor:
    """Puts the settings of a record or of a file of ours back into the room they came from."""

    def __init__(self, studio: Studio, shell: Shell) -> None:
        self.studio, self.shell = studio, shell

    def from_record(self, request: gr.Request, event: gr.EventData) -> Updates:
        record = self.studio.gallery.get(str(event.id)[:60], owner=owner_of(request))
        return self._delivered(record.recipe, request)

    def from_file(self, request: gr.Request, event: gr.EventData) -> Updates:
        path = uploaded(str(event.path))
        try:
            recipe = self.studio.read_recipe(path)
        finally:
            path.unlink(missing_ok=True)
        if recipe is None:
            raise NotFound(
                "This file carries no recipe of the studio.",
                "The studio's own files do, unless another program has rewritten them.",
            )
        return self._delivered(recipe, request)

    def _delivered(self, recipe: Recipe, request: gr.Request) -> Updates:
        spec, values, dropped = self.studio.restore(recipe)
        if spec.inputs:
            raise StudioError("This was made from another picture.", "Its settings are in that one.")
        inform("Settings are back in the form.", request)
        return self.shell.delivery(spec.modality, spec.id, values, dropped)


def uploaded(path: str) -> Path:
    """The path of an upload that the page names. Raises NotFound for any other place on this disk."""
    folder = Path(get_upload_folder()).resolve()
    found = Path(path).resolve() if "\x00" not in path else folder
    if not found.is_relative_to(folder) or not found.is_file():
        raise NotFound("The dropped file did not arrive.", "Drop it again.")
    return found


def _index(record_id: str | None) -> int:
    """Which output of its job a record is."""
    return int((record_id or "-0").rpartition("-")[2])
