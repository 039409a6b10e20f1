"""The elements' own files: nothing in them is run that a person typed, and their icons and words exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

import genai_studio.ui
from genai_studio.ui.elements import FOLDER, element
from genai_studio.ui.elements.score.element import score
from genai_studio.ui.elements.waveform.element import waveform
from genai_studio.ui.gallery_tab import PARTS

UI = Path(genai_studio.ui.__file__).parent
SCRIPTS = sorted(FOLDER.glob("*/*.js"))
PLAIN = ("model_shelf", "takes", "versions", "chips", "bring_in")
TEMPLATES = sorted([*FOLDER.glob("*/*.html"), *FOLDER.glob("*/*.css")])


def named(paths: list[Path]) -> list[str]:
    return [path.relative_to(FOLDER).as_posix() for path in paths]


@pytest.mark.parametrize("script", SCRIPTS, ids=named(SCRIPTS))
def test_scripts_never_turn_text_into_markup_or_code(script):
    """In one word each: what would run `<img src=x onerror=...>` in a prompt."""
    text = script.read_text(encoding="utf-8")
    for door in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"):
        assert door not in text


@pytest.mark.parametrize("template", TEMPLATES, ids=named(TEMPLATES))
def test_templates_have_no_holes(template):
    """Gradio fills `${...}` and `{{...}}` with raw values; our markup is fixed, and scripts set all text."""
    text = template.read_text(encoding="utf-8")
    for hole in ("${", "{{", "`", "\\"):
        assert hole not in text


@pytest.mark.parametrize("script", SCRIPTS, ids=named(SCRIPTS))
def test_icons_exist(script):
    icons = json.loads((UI / "icons.json").read_text(encoding="utf-8"))
    used = re.findall(r'\b(?:icon|iconButton|button|tool)\("([a-z]+)"', script.read_text(encoding="utf-8"))
    assert set(used) <= icons.keys()


@pytest.mark.skipif(not shutil.which("node"), reason="no node to parse JavaScript")
@pytest.mark.parametrize(
    "built",
    [waveform, score, *(partial(element, name) for name in PLAIN), partial(element, "gallery_grid", parts=PARTS)],
    ids=["waveform", "score", *PLAIN, "gallery_grid"],
)
def test_joined_scripts_parse(built, tmp_path):
    """Parts share one scope: a name that two of them declare would break the element."""
    script = tmp_path / "joined.js"
    script.write_text(
        f"async function run(element, trigger, props, server, upload, watch) {{\n{built().js_on_load}\n}}"
    )
    checked = subprocess.run(["node", "--check", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_an_element_is_made_of_its_files():
    made = waveform({"url": "/media/a", "peaks": [0.5]}, elem_id="w")
    assert made.value == {"url": "/media/a", "peaks": [0.5]}
    assert made.html_template == (FOLDER / "waveform/waveform.html").read_text()
    for name in ("player", "mixer", "exports", "waveform"):
        assert (FOLDER / f"waveform/{name}.js").read_text() in made.js_on_load
        assert (FOLDER / f"waveform/{name}.css").read_text() in made.css_template
    assert made.js_on_load.index("const createPlayer") < made.js_on_load.index("createPlayer(sound")
