"""Our own page elements: a gr.HTML each, with its markup, style and script in files beside it, never in Python
strings. Text is set as text, never as HTML; words come from `studio.say(...)` of ui/page.js."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).resolve().parent


@cache
def _text(part: str, suffix: str) -> str:
    path = FOLDER / f"{part}{suffix}"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def element(name: str, value: Any = None, *, parts: Sequence[str] = (), **options: Any) -> gr.HTML:
    """A gr.HTML from `elements/<name>/<name>.html`, `.css` and `.js`; `value` is JSON, `options` go to gr.HTML.
    `parts`, such as "waveform/player", are files whose style and script come before the element's own."""
    files = [*parts, f"{name}/{name}"]
    return gr.HTML(
        value,
        html_template=_text(f"{name}/{name}", ".html"),
        css_template="\n".join(filter(None, (_text(file, ".css") for file in files))),
        js_on_load="\n".join(filter(None, (_text(file, ".js") for file in files))),
        apply_default_css=False,
        **options,
    )
