"""Players of acoustic ensembles: who enters when, in which register, with which figure."""

from __future__ import annotations

from dataclasses import replace

from genai_studio.score.arranging.counterpoint import companion, guide_tones
from genai_studio.score.arranging.grooves import (
    BEAT_ONE,
    BOOM,
    BOOM_RUN,
    BOOM_SHORT,
    BROKEN,
    BROKEN_SLOW,
    CHOP,
    CHUCK,
    FRAME_HIGH,
    FRAME_HIGH_TURN,
    FRAME_LOW,
    FRAME_LOW_TURN,
    HALVES,
    HELD,
    STRUM,
)
from genai_studio.score.arranging.patterns import Figure, chord_at, strokes
from genai_studio.score.arranging.setting import Setting, part
from genai_studio.score.arranging.voicing import Voices, three_below
from genai_studio.score.model import INTRODUCTION, Chord, Note, Part

_WHISTLE = 78


def solo(setting: Setting) -> list[Part]:
    """Nobody; only an introduction has a drone, so that there is something to come in on."""
    bars = [bar for passage in setting.passages if passage.letter == INTRODUCTION for bar in passage.bars]
    drone = setting.line({metre: figure.replace("x", "1") for metre, figure in HELD.items() if isinstance(figure, str)},
                         bars, 50, velocity=58)  # fmt: skip
    fifths = [replace(note, pitch=note.pitch + 7) for note in drone]
    return part("Drone", "harmony", setting.lead.program, [*drone, *fifths], -6.0, -0.1)


def piano(setting: Setting) -> list[Part]:
    """A left hand: broken chords under songs, bass and chord in dances, fuller each time."""
    everywhere, full = setting.bars(), setting.bars(0.7)
    if setting.style == "waltz" or (setting.score.metre == "3/4" and setting.dances):
        left = setting.line(BOOM_SHORT, everywhere, 36, velocity=70)
        left += setting.block(CHUCK, everywhere, 56, velocity=56)
    elif not setting.dances:
        slow = setting.score.metre in ("4/4", "2/4") and setting.score.tempo > 100
        left = setting.line(BROKEN_SLOW if slow else BROKEN, everywhere, 38, velocity=60, ring=3)
    else:
        left = setting.line(BOOM_SHORT, everywhere, 36, velocity=74)
        left += setting.block(CHUCK, everywhere, 55, velocity=58)
    if setting.dances:
        left += [replace(note, pitch=note.pitch - 12, velocity=note.velocity - 8)
                 for note in setting.line(BOOM_SHORT, full, 36, velocity=70) if note.pitch - 12 >= 28]  # fmt: skip
    left += setting.close_low(36, velocity=74, octave=True) + setting.close_chord(55, velocity=62)
    name = "Piano, left hand" if setting.lead.program == 0 else "Piano"
    return part(name, "chords", 0, left, -6.0, -0.1) + _right_hand(setting)


def _right_hand(setting: Setting) -> list[Part]:
    """Chords in the introduction, where nobody sings yet; at the fullest, thirds and sixths under the tune's beats."""
    score = setting.score
    opening = [bar for passage in setting.passages if passage.letter == INTRODUCTION for bar in passage.bars]
    right = setting.block(HALVES if setting.dances else HELD, opening, 69, velocity=60)
    if setting.lead.program == 0:
        tune = setting.notes_in(setting.lead.notes, setting.bars(0.75))
        right += [
            note
            for note in companion(score, tune)
            if (note.start - score.pickup) % score.beat_ticks == 0 and note.duration >= 12 and note.pitch >= 57
        ]
    return part("Piano, right hand", "harmony", 0, right, -7.0, 0.1)


