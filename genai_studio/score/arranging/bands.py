"""Players of bands with a beat of their own: marching band, chiptune, lo-fi, jazz trio."""

from __future__ import annotations

from dataclasses import replace

from genai_studio.score.arranging.counterpoint import guide_tones, walking_bass
from genai_studio.score.arranging.grooves import (
    BACKBEATS,
    BEAT_ONE,
    BEATS,
    BOOM_RUN,
    BOOM_SHORT,
    CHUCK,
    HELD,
    OCTAVES,
    SNARE,
    SNARE_LIGHT,
    SNARE_TURN,
)
from genai_studio.score.arranging.patterns import Figure
from genai_studio.score.arranging.setting import Setting, part
from genai_studio.score.model import INTRODUCTION, Part

_KICK, _STICK, _SNARE, _HAT, _PEDAL, _CRASH, _RIDE, _SWIRL = 36, 37, 38, 42, 44, 49, 51, 40


def marching_band(setting: Setting) -> list[Part]:
    """Tuba and horns, snare and bass drum; trombones sing against the tune later, and a piccolo tops the end."""
    score, bars, turns = setting.score, setting.bars(), set(setting.turns())
    tuba = setting.line(BOOM_SHORT, [bar for bar in bars if bar not in turns], 29, velocity=88)
    tuba += setting.line(BOOM_RUN, sorted(turns), 29, velocity=88) + setting.close_low(29, velocity=90)
    horns = setting.block(CHUCK, bars, 60, velocity=62) + setting.close_chord(60, velocity=58)
    trombones = guide_tones(score, setting.bars(0.5), 48, 62, velocity=66)
    top = setting.notes_in(setting.lead.notes, [*setting.bars(0.7), score.bars - 1])
    piccolo = [replace(note, pitch=min(127, note.pitch + 12), velocity=note.velocity - 16) for note in top]
    parts = part("Horns", "chords", 60, horns, -7.5, -0.35, 0.7) + part("Tuba", "bass", 58, tuba, -7.5, 0.15)
    parts += part("Trombones", "harmony", 57, trombones, -8.0, 0.3)
    if setting.bars(0.7):
        parts += part("Piccolo", "harmony", 72, piccolo, -10.0, 0.45)
    light, full = setting.bars(0.0, 0.45), setting.bars(0.45)
    drums = setting.kit({_SNARE: SNARE_LIGHT}, [bar for bar in light if bar not in turns], velocity=58)
    drums += setting.kit({_SNARE: SNARE}, [bar for bar in full if bar not in turns], velocity=62)
    drums += setting.kit({_SNARE: SNARE_TURN}, sorted(turns), velocity=64)
    drums += setting.kit({35: BEATS}, bars, velocity=80) + setting.kit({_CRASH: BEAT_ONE}, setting.openings(0.5))
    drums += setting.close_drum({35: 96, _SNARE: 88, _CRASH: 84})
    return parts + part("Drums", "drums", 0, drums, -10.5, 0.0)


_RUN: Figure = {"2/4": "158a8a58", "3/4": "158a85158a85", "4/4": "158a158a58ac58ac", "6/8": "158a85158a85",
                "9/8": "158a85158a85158a85"}  # fmt: skip
_PULSE: Figure = {"2/4": "o.x.", "3/4": "o.x.x.", "4/4": "o.x.o.x.", "6/8": "o.xo.x", "9/8": "o.xo.xo.x"}
_NOISE_TURN: Figure = {
    "2/4": "x.xxXxXX",
    "3/4": "x.x.x.xxXxXX",
    "4/4": "x.x.x.xxX.xxXxXX",
    "6/8": "x.xxXX",
    "9/8": "x..x.xxXX",
}


