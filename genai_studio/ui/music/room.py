"""The music room's events: what is shown of a job and of a record, and what its buttons do to a piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.domain.job import Job
from genai_studio.errors import InvalidInput, NotFound, StudioError
from genai_studio.ui.form import Form, Updates
from genai_studio.ui.form_events import QUIET
from genai_studio.ui.i18n import language_of
from genai_studio.ui.music import edits, pieces
from genai_studio.ui.music.versions import PIECE, origin_of, versions_of
from genai_studio.ui.room import Room
from genai_studio.ui.shell import Shell, inform, owner_of, readable
from genai_studio.ui.stream import submit, view_of
from genai_studio.ui.views import JobView, record_card

if TYPE_CHECKING:
    from genai_studio.gallery.records import Record
    from genai_studio.studio import Studio


@dataclass(frozen=True)
class Work:
    """The elements in the middle of the room, from top to bottom."""

    score: gr.HTML
    takes: gr.HTML
    sound: gr.HTML
    versions: gr.HTML
    recent: gr.HTML


class MusicRoom(Room):
    def __init__(self, studio: Studio, shell: Shell, form: Form, work: Work) -> None:
        drawn = [work.score, work.takes, work.sound, work.versions]
        super().__init__(studio, shell, form, drawn, self.show, work.recent)
        self.work = work

    def wire_actions(self) -> None:
        outputs = [self.queued, *self.outputs, self.work.recent, *self.shell.delivery_outputs]
        for buttons in (self.work.takes, self.work.versions):
            self.then_watch(buttons.act(readable(self.act), None, outputs, **QUIET))
        self.then_watch(self.work.score.edit(readable(self.edit), self.form.inputs, self.queued, **QUIET))
        self.work.recent.show(readable(self.show_record), None, self.outputs, **QUIET)

    # What is shown.

    def show(self, view: JobView, request: gr.Request) -> Updates:
        """What is being written; the recording once it is there. While a job waits, the piece before it stays, and
        while a piece is changed, that piece stays until its proposals are there."""
        job = self.studio.job(view.job)
        records = self.records_of(view, request)
        status = {
            "job": view.job,
            "state": view.state,
            "status": view.status(language_of(request)),
            "fraction": view.fraction,
            "left": self.left(view),
        }
        before = self.before(job, request)
        if before and (view.live or not records):
            return self._changing(job, view, before, status, request)
        if view.live and view.state != "running":
            return {self.work.takes: {**status, "takes": []}}
        writing = max(view.notes, default=0)
        if view.live and writing not in records:
            sheet = {
                "notes": view.notes.get(writing, []),
                "parts": view.parts,
                "total_quarters": view.total_quarters,
                "title": view.prompt[:200],
            }
            takes = self._takes(view.count, records, request)
            written = {self.work.score: sheet, self.work.takes: {**status, "takes": takes}}
            return {**written, self.work.sound: {}, self.work.versions: {}}
        shown = max(records, default=0) if view.live else min(records, default=0)
        if shown not in records:
            return {self.work.takes: {**status, "takes": self._takes(view.count if view.live else 0, records, request)}}
        return self.piece(records[shown], request, status, coming=view.count if view.live else 0)

    def _changing(
        self, job: Job, view: JobView, before: Record, status: dict[str, Any], request: gr.Request
    ) -> Updates:
        """The piece that a job changes, while it does, or where it made nothing."""
        updates = self.piece(before, request, status)
        if view.live:
            touched = edits.touched(job.request, before.info)
            coming = self._takes(view.count, self.records_of(view, request), request, touched)
            several = view.count > 1
            updates[self.work.score] = {**updates[self.work.score], "busy": True, "working": touched}
            updates[self.work.takes] = {**status, "takes": coming if several else [], "proposals": several}
        return updates

    def piece(
        self, record: Record, request: gr.Request, status: dict[str, Any], *, coming: int = 0, job: Job | None = None
    ) -> Updates:
        """Everything of one recording: the sheet, the player, the takes it came with, and its versions. `job` made
        the proposals that the record is compared with; without it, the job that made the record."""
        language = language_of(request)
        job = job or self._job_of(record)
        before = self.before(job, request) if job else None
        touched = edits.touched(job.request, before.info) if job and before else None
        siblings = self.records_of(view_of(self.studio, job), request) if job else {}
        if before is None or before.id != record.id:
            siblings[record.output_index] = record
        undecided = before is not None and len(siblings) > 1
        sheet = pieces.sheet_value(self.studio, record, language)
        if undecided and before and before.id != record.id:
            sheet["fresh"] = record.info.get("new_bars") or []
        takes = {
            **status,
            "takes": self._takes(coming, siblings, request, touched),
            "record": record.id,
            "proposals": undecided,
            "comparing": job.id if job else "",
            "before": self._card(before, request, touched) if before and undecided else None,
        }
        return {
            self.work.score: sheet,
            self.work.takes: takes,
            self.work.sound: pieces.sound_value(self.studio, record, origin_of(self.studio, record).id),
            self.work.versions: {
                "record": record_card(record, language),
                "versions": versions_of(self.studio, record, language),
            },
        }

    def records_of(self, view: JobView, request: gr.Request) -> dict[int, Record]:
        """Output index to record; what was deleted or lies in the trash is left out."""
        found: dict[int, Record] = {}
        for index, record_id in sorted(view.records.items()):
            try:
                record = self.record(record_id, request)
            except NotFound:
                continue
            if record.trashed is None:
                found[index] = record
        return found

    def before(self, job: Job, request: gr.Request) -> Record | None:
        """The record that a job has changed, or None where it began anew or from a person's own file."""
        source = job.request.inputs.get(PIECE, "")
        try:
            return self.record(source, request) if source and edits.action_of(job.request) != "compose" else None
        except StudioError:
            return None

    def _job_of(self, record: Record) -> Job | None:
        try:
            return self.studio.job(record.job)
        except NotFound:
            return None

    def _takes(
        self, count: int, records: dict[int, Record], request: gr.Request, bars: edits.Pair | None = None
    ) -> list[dict[str, Any]]:
        places = range(max(count, max(records, default=-1) + 1)) if count else sorted(records)
        return [
            {"index": place, **(self._card(records[place], request, bars) if place in records else {"record": None})}
            for place in places
        ]

    def _card(self, record: Record, request: gr.Request, bars: edits.Pair | None) -> dict[str, Any]:
        card = record_card(record, language_of(request))
        return {"record": card, "glimpse": pieces.glimpse(self.studio, record, bars)}

    # What is done.

    def edit(self, request: gr.Request, event: gr.EventData, *values: Any) -> Updates:
        """A tool of the sheet: queue what changes the piece."""
        record = self.record(str(event.record)[:60], request)
        spec, prompt, params = self.form.read(values)
        asked = edits.Edit.of(event)
        wanted = edits.values_of(asked, record, {**params, "prompt": prompt})
        model = spec.id if PIECE in spec.optional_inputs else record.model
        return {self.queued: submit(self.studio, owner_of(request), model, wanted, {PIECE: record.id}).id}

    def act(self, request: gr.Request, event: gr.EventData) -> Updates:
        """What a button below the piece asks for."""
        record_id, action = str(event.record)[:60], str(event.action)
        if action == "again":
            return self.make_again(record_id, request)
        if action == "settings":
            return {self.queued: "", **self.settings_of(record_id, request)}
        if action == "compare":
            return {self.queued: "", **self.alone(record_id, request, self._comparing(str(event.job)[:60], request))}
        if action == "star":
            self.star(record_id, request)
        elif action == "accept":
            self._let_go(record_id, request, keep=True)
            inform("Kept. The other proposals wait in the gallery's trash.", request)
        elif action == "reject":
            record_id = self._let_go(record_id, request, keep=False)
            inform("The piece is as it was. The proposals wait in the gallery's trash.", request)
        return {self.queued: "", **self.alone(record_id, request), self.work.recent: self.lately(request)}

    def _comparing(self, job_id: str, request: gr.Request) -> Job:
        return self.studio.job(job_id, owner=owner_of(request))

    def _let_go(self, record_id: str, request: gr.Request, *, keep: bool) -> str:
        """Trash the proposals that a record came with, and itself unless `keep`. Returns the record before them."""
        record = self.record(record_id, request)
        job = self._job_of(record)
        before = self.before(job, request) if job else None
        if job is None or before is None or not job.state.ended:
            raise InvalidInput("There are no proposals to choose from.")
        siblings = self.records_of(view_of(self.studio, job), request).values()
        gone = [sibling.id for sibling in siblings if not keep or sibling.id != record.id]
        if gone:
            self.studio.gallery.trash(gone, owner=owner_of(request))
        return before.id

    def show_record(self, request: gr.Request, event: gr.EventData) -> Updates:
        return self.alone(str(event.record), request)

    def alone(self, record_id: str, request: gr.Request, job: Job | None = None) -> Updates:
        """One recording; with the other takes of its job, or the proposals that `job` has made for it."""
        record = self.record(record_id, request)
        return self.piece(record, request, {"job": record.job, "state": "finished", "status": ""}, job=job)
