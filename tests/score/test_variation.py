from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from genai_studio.score.arranging.variation import varied
from genai_studio.score.model import KEYS, METRES, SCALES, Key, Note
from tests.score.pieces import melody_of

SEEDS = range(40)


def strain(seed: int) -> tuple[list[Note], Key, str]:
    """A random strain with an upbeat in its own time: its first bar line is tick 0."""
    draw = random.Random(seed)
    key, metre = Key(draw.choice(KEYS), draw.choice(list(SCALES))), draw.choice(list(METRES))
    pickup = draw.choice((0, 12))
    notes = melody_of(key, metre, 8, pickup, draw)
    return [replace(note, start=note.start - pickup) for note in notes], key, metre


def sounding(notes: list[Note]) -> set[int]:
    return {tick for note in notes for tick in range(note.start, note.end)}


@pytest.mark.parametrize("amount", [0.3, 0.7, 1.0])
def test_bars_range_scale_first_beats_and_the_end_are_kept(amount: float) -> None:
    for seed in SEEDS:
        notes, key, metre = strain(seed)
        new = varied(notes, key, metre, seed=seed, amount=amount)
        assert sounding(new) == sounding(notes)
        assert all(before.end <= after.start for before, after in pairwise(new))
        assert all(note.duration >= 6 for note in new)
        low, high = min(note.pitch for note in notes), max(note.pitch for note in notes)
        assert all(low <= note.pitch <= high for note in new)
        old_pitches = {note.pitch % 12 for note in notes}
        scale = {(key.pitch_class + step) % 12 for step in SCALES[key.mode]}
        assert {note.pitch % 12 for note in new} <= old_pitches | scale
        length = METRES[metre]
        opens = (notes[-1].end - 1) // length * length
        assert [note for note in new if note.start >= opens] == [note for note in notes if note.start >= opens]
        assert new[-1] == notes[-1]
        assert [note for note in new if note.start < 0] == [note for note in notes if note.start < 0]
        first = {note.start: note.pitch % 12 for note in notes if note.start % length == 0}
        assert all(note.pitch % 12 == first[note.start] for note in new if note.start in first)


def test_nothing_changes_at_zero_and_more_with_the_amount() -> None:
    changed = {}
    for amount in (0.0, 0.2, 0.6, 1.0):
        changed[amount] = 0
        for seed in SEEDS:
            notes, key, metre = strain(seed)
            changed[amount] += len(set(varied(notes, key, metre, seed=seed, amount=amount)) ^ set(notes))
    assert changed[0.0] == 0
    assert 0 < changed[0.2] < changed[0.6] < changed[1.0]


def test_the_seed_decides() -> None:
    notes, key, metre = strain(3)
    once = varied(notes, key, metre, seed="a", amount=0.8)
    assert once == varied(notes, key, metre, seed="a", amount=0.8)
    assert any(varied(notes, key, metre, seed=seed, amount=0.8) != once for seed in range(5))


def test_a_given_range_is_used_and_never_left() -> None:
    octaves = 0
    for seed in SEEDS:
        notes, key, metre = strain(seed)
        new = varied(notes, key, metre, seed=seed, amount=1.0, lowest=40, highest=100)
        assert all(40 <= note.pitch <= 100 for note in new)
        octaves += max(note.pitch for note in new) > max(note.pitch for note in notes)
    assert octaves


def test_nothing_and_a_single_note() -> None:
    key = Key("C", "major")
    assert varied([], key, "4/4", seed=1, amount=1.0) == []
    assert varied([Note(0, 96, 60)], key, "4/4", seed=1, amount=1.0) == [Note(0, 96, 60)]
