"""The text room: a conversation that is written word by word, kept in the browser, and can be edited, answered anew
and continued. A turn is a job like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.domain.job import Job
from genai_studio.domain.modality import Modality
from genai_studio.errors import InvalidInput, NotAllowed, NotFound
from genai_studio.ui.elements import element
from genai_studio.ui.form import Form, Updates
from genai_studio.ui.form_events import QUIET, wire_form
from genai_studio.ui.i18n import language_of
from genai_studio.ui.room import WATCHING, Room
from genai_studio.ui.shell import Shell, TabHandles, owner_of, readable
from genai_studio.ui.stream import submit, view_of
from genai_studio.ui.views import JobView

if TYPE_CHECKING:
    from genai_studio.studio import Studio

Message = dict[str, str]
ONE_ANSWER = frozenset({"count"})
"""A conversation goes on from one answer; several at once are for the command line and the API."""


def build(studio: Studio, shell: Shell) -> TabHandles:
    """Draw the room inside its tab and connect it."""
    form = Form(
        studio, shell, Modality.TEXT, placeholder="Write two lines about the sea", button="Send", without=ONE_ANSWER
    )
    with gr.Row(elem_classes="room room-text"):
        with gr.Column(elem_classes="room-work"):
            talk = element("conversation", {}, elem_id="text-result")
        with gr.Column(elem_classes="room-prompt"):
            form.draw_prompt(lines=2)
        with gr.Column(elem_classes="room-settings"):
            fresh = gr.Button("New conversation", size="md", elem_id="text-new")
            form.draw_settings()
    store = shell.stores["conversation"]
    wire_form(shell, form)
    room = TextRoom(studio, shell, form, talk, store)
    room.wire()
    fresh.click(readable(room.begin_anew), None, [store, talk, form.stop], **QUIET)
    return TabHandles("text", form.prompt)


def messages_of(stored: Any) -> list[Message]:
    """The messages of a stored conversation; anything strange in the browser's store counts as absent."""
    kept = stored.get("messages") if isinstance(stored, dict) else None
    return [
        {"role": message["role"], "content": message["content"]}
        for message in kept or []
        if isinstance(message, dict)
        and message.get("role") in {"user", "assistant"}
        and isinstance(message.get("content"), str)
    ]


def conversation_of(job: Job, answer: str) -> list[Message]:
    """The conversation that a job is a turn of, with its answer so far."""
    params = job.request.params
    before = [{"role": str(turn["role"]), "content": str(turn["content"])} for turn in params.get("messages", [])]
    asked = {"role": "user", "content": job.request.prompt}
    said = {"role": "assistant", "content": str(params.get("prefill", "")) + answer}
    return [*before, asked, said]


