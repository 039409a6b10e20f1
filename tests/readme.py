"""The generated parts of the README: tree, settings, models and their parameters. `python tests/readme.py` writes
them; test_docs.py holds them true."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
COMMENT_LENGTH = 96
SUMMARISED = {
    "assets/weights/sticker": "the weights of Sticker and where its training pictures come from",
    "assets/weights/tunes": "the weights of Tunes and where its training tunes come from",
    "assets/screenshots": "the pictures in this README",
    "assets/examples": "example inputs",
    "assets/vendor": "libraries of the page, with their licences",
    "assets/fonts": "fonts of the page, with their licences",
    "genai_studio/database/migrations/versions": "one file a change of the schema",
}
"""Folders whose files are made by a program, as one line each."""
COMMENTS = {
    ".ci/run": "installs Chromium where it is missing, then runs command 2",
    ".gitignore": "what git leaves alone",
    "CHANGELOG.md": "what changed, by version",
    "CONTRIBUTING.md": "add a model, add a family",
    "LICENSE": "Apache-2.0",
    "README.md": "this page",
    "app.py": "Settings -> Studio -> page -> server; also the entry of a Hugging Face Space",
    "pyproject.toml": "package, ruff, mypy and pytest",
    "requirements.txt": "what the studio needs, with upper bounds",
    "tests/requirements.txt": "what the tests need besides",
    "genai_studio/models/tunes/anchors.npy": "sentence vectors of the phrases in anchors.toml",
    "genai_studio/serve/login.html": "the login page",
    "genai_studio/database/migrations/script.py.mako": "what a new migration starts from",
}
"""Comments of files that cannot carry one themselves. A Python file's is the first sentence of its docstring."""
ELEMENTS = "genai_studio/ui/elements/"
ELEMENT_FILES = {".html": "its markup", ".css": "its style", ".js": "its script"}
"""An element's module says what the element is."""


