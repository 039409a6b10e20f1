"""The tree in the README is the tree of the repository."""

from __future__ import annotations

import subprocess

import pytest
import readme

TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "app.py",
    "assets",
    "genai_studio",
    "pyproject.toml",
    "requirements.txt",
    "tests",
}
VAGUE = {"utils", "helpers", "common", "misc", "service", "handler", "processor"}


@pytest.fixture(scope="module", autouse=True)
def _needs_git():
    if subprocess.run(["git", "ls-files"], cwd=readme.ROOT, capture_output=True).returncode:
        pytest.skip("not a git checkout")


def test_the_printed_tree_is_the_tree():
    printed = readme.part(readme.README.read_text(encoding="utf-8"), "tree")
    assert printed == readme.tree(), "run: python tests/readme.py"


def test_nothing_else_stands_at_the_top():
    assert {path.split("/")[0] for path in readme.tracked()} <= TOP_LEVEL


def test_every_file_says_what_it_is():
    """With a docstring or a comment at its start, or in tests/readme.py where it can have none."""
    summarised = tuple(f"{folder}/" for folder in readme.SUMMARISED)
    silent = [path for path in readme.tracked() if not path.startswith(summarised) and not readme.comment(path)]
    assert not silent


def test_names_say_what_is_inside():
    for path in readme.tracked():
        assert not {part.split(".")[0] for part in path.split("/")} & VAGUE, path
