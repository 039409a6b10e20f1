"""The page as a whole: header, the five rooms, the queue on all of them, and the named endpoints."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from genai_studio.domain.modality import Modality
from genai_studio.settings import Settings
from genai_studio.ui import api, queue_panel
from genai_studio.ui.elements import element
from genai_studio.ui.i18n import COOKIE, LANGUAGES, LEAST_FIXED, dictionary
from genai_studio.ui.shell import Shell, browser_stores
from genai_studio.ui.theme import Studio as StudioTheme

if TYPE_CHECKING:
    from genai_studio.studio import Studio

HERE = Path(__file__).parent
TITLE = "GenAI Studio"
ROOMS = {
    "image": ("Image", "image_tab"),
    "text": ("Text", "text_tab"),
    "music": ("Music", "music_tab"),
    "gallery": ("Gallery", "gallery_tab"),
    "models": ("Models", "models_tab"),
}
"""Key of a tab to its name and the module that builds it, in the order of the page."""


def build_ui(studio: Studio) -> gr.Blocks:
    """The page of `studio`. Theme, style and scripts are in `page_assets`, for `mount_gradio_app` or `launch`."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as blocks:
        element("header", elem_id="studio-header")
        inbox = {modality: gr.State(None) for modality in Modality}
        pulse = gr.Timer(queue_panel.IDLE)
        stores = browser_stores()
        with gr.Tabs(elem_classes="rooms") as tabs:
            shell = Shell(blocks, tabs, inbox, pulse, stores)
            for key, (name, module) in ROOMS.items():
                with gr.Tab(name, id=key, elem_id=f"{key}-room") as tab:
                    shell.tab[key] = tab
                    import_module(f"genai_studio.ui.{module}").build(studio, shell)
        queue_panel.build(studio, shell)
        api.build(studio)
    return blocks


def page_assets(settings: Settings | None = None) -> dict[str, Any]:
    """Arguments for `gr.mount_gradio_app` or `Blocks.launch`: the look and the head's script."""
    language = settings.language if settings else ""
    return {
        "theme": StudioTheme(),
        "css": (HERE / "page.css").read_text(encoding="utf-8"),
        "head": f"<script>{head_script(language)}</script>",
    }


def head_script(language: str = "") -> str:
    """page.js with its setup: the languages and their words, the icons, and the language this studio is set to."""
    setup = {
        "cookie": COOKIE,
        "least": LEAST_FIXED,
        "language": language if language in LANGUAGES else "",
        "languages": LANGUAGES,
        "words": {tag: dictionary(tag) for tag in LANGUAGES},
        "icons": json.loads((HERE / "icons.json").read_text(encoding="utf-8")),
    }
    # "</" would end the script element; "<\\/" is the same text to JSON.
    told = json.dumps(setup, ensure_ascii=False).replace("</", "<\\/")
    return (HERE / "page.js").read_text(encoding="utf-8").replace("/*SETUP*/ null", told)