def chiptune(setting: Setting) -> list[Part]:
    """An arpeggio, a bouncing bass, noise for drums, and the tune's own echo."""
    score, bars, turns = setting.score, setting.bars(), set(setting.turns())
    run = setting.line(_RUN, bars, 48, velocity=52)
    bass = setting.line(BOOM_SHORT, setting.bars(0.0, 0.5), 36, velocity=84)
    bass += setting.line(OCTAVES, setting.bars(0.5), 36, velocity=82) + setting.close_low(36)
    delay = 18 if score.compound else 12
    echo = [
        replace(note, start=note.start + delay, velocity=max(1, note.velocity - 30))
        for note in setting.notes_in(setting.lead.notes, setting.bars(0.5))
        if note.end + delay <= score.ticks
    ]
    noise = setting.kit({_KICK: BEATS, _SNARE: BACKBEATS, _HAT: _PULSE}, [bar for bar in bars if bar not in turns])
    noise += setting.kit({_KICK: BEATS, _SNARE: _NOISE_TURN}, sorted(turns), velocity=70)
    noise += setting.close_drum({_KICK: 90, _CRASH: 74})
    parts = part("Arpeggio", "chords", 80, [*run, *setting.close_chord(57, velocity=52)], -11.0, 0.35)
    parts += part("Echo", "harmony", 80, echo, -13.0, -0.5)
    parts += part("Bass", "bass", 80, bass, -7.0, -0.1)
    return parts + part("Noise", "drums", 25, noise, -12.0, 0.0)


_LAZY: Figure = {"2/4": "x---", "3/4": ("x----x", "x-----"), "4/4": ("x----x--", "x------o"),
                 "6/8": ("x-----", "x---o-"), "9/8": "x-----x--"}  # fmt: skip
_LAZY_BASS: Figure = {"2/4": ("1--.v-1-", "1--.v->-"), "3/4": ("1--.v-", "1--1->"), "4/4": ("1--.1-v-", "1---.1v>"),
                      "6/8": ("1--.v-", "1-.v->"), "9/8": "1--.v-1->"}  # fmt: skip
_LAZY_KICK: Figure = {"2/4": ("X....x..", "X.....x."), "3/4": ("X.....", "X..x.."), "4/4": ("X....x..", "X..x.x.."),
                      "6/8": ("X....x", "X....."), "9/8": "X.....x.."}  # fmt: skip
_LAZY_SNARE: Figure = {"2/4": "....X...", "3/4": "....X.", "4/4": "..X...X.", "6/8": "...X..", "9/8": "......X.."}
_HALF_KICK: Figure = {**_LAZY_KICK, "4/4": ("X.....x.", "X..x....")}
_HALF_SNARE: Figure = {**_LAZY_SNARE, "4/4": "....X..."}
_LAZY_HAT: Figure = {
    "2/4": "x.o.x.oo",
    "3/4": "xoxoxo",
    "4/4": ("xoxoxoxo", "xoxoxxxo"),
    "6/8": "x.ox.o",
    "9/8": "x.ox.ox.o",
}
_LAZY_TURN: Figure = {"2/4": "....X.xx", "3/4": "..x.Xx", "4/4": "..X..xXx", "6/8": "...Xxx", "9/8": "......Xxx"}


def lo_fi(setting: Setting) -> list[Part]:
    """An electric piano in sevenths and ninths, a round bass, soft drums that lean back; half time where it is fast."""
    score, turns = setting.score, set(setting.turns())
    keys = setting.block(_LAZY, setting.bars(), 56, velocity=62, size=4) + setting.close_chord(56, velocity=62, size=4)
    low = setting.line(_LAZY_BASS, setting.bars(0.33), 29, velocity=80) + setting.close_low(29, velocity=76)
    fast = setting.fast and score.metre == "4/4"
    beat = {_KICK: _HALF_KICK if fast else _LAZY_KICK, _STICK: _HALF_SNARE if fast else _LAZY_SNARE}
    steady = [bar for bar in setting.bars(0.33) if bar not in turns]
    drums = setting.kit(beat, steady, velocity=78) + setting.kit({_HAT: _LAZY_HAT}, setting.bars(0.33), velocity=66)
    drums += setting.kit({_KICK: BEAT_ONE, _STICK: _LAZY_TURN}, sorted(turns), velocity=74)
    drums += setting.close_drum({_KICK: 74})
    haze = guide_tones(score, setting.bars(0.6), 57, 69, velocity=52)
    return [
        *part("Electric piano", "chords", 4, keys, -6.0, -0.2),
        *part("Bass", "bass", 33, low, -6.5, 0.05, 0.9),
        *part("Haze", "harmony", 89, haze, -12.0, 0.3),
        *part("Drums", "drums", 0, drums, -7.5, 0.0),
    ]


