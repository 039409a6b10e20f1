"""The README, CONTRIBUTING and CHANGELOG say what is true: commands, settings, models, parameters, files, links."""

from __future__ import annotations

import re

import pytest
import readme
import yaml

from genai_studio import __version__
from genai_studio.cli import build
from genai_studio.models.catalog import MODELS

TEXT = readme.README.read_text(encoding="utf-8")
SPACE_COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
COMMANDS = re.findall(r"^python3 -m venv .*$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("name", ["settings", "models", "parameters"])
def test_generated_parts_are_up_to_date(name):
    assert readme.part(TEXT, name) == readme.PARTS[name](), "run: python tests/readme.py"


def test_the_two_commands_come_first_one_line_each():
    assert len(COMMANDS) == 2
    assert TEXT.index(COMMANDS[0]) < TEXT.index(COMMANDS[1]) < TEXT.index("## ")
    assert COMMANDS[0].endswith(".venv/bin/python app.py")
    assert COMMANDS[1].endswith(".venv/bin/python -m pytest")


def test_ci_runs_command_two_as_it_stands():
    script = (readme.ROOT / ".ci/run").read_text(encoding="utf-8")
    assert script.rstrip().splitlines()[-1] == COMMANDS[1]
    assert (readme.ROOT / ".ci/run").stat().st_mode & 0o111


def test_front_matter_is_a_space_s():
    front = yaml.safe_load(TEXT.split("---")[1])
    requirement = re.search(r"^gradio>=([\d.]+),<(\d+)$", (readme.ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert requirement is not None
    assert front["sdk"] == "gradio"
    assert front["sdk_version"].startswith(requirement[1])
    assert (readme.ROOT / front["app_file"]).is_file()
    assert front["python_version"] == "3.12"
    assert front["license"] == "apache-2.0"
    assert len(front["short_description"]) <= 60
    assert {front["colorFrom"], front["colorTo"]} <= SPACE_COLOURS
    assert front["title"]
    assert front["emoji"]


def test_every_command_is_in_the_readme():
    app = build([])
    called = [command.name for command in app.registered_commands]
    for group in app.registered_groups:
        called += [f"{group.name} {command.name}" for command in group.typer_instance.registered_commands]
        called += [f"{group.name} {inner.name}" for inner in group.typer_instance.registered_groups]
    missing = [name for name in called if f"genai_studio {name}" not in TEXT]
    assert not missing


def test_every_model_is_in_the_readme():
    assert [spec.id for spec in MODELS if f"`{spec.id}`" not in TEXT] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_to_files(name):
    text = (readme.ROOT / name).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", text)
    missing = [target for pair in targets for target in pair if target and not (readme.ROOT / target).exists()]
    assert not missing


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_named_files_and_folders_exist(name):
    text = (readme.ROOT / name).read_text(encoding="utf-8")
    named = re.findall(r"`((?:genai_studio|tests|assets)/[\w./-]+)`", text)
    assert named
    assert [path for path in named if not (readme.ROOT / path).exists()] == []


def test_the_changelog_has_this_version():
    text = (readme.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in text
    assert f'version = "{__version__}"' in (readme.ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_contributing_fits_on_two_screens():
    sections = (readme.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## ")
    for title in ("Add a model", "Add a family"):
        section = next(section for section in sections if section.startswith(title))
        assert len(section.splitlines()) <= 45
