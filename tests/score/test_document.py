from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genai_studio.score.document import read_document, write_document
from genai_studio.score.model import Note
from tests.score.pieces import random_score


@pytest.mark.parametrize("seed", range(8))
def test_what_is_written_is_read_and_the_same_score_gives_the_same_bytes(seed: int, tmp_path: Path) -> None:
    score = replace(random_score(seed), title="Ряженка «№7»", swing=0.25, ending="ritardando")
    write_document(score, tmp_path / "a.json")
    read = read_document(tmp_path / "a.json")
    assert read == score
    write_document(read, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text())["format"] == "genai-studio-score"


def _spoilt(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    place: Any = document
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        place = place[step]
    place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "something else"),
        ("version", 2),
        ("metre", "13/8"),
        ("tonic", "H"),
        ("tempo", 0),
        ("tempo", "fast"),
        ("bars", 100_000),
        ("bars", 1),
        ("pickup", 500),
        ("pickup", True),
        ("ending", "sudden"),
        ("extra", 1),
        ("parts.0.program", 128),
        ("parts.0.notes.0", [0, 12, 60]),
        ("parts.0.notes.0", [-1, 12, 60, 80]),
        ("parts.0.notes.0", [0, 0, 60, 80]),
        ("parts.0.notes.0", [0, 12, 200, 80]),
        ("chords.0", [0, 100_000, 0, [0, 4, 7]]),
        ("chords.0", [0, 24, 0, [0, 1, 2]]),
        ("sections.0", ["A", 0, 500]),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(path: str, value: object, tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    write_document(random_score(1), file)
    file.write_text(json.dumps(_spoilt(json.loads(file.read_text()), path, value)))
    with pytest.raises(ValueError, match=r"score\.json is not a score: [^\n]*\.$"):
        read_document(file)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b" " * 9_000_000])
def test_what_is_no_document_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"score\.json is"):
        read_document(file)


def test_too_many_notes_are_refused_when_written_and_when_read(tmp_path: Path) -> None:
    score = random_score(1)
    part = replace(score.parts[0], notes=(Note(0, 6, 60),) * 50_001)
    with pytest.raises(ValueError, match="cannot be kept"):
        write_document(replace(score, parts=(part,)), tmp_path / "score.json")
    halves = (replace(part, notes=part.notes[:30_000]),) * 2
    with pytest.raises(ValueError, match="more than 50000 notes"):
        write_document(replace(score, parts=halves), tmp_path / "score.json")
