"""MIDI: the score as a standard file, on the grid, so that it opens cleanly in a notation program or a sequencer."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from genai_studio.score.model import TICKS, Score

RESOLUTION = 480
"""MIDI ticks a quarter note; 20 to each of the score's."""
_SCALE = RESOLUTION // TICKS


def write_midi(score: Score, path: Path) -> None:
    """Writes a type 1 file: tempo, metre, key and section marks first, then a track for each part. The same score
    gives the same bytes. Dorian and mixolydian keys keep their signature and are marked minor and major.

    A pickup is a short bar with a time signature of its own, so that the bar lines of other programs are the score's.
    """
    import symusic

    midi = symusic.Score(RESOLUTION)
    beats, unit = (int(number) for number in score.metre.split("/"))
    minor = int(score.key.mode in ("minor", "dorian"))
    midi.tempos.append(symusic.Tempo(0, score.quarters_per_minute))
    pickup = Fraction(score.pickup, 4 * TICKS)
    if pickup and pickup.denominator & (pickup.denominator - 1) == 0:
        midi.time_signatures.append(symusic.TimeSignature(0, pickup.numerator, pickup.denominator))
        midi.time_signatures.append(symusic.TimeSignature(_SCALE * score.pickup, beats, unit))
    else:
        midi.time_signatures.append(symusic.TimeSignature(0, beats, unit))
    midi.key_signatures.append(symusic.KeySignature(0, score.key.fifths, minor))
    for section in score.sections:
        start = score.pickup + section.first_bar * score.bar_ticks if section.first_bar else 0
        midi.markers.append(symusic.TextMeta(_SCALE * start, section.letter))
    for part in score.parts:
        track = symusic.Track(part.name, part.program, part.drums)
        for note in part.notes:
            length = max(1, round(_SCALE * note.duration * part.length))
            track.notes.append(symusic.Note(_SCALE * note.start, length, note.pitch, note.velocity))
        midi.tracks.append(track)
    midi.dump_midi(path)
