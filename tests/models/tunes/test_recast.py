"""From a score to what the writer reads and back: only the chosen bars change, whatever the melody is like."""

from __future__ import annotations

import random

import pytest

from genai_studio.models.tunes.recast import (
    FreshBar,
    Melody,
    chosen_bars,
    in_range,
    kept_chords,
    melody_of,
    moved,
    new_bars,
    reading,
    spans_of,
    with_bars,
)
from genai_studio.models.tunes.tokens import MAX_TOKENS, Tune, encode
from genai_studio.score.model import METRES, SCALES, Chord, Key, Note, Part, Score, Section


def melody(seed: int, *, bars: int = 16, metre: str = "3/4", pickup: int = 0, free: bool = False) -> Melody:
    """A melody on the grid, or with `free` anywhere at all, as an import may be."""
    draw = random.Random(seed)
    notes, at = [], 0
    end = bars * METRES[metre]
    while at < end:
        duration = min(end - at, draw.choice((1, 5, 7, 24, 200) if free else (6, 12, 24)))
        if draw.random() < 0.85:
            notes.append(Note(at, duration, draw.randint(20, 110) if free else draw.randint(60, 80)))
        at += duration
    sections = tuple(Section("AB"[number % 2], first, 8) for number, first in enumerate(range(0, bars, 8)))
    return Melody(tuple(notes), sections, Key("D", "minor"), metre, pickup)


def outside(notes: tuple[Note, ...], spans: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """Every tick of sounding music outside the spans, with its pitch."""
    return {
        (tick, note.pitch)
        for note in notes
        for tick in range(note.start, note.end)
        if not any(opens <= tick < closes for opens, closes in spans)
    }


@pytest.mark.parametrize("seed", range(12))
def test_notes_outside_the_chosen_bars_stay_as_they_are(seed: int) -> None:
    before = melody(seed, free=seed % 2 == 1, pickup=(0, 12)[seed % 3 == 0])
    bars = sorted(random.Random(seed).sample(range(16), 3))
    read = reading(before, bars, "air", 62)
    assert read.bars == tuple(bars)
    fresh = {bar: FreshBar((Note(3, 60, 99),), 72) for bar in bars}
    after = with_bars(before, fresh)
    spans = spans_of(before, fresh)
    assert outside(after, spans) == outside(before.notes, spans)
    assert {note.pitch for note in after if any(a <= note.start < b for a, b in spans)} == {99}
    assert list(after) == sorted(after, key=lambda note: (note.start, note.pitch))


@pytest.mark.parametrize("seed", range(6))
def test_bars_that_come_back_unchanged_change_nothing(seed: int) -> None:
    before = melody(seed)
    before = Melody(
        tuple(n for n in before.notes if n.start // 72 == (n.end - 1) // 72), before.sections, before.key, "3/4", 0
    )
    read = reading(before, [2, 3, 9], "waltz", 62)
    assert with_bars(before, new_bars(read, read.tune)) == before.notes


@pytest.mark.parametrize("seed", range(8))
def test_any_melody_can_be_read_and_leaves_room_to_write(seed: int) -> None:
    long = melody(seed, bars=128, metre="4/4", free=True)
    read = reading(long, [60, 61], "reel", 62)
    assert len(encode(read.tune)) <= MAX_TOKENS
    assert len(read.blanks) == 2
    assert all(0 <= bar < read.tune.sections[number].bars for number, bar in read.blanks)


def test_a_section_that_comes_back_is_written_again_too_where_asked() -> None:
    tune = melody(1, bars=32)
    assert chosen_bars(tune, 3, 4, repeats=False) == [[2, 3]]
    assert chosen_bars(tune, 3, 4, repeats=True) == [[2, 3], [18, 19]]
    # Bars of two sections are one passage, which comes back nowhere.
    assert chosen_bars(tune, 8, 9, repeats=True) == [[7, 8]]


@pytest.mark.parametrize(("first", "last"), [(0, 3), (5, 4), (30, 33), (-1, -1)])
def test_bars_that_are_not_there_are_refused(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="it has bars 1 to 32"):
        chosen_bars(melody(1, bars=32), first, last, repeats=True)


def test_a_score_without_sections_is_read_in_phrases_of_eight() -> None:
    notes = (Note(0, 24, 62),)
    score = Score("x", Key("D", "minor"), "3/4", 90, 19, 0, (Part("Fiddle", "melody", 40, notes),))
    assert [(s.letter, s.first_bar, s.bars) for s in melody_of(score).sections] == [("A", 0, 8), ("B", 8, 11)]


def test_the_introduction_is_not_part_of_the_melody() -> None:
    sections = (Section("I", 0, 4), Section("A", 4, 8))
    score = Score(
        "x", Key("D", "minor"), "3/4", 90, 12, 0, (Part("F", "melody", 40, (Note(300, 9, 62),)),), sections=sections
    )
    tune = melody_of(score)
    assert [section.letter for section in tune.sections] == ["A"]
    with pytest.raises(ValueError, match="it has bars 5 to 12"):
        chosen_bars(tune, 4, 6, repeats=True)


def test_the_upbeat_of_the_next_section_is_left_alone() -> None:
    length, upbeat = 72, 24
    notes = (Note(0, 24, 70), Note(24, 72 * 8 - 24, 62), Note(8 * length, 24, 71), Note(8 * length + 24, 24, 64))
    tune = Melody(notes, (Section("A", 0, 8), Section("B", 8, 8)), Key("D", "minor"), "3/4", upbeat)
    read = reading(tune, [7], "waltz", 62)
    assert read.tune.header.pickup == upbeat
    fresh = new_bars(read, Tune(read.tune.header, read.tune.sections))
    assert fresh[7].ticks == length - upbeat
    assert Note(8 * length, 24, 71) in with_bars(tune, fresh)


def test_chords_stay_where_nothing_was_written() -> None:
    before = (Chord(0, 96, 2, (0, 3, 7)), Chord(96, 96, 9, (0, 4, 7)))
    after = (Chord(0, 192, 7, (0, 4, 7)),)
    assert kept_chords(before, after, [(48, 120)]) == (
        Chord(0, 48, 2, (0, 3, 7)),
        Chord(48, 72, 7, (0, 4, 7)),
        Chord(120, 72, 9, (0, 4, 7)),
    )
    assert kept_chords(before, after, []) == before


@pytest.mark.parametrize("mode", SCALES)
@pytest.mark.parametrize("tonic", ["C", "F#", "Bb"])
def test_a_tune_in_another_key_keeps_its_steps(mode: str, tonic: str) -> None:
    before, after = Key("D", "minor"), Key(tonic, mode)
    notes = tuple(Note(24 * place, 24, 62 + step) for place, step in enumerate((*SCALES["minor"], 12, -12)))
    shifted = moved(notes, before, after)
    assert [(note.pitch - after.pitch_class) % 12 for note in shifted] == [*SCALES[mode], 0, 0]
    assert abs(shifted[0].pitch - notes[0].pitch) <= 6
    assert moved(shifted, after, before) == notes or abs(shifted[0].pitch - notes[0].pitch) == 6


@pytest.mark.parametrize("seed", range(5))
def test_every_note_fits_the_instrument(seed: int) -> None:
    notes = melody(seed, free=True).notes
    fitted = in_range(notes, 55, 81)
    assert all(55 <= note.pitch <= 81 for note in fitted)
    assert [(note.start, note.pitch % 12) for note in fitted] == [(note.start, note.pitch % 12) for note in notes]
