"""The score as a document: JSON that keeps everything a `Score` has. The record's companion from which every other
format is made again. Strict and bounded when read: a document comes from a file that anyone may have written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genai_studio.score.model import (
    CHORD_KINDS,
    KEYS,
    METRES,
    SCALES,
    Chord,
    Ending,
    Key,
    Note,
    Part,
    Role,
    Score,
    Section,
)

MAX_NOTES, MAX_BARS = 50_000, 512
_MAX_BYTES = 8_000_000
_MAX_TICKS = MAX_BARS * max(METRES.values())
_Tick = Annotated[int, Field(ge=0, le=_MAX_TICKS)]
_Length = Annotated[int, Field(ge=1, le=_MAX_TICKS)]
_Name = Annotated[str, Field(max_length=200)]
_Bar = Annotated[int, Field(ge=0, le=MAX_BARS)]


class _Note(NamedTuple):
    start: _Tick
    duration: _Length
    pitch: Annotated[int, Field(ge=0, le=127)]
    velocity: Annotated[int, Field(ge=1, le=127)]


class _Chord(NamedTuple):
    start: _Tick
    duration: _Length
    root: Annotated[int, Field(ge=0, le=11)]
    tones: Annotated[tuple[Annotated[int, Field(ge=0, le=24)], ...], Field(min_length=2, max_length=8)]


class _Section(NamedTuple):
    letter: Annotated[str, Field(min_length=1, max_length=4)]
    first_bar: _Bar
    bars: Annotated[int, Field(ge=1, le=MAX_BARS)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Part(_Closed):
    name: _Name
    role: Role
    program: Annotated[int, Field(ge=0, le=127)]
    gain: Annotated[float, Field(ge=-60, le=24)]
    pan: Annotated[float, Field(ge=-1, le=1)]
    length: Annotated[float, Field(gt=0, le=2)]
    notes: Annotated[tuple[_Note, ...], Field(max_length=MAX_NOTES)]


class _Document(_Closed):
    format: Literal["genai-studio-score"] = "genai-studio-score"
    version: Literal[1] = 1
    title: _Name
    tonic: str
    mode: str
    metre: str
    tempo: Annotated[float, Field(ge=5, le=1000)]
    bars: Annotated[int, Field(ge=1, le=MAX_BARS)]
    pickup: _Tick
    swing: Annotated[float, Field(ge=0, le=1)]
    style: _Name
    ensemble: _Name
    instrument: _Name
    ending: Ending
    sections: Annotated[tuple[_Section, ...], Field(max_length=MAX_BARS)]
    chords: Annotated[tuple[_Chord, ...], Field(max_length=MAX_NOTES)]
    parts: Annotated[tuple[_Part, ...], Field(max_length=64)]


def write_document(score: Score, path: Path) -> None:
    """Writes `score` as UTF-8 JSON. The same score gives the same bytes. Raises ValueError, in one sentence, where
    it could not be read back."""
    parts = tuple(
        {
            "name": part.name,
            "role": part.role,
            "program": part.program,
            "gain": float(part.gain),
            "pan": float(part.pan),
            "length": float(part.length),
            "notes": tuple(_Note(note.start, note.duration, note.pitch, note.velocity) for note in part.notes),
        }
        for part in score.parts
    )
    values = {
        "title": score.title,
        "tonic": score.key.tonic,
        "mode": score.key.mode,
        "metre": score.metre,
        "tempo": float(score.tempo),
        "bars": score.bars,
        "pickup": score.pickup,
        "swing": float(score.swing),
        "style": score.style,
        "ensemble": score.ensemble,
        "instrument": score.instrument,
        "ending": score.ending,
        "sections": tuple(_Section(part.letter, part.first_bar, part.bars) for part in score.sections),
        "chords": tuple(_Chord(chord.start, chord.duration, chord.root, chord.tones) for chord in score.chords),
        "parts": parts,
    }
    try:
        document = _Document.model_validate(values)
        _score_of(document)
    except ValidationError as error:
        raise ValueError(f"This score cannot be kept: {_first(error)}.") from None
    except ValueError as error:
        raise ValueError(f"This score cannot be kept: {error}") from None
    text = document.model_dump_json()
    path.write_bytes(text.encode() + b"\n")


def read_document(path: Path) -> Score:
    """The score that `path` holds. Raises ValueError with one sentence for anything that is not one."""
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"{path.name} is larger than a score may be ({_MAX_BYTES // 1_000_000} MB).")
    try:
        return _score_of(_Document.model_validate_json(content))
    except ValidationError as error:
        raise ValueError(f"{path.name} is not a score: {_first(error)}.") from None
    except ValueError as error:
        raise ValueError(f"{path.name} is not a score: {error}") from None


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, with its place."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _score_of(document: _Document) -> Score:
    """The document as a score. Raises ValueError where its parts contradict each other."""
    if document.tonic not in KEYS or document.mode not in SCALES or document.metre not in METRES:
        raise ValueError(f"{document.tonic} {document.mode} in {document.metre} is not known here.")
    ticks = document.bars * METRES[document.metre]
    if document.pickup >= METRES[document.metre]:
        raise ValueError("its pickup is longer than a bar.")
    if sum(len(part.notes) for part in document.parts) > MAX_NOTES:
        raise ValueError(f"it has more than {MAX_NOTES} notes.")
    if any(note.start + note.duration > ticks for part in document.parts for note in part.notes):
        raise ValueError(f"a note lasts longer than its {document.bars} bars.")
    if any(chord.tones not in CHORD_KINDS for chord in document.chords):
        raise ValueError("a chord is of no known kind.")
    if any(chord.start + chord.duration > ticks for chord in document.chords):
        raise ValueError(f"a chord lasts longer than its {document.bars} bars.")
    if any(section.first_bar + section.bars > document.bars for section in document.sections):
        raise ValueError(f"a section lasts longer than its {document.bars} bars.")
    return Score(
        document.title, Key(document.tonic, document.mode), document.metre, document.tempo, document.bars,
        document.pickup,
        tuple(Part(part.name, part.role, part.program, tuple(Note(*note) for note in part.notes), part.gain, part.pan,
                   part.length) for part in document.parts),
        tuple(Chord(*chord) for chord in document.chords),
        tuple(Section(*section) for section in document.sections),
        document.swing, document.style, document.ensemble, document.instrument, document.ending,
    )  # fmt: skip
