from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest

from genai_studio.score.arranging import bands, ensembles, grooves
from genai_studio.score.arranging.harmony import RICH_PALETTES, harmonise, is_rich
from genai_studio.score.arranging.patterns import block, chord_at, drum, in_order, line, strokes
from genai_studio.score.model import CHORD_KINDS, METRES, Chord, Key, Part, Score
from tests.score.pieces import random_score

FIGURES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in (grooves, bands, ensembles)
    for name, value in vars(module).items()
    if isinstance(value, dict) and set(value) == set(METRES)
}
C_MAJOR = Key("C", "major")


def score_of(metre: str, *chords: Chord, bars: int = 2, pickup: int = 0) -> Score:
    return Score("", C_MAJOR, metre, 100, bars, pickup, (), chords)


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_figure_fills_a_bar_of_every_metre(name: str) -> None:
    for metre, bars in FIGURES[name].items():
        for bar in (bars,) if isinstance(bars, str) else bars:
            assert METRES[metre] % len(bar) == 0, (metre, bar)
            assert METRES[metre] // len(bar) in (6, 12), (metre, bar)
            assert re.fullmatch(r"[-.Xxo]+|[-.13578acfv>]+", bar), (metre, bar)
            assert bar[0] != "-", (metre, bar)


def test_there_are_figures_at_all() -> None:
    assert len(FIGURES) > 30


def test_a_line_reads_its_marks() -> None:
    chord = Chord(0, 192, 0, (0, 4, 7))
    notes = line(score_of("4/4", chord), {"4/4": "1358ac.f"}, [0], 36, velocity=70)
    assert [(note.start, note.pitch) for note in notes] == [
        (0, 36), (12, 40), (24, 43), (36, 48), (48, 52), (60, 55), (84, 60)
    ]  # fmt: skip
    assert notes[0].velocity > notes[1].velocity
    low = line(score_of("4/4", Chord(0, 192, 9, (0, 4, 7))), {"4/4": "1-v-"}, [0], 36)
    assert [note.pitch for note in low] == [45, 40]


def test_a_held_stroke_is_struck_again_where_the_harmony_changes() -> None:
    score = score_of("4/4", Chord(0, 48, 0, (0, 4, 7)), Chord(48, 144, 7, (0, 4, 7)))
    found = [(stroke.tick, stroke.duration, stroke.chord.root) for stroke in strokes(score, {"4/4": "x---"}, [0])]
    assert found == [(0, 48, 0), (48, 48, 7)]
    assert [note.pitch for note in line(score, {"4/4": "5---"}, [0], 36)] == [36, 43]


def test_a_step_leads_into_the_next_root() -> None:
    score = score_of("4/4", Chord(0, 96, 0, (0, 4, 7)), Chord(96, 96, 5, (0, 4, 7)))
    notes = line(score, {"4/4": "1->-"}, [0, 1], 36)
    assert abs(notes[1].pitch - 41) <= 2
    assert notes[1].pitch % 12 in (4, 7)


@pytest.mark.parametrize("pickup", [0, 12])
def test_figures_stay_inside_the_piece(pickup: int) -> None:
    score = score_of("6/8", Chord(pickup, 144 - pickup, 0, (0, 4, 7)), pickup=pickup)
    for notes in (
        line(score, grooves.BROKEN, range(2), 40, ring=4),
        block(score, grooves.STRUM, range(2), 60),
        drum(score, grooves.FRAME_LOW, range(2), 41),
    ):
        assert notes
        assert all(pickup <= note.start and note.end <= score.ticks for note in notes)


def test_a_figure_of_several_bars_starts_over() -> None:
    score = score_of("3/4", Chord(0, 288, 0, (0, 4, 7)), bars=4)
    notes = line(score, {"3/4": ("1--", "5--")}, range(1, 4), 36)
    assert [note.pitch % 12 for note in notes] == [7, 0, 7]


def test_a_pitch_is_struck_once_at_a_time() -> None:
    chord = Chord(0, 192, 0, (0, 4, 7))
    notes = in_order(line(score_of("4/4", chord), grooves.BROKEN, [0, 1], 40, ring=4) * 2)
    for pitch in {note.pitch for note in notes}:
        same = [note for note in notes if note.pitch == pitch]
        assert all(before.end <= after.start for before, after in itertools.pairwise(same))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("ensemble", ["jazz trio", "lo-fi"])
def test_rich_harmony_is_rich_resolves_and_closes_at_home(ensemble: str, seed: int) -> None:
    score = random_score(seed, ensemble)
    assert is_rich(score.chords)
    assert all(chord.tones in CHORD_KINDS and len(chord.tones) > 3 for chord in score.chords)
    assert score.chords[-1].root == score.key.pitch_class
    again = harmonise(score.melody, score.key, score.metre, ticks=score.ticks, pickup=score.pickup, colour="rich")
    assert chord_at(again, score.ticks - 1) is not None


def test_every_rich_chord_has_a_name() -> None:
    assert all(tones in CHORD_KINDS for palette in RICH_PALETTES.values() for _, tones in palette)
    assert all(Chord(0, 1, 0, tones).kind and isinstance(Chord(0, 1, 0, tones).suffix, str) for tones in CHORD_KINDS)


@pytest.mark.parametrize("seed", range(6))
def test_accompanying_chords_lie_under_the_tune(seed: int) -> None:
    for ensemble, name in (("piano", "Piano, left hand"), ("waltz band", "Piano"), ("jazz trio", "Piano, left hand")):
        score = random_score(seed, ensemble)
        part = next(part for part in score.parts if part.name == name)
        tune = sum(note.pitch for note in score.melody) / len(score.melody)
        assert sum(note.pitch for note in part.notes) / len(part.notes) < tune - 5


def test_the_walking_bass_goes_by_beats_and_small_steps() -> None:
    score = replace(random_score(11, "jazz trio"), metre="4/4")
    bass = next(part for part in score.parts if part.role == "bass")
    assert isinstance(bass, Part)
    steps = [abs(after.pitch - before.pitch) for before, after in zip(bass.notes, bass.notes[1:], strict=False)]
    assert sum(steps) / len(steps) < 6
    assert all(28 <= note.pitch <= 55 for note in bass.notes)
