"""Waveform: a player for one recording, drawn from the record's peaks, with its parts to mix and its files to take."""

from __future__ import annotations

from typing import Any

import gradio as gr

from genai_studio.ui.elements import element

PLAYER = "waveform/player"
"""The part that other elements share: `createPlayer`."""
OWN = ("waveform/mixer", "waveform/exports")


def waveform(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """`value` is {"url": "/media/...", "peaks": [0 to 1, ...], "duration": seconds, "title": text,
    "roles": ["midi", ...]}, or None for nothing. Optional: "formats" as [name, title, group] for `url`/export/name,
    "parts" as names with their "stems" as addresses, and "piece": the next value with the same one goes on where
    this one was."""
    return element("waveform", value, parts=(PLAYER, *OWN), **options)
