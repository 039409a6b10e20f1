"""The score: key, metre, tempo, parts of notes and the chords under them. Immutable; times are in ticks.

Time starts at the first sounding beat: a pickup of `pickup` ticks, then full bars, the last one shortened by the
pickup, so a score of n bars always lasts exactly n bars.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TICKS = 24
"""Ticks a quarter note: holds sixteenths, thirty-seconds and triplets of eighths and sixteenths."""
METRES = {"2/4": 48, "3/4": 72, "4/4": 96, "6/8": 72, "9/8": 108}
"""Name of a metre to the ticks of its bar."""
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
"""Name of a mode to its steps above the tonic, in semitones."""
KEYS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
"""The tonics by pitch class, spelled as most players read them."""
_MODE_FIFTHS = {"major": 0, "mixolydian": -1, "dorian": -2, "minor": -3}
_TONIC_FIFTHS = {
    "C": 0,
    "Db": -5,
    "D": 2,
    "Eb": -3,
    "E": 4,
    "F": -1,
    "F#": 6,
    "G": 1,
    "Ab": -4,
    "A": 3,
    "Bb": -2,
    "B": 5,
}
_LETTERS = "FCGDAEB"

CHORD_KINDS = {
    (0, 4, 7): ("major", ""),
    (0, 3, 7): ("minor", "m"),
    (0, 4, 7, 10): ("dominant", "7"),
    (0, 3, 6): ("diminished", "dim"),
    (0, 4, 8): ("augmented", "aug"),
    (0, 5, 7): ("suspended-fourth", "sus4"),
    (0, 4, 7, 9): ("major-sixth", "6"),
    (0, 3, 7, 9): ("minor-sixth", "m6"),
    (0, 4, 7, 11): ("major-seventh", "maj7"),
    (0, 3, 7, 10): ("minor-seventh", "m7"),
    (0, 3, 6, 10): ("half-diminished", "m7b5"),
    (0, 3, 6, 9): ("diminished-seventh", "dim7"),
    (0, 4, 7, 11, 14): ("major-ninth", "maj9"),
    (0, 3, 7, 10, 14): ("minor-ninth", "m9"),
    (0, 4, 7, 10, 14): ("dominant-ninth", "9"),
}
"""Tones of a chord above its root in semitones to its name in MusicXML and what follows the root in a chord symbol."""

Role = Literal["melody", "harmony", "chords", "bass", "drums"]
Ending = Literal["plain", "ritardando", "tag"]


@dataclass(frozen=True)
class Key:
    """A tonic from `KEYS` and a mode from `SCALES`."""

    tonic: str
    mode: str

    @property
    def pitch_class(self) -> int:
        """0 to 11, C is 0."""
        return KEYS.index(self.tonic)

    @property
    def fifths(self) -> int:
        """Sharps (positive) or flats (negative) of the signature, -7 to 7."""
        fifths = _TONIC_FIFTHS[self.tonic] + _MODE_FIFTHS[self.mode]
        return fifths + 12 if fifths < -7 else fifths - 12 if fifths > 7 else fifths

    def spell(self, pitch: int) -> tuple[str, int, int]:
        """A MIDI pitch as (letter, alteration in semitones, octave), along the line of fifths around the key.

        Notes of the scale get their own letters. Of the five others, minor keys raise (the leading note is a sharp) and
        the other modes take the nearest on both sides.
        """
        first = self.fifths - (3 if self.mode == "minor" else 4)
        for place in range(first, first + 12):
            # `place` counts fifths from C, so F is -1 and the signature's seven letters are fifths - 1 to fifths + 5.
            if place * 7 % 12 == pitch % 12:
                alteration = (place + 1) // 7
                return _LETTERS[(place + 1) % 7], alteration, (pitch - alteration) // 12 - 1
        raise ValueError(f"{pitch} is no MIDI pitch.")

    def neighbour(self, pitch: int, steps: int) -> int:
        """The MIDI pitch that lies `steps` notes of the scale above `pitch` (below where negative)."""
        scale = {(self.pitch_class + step) % 12 for step in SCALES[self.mode]}
        direction = 1 if steps > 0 else -1
        for _ in range(abs(steps)):
            pitch += direction
            while pitch % 12 not in scale:
                pitch += direction
        return pitch

    def __str__(self) -> str:
        return f"{self.tonic} {self.mode}"


@dataclass(frozen=True)
class Note:
    """`start` and `duration` in ticks, MIDI pitch, velocity 1 to 127."""

    start: int
    duration: int
    pitch: int
    velocity: int = 80

    @property
    def end(self) -> int:
        """The tick where it stops."""
        return self.start + self.duration


@dataclass(frozen=True)
class Chord:
    """A harmony from `start` for `duration` ticks: root pitch class and its tones, one of `CHORD_KINDS`."""

    start: int
    duration: int
    root: int
    tones: tuple[int, ...]

    @property
    def end(self) -> int:
        """The tick where the next harmony begins."""
        return self.start + self.duration

    @property
    def kind(self) -> str:
        """MusicXML's name for it."""
        return CHORD_KINDS[self.tones][0]

    @property
    def suffix(self) -> str:
        """What a chord symbol has after the root: "m7"."""
        return CHORD_KINDS[self.tones][1]

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Its tones as pitch classes, root first."""
        return tuple((self.root + tone) % 12 for tone in self.tones)


@dataclass(frozen=True)
class Part:
    """One player: a General MIDI `program` (0 to 127), or drums. `pan` goes from -1 (left) to 1 (right)."""

    name: str
    role: Role
    program: int
    notes: tuple[Note, ...]
    gain: float = 0.0
    """How loud it sounds beside the melody, in dB; instruments of any loudness are brought to it."""
    pan: float = 0.0
    length: float = 1.0
    """How much of a note's written length sounds: 1 is sung, 0.5 is short."""

    @property
    def drums(self) -> bool:
        """Whether its pitches are General MIDI drum sounds."""
        return self.role == "drums"