def folk_band(setting: Setting) -> list[Part]:
    """Guitar first, then bass and frame drum, then a whistle along with the tune."""
    turns = set(setting.turns())
    if setting.dances:
        light, full = setting.bars(0.0, 0.5), setting.bars(0.5)
        guitar = setting.line(BOOM_SHORT, setting.bars(), 40, velocity=72)
        guitar += setting.block(CHUCK, light, 60, velocity=60, size=4) + setting.block(STRUM, full, 60, size=4)
    else:
        guitar = setting.line(BROKEN, setting.bars(), 40, velocity=64, ring=3)
    guitar += setting.close_low(40) + setting.close_chord(60, velocity=66, size=4)
    joined = setting.bars(0.45)
    low = setting.line(BOOM, [bar for bar in joined if bar not in turns], 31, velocity=80)
    low += setting.line(BOOM_RUN, [bar for bar in joined if bar in turns], 31, velocity=80) + setting.close_low(31)
    parts = part("Guitar", "chords", 25, guitar, -6.5, -0.4)
    if joined or len(setting.passages) < 2:
        parts += part("Bass", "bass", 32, low, -7.5, 0.05, 0.85)
    friend = setting.notes_in(setting.lead.notes, [*setting.bars(0.6), *_last_bar(setting)])
    if setting.lead.program != _WHISTLE and setting.bars(0.6):
        octave = 12 if sum(note.pitch for note in friend) < 74 * len(friend) else 0
        double = [replace(note, pitch=note.pitch + octave, velocity=note.velocity - 14) for note in friend]
        parts += part("Whistle", "harmony", _WHISTLE, double, -8.5, 0.4)
    elif setting.bars(0.6):
        parts += part("Fiddle", "harmony", 40, companion(setting.score, friend), -8.5, 0.4)
    return parts + (_frame_drum(setting) if setting.dances else _pad(setting))


def _frame_drum(setting: Setting) -> list[Part]:
    """Low and high floor tom (General MIDI 41 and 43), busier into each new section."""
    turns = set(setting.turns(0.4))
    bars = [bar for bar in setting.bars(0.4) if bar not in turns]
    inside = [bar for bar in setting.bars(0.4) if bar in turns]
    lead_in = [passage.end_bar - 1 for passage in setting.passages if passage.letter == INTRODUCTION]
    beat = setting.kit({41: FRAME_LOW, 43: FRAME_HIGH}, bars, velocity=72)
    beat += setting.kit({41: FRAME_LOW_TURN, 43: FRAME_HIGH_TURN}, [*inside, *lead_in], velocity=74)
    return part("Frame drum", "drums", 0, [*beat, *setting.close_drum({41: 92})], -11.0, 0.2)


def _pad(setting: Setting) -> list[Part]:
    """A cello's slow line under a song, once it has begun to grow."""
    slow = guide_tones(setting.score, setting.bars(0.6), 50, 65, velocity=60)
    return part("Cello", "harmony", 42, slow, -8.0, 0.35)


def _last_bar(setting: Setting) -> list[int]:
    return [setting.score.bars - 1]


def string_quartet(setting: Setting) -> list[Part]:
    """Three voices led without parallels: held under songs; in dances the cello on the beats, the others between."""
    score = setting.score
    voices = dict(zip((chord.start for chord in score.chords), _led(setting), strict=True))
    lines: list[list[Note]] = [[], [], []]
    for number, notes in enumerate(lines):
        for bars, figure in _bowing(setting, low=number == 2):
            for stroke in strokes(score, figure, bars):
                pitch = voices[stroke.chord.start][number]
                notes.append(Note(stroke.tick, stroke.duration, pitch, 70 if stroke.place == 0 else 64))
        for start, duration in setting.strokes:
            chord = chord_at(score.chords, start) or score.chords[-1]
            notes.append(Note(start, duration, voices[chord.start][number], 54))
    seats = (("Second violin", 40, -0.25), ("Viola", 41, 0.25), ("Cello", 42, 0.45))
    length = 0.85 if setting.dances else 1.0
    return [
        player
        for (name, program, pan), notes in zip(seats, lines, strict=True)
        for player in part(name, "bass" if name == "Cello" else "harmony", program, notes, -6.5, pan, length)
    ]


def _bowing(setting: Setting, *, low: bool) -> list[tuple[list[int], Figure]]:
    """Which bars a player of the quartet takes with which figure."""
    if setting.style == "waltz":
        return [(setting.bars(0.0, 0.5), HELD), (setting.bars(0.5), HELD if low else CHUCK)]
    if not setting.dances:
        return [(setting.bars(), HELD)]
    if low:
        return [(setting.bars(), BOOM)]
    return [(setting.bars(0.0, 0.7), CHUCK), (setting.bars(0.7), CHOP)]


