"""Score: a piece as engraved music with a cursor, whose bars can be chosen and changed; or as a piano roll."""

from __future__ import annotations

from typing import Any

import gradio as gr

from genai_studio.ui.elements import element
from genai_studio.ui.elements.piano_roll.element import ROLL

SHEET = "score/sheet"


def score(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """`value` is what `createRoll` takes, for a piece that is being written; of a saved one also "record" (its id),
    "title", "facts" (texts), "engravable", "editable", "bars" (their number), "first_bar" and "last_bar" (those that
    can be chosen), "sections" ([letter, first bar from 0, bars]); while it is changed "busy" and "working" (first and
    last bar), and "fresh" (the bars that are new). Bars count from 1. Its script calls `music_engraving`; `edit` is the
    event of its tools."""
    return element("score", value, parts=(ROLL, SHEET), **options)
