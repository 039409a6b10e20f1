"""GenAI Studio: `python app.py` opens the page, and a Hugging Face Space runs the same file.

Settings -> Studio -> build_ui -> serve. Every setting has its flag: `python app.py --help`.
"""

from __future__ import annotations

from genai_studio.cli.serve import run
from genai_studio.settings import Settings


def open_page(settings: Settings) -> None:
    """Serve the studio until Ctrl+C."""
    # Workers import this file too, and must not import the page.
    from genai_studio.serve.server import check_bind, prepare, serve
    from genai_studio.studio import Studio

    check_bind(settings)
    with Studio(settings) as studio:
        prepare(settings)
        from genai_studio.ui.app import build_ui, page_assets

        serve(studio, build_ui(studio), page_assets(settings))


if __name__ == "__main__":
    run(open_page)
