"""Piece: the notes of a finished recording, read from the MIDI file beside it, for the piano roll."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)
MOST_NOTES = 20_000
"""More would be no picture; the roll then shows the beginning."""


def notes_of_midi(path: Path) -> dict[str, Any]:
    """`notes` as [part, pitch, start, duration, velocity] in quarters, `parts`, `total_quarters`, `tempo` (quarters a
    minute, the first one). A file that is no MIDI gives no notes: the recording can be heard all the same."""
    import mido

    try:
        midi = mido.MidiFile(path)
        return _read(midi)
    except (OSError, ValueError, EOFError, KeyError, IndexError):
        LOG.warning("The notes of %s could not be read.", path, exc_info=True)
        return {"notes": [], "parts": [], "total_quarters": 0.0}


def _read(midi: Any) -> dict[str, Any]:
    quarter = midi.ticks_per_beat or 480
    notes: list[list[float]] = []
    parts: list[str] = []
    tempo, end = 120.0, 0
    for track in midi.tracks:
        now, sounding = 0, {}
        part = len(parts)
        for message in track:
            now += message.time
            if message.type == "set_tempo" and tempo == 120.0:
                tempo = round(60_000_000 / message.tempo, 3)
            elif message.type == "note_on" and message.velocity:
                sounding[message.note] = (now, message.velocity)
            elif message.type in {"note_on", "note_off"} and message.note in sounding and len(notes) < MOST_NOTES:
                start, velocity = sounding.pop(message.note)
                notes.append([part, message.note, start / quarter, (now - start) / quarter, velocity])
        if any(note[0] == part for note in notes):
            parts.append(track.name.strip() or f"Part {part + 1}")
        end = max(end, now)
    return {"notes": notes, "parts": parts, "total_quarters": end / quarter, "tempo": tempo}
