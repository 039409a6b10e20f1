"""What accompanying players know: the score, the lead, the style, and how full each passage is to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from genai_studio.score.arranging import patterns
from genai_studio.score.arranging.patterns import Figure, in_order
from genai_studio.score.arranging.structure import Passage, final_strokes, passages
from genai_studio.score.arranging.voicing import bass_note, close_position
from genai_studio.score.model import INTRODUCTION, Note, Part, Role, Score

SINGING = ("air", "waltz")
"""Styles that sing rather than dance."""
_LOWEST_CENTRE = 48
"""Close chords around a lower pitch than this are mud."""


@dataclass(frozen=True)
class Setting:
    """The score (its only part is the lead) and the style. Figures fill all bars but the last: it has strokes."""

    score: Score
    lead: Part
    style: str

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """How the piece grows."""
        return passages(self.score)

    @property
    def dances(self) -> bool:
        """Whether it has a beat to mark."""
        return self.style not in SINGING

    @cached_property
    def fast(self) -> bool:
        """Whether its bars go by so quickly that players think in halves of them."""
        return self.score.tempo * (1 if self.score.metre in ("2/4", "6/8", "9/8") else 0.5) > 62

    def bars(self, least: float = 0.0, below: float = 2.0) -> list[int]:
        """The bars of passages whose level is from `least` to under `below`; never the last bar."""
        bars = [bar for passage in self.passages if least <= passage.level < below for bar in passage.bars]
        return [bar for bar in bars if bar < self.score.bars - 1]

    def turns(self, least: float = 0.0) -> list[int]:
        """The bars where a section ends and another begins."""
        return [
            passage.end_bar - 1
            for passage in self.passages
            if passage.closes and passage.level >= least and passage.end_bar < self.score.bars
        ]

    def openings(self, least: float = 0.0) -> list[int]:
        """The first bars of sections."""
        sections = {section.first_bar for section in self.score.sections}
        return [
            passage.first_bar
            for passage in self.passages
            if passage.first_bar in sections and passage.level >= least and passage.letter != INTRODUCTION
        ]

    @cached_property
    def strokes(self) -> tuple[tuple[int, int], ...]:
        """(start, duration) of the strokes in the last bar."""
        return final_strokes(self.score)

    def notes_in(self, notes: Iterable[Note], bars: Sequence[int]) -> list[Note]:
        """Those that start in `bars` or as an upbeat to them."""
        chosen, length = set(bars), self.score.bar_ticks
        return [note for note in notes if note.start // length in chosen]

    def line(
        self, figure: Figure, bars: Iterable[int], lowest: int, *, velocity: int = 76, ring: int = 1
    ) -> list[Note]:
        """`patterns.line` over the setting's score."""
        return patterns.line(self.score, figure, bars, lowest, velocity=velocity, ring=ring)

    def block(
        self, figure: Figure, bars: Iterable[int], centre: int, *, velocity: int = 64, size: int = 3
    ) -> list[Note]:
        """`patterns.block` over the setting's score, around `centre` or, where the tune lies low, under the tune."""
        chosen = set(bars)
        notes: list[Note] = []
        for passage in self.passages:
            inside = [bar for bar in passage.bars if bar in chosen]
            around = self._under_tune(passage, centre)
            notes += patterns.block(self.score, figure, inside, around, velocity=velocity, size=size)
        return notes

    def _under_tune(self, passage: Passage, centre: int) -> int:
        """`centre`, or the pitch a fourth under the low notes of the passage: chords lie above a bass tune."""
        pitches = sorted(note.pitch for note in self.notes_in(self.lead.notes, passage.bars))
        if not pitches:
            return centre
        under = pitches[len(pitches) // 5] - 5
        return min(centre, under) if under >= _LOWEST_CENTRE else max(centre, 60)

    def kit(self, lines: Mapping[int, Figure], bars: Iterable[int], *, velocity: int = 74) -> list[Note]:
        """A drum figure for each sound of a kit."""
        chosen = list(bars)
        return [
            note for sound, figure in lines.items() for note in patterns.drum(self.score, figure, chosen, sound,
                                                                              velocity=velocity)
        ]  # fmt: skip

    def close_low(self, lowest: int, *, velocity: int = 78, octave: bool = False) -> list[Note]:
        """The bass in the last bar: the root, and the root again with the melody's last note."""
        notes = []
        for start, duration in self.strokes:
            chord = patterns.chord_at(self.score.chords, start) or self.score.chords[-1]
            root = bass_note(chord, lowest)
            notes += [Note(start, duration, root + above, velocity) for above in ((0, 12) if octave else (0,))]
        return notes

    def close_chord(self, centre: int, *, velocity: int = 66, size: int = 3) -> list[Note]:
        """The chords in the last bar, struck where the bass strikes."""
        notes = []
        around = self._under_tune(self.passages[-1], centre)
        for start, duration in self.strokes:
            chord = patterns.chord_at(self.score.chords, start) or self.score.chords[-1]
            notes += [Note(start, duration, pitch, velocity) for pitch in close_position(chord, around, None, size)]
        return notes

    def close_drum(self, sounds: Mapping[int, int]) -> list[Note]:
        """The drums in the last bar: sound to velocity, once on its last stroke and softly on the one before."""
        last = len(self.strokes) - 1
        return [
            Note(start, min(6, duration), sound, loud if number == last else loud - 14)
            for number, (start, duration) in enumerate(self.strokes)
            for sound, loud in sounds.items()
        ]


def part(
    name: str, role: Role, program: int, notes: Iterable[Note], gain: float, pan: float, length: float = 1.0
) -> list[Part]:
    """A player, or nobody where there is nothing to play."""
    ordered = in_order(list(notes))
    return [Part(name, role, program, ordered, gain, pan, length)] if ordered else []
