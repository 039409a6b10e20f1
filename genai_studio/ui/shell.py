"""Shell: what every tab shares. Tab modules have `build(studio, shell) -> TabHandles` and are called inside their
`gr.Tab`, which `shell.tab[key]` holds; keys are the modalities' values, "gallery" and "models".

"Use settings" goes through the inboxes: a tab puts `shell.delivery(...)` into `shell.delivery_outputs`, and the tab of
that modality fills its form and comes to the front.
"""

from __future__ import annotations

import functools
import inspect
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from genai_studio.domain.modality import Modality
from genai_studio.errors import StudioError
from genai_studio.ui.i18n import language_of, say

LOG = logging.getLogger(__name__)
LOCAL_OWNER = "local"
STORES: dict[str, Any] = {
    **{modality.value: None for modality in Modality},
    **{f"{modality.value}-presets": {} for modality in Modality},
    "conversation": {},
    "dismissed": [],
}
"""Name of each store to what it starts with."""
STORE_SECRET = "genai-studio"
"""Not a secret: it only keeps Gradio from drawing a new one at each start, which would lose what is stored."""
UNEXPECTED = "Something went wrong. Your prompt is kept; details are in the log."


@dataclass(frozen=True)
class TabHandles:
    """What a built tab gives back: its key, and the box that takes the focus when it is shown."""

    key: str
    prompt: gr.Textbox | None = None


@dataclass
class Shell:
    """Made by `build_ui`, once a page. `blocks` is for `blocks.load`; `tab` is filled before a tab is built."""

    blocks: gr.Blocks
    tabs: gr.Tabs
    inbox: dict[Modality, gr.State]
    pulse: gr.Timer
    """Ticks for the queue panel."""
    stores: dict[str, gr.BrowserState]
    """What the browser keeps, by name. They stand outside the tabs: what is inside one is only there once it was
    opened, too late for a page that comes back."""
    tab: dict[str, gr.Tab] = field(default_factory=dict)

    @property
    def delivery_outputs(self) -> list[gr.blocks.Block]:
        """Outputs of an event whose function returns `delivery(...)`."""
        return [self.tabs, *self.inbox.values()]

    def delivery(
        self, modality: Modality | str, model: str, params: Mapping[str, Any], dropped: Sequence[str] = ()
    ) -> dict[gr.blocks.Block, Any]:
        """Updates that put `model` and `params` into the form of `modality` and show its tab. `dropped` are
        names that an old save had and this model has not; the tab says so."""
        target = Modality(modality)
        letter = {"model": model, "params": dict(params), "dropped": list(dropped), "sent": time.time_ns()}
        return {self.tabs: gr.Tabs(selected=target.value), self.inbox[target]: letter}


def browser_stores() -> dict[str, gr.BrowserState]:
    """Draw the stores. Called inside the Blocks, outside the tabs."""
    return {
        name: gr.BrowserState(start, storage_key=f"genai-studio-{name}", secret=STORE_SECRET)
        for name, start in STORES.items()
    }


def owner_of(request: gr.Request | None) -> str:
    """Whose jobs and records: the login's name, or "local" where there is no login."""
    return (request.username if request else None) or LOCAL_OWNER


def toast(error: StudioError, request: gr.Request | None = None) -> gr.Error:
    """A StudioError as the page shows it, in the person's language: one sentence, no traceback. Gradio draws a
    message as HTML, and it may quote what the person typed, so it is escaped here."""
    language = language_of(request)
    sentence = " ".join(filter(None, (say(error.message, language), say(error.hint, language))))
    return gr.Error(escape(sentence, quote=False), title="", duration=8, print_exception=False)


def inform(text: str, request: gr.Request | None = None, **values: object) -> None:
    """A short notice in the corner, in the person's language; escaped like `toast`."""
    gr.Info(escape(say(text, language_of(request), **values), quote=False), title="", duration=4)


def readable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an event function or generator: a StudioError becomes one toast, anything unexpected is logged and
    becomes one sentence. The person never sees a traceback."""

    def heard(error: BaseException, request: gr.Request | None) -> gr.Error:
        if isinstance(error, gr.Error):
            return error
        if isinstance(error, StudioError):
            return toast(error, request)
        LOG.error("A page event failed: %s", getattr(function, "__qualname__", function), exc_info=error)
        return toast(StudioError(UNEXPECTED), request)

    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def follow(*args: Any, **named: Any) -> Any:
            silent = True
            try:
                async for value in function(*args, **named):
                    silent = False
                    yield value
                if silent:
                    # Gradio would empty every output of a generator that yields nothing.
                    yield gr.skip()
            except Exception as error:
                raise heard(error, _request_among(args, named)) from None

        return follow

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def stream(*args: Any, **named: Any) -> Any:
            try:
                yield from function(*args, **named)
            except Exception as error:
                raise heard(error, _request_among(args, named)) from None

        return stream

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except Exception as error:
            raise heard(error, _request_among(args, named)) from None

    return call


def _request_among(args: Sequence[Any], named: Mapping[str, Any]) -> gr.Request | None:
    return next((value for value in [*args, *named.values()] if isinstance(value, gr.Request)), None)
