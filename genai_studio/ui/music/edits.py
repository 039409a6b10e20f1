"""Edits: what the tools of the sheet ask for, as the params of a music model. The tune's own settings stay as they were
made; only "Arrange again" takes those of the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import gradio as gr
from pydantic import Field, ValidationError

from genai_studio.domain.fields import MAX_COUNT
from genai_studio.domain.request import Request
from genai_studio.errors import InvalidInput
from genai_studio.ui.server_calls import SENSELESS, Asked

if TYPE_CHECKING:
    from genai_studio.gallery.records import Record

CONTINUED = 8
"""Bars that "Continue" adds."""
MOST_BARS = 512

Bar = Annotated[int, Field(ge=0, le=MOST_BARS)]
Pair = tuple[int, int]


class Edit(Asked):
    """Bars count from 1; 0 is none."""

    action: Literal["repaint", "answer", "continue", "arrange"]
    first: Bar = 0
    last: Bar = 0
    repeats: bool = True
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] = 1

    @classmethod
    def of(cls, event: gr.EventData) -> Edit:
        """What a script has sent. Raises InvalidInput for what the page does not send."""
        try:
            return cls.model_validate({name: getattr(event, name) for name in cls.model_fields})
        except (ValidationError, AttributeError):
            raise InvalidInput(SENSELESS) from None


def values_of(edit: Edit, record: Record, form: Mapping[str, Any]) -> dict[str, Any]:
    """Params for `edit` of `record`, where the form shows `form`. Raises InvalidInput."""
    own = record.recipe.request.params
    fresh = {"seed": -1, "count": edit.count, "step_seconds": form.get("step_seconds", 0.0)}
    fresh = {name: value for name, value in fresh.items() if name in form or name in own}
    if edit.action == "arrange":
        return {**form, **fresh, "action": "arrange"}
    taste = {name: form[name] for name in ("temperature", "top_p", "file_format") if name in form}
    values = {**own, **taste, **fresh, "repeats": edit.repeats}
    if edit.action == "continue":
        return {**values, **_continued(CONTINUED)}
    if not 0 < edit.first <= edit.last:
        raise InvalidInput("Choose the bars first.", "Click a bar of the score, or type its number.")
    if edit.action == "repaint":
        return {**values, "action": "repaint", "first_bar": edit.first, "last_bar": edit.last}
    # An answer takes the place of what follows, as long as the phrase is; after the last bar it is new.
    length, bars = edit.last - edit.first + 1, int(record.info.get("bars", 0))
    if edit.last >= bars:
        return {**values, **_continued(max(CONTINUED, 4 * ((length + 3) // 4)))}
    last = min(edit.last + length, bars)
    return {**values, "action": "repaint", "first_bar": edit.last + 1, "last_bar": last, "repeats": False}


def of_a_file(action: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """Params that arrange, harmonise or continue a person's own file as the form says. Raises InvalidInput."""
    once = {**form, "count": 1}
    if action == "arrange":
        return {**once, "action": "arrange"}
    if action == "harmonise":
        return {**once, "action": "arrange", "accompaniment": "piano"}
    if action == "continue":
        return {**once, **_continued(CONTINUED)}
    raise InvalidInput(SENSELESS)


def _continued(bars: int) -> dict[str, Any]:
    return {"action": "continue", "first_bar": 0, "last_bar": 0, "bars": bars}


def action_of(request: Request) -> str:
    return str(request.params.get("action", "compose"))


def touched(request: Request, before: Mapping[str, Any]) -> Pair | None:
    """The bars that a request writes, from 1, both included; None where it is the whole piece. `before` is the info of
    the piece that it changes."""
    action, bars = action_of(request), int(before.get("bars", 0))
    if action == "repaint":
        return int(request.params.get("first_bar") or 1), int(request.params.get("last_bar") or bars)
    if action == "continue":
        return bars + 1, bars + int(request.params.get("bars") or CONTINUED)
    return None
