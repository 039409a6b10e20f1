"""Our own page elements: a gr.HTML each, with its markup, style and script in files beside it, never in Python
strings. Text is set as text, never as HTML; words come from `studio.say(...)` of ui/page.js."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).resolve().parent


@cache
def _text(name: str, suffix: str) -> str:
    path = FOLDER / name / f"{name}{suffix}"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def element(name: str, value: Any = None, **options: Any) -> gr.HTML:
    """A gr.HTML from `elements/<name>/<name>.html`, `.css` and `.js`; `value` is JSON, `options` go to gr.HTML."""
    return gr.HTML(
        value,
        html_template=_text(name, ".html"),
        css_template=_text(name, ".css"),
        js_on_load=_text(name, ".js"),
        apply_default_css=False,
        **options,
    )
