"""Waveform: a player for one recording, drawn from the record's peaks, with its files to download."""

from __future__ import annotations

from typing import Any

import gradio as gr

from genai_studio.ui.elements import element

PLAYER = "waveform/player"
"""The part that other elements share: `createPlayer`."""


def waveform(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """`value` is {"url": "/media/...", "peaks": [0 to 1, ...], "duration": seconds, "title": text,
    "roles": ["midi", ...]}, or None for nothing."""
    return element("waveform", value, parts=(PLAYER,), **options)
