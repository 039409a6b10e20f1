"""Arranges a melody with its chords for an ensemble: who plays, in which register, which figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from genai_studio.score import patterns
from genai_studio.score.model import Chord, Note, Part, Score
from genai_studio.score.voicing import Voices, three_below


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


@dataclass(frozen=True)
class Setting:
    """What the accompanying players know: the score with its chords, the lead's part, and the style of the tune."""

    score: Score
    lead: Part
    style: str


@dataclass(frozen=True)
class Ensemble:
    """Who plays: the melody instrument it has when none is asked for, and how it accompanies."""

    lead: str
    accompany: Callable[[Setting], list[Part]]


def arrange(score: Score, melody: Sequence[Note], ensemble: str, instrument: str = "", *, style: str = "") -> Score:
    """`score` with its parts: the melody on `instrument` (or the ensemble's own) and the ensemble's accompaniment.

    `score.chords` must cover the piece from its first bar line. Raises KeyError for an unknown ensemble or instrument.
    """
    players = ENSEMBLES[ensemble]
    name = instrument or players.lead
    lead = Part(name.title(), "melody", INSTRUMENTS[name].program, tuple(_phrased(score, melody)))
    parts = (lead, *players.accompany(Setting(score, lead, style)))
    return replace(score, parts=parts, style=style, ensemble=ensemble, instrument=name)


def _phrased(score: Score, melody: Sequence[Note]) -> list[Note]:
    """The melody with its metre audible: strong beats louder, each four bars a small arc."""
    phrase = 4 * score.bar_ticks
    notes = []
    for note in melody:
        place = (note.start - score.pickup) % score.bar_ticks
        accent = 10 if place == 0 else 5 if place % score.beat_ticks == 0 else 0
        through = ((note.start - score.pickup) % phrase) / phrase
        arc = 6 * (1 - abs(2 * through - 1.1))
        notes.append(replace(note, velocity=round(78 + accent + arc)))
    return notes


def _piano(setting: Setting) -> list[Part]:
    score, lead, style = setting.score, setting.lead, setting.style
    if style in ("air", "waltz"):
        step = 12 if score.metre != "4/4" or style == "air" else 24
        left = patterns.arpeggio(score.chords, score.metre, 40, step=step, ring=2, velocity=60)
    else:
        left = patterns.boom(score.chords, score.metre, 36, duration=12, velocity=74)
        left += patterns.chuck(score.chords, score.metre, 55, duration=12, velocity=58)
    return [Part("Piano, left hand" if lead.program == 0 else "Piano", "chords", 0, _in_order(left), -5.0, -0.1)]


def _folk_band(setting: Setting) -> list[Part]:
    score, lead, style = setting.score, setting.lead, setting.style
    enters = _later_passes(score)
    strum = patterns.boom(score.chords, score.metre, 40, duration=12, velocity=72)
    strum += patterns.chuck(score.chords, score.metre, 57, duration=12, velocity=62)
    bass = patterns.boom(score.chords, score.metre, 28, duration=score.beat_ticks, velocity=80)
    double = [replace(note, velocity=note.velocity - 14) for note in lead.notes if enters <= note.start]
    parts = [Part("Guitar", "chords", 25, _in_order(strum), -7.0, -0.4)]
    if lead.program != INSTRUMENTS["whistle"].program and double:
        parts.append(
            Part("Whistle", "harmony", INSTRUMENTS["whistle"].program, tuple(_within(double, 67, 94)), -8.0, 0.4)
        )
    parts.append(Part("Bass", "bass", 32, _in_order([note for note in bass if note.start >= enters]), -7.0, 0.05, 0.85))
    if style != "air":
        parts.append(Part("Frame drum", "drums", 0, _in_order(_frame_drum(score, enters)), -12.0, 0.2))
    return parts


def _frame_drum(score: Score, enters: int) -> list[Note]:
    """Low floor tom on the strong beats, high floor tom between them (General MIDI 41 and 43)."""
    notes = []
    for tick, place, bar, _ in patterns.beats(score.chords, score.metre, patterns.DRUM[score.metre]):
        strong = place in patterns.BOOM[score.metre]
        if tick >= enters and tick + 6 <= score.ticks:
            notes.append(
                Note(tick, 6, 41 if strong else 43, (84 if place == 0 else 74) if strong else 48 + 4 * (bar % 2))
            )
    return notes


def _string_quartet(setting: Setting) -> list[Part]:
    """Inner voices led without parallels: held, or in dances detached, the cello on the beats, the others between."""
    score, lead, style = setting.score, setting.lead, setting.style
    voices: list[tuple[Chord, Voices]] = []
    before: tuple[int, Voices] | None = None
    for chord in score.chords:
        top = next((note.pitch for note in lead.notes if note.start <= chord.start < note.end), 72)
        three = three_below(chord, top, before)
        voices.append((chord, three))
        before = (top, three)
    dance = style not in ("air", "waltz")
    length = score.bar_ticks
    notes: list[list[Note]] = [[], [], []]
    for chord, three in voices:
        for line, pitch in enumerate(three):
            if not dance:
                start = chord.start
                while start < chord.end:  # one bow a bar
                    stop = min(chord.end, start + length - (start - score.pickup) % length)
                    notes[line].append(Note(start, stop - start, pitch, 62))
                    start = stop
                continue
            places = patterns.BOOM[score.metre] if line == 2 else patterns.CHUCK[score.metre]
            for tick, place, _, _ in patterns.beats(score.chords, score.metre, places):
                if chord.start <= tick < chord.end:
                    size = min(score.beat_ticks if line == 2 else 12, score.ticks - tick)
                    notes[line].append(Note(tick, size, pitch, 70 if place == 0 else 60))
    names = (("Second violin", 40, -0.25), ("Viola", 41, 0.25), ("Cello", 42, 0.45))
    roles = ("harmony", "harmony", "bass")
    return [
        Part(name, "bass" if role == "bass" else "harmony", program, tuple(line), -7.0, pan, 0.8 if dance else 1.0)
        for (name, program, pan), role, line in zip(names, roles, notes, strict=True)
    ]