def tracked() -> list[str]:
    """Paths of all files under version control, sorted with folders first at each level."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return sorted(path for path in listed.stdout.decode().split("\0") if path and (ROOT / path).is_file())


def tree() -> str:
    """Every file, one a line with one comment; folders of generated files as one line."""
    entries: dict[str, Any] = {}
    for path in tracked():
        folder = next((name for name in SUMMARISED if path.startswith(name + "/")), None)
        *parents, name = (folder or path).split("/")
        level = entries
        for parent in parents:
            level = level.setdefault(parent + "/", {})
        level[name + "/" if folder else name] = SUMMARISED[folder] if folder else comment(path)
    rows: list[tuple[str, str]] = []
    _rows(entries, "", rows)
    width = max(len(left) for left, _ in rows) + 2
    return "```\n" + "".join(f"{left:{width}}{right}".rstrip() + "\n" for left, right in rows) + "```"


def comment(path: str) -> str:
    """What the file is, in a few words; empty for a file that does not say."""
    if path in COMMENTS:
        return COMMENTS[path]
    text = (ROOT / path).read_text(encoding="utf-8")
    found = ""
    if path.endswith(".py"):
        found = ast.get_docstring(ast.parse(text)) or ""
    elif path.endswith(".toml") and text.startswith("# "):
        found = text[2:].splitlines()[0]
    elif match := re.match(r"\s*(?:/\*+|//|<!--|\"\$comment\":)\s*(.+?)\s*(?:\*/|-->|$)", text, re.MULTILINE):
        found = match[1]
    elif path.startswith(ELEMENTS):
        found = ELEMENT_FILES.get(Path(path).suffix, "")
    elif path.endswith(".json"):
        found = Path(path).stem + " as data"
    if not found and Path(path).name.startswith("test_"):
        found = f"tests of {Path(path).stem.removeprefix('test_')}"
    return _shortened(" ".join(found.split()))


def settings_table() -> str:
    from genai_studio.settings import PREFIX, Settings

    defaults = {"home": "the platform's user data folder", "models": "`models` in the home folder"}
    rows = ["| variable | flag | default | what it is |", "|---|---|---|---|"]
    for declared in fields(Settings):
        if "help" in declared.metadata:
            default = defaults.get(declared.name) or f"`{declared.default}`".replace("``", "empty")
            flag = "--" + declared.name.replace("_", "-")
            variable = f"`{PREFIX}{declared.name.upper()}`"
            rows.append(f"| {variable} | `{flag}` | {default} | {declared.metadata['help']} |")
    return "\n".join(rows)


def models_table() -> str:
    from genai_studio.models.catalog import MODELS

    rows = ["| model | makes | licence | download | from |", "|---|---|---|---|---|"]
    for spec in MODELS:
        sources = (*spec.sources, *spec.extras)
        size = sum(source.size for source in sources)
        download = f"{size / 1e6:.0f} MB, once" if size else "none"
        places = ", ".join(f"`{source}`" for source in sources)
        rows.append(f"| {spec.title} (`{spec.id}`) | {spec.task} | {spec.licence} | {download} | {places} |")
    return "\n".join(rows)


def params_tables() -> str:
    from genai_studio.models.base import family_of
    from genai_studio.models.catalog import MODELS

    parts = []
    for spec in MODELS:
        params = family_of(spec).params
        schema = params.model_json_schema()["properties"]
        rows = [f"**{spec.title}** (`{spec.id}`)", "", "| parameter | default | allowed | what it does |"]
        rows.append("|---|---|---|---|")
        for name, field in params.model_fields.items():
            if name in spec.hidden:
                continue
            default = "required" if field.is_required() else f"`{_plain(spec.defaults.get(name, field.default))}`"
            default = default.replace("``", "empty")
            rows.append(f"| `{name}` | {default} | {_allowed(schema[name])} | {field.description or ''} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


PARTS = {"tree": tree, "settings": settings_table, "models": models_table, "parameters": params_tables}


def part(text: str, name: str) -> str:
    """What stands between the marks of `name` in the README."""
    start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    return text.split(start, 1)[1].split(end, 1)[0]


def write() -> None:
    text = README.read_text(encoding="utf-8")
    for name, make in PARTS.items():
        before, rest = text.split(f"<!-- {name} -->\n", 1)
        text = f"{before}<!-- {name} -->\n{make()}\n<!-- /{name} -->{rest.split(f'<!-- /{name} -->', 1)[1]}"
    README.write_text(text, encoding="utf-8")


def _rows(level: dict[str, Any], indent: str, rows: list[tuple[str, str]]) -> None:
    for name, value in sorted(level.items(), key=lambda item: (not item[0].endswith("/"), item[0])):
        if isinstance(value, dict):
            rows.append((indent + name, ""))
            _rows(value, indent + "  ", rows)
        else:
            rows.append((indent + name, value))


def _shortened(text: str) -> str:
    """The first sentence, and of a long one the first clauses that fit."""
    sentence = re.split(r"(?<=[^.])\.(?:\s|$)", text, maxsplit=1)[0]
    if len(sentence) <= COMMENT_LENGTH:
        return sentence
    clauses = re.split(r"(?<=[,;:]) ", sentence)
    kept = clauses[0]
    for clause in clauses[1:]:
        if len(kept) + 1 + len(clause) > COMMENT_LENGTH:
            break
        kept += " " + clause
    kept = kept.rstrip(",;:")
    return kept if len(kept) <= COMMENT_LENGTH else kept[:COMMENT_LENGTH].rsplit(" ", 1)[0]


def _allowed(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if low is not None and high is not None:
        return f"{'above ' if 'exclusiveMinimum' in schema else ''}{low} to {high}"
    if "maxLength" in schema:
        return f"up to {schema['maxLength']:,} characters"
    if schema.get("type") == "boolean":
        return "`true`, `false`"
    return "a list" if schema.get("type") == "array" else ""


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    write()
