"""The import rule, read from the source with `ast`, and what the process that serves the page must never load."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "genai_studio"
LAYERS = [
    {"errors"},
    {"settings"},
    {"domain"},
    {"database"},
    {"gallery", "models", "score", "trust"},
    {"engine"},
    {"studio"},
    {"remote", "ui", "serve"},
    {"cli", "bench"},
    {"__main__"},
]
"""Each room may import the rooms of the layers before it and itself."""
SIDEWAYS = {("models", "score"), ("cli", "bench")}
HEAVY = {"torch", "diffusers", "transformers", "ncnn", "xllamacpp"}
HEAVY_AT_TOP = {"models/sticker", "models/tunes"}
"""Networks are written in torch; the modules that the page imports there are the `family.py` only."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path, top_only: bool = False) -> Iterator[tuple[str, int]]:
    """Full names of the modules that `path` imports, with the line. Under TYPE_CHECKING nothing is imported."""
    skipped: set[ast.AST] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        guarded = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if guarded or (top_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.module or "", node.lineno
            if node.module == "genai_studio":
                yield from ((f"genai_studio.{alias.name}", node.lineno) for alias in node.names)


def layer(name: str) -> int:
    return next(index for index, rooms in enumerate(LAYERS) if name in rooms)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    here = room(path)
    if here == "__init__":
        return
    for name, line in imported(path):
        parts = name.split(".")
        if parts[0] != "genai_studio" or len(parts) == 1 or parts[1] in {here, "__version__"}:
            continue
        there = parts[1]
        allowed = layer(there) < layer(here) or (here, there) in SIDEWAYS
        assert allowed, f"{path.relative_to(ROOT)}:{line}: {here} must not import {there}"


def test_only_ui_imports_gradio_and_serve_mounts_it():
    for path in modules():
        for name, line in imported(path):
            if name.split(".")[0] == "gradio":
                where = f"{path.relative_to(ROOT)}:{line}"
                assert room(path) in {"ui", "serve", "bench"}, where


def test_domain_is_pydantic_and_the_standard_library():
    for path in sorted((PACKAGE / "domain").glob("*.py")):
        for name, line in imported(path):
            top = name.split(".")[0]
            assert top in sys.stdlib_module_names | {"pydantic", "genai_studio"}, f"{path.name}:{line} imports {top}"


def test_heavy_libraries_are_imported_in_functions_of_models_and_the_worker():
    for path in modules():
        inside = str(path.relative_to(PACKAGE).parent)
        for name, line in imported(path, top_only=True):
            if name.split(".")[0] in HEAVY:
                assert inside in HEAVY_AT_TOP, f"{path.relative_to(ROOT)}:{line} imports {name} at the top"
                assert path.name not in {"__init__.py", "family.py"}, f"{path} is imported by the page"
        if room(path) not in {"models", "engine", "bench"}:
            tops = {name.split(".")[0] for name, _ in imported(path)}
            assert not tops & HEAVY, f"{path.relative_to(ROOT)} imports {tops & HEAVY}"


TRAINING = {"music21", "resvg_py", "vtracer"}
"""The train and eval commands say how to get them; nothing else imports them."""


def requirements(path: str) -> set[str]:
    """Names in a requirements file, each of which has a lower and an upper bound."""
    lines = [line for line in (ROOT / path).read_text().splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+>=[0-9.]+,<[0-9.]+", line), f"{line} has no lower or no upper bound"
    return {_normal(re.split("[><=]", line)[0]) for line in lines}


def third_party(paths: list[Path], own: set[str]) -> Iterator[tuple[str, set[str]]]:
    """Each import that is neither ours nor Python's: where it is, and the distributions that provide it."""
    distributions = packages_distributions()
    for path in paths:
        for name, line in imported(path):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names | own | TRAINING:
                owners = {_normal(owner) for owner in distributions.get(top, [])}
                yield f"{path.relative_to(ROOT)}:{line} imports {top}", owners


def test_requirements_are_what_is_imported():
    declared = requirements("requirements.txt")
    used: set[str] = set()
    for where, owners in third_party([*modules(), ROOT / "app.py"], {"genai_studio"}):
        assert owners & declared, f"{where}, which is not in requirements.txt"
        used |= owners & declared
    assert declared - used == set(), "in requirements.txt and not imported anywhere"


def test_what_the_tests_import_is_in_their_requirements():
    paths = sorted((ROOT / "tests").rglob("*.py"))
    declared = requirements("requirements.txt") | requirements("tests/requirements.txt")
    for where, owners in third_party(paths, {"genai_studio"} | {path.stem for path in paths} | {"app", "tests"}):
        assert owners & declared, f"{where}, which is not in tests/requirements.txt"


def test_the_page_process_never_loads_torch(tmp_path):
    """Starts the real page (not the demo) in a process of its own, asks it for its front page, and looks."""
    script = f"""
import json, os, sys, threading, time, urllib.request
sys.path.insert(0, {str(ROOT)!r})
import app
from genai_studio.serve import server
from genai_studio.settings import Settings

def ask(address):
    while True:
        try:
            status = urllib.request.urlopen(address, timeout=20).status
            break
        except OSError:
            time.sleep(0.05)
    heavy = sorted({HEAVY!r} & set(sys.modules))
    os.write(1, json.dumps([status, heavy]).encode() + b"\\n")
    os._exit(0)

def say(sentence):
    if "http" in sentence:
        threading.Thread(target=ask, args=(sentence.split()[-1],)).start()

server._to_terminal = say
server.serve.__defaults__ = (say,)
app.open_page(Settings.read({{}}, home={str(tmp_path)!r}, port=0))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    status, heavy = json.loads(done.stdout.strip().splitlines()[-1])
    assert (status, heavy) == (200, []), done.stderr


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
