"""Piano roll: the notes of a piece, drawn while it is written, with a cursor that follows its recording."""

from __future__ import annotations

from typing import Any

import gradio as gr

from genai_studio.ui.elements import element

ROLL = "piano_roll/roll"
"""The part that other elements share: `createRoll`."""


def piano_roll(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """`value` is {"notes": [[part, pitch, start, duration, velocity], ...], "parts": [name, ...],
    "total_quarters": length}, in quarter notes; None for nothing. Optional: "beats_per_bar" (4), "position" of the
    cursor in quarters, and "src" (a record's address) with "tempo" (quarters a minute): then the cursor follows the
    player of that recording, and a click makes it jump."""
    return element("piano_roll", value, parts=(ROLL,), **options)
