"""A form drawn as in its room."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import gradio as gr
import pytest

from genai_studio.studio import Studio
from genai_studio.ui.form import Form
from genai_studio.ui.shell import browser_stores


@pytest.fixture
def form(studio: Studio, request: pytest.FixtureRequest) -> Iterator[Form]:
    """The form of the modality that the test's module names as MODALITY."""
    with gr.Blocks():
        shell = SimpleNamespace(stores=browser_stores())
        drawn = Form(studio, shell, request.module.MODALITY, placeholder="", button="Generate")  # type: ignore[arg-type]
        drawn.draw_prompt()
        drawn.draw_settings()
        yield drawn
