"""Arranges a melody with its chords for an ensemble: who plays, in which register, which figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from genai_studio.score.arranging import bands, ensembles
from genai_studio.score.arranging.harmony import harmonise, is_rich
from genai_studio.score.arranging.setting import Setting
from genai_studio.score.arranging.structure import framed
from genai_studio.score.model import Ending, Note, Part, Score


@dataclass(frozen=True)
class Instrument:
    """A melody instrument: General MIDI `program`, and the MIDI pitches that a melody for it stays within."""

    program: int
    lowest: int
    highest: int


INSTRUMENTS = {
    "fiddle": Instrument(40, 55, 88),
    "flute": Instrument(73, 60, 91),
    "whistle": Instrument(78, 62, 91),
    "piano": Instrument(0, 55, 88),
    "harp": Instrument(46, 53, 88),
    "guitar": Instrument(24, 52, 81),
    "accordion": Instrument(21, 55, 86),
    "banjo": Instrument(105, 52, 81),
    "clarinet": Instrument(71, 52, 86),
    "oboe": Instrument(68, 59, 86),
    "cello": Instrument(42, 41, 72),
    "bagpipe": Instrument(109, 55, 81),
    "trumpet": Instrument(56, 55, 82),
    "music box": Instrument(10, 67, 98),
    "square wave": Instrument(80, 57, 93),
}
"""Name of a melody instrument to its sound and range."""
_SWELLS = {40: 20, 42: 20, 73: 8, 78: 8, 21: 10, 71: 8, 68: 8, 109: 8, 56: 10, 80: 8}
"""By program: how much softer players of instruments that swell take a very long note."""


@dataclass(frozen=True)
class Ensemble:
    """Who plays: the melody instrument it has when none is asked for, and how it accompanies."""

    lead: str
    accompany: Callable[[Setting], list[Part]]
    rich: bool = False
    """Whether they harmonise in sevenths and ninths."""
    swing: float = 0.0
    """How late they play the second of two eighths, as a share of an eighth."""


def arrange(
    score: Score,
    melody: Sequence[Note],
    ensemble: str,
    instrument: str = "",
    *,
    style: str = "",
    introduction: int = 0,
    ending: Ending = "plain",
) -> Score:
    """The whole piece around a body: `melody` on `instrument` (or the ensemble's own), the players, their harmony.

    `score` is the body with its sections; its chords, where it has any, cover it from its first bar line, and players
    who like richer harmony find their own unless these are rich already. `introduction` is 0 or 4 bars before the body;
    a tag adds 4 bars after it.
    Raises KeyError for an unknown ensemble or instrument, ValueError for another introduction.
    """
    players = ENSEMBLES[ensemble]
    name = instrument or players.lead
    chords = score.chords
    if not chords or (players.rich and not is_rich(chords)):
        chords = harmonise(
            melody, score.key, score.metre, ticks=score.ticks, pickup=score.pickup,
            colour="rich" if players.rich else "plain", span=_span(score) if players.rich else 0,
        )  # fmt: skip
    whole, notes = framed(replace(score, chords=chords), melody, introduction, ending)
    sound = INSTRUMENTS[name]
    lead = Part(
        name.title(), "melody", sound.program, tuple(_phrased(whole, notes, swells=_SWELLS.get(sound.program, 0)))
    )
    swing = score.swing if score.compound else max(score.swing, players.swing)
    whole = replace(whole, parts=(lead,), style=style, ensemble=ensemble, instrument=name, swing=swing)
    setting = Setting(whole, lead, style)
    parts = [_grown(setting, lead, 0.12), *(_grown(setting, part, 0.3) for part in players.accompany(setting))]
    return replace(whole, parts=tuple(parts))


def _span(score: Score) -> int:
    """Ticks that a rich chord lasts at least: a bar, or half of a slow bar of four."""
    return 48 if score.metre == "4/4" and score.tempo < 100 else score.bar_ticks


def _phrased(score: Score, melody: Sequence[Note], *, swells: int) -> list[Note]:
    """The melody with its metre audible: strong beats louder, each four bars a small arc.

    `swells` is how much softer its very long notes are struck.
    """
    phrase = 4 * score.bar_ticks
    notes = []
    for note in melody:
        place = (note.start - score.pickup) % score.bar_ticks
        accent = 10 if place == 0 else 5 if place % score.beat_ticks == 0 else 0
        through = ((note.start - score.pickup) % phrase) / phrase
        arc = 6 * (1 - abs(2 * through - 1.1))
        held = min(1.0, note.duration / score.bar_ticks / 2) * swells if note.duration > score.bar_ticks else 0
        notes.append(replace(note, velocity=round(78 + accent + arc - held)))
    return notes


def _grown(setting: Setting, part: Part, amount: float) -> Part:
    """The part with its dynamics over the piece: `amount` is how much louder the fullest passage is than the barest."""
    length = setting.score.bar_ticks
    levels = [0.0] * setting.score.bars
    for passage in setting.passages:
        for bar in passage.bars:
            rise = 0.1 * (passage.closes and bar == passage.end_bar - 1)  # a section's last bar leads on
            levels[bar] = max(passage.level, 0.45) + rise
    notes = tuple(
        replace(
            note, velocity=max(1, min(127, round(note.velocity * (1 + amount * (levels[note.start // length] - 0.6)))))
        )
        for note in part.notes
    )
    return replace(part, notes=notes)


ENSEMBLES = {
    "solo": Ensemble("fiddle", ensembles.solo),
    "piano": Ensemble("piano", ensembles.piano),
    "folk band": Ensemble("fiddle", ensembles.folk_band),
    "string quartet": Ensemble("fiddle", ensembles.string_quartet),
    "harp and flute": Ensemble("flute", ensembles.harp_and_flute),
    "music box": Ensemble("music box", ensembles.music_box),
    "chiptune": Ensemble("square wave", bands.chiptune),
    "marching band": Ensemble("trumpet", bands.marching_band),
    "lo-fi": Ensemble("guitar", bands.lo_fi, rich=True, swing=0.15),
    "jazz trio": Ensemble("piano", bands.jazz_trio, rich=True, swing=1 / 3),
    "waltz band": Ensemble("accordion", ensembles.waltz_band),
}
"""Name of an ensemble to its players."""