def _harp_and_flute(setting: Setting) -> list[Part]:
    score, style = setting.score, setting.style
    step = 12 if score.compound or style in ("air", "waltz", "") else 24
    harp = patterns.arpeggio(score.chords, score.metre, 43, step=step, ring=3, velocity=64)
    return [Part("Harp", "chords", 46, _in_order(harp), -6.0, -0.25)]


def _music_box(setting: Setting) -> list[Part]:
    score = setting.score
    comb = patterns.arpeggio(score.chords, score.metre, 60, step=12 if score.compound else 24, ring=2, velocity=50)
    return [Part("Comb", "chords", 10, _in_order(comb), -7.0, 0.15)]


def _chiptune(setting: Setting) -> list[Part]:
    score = setting.score
    run = patterns.arpeggio(score.chords, score.metre, 57, step=6, velocity=52)
    bass = patterns.boom(score.chords, score.metre, 36, duration=12, velocity=84)
    noise = [
        Note(tick, 6, 42 if place not in patterns.BOOM[score.metre] else 36, 60 if place else 80)
        for tick, place, _, _ in patterns.beats(score.chords, score.metre, sorted(
            {*patterns.BOOM[score.metre], *patterns.CHUCK[score.metre]}))
    ]  # fmt: skip
    return [
        Part("Arpeggio", "chords", 80, _in_order(run), -12.0, 0.35),
        Part("Bass", "bass", 80, tuple(bass), -7.0, -0.1),
        Part("Noise", "drums", 0, tuple(noise), -15.0, 0.0),
    ]


def _marching_band(setting: Setting) -> list[Part]:
    score, lead = setting.score, setting.lead
    tuba = patterns.boom(score.chords, score.metre, 29, duration=12, velocity=88)
    horns = patterns.chuck(score.chords, score.metre, 60, duration=12, velocity=62)
    piccolo = [replace(note, velocity=note.velocity - 16) for note in lead.notes if note.start >= _later_passes(score)]
    snare = [
        Note(tick, 6, 38, 66 if place in patterns.BOOM[score.metre] else 46)
        for tick, place, _, _ in patterns.beats(score.chords, score.metre, patterns.DRUM[score.metre])
    ]
    bass_drum = [
        Note(tick, 6, 35, 84) for tick, place, _, _ in patterns.beats(score.chords, score.metre, (0,)) if place == 0
    ]
    return [
        Part("Piccolo", "harmony", 72, tuple(_within(piccolo, 74, 98)), -9.0, 0.4),
        Part("Horns", "chords", 60, _in_order(horns), -8.0, -0.35, 0.7),
        Part("Tuba", "bass", 58, tuple(tuba), -7.0, 0.15),
        Part("Drums", "drums", 0, _in_order(snare + bass_drum), -12.0, 0.0),
    ]


def _later_passes(score: Score) -> int:
    """The tick where the second section begins: friends join in there; the start where there is but one."""
    return score.section_starts[1] * score.bar_ticks if len(score.section_starts) > 1 else 0


def _within(notes: Sequence[Note], lowest: int, highest: int) -> list[Note]:
    """The notes moved together by whole octaves, so that most of them lie in the range and their line is kept."""
    shift = max((0, 12, 24, -12), key=lambda octaves: sum(lowest <= note.pitch + octaves <= highest for note in notes))
    return [replace(note, pitch=min(127, note.pitch + shift)) for note in notes]


def _in_order(notes: Sequence[Note]) -> tuple[Note, ...]:
    """By time and pitch, each pitch struck once at a time and cut where it is struck again."""
    ordered: list[Note] = []
    sounding: dict[int, int] = {}
    for note in sorted(notes, key=lambda note: (note.start, note.pitch)):
        before = sounding.get(note.pitch)
        if before is not None and ordered[before].start == note.start:
            continue
        if before is not None and ordered[before].end > note.start:
            ordered[before] = replace(ordered[before], duration=note.start - ordered[before].start)
        sounding[note.pitch] = len(ordered)
        ordered.append(note)
    return tuple(ordered)


ENSEMBLES = {
    "solo": Ensemble("fiddle", lambda _: []),
    "piano": Ensemble("piano", _piano),
    "folk band": Ensemble("fiddle", _folk_band),
    "string quartet": Ensemble("fiddle", _string_quartet),
    "harp and flute": Ensemble("flute", _harp_and_flute),
    "music box": Ensemble("music box", _music_box),
    "chiptune": Ensemble("square wave", _chiptune),
    "marching band": Ensemble("trumpet", _marching_band),
}
"""Name of an ensemble to its players."""
