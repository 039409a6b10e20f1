"""Server calls: Python functions that an element's script calls. Every one passes through `server_call`, which knows
who asks, checks what is asked, and turns errors into one sentence."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from pydantic import BaseModel, ConfigDict, ValidationError

from genai_studio.errors import NotAllowed, StudioError
from genai_studio.ui.i18n import language_of, say
from genai_studio.ui.shell import LOCAL_OWNER, UNEXPECTED

LOG = logging.getLogger(__name__)
NOTHING = "There is nothing here."
SENSELESS = "The page asked for something the studio does not know. Reload it."

Answer = dict[str, Any]


class Asked(BaseModel):
    """What a script sends: one JSON object. It can come from anybody who is logged in, by plain HTTP."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


@dataclass(frozen=True)
class Caller:
    owner: str
    language: str


def caller_of(request: gr.Request) -> Caller:
    """Who calls. Gradio hands its own request to events and the server's plain one to server functions; the login
    has put the same name on both."""
    user = request.username if isinstance(request, gr.Request) else getattr(request.state, "user", None)
    return Caller(user or LOCAL_OWNER, language_of(request))


def server_call(asked: type[Asked], function: Callable[[Caller, Any], Answer]) -> Callable[..., Answer]:
    """`function(caller, asked)` as a server function of the same name. The answer is its dictionary, or
    {"error": sentence} in the caller's language."""

    def call(payload: Any, request: gr.Request) -> Answer:
        caller = caller_of(request)
        try:
            return function(caller, asked.model_validate(payload))
        except ValidationError:
            return {"error": say(SENSELESS, caller.language)}
        except NotAllowed:
            # What belongs to somebody else looks as if it did not exist.
            return {"error": say(NOTHING, caller.language)}
        except StudioError as error:
            parts = (say(error.message, caller.language), say(error.hint, caller.language))
            return {"error": " ".join(filter(None, parts))}
        except Exception:
            LOG.exception("A call of the page failed: %s", function.__name__)
            return {"error": say(UNEXPECTED, caller.language)}

    call.__name__ = function.__name__
    return call