class TextRoom(Room):
    def __init__(self, studio: Studio, shell: Shell, form: Form, talk: gr.HTML, store: gr.BrowserState) -> None:
        super().__init__(studio, shell, form, [talk, store], self.show)
        self.talk, self.store = talk, store

    def wire(self) -> None:
        form = self.form
        given = [self.store, *form.inputs]
        turned = [self.queued, self.store, self.talk, form.ideas, form.prompt, form.saved]
        self.then_watch(form.generate.click(readable(self.send), given, turned, **QUIET))
        self.then_watch(self.talk.act(readable(self.act), given, turned, **QUIET))
        form.stop.click(readable(self.halt), None, None, **QUIET)
        inbox = self.shell.inbox[form.modality]
        inbox.change(readable(self.receive), inbox, [self.store, self.talk], **QUIET)
        self.shell.blocks.load(readable(self.come_back_to), self.store, self.watched, **WATCHING)

    def begin_anew(self, request: gr.Request) -> Updates:
        """An empty conversation. What still runs goes on, unwatched; its answer will be in the gallery."""
        self.watchers.take(request.session_hash or "", self.form.modality.value)
        return {self.store: {}, self.talk: {}, self.form.stop: gr.Button(interactive=False)}

    def send(self, request: gr.Request, stored: Any, *values: Any) -> Updates:
        """A new turn at the end of the conversation. The box is emptied once the turn is queued, never before."""
        messages = messages_of(stored)
        if messages and messages[-1]["role"] == "user":
            messages.pop()
        updates = self.turn(request, stored, values, messages, values[1], "")
        shown = dict(zip(self.form.store_names, values, strict=True))
        return {**updates, self.form.prompt: "", self.form.saved: {**shown, "prompt": ""}}

    def act(self, request: gr.Request, event: gr.EventData, stored: Any, *values: Any) -> Updates:
        """What a button at a message asks for."""
        messages, action = messages_of(stored), str(event.action)
        if action == "edit":
            place = self._place(messages, event.place)
            edited = {**messages[place], "content": str(event.text)}
            if edited["role"] == "assistant":
                return {self.queued: "", **self._kept([*messages[:place], edited, *messages[place + 1 :]])}
            return self.turn(request, stored, values, messages[:place], edited["content"], "")
        answer = messages.pop()["content"] if messages and messages[-1]["role"] == "assistant" else ""
        asked = messages.pop()["content"] if messages else ""
        return self.turn(request, stored, values, messages, asked, answer if action == "continue" else "")

    def receive(self, letter: Any) -> Updates:
        """ "Use settings" brings back the turns before; the form takes the prompt and the rest."""
        return self._kept(messages_of(letter.get("params") if isinstance(letter, dict) else None))

    def turn(
        self, request: gr.Request, stored: Any, values: Any, before: list[Message], asked: str, prefill: str
    ) -> Updates:
        """Queue a turn: `asked`, after the messages `before`, with an answer that starts with `prefill`."""
        self._must_be_free(stored, owner_of(request))
        spec, _, params = self.form.read(values)
        params = {**params, "prompt": asked, "messages": before, "prefill": prefill}
        job = submit(self.studio, owner_of(request), spec.id, params)
        return {
            self.queued: job.id,
            self.store: {"messages": [*before, {"role": "user", "content": asked}], "pending": job.id},
            self.form.ideas: self.form.ideas_for(spec.id, owner_of(request)),
        }

    def show(self, view: JobView, request: gr.Request) -> Updates:
        """The conversation of a job; kept in the browser when its answer is there."""
        job = self.studio.job(view.job, owner=owner_of(request))
        answer = view.texts.get(0) or self._saved_answer(view, job)
        messages = conversation_of(job, answer)
        if not messages[-1]["content"] and not view.live:
            messages.pop()
        status = "" if view.state == "finished" else view.status(language_of(request))
        updates: Updates = {self.talk: {"messages": messages, "live": view.live, "state": view.state, "status": status}}
        if not view.live:
            updates[self.store] = {"messages": messages}
        return updates

    async def come_back_to(self, request: gr.Request, stored: Any) -> AsyncIterator[Updates]:
        """After a reload: the kept conversation, the answer that came meanwhile, and on with what runs."""
        yield await asyncio.to_thread(self._as_kept, request, stored)
        async for updates in self.watch(request):
            yield updates

    def _as_kept(self, request: gr.Request, stored: Any) -> Updates:
        pending = stored.get("pending") if isinstance(stored, dict) else None
        if isinstance(pending, str):
            try:
                return self.show(view_of(self.studio, self.studio.job(pending, owner_of(request))), request)
            except (NotFound, NotAllowed):
                pass
        return self._kept(messages_of(stored))

    def _kept(self, messages: list[Message]) -> Updates:
        return {self.talk: {"messages": messages, "live": False}, self.store: {"messages": messages}}

    def _must_be_free(self, stored: Any, owner: str) -> None:
        pending = stored.get("pending") if isinstance(stored, dict) else None
        if not isinstance(pending, str):
            return
        try:
            ended = self.studio.job(pending, owner).state.ended
        except (NotFound, NotAllowed):
            return
        if not ended:
            raise InvalidInput("The answer before this one is still being written.", "Wait for it, or press Stop.")

    def _saved_answer(self, view: JobView, job: Job) -> str:
        """The answer from the gallery, for a job whose events are forgotten. The file holds prefill and answer."""
        if not view.records:
            return ""
        text = self.studio.gallery.open(view.records[0]).read_text(encoding="utf-8")
        return text.removeprefix(str(job.request.params.get("prefill", "")))

    @staticmethod
    def _place(messages: list[Message], place: Any) -> int:
        if not isinstance(place, int) or not 0 <= place < len(messages):
            raise NotFound("This message is gone.")
        return place