def _led(setting: Setting) -> list[Voices]:
    """For every chord the three lower voices, under what the first violin plays before and at it."""
    tops = []
    notes = setting.lead.notes
    for chord in setting.score.chords:
        at = _sounding(notes, chord.start, 72)
        lowest = min((note.pitch for note in notes if note.start < chord.end and note.end > chord.start), default=at)
        tops.append((_sounding(notes, chord.start - 1, at), at, lowest))
    return three_below(setting.score.chords, tops)


def _sounding(notes: tuple[Note, ...], tick: int, otherwise: int) -> int:
    return next((note.pitch for note in reversed(notes) if note.start <= tick < note.end), otherwise)


def _as_roots(figure: Figure) -> Figure:
    """Chord marks as marks for a single note."""
    table = str.maketrans("Xxov", "1111")
    return {
        metre: bar.translate(table) if isinstance(bar, str) else tuple(one.translate(table) for one in bar)
        for metre, bar in figure.items()
    }


def harp_and_flute(setting: Setting) -> list[Part]:
    """A harp that breaks the chords, more widely as the piece grows."""
    score = setting.score
    slow = setting.fast and setting.dances
    figure = BROKEN_SLOW if slow else BROKEN
    harp = setting.line(figure, setting.bars(0.0, 0.7), 39, velocity=62, ring=3)
    harp += setting.line(BROKEN, setting.bars(0.7), 39, velocity=66, ring=3)
    low = setting.line(_as_roots(HELD), setting.bars(0.5), 29, velocity=64)
    roll = _roll(score.chords[-1], setting.strokes[-1], 39)
    return part("Harp", "chords", 46, [*harp, *low, *roll, *setting.close_low(31, velocity=64)], -3.5, -0.25)


def _roll(chord: Chord, stroke: tuple[int, int], lowest: int) -> list[Note]:
    """The last chord, rolled upwards over two octaves."""
    start, duration = stroke
    root = lowest + (chord.root - lowest) % 12
    pitches = [root + above for above in (0, chord.tones[2], 12, 12 + chord.tones[1], 12 + chord.tones[2], 24)]
    step = min(4, max(1, duration // 8))
    return [Note(start + step * place, duration - step * place, pitch, 60 + 2 * place)
            for place, pitch in enumerate(pitches) if step * place < duration]  # fmt: skip


def music_box(setting: Setting) -> list[Part]:
    """The comb's lower teeth."""
    figure = BROKEN if not setting.fast else BROKEN_SLOW
    comb = setting.line(figure, setting.bars(), 60, velocity=52, ring=2)
    return part("Comb", "chords", 10, [*comb, *_roll(setting.score.chords[-1], setting.strokes[-1], 60)], -7.0, 0.15)


def waltz_band(setting: Setting) -> list[Part]:
    """Bass on one, piano on two and three; strings, a clarinet and a light drum join in."""
    score = setting.score
    turns = set(setting.turns())
    low = setting.line(BOOM, [bar for bar in setting.bars() if bar not in turns], 31, velocity=80)
    low += setting.line(BOOM_RUN, sorted(turns), 31, velocity=80)
    chords = setting.block(CHUCK, setting.bars(), 60, velocity=62) + setting.close_chord(60)
    strings = guide_tones(score, setting.bars(0.5), 55, 72, velocity=60)
    strings += [
        Note(start, length, tone, 60)
        for start, length in setting.strokes
        for tone in (55 + (score.chords[-1].pitch_classes[1] - 55) % 12,)
        if setting.bars(0.5)
    ]
    friend = setting.notes_in(setting.lead.notes, [*setting.bars(0.75), *_last_bar(setting)])
    drums = setting.kit({35: BEAT_ONE, 38: CHUCK}, setting.bars(0.5), velocity=58)
    drums += setting.kit({38: FRAME_HIGH_TURN}, [bar for bar in setting.bars(0.5) if bar in turns], velocity=54)
    parts = part("Double bass", "bass", 32, [*low, *setting.close_low(31)], -7.5, 0.1, 0.8)
    parts += part("Piano", "chords", 0, chords, -7.5, -0.3, 0.6)
    parts += part("Violins", "harmony", 48, strings, -9.0, 0.35)
    if setting.bars(0.75):
        other = 71 if setting.lead.program != 71 else 40
        name = "Clarinet" if other == 71 else "Fiddle"
        parts += part(name, "harmony", other, companion(score, friend), -8.0, -0.45)
    return parts + part("Drums", "drums", 40, [*drums, *setting.close_drum({35: 76, 38: 60})], -14.0, 0.0)
