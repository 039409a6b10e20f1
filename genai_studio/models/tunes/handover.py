"""What a finished piece leaves beside its sound: its files in other formats, and the facts that the page shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genai_studio.models.base import RunContext
from genai_studio.models.tunes.editing import Edited
from genai_studio.score.document import write_document
from genai_studio.score.formats.midi import write_midi
from genai_studio.score.formats.musicxml import write_musicxml
from genai_studio.score.model import Score


def companions(score: Score, ctx: RunContext) -> dict[str, Path]:
    """MIDI, MusicXML and the score itself, from which every other format can be made."""
    files = {"midi": ctx.stage(".mid"), "musicxml": ctx.stage(".musicxml"), "score": ctx.stage(".json")}
    write_midi(score, files["midi"])
    write_musicxml(score, files["musicxml"])
    write_document(score, files["score"])
    return files


def facts(made: Edited) -> dict[str, Any]:
    """The `info` of the output; bars are counted from 1."""
    score = made.score
    info: dict[str, Any] = {
        "title": score.title,
        "key": str(score.key),
        "metre": score.metre,
        "tempo": score.tempo,
        "bars": score.bars,
        "sections": [[section.letter, section.first_bar + 1, section.bars] for section in score.sections],
        "players": score.ensemble,
        "parts": [part.name for part in score.parts],
        "notes": sum(len(part.notes) for part in score.parts),
    }
    if made.bars:
        info["new_bars"] = list(made.bars)
    if made.likelihood is not None:
        info["likelihood"] = round(made.likelihood, 4)
    return info
