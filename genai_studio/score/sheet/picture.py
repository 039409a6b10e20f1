"""A score as a picture: a piano roll with bars, parts in colours, chord names above."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genai_studio.score.model import Chord, Score

if TYPE_CHECKING:
    from PIL.Image import Image

_PAPER, _BAR, _BEAT, _INK = (250, 248, 243), (196, 190, 178), (232, 227, 216), (70, 66, 60)
_COLOURS = ((190, 66, 48), (52, 110, 140), (104, 138, 72), (178, 132, 44), (126, 92, 150), (110, 110, 110))
_TOP = 30


def piano_roll(score: Score, *, bars_a_line: int = 8, width: int = 1600, row: int = 5) -> Image:
    """The score as lines of `bars_a_line` bars, `row` pixels a semitone; drums are left out, the melody lies on top."""
    from PIL import Image, ImageDraw

    parts = [part for part in score.parts if not part.drums]
    pitches = [note.pitch for part in parts for note in part.notes]
    low, high = min(pitches) - 1, max(pitches) + 1
    span = bars_a_line * score.bar_ticks
    lines = -(-score.ticks // span)
    height = (high - low + 1) * row + _TOP
    picture = Image.new("RGB", (width, lines * height + 8), _PAPER)
    draw = ImageDraw.Draw(picture)

    scale = (width - 20) / (span + score.pickup)
    left = 10 + score.pickup * scale  # room for the pickup before the first bar line

    def place(tick: int) -> tuple[int, float]:
        line = min(max(0, tick - score.pickup) // span, lines - 1)
        return line, left + (tick - score.pickup - line * span) * scale

    for line in range(lines):
        for beat in range(span // score.beat_ticks + 1):
            x = left + beat * score.beat_ticks * scale
            colour = _BAR if beat * score.beat_ticks % score.bar_ticks == 0 else _BEAT
            draw.line((x, line * height + _TOP, x, (line + 1) * height - 2), fill=colour)
    for chord in score.chords:
        line, x = place(chord.start)
        draw.text((x + 2, line * height + _TOP - 14), chord_name(score, chord), fill=_INK)
    for section in score.sections:
        line, x = place(score.pickup + section.first_bar * score.bar_ticks)
        draw.rectangle((x, line * height + _TOP - 2, x + 11, line * height + _TOP + 10), fill=_INK)
        draw.text((x + 3, line * height + _TOP - 2), section.letter, fill=_PAPER)
    draw.text((10, 2), f"{score.title}, {score.metre}, {score.tempo:g} beats a minute", fill=_INK)
    for number, part in reversed(list(enumerate(parts))):
        for note in part.notes:
            line, x = place(note.start)
            right = min(width - 10.0, x + note.duration * scale) - 1
            y = line * height + _TOP + (high - note.pitch) * row
            draw.rectangle((x, y, max(x + 1, right), y + row - 1), fill=_COLOURS[number % len(_COLOURS)])
    return picture


def chord_name(score: Score, chord: Chord) -> str:
    """`F#m`, `Bb`, `A7`: spelled for the score's key."""
    letter, alteration, _ = score.key.spell(60 + chord.root)
    sign = "#" * alteration if alteration > 0 else "b" * -alteration
    return f"{letter}{sign}{chord.suffix}"
