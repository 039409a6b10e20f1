"""Pieces: what the room shows of a finished recording, as plain JSON for its elements."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genai_studio.errors import StudioError
from genai_studio.score.document import read_document
from genai_studio.score.exports import FORMATS
from genai_studio.score.model import INTRODUCTION, TAG, TICKS, Score
from genai_studio.score.sound.performance import seconds_at
from genai_studio.ui.controls import option_title
from genai_studio.ui.i18n import say
from genai_studio.ui.piece import notes_of_midi

if TYPE_CHECKING:
    from genai_studio.gallery.records import Record
    from genai_studio.studio import Studio

LOG = logging.getLogger(__name__)
MIDI, SCORE = "midi", "score"
UNTITLED = "Untitled"
"""What a tune is called that came without a name."""
GLIMPSE = 8
"""Bars of the little picture on a take."""
GROUPS = {
    "Sound": ("flac", "wav", "mp3", "ogg", "loop", "stems"),
    "Notes": ("midi", "musicxml", "abc"),
    "Sheet music": ("pdf", "pdf-full", "svg"),
    "Video": ("video-score", "video-waveform"),
}


def score_of(studio: Studio, record: Record) -> Score | None:
    """The score beside a recording, or None where there is none."""
    if SCORE not in record.companions:
        return None
    try:
        return _read(studio.gallery.open(record.id, SCORE))
    except (StudioError, OSError, ValueError):
        LOG.warning("The score of %s could not be read.", record.id, exc_info=True)
        return None


@lru_cache(maxsize=32)
def _read(path: Path) -> Score:
    """A saved score never changes under its path."""
    return read_document(path)


@lru_cache(maxsize=8)
def _notes(path: Path) -> dict[str, Any]:
    """A piece that is being changed is shown again and again."""
    return notes_of_midi(path)


def sheet_value(studio: Studio, record: Record, language: str) -> dict[str, Any]:
    """Value of the `score` element."""
    score = score_of(studio, record)
    notes = _notes(studio.gallery.open(record.id, MIDI)) if MIDI in record.companions else {}
    value: dict[str, Any] = {
        **notes,
        "record": record.id,
        "src": record.url,
        "title": _title(score, language) if score else str(record.info.get("title") or record.prompt)[:200],
        "engravable": score is not None,
        "editable": score is not None and bool(score.melody),
        "facts": [],
    }
    if score is None:
        return value
    around = (INTRODUCTION, TAG) if score.ending == "tag" else (INTRODUCTION,)
    tune = [section for section in score.sections if section.letter not in around]
    return {
        **value,
        "facts": facts_of(score, record, language),
        "bars": score.bars,
        "first_bar": tune[0].first_bar + 1 if tune else 1,
        "last_bar": tune[-1].end_bar if tune else score.bars,
        "sections": [[section.letter, section.first_bar, section.bars] for section in score.sections],
        "beats_per_bar": score.bar_ticks / TICKS,
        "clock": clock_of(score),
    }


def facts_of(score: Score, record: Record, language: str) -> list[str]:
    """What stands below the title: key, metre, tempo, length, players."""
    beat = "♩." if score.compound else "♩"
    seconds = round(record.duration or score.seconds)
    facts = [
        _key(score, language),
        score.metre,
        f"{beat} = {score.tempo:.0f}",
        say("{n} bars", language, n=score.bars),
        f"{seconds // 60}:{seconds % 60:02d}",
    ]
    if score.ensemble:
        facts.append(say(option_title(score.ensemble), language))
    return facts


def _title(score: Score, language: str) -> str:
    """The piece's own title; one that only names style and key, in the page's language."""
    if score.style and score.title == f"{score.style.capitalize()} in {score.key}":
        style = say(option_title(score.style), language)
        return say("{style} in {key}", language, style=style, key=_key(score, language))
    return say(score.title, language) if score.title == UNTITLED else score.title


def _key(score: Score, language: str) -> str:
    return f"{score.key.tonic} {say(option_title(score.key.mode), language).lower()}"


def clock_of(score: Score) -> list[list[float]]:
    """[quarters, seconds] at each bar line and at the end, for the roll's cursor."""
    ticks = [0, *(score.pickup + bar * score.bar_ticks for bar in range(score.bars)), score.ticks]
    return [[tick / TICKS, round(seconds_at(score, tick), 3)] for tick in sorted(set(ticks))]


def sound_value(studio: Studio, record: Record, group: str) -> dict[str, Any]:
    """Value of the `waveform` element. Recordings of one `group` take over from each other where they play."""
    score = score_of(studio, record)
    value: dict[str, Any] = {
        "url": record.url,
        "peaks": record.info.get("peaks", []),
        "duration": record.duration,
        "title": record.prompt,
        "roles": [role for role in record.roles if role != SCORE],
        "piece": group,
    }
    if score is not None:
        value["formats"] = formats()
        value["parts"] = [part.name for part in score.parts]
        value["stems"] = [f"{record.url}/export/stem-{number}" for number, _ in enumerate(score.parts, 1)]
    return value


def formats() -> list[list[str]]:
    """[name, title, group] of every format that the menu offers."""
    return [[name, FORMATS[name].title, group] for group, names in GROUPS.items() for name in names if name in FORMATS]


def glimpse(studio: Studio, record: Record, bars: tuple[int, int] | None = None) -> list[list[float]]:
    """The melody of some bars (counted from 1, both included; the first ones without) for a little picture:
    [start, duration, pitch], times as shares of these bars."""
    score = score_of(studio, record)
    if score is None:
        return []
    first, last = bars or (1, GLIMPSE)
    start = score.pickup + (first - 1) * score.bar_ticks
    length = (min(last, score.bars) - first + 1) * score.bar_ticks
    if length <= 0:
        return []
    return [
        [round((note.start - start) / length, 4), round(note.duration / length, 4), note.pitch]
        for note in score.melody
        if start <= note.start < start + length
    ]