@dataclass(frozen=True)
class Section:
    """A stretch of whole bars, counted from 0. The same letter is the same music: again, or varied."""

    letter: str
    first_bar: int
    bars: int

    @property
    def end_bar(self) -> int:
        """The bar after its last."""
        return self.first_bar + self.bars


INTRODUCTION, TAG = "I", "Z"
"""Letters of the bars before the form, where the players are alone, and of those after it."""


@dataclass(frozen=True)
class Score:
    """A whole piece. `tempo` is in beats a minute: quarters, or dotted quarters in 6/8 and 9/8."""

    title: str
    key: Key
    metre: str
    tempo: float
    bars: int
    pickup: int
    parts: tuple[Part, ...]
    chords: tuple[Chord, ...] = field(default_factory=tuple)
    sections: tuple[Section, ...] = field(default_factory=tuple)
    """In order, from the first bar to the last without gaps; empty where the form is not known."""
    swing: float = 0.0
    """For the performance only: how late the second of two eighths is played, as a share of an eighth."""
    style: str = ""
    """The kind of tune that the players take it for, such as "reel"; empty is any."""
    ensemble: str = ""
    """A name of `arrange.ENSEMBLES`; empty where nobody has arranged it."""
    instrument: str = ""
    """The lead: a name of `arrange.INSTRUMENTS`."""
    ending: Ending = "plain"
    """How the performance closes: in time, slower and slower, or with bars of its own."""

    @property
    def section_starts(self) -> tuple[int, ...]:
        """Bars (from 0) where a section begins."""
        return tuple(section.first_bar for section in self.sections)

    @property
    def melody(self) -> tuple[Note, ...]:
        """The lead's notes; none where nobody leads yet."""
        return next((part.notes for part in self.parts if part.role == "melody"), ())

    @property
    def bar_ticks(self) -> int:
        """Ticks of a full bar."""
        return METRES[self.metre]

    @property
    def ticks(self) -> int:
        """Length of the piece."""
        return self.bars * self.bar_ticks

    @property
    def compound(self) -> bool:
        """Whether the beat is a dotted quarter."""
        return self.metre in ("6/8", "9/8")

    @property
    def beat_ticks(self) -> int:
        """Ticks of the beat that `tempo` counts."""
        return TICKS * 3 // 2 if self.compound else TICKS

    @property
    def quarters_per_minute(self) -> float:
        """The tempo as MIDI counts it."""
        return self.tempo * self.beat_ticks / TICKS

    @property
    def seconds(self) -> float:
        """How long it sounds, without the last notes' ringing."""
        return self.ticks / TICKS * 60 / self.quarters_per_minute