_COMP: Figure = {"2/4": (".ox.", "x.o."), "3/4": ("...x-.", "..x.o."),
                 "4/4": ("x-.o....", "...x-.o.", ".x-...x-", "..x-.x-."),
                 "6/8": ("..x--.", "x-.--o"), "9/8": ("..x--...x", "x-...x--.")}  # fmt: skip
_TWO: Figure = {"2/4": "1-v-", "3/4": "1---v-", "4/4": ("1---v---", "1---v->-"), "6/8": "1--v--", "9/8": "1--v--1->"}
_RIDES: Figure = {"2/4": "x.xxx.xx", "3/4": "x.xxx.", "4/4": "x.xxx.xx", "6/8": "x..x.x", "9/8": "x..x.xx.x"}
_STIR: Figure = {"2/4": "x.x.", "3/4": "x...x.", "4/4": "x...x...", "6/8": "x..x..", "9/8": "x..x..x.."}
_TAPS: Figure = {"2/4": ".o.x", "3/4": "..o.xo", "4/4": ("..x...xo", "..x..ox."), "6/8": "...x.o", "9/8": "...x..x.o"}
_FEATHER: Figure = {"2/4": "o.o.", "3/4": "o.....", "4/4": "o.o.o.o.", "6/8": "o..o..", "9/8": "o..o..o.."}
_JAZZ_TURN: Figure = {"2/4": "..xoxxXx", "3/4": "..xoxX", "4/4": "..x.oxXx", "6/8": "..oxxX", "9/8": "..o..xxoX"}


def jazz_trio(setting: Setting) -> list[Part]:
    """A bass in two that begins to walk, brushes, and a left hand that answers in voicings without the root."""
    score, turns = setting.score, set(setting.turns(0.3))
    light, full = setting.bars(0.0, 0.5), setting.bars(0.5)
    bass = setting.line(_TWO, light, 30, velocity=78) + walking_bass(score, full, 30) + setting.close_low(30)
    comp = setting.block(_COMP, setting.bars(), 55, velocity=56) + setting.close_chord(55, velocity=62, size=4)
    brushes = setting.kit({_SWIRL: _STIR, _SNARE: _TAPS}, [bar for bar in light if bar not in turns], velocity=56)
    brushes += setting.kit({_RIDE: _RIDES, _SNARE: _TAPS, _KICK: _FEATHER}, [bar for bar in full if bar not in turns],
                           velocity=58)  # fmt: skip
    brushes += setting.kit({_PEDAL: BACKBEATS}, setting.bars(), velocity=52)
    brushes += setting.kit({_SNARE: _JAZZ_TURN, _RIDE: HELD}, sorted(turns), velocity=60)
    brushes += setting.close_drum({_KICK: 66, _RIDE: 70})
    name = "Piano, left hand" if setting.lead.program == 0 else "Piano"
    opening = [bar for passage in setting.passages if passage.letter == INTRODUCTION for bar in passage.bars]
    right = setting.block(_COMP, opening, 70, velocity=60, size=3)
    return [
        *part(name, "chords", 0, comp, -6.5, -0.2),
        *part("Piano, right hand", "harmony", 0, right, -6.0, 0.1),
        *part("Double bass", "bass", 32, bass, -6.5, 0.1, 0.92),
        *part("Brushes", "drums", 40, brushes, -9.5, 0.25),
    ]
