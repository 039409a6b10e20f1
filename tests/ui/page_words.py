"""Every string of the page that a person reads, found in the sources: what the translations must cover."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from genai_studio.models.base import family_of
from genai_studio.models.catalog import DEMO_MODELS, MODELS
from genai_studio.score import exports
from genai_studio.score.arranging import arrange
from genai_studio.ui import app, presets, views
from genai_studio.ui.controls import PROMPT, group_of, option_title, properties, resolved
from genai_studio.ui.music import pieces

UI = Path(app.__file__).parent
SAYING = {"say", "inform", "InvalidInput", "NotFound", "StudioError", "StorageFailed", "NotAllowed", "_say"}
"""Functions whose string arguments are shown."""
DRAWING = {"Button", "Accordion", "Tab", "Markdown"}
"""Components whose first argument is shown."""
NAMED = {"label", "info", "placeholder", "button"}
_IN_SCRIPT = re.compile(r"""\bsay\(\s*"((?:[^"\\]|\\.)*)\"""")


def of_the_page() -> set[str]:
    """All of them."""
    return {*in_scripts(), *in_python(), *of_params(), *in_tables()}


def in_scripts() -> Iterator[str]:
    for path in [*UI.glob("*.js"), *UI.glob("elements/**/*.js")]:
        for found in _IN_SCRIPT.finditer(path.read_text(encoding="utf-8")):
            yield found[1].replace('\\"', '"')


def in_python() -> Iterator[str]:
    for path in UI.rglob("*.py"):
        if path.name == "api.py":
            # The API answers programs, in English.
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from _of_call(node)


def _of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    shown: list[ast.expr] = []
    if name in SAYING:
        shown += node.args[:2] if name != "_say" else node.args[1:2]
    if name in DRAWING:
        shown += node.args[:1]
    shown += [keyword.value for keyword in node.keywords if keyword.arg in NAMED]
    for value in shown:
        for part in [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]:
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and re.search("[A-Za-z]{2}", part.value):
                yield part.value


def of_params() -> Iterator[str]:
    """Titles, helps and choices of every control, and what the models say of themselves."""
    for spec in [*MODELS, *DEMO_MODELS]:
        yield spec.summary
        for name, schema in properties(family_of(spec).params).items():
            if name in spec.hidden or (group_of(schema) == "hidden" and name != PROMPT):
                continue
            yield schema["title"]
            yield schema["description"]
            yield from (option_title(option) for option in resolved(schema).get("enum", ()) if isinstance(option, str))


def in_tables() -> Iterator[str]:
    yield from views.PHASES.values()
    yield views.INTERRUPTED
    yield from ("Waiting to start", "Starting", "Stopped", "Writing", "Step {step} of {total}", "Done in {seconds} s")
    yield from (name for name, _ in app.ROOMS.values())
    yield from (*pieces.GROUPS, pieces.UNTITLED)
    yield from (made.title for made in exports.FORMATS.values())
    yield from (option_title(name) for name in arrange.ENSEMBLES)
    yield from (name for built_in in presets.BUILT_IN.values() for name in built_in)
