from __future__ import annotations

from itertools import pairwise

import pytest

from genai_studio.score.arranging.arrange import ENSEMBLES, INSTRUMENTS
from genai_studio.score.arranging.voicing import close_position, parallels, three_below
from genai_studio.score.model import KEYS, SCALES, Chord, Key, Note
from tests.score.pieces import random_score

NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@pytest.mark.parametrize("seed", range(12))
def test_chords_cover_the_piece_and_come_home(seed: int) -> None:
    score = random_score(seed)
    assert score.chords[0].start == score.pickup
    assert score.chords[-1].end == score.ticks
    assert all(before.end == after.start for before, after in pairwise(score.chords))
    assert score.chords[-1].root == score.key.pitch_class
    third = 3 if score.key.mode in ("minor", "dorian") else 4
    assert score.chords[-1].tones[1] == third


@pytest.mark.parametrize("ensemble", list(ENSEMBLES))
@pytest.mark.parametrize("seed", [3, 8])
def test_every_part_stays_inside_the_piece(ensemble: str, seed: int) -> None:
    score = random_score(seed, ensemble)
    assert score.parts[0].role == "melody"
    for part in score.parts:
        assert part.notes, part.name
        assert all(note.start >= 0 and note.duration > 0 and note.end <= score.ticks for note in part.notes), part.name
        assert all(0 <= note.pitch <= 127 and 1 <= note.velocity <= 127 for note in part.notes)
        assert list(part.notes) == sorted(part.notes, key=lambda note: note.start)


@pytest.mark.parametrize("tonic", KEYS)
@pytest.mark.parametrize("mode", list(SCALES))
def test_scales_use_seven_letters_once(tonic: str, mode: str) -> None:
    key = Key(tonic, mode)
    spelled = [key.spell(60 + key.pitch_class + step) for step in SCALES[mode]]
    assert sorted(letter for letter, _, _ in spelled) == list("ABCDEFG")
    for pitch in range(36, 96):
        letter, alteration, octave = key.spell(pitch)
        assert 12 * (octave + 1) + NATURAL[letter] + alteration == pitch
        assert abs(alteration) <= 2


def test_a_minor_key_has_a_sharp_leading_note() -> None:
    assert Key("A", "minor").spell(68) == ("G", 1, 4)


@pytest.mark.parametrize("seed", range(40))
def test_the_quartet_has_no_parallels(seed: int) -> None:
    score = random_score(seed, "string quartet")
    lead, *lower = score.parts
    for chord in score.chords[1:]:
        before = [_sounding(part.notes, chord.start - 1) for part in (lead, *lower)]
        after = [_sounding(part.notes, chord.start) for part in (lead, *lower)]
        both = [(old, new) for old, new in zip(before, after, strict=True) if old is not None and new is not None]
        assert parallels(tuple(old for old, _ in both), tuple(new for _, new in both)) == 0


def _sounding(notes: tuple[Note, ...], tick: int) -> int | None:
    """What a voice plays at `tick`, or played last."""
    return next((note.pitch for note in reversed(notes) if note.start <= tick), None)


def test_the_lower_voices_are_full_and_do_not_cross() -> None:
    major, minor = (0, 4, 7), (0, 3, 7)
    chords = [Chord(0, 48, root, tones) for root, tones in ((0, major), (5, major), (9, minor), (2, minor), (7, major))]
    tops = (72, 72, 76, 74, 74)
    led = three_below(chords, [(before, top, top) for before, top in zip((72, *tops), tops, strict=False)])
    for chord, top, three in zip(chords, tops, led, strict=True):
        assert three[2] < three[1] < three[0] <= top
        assert {pitch % 12 for pitch in (*three, top)} == set(chord.pitch_classes)
    whole = [(top, *three) for top, three in zip(tops, led, strict=True)]
    assert all(parallels(before, after) == 0 for before, after in pairwise(whole))


def test_close_position_moves_little() -> None:
    first = close_position(Chord(0, 48, 0, (0, 4, 7)), 60, None)
    second = close_position(Chord(0, 48, 5, (0, 4, 7)), 60, first)
    assert sum(abs(a - b) for a, b in zip(first, second, strict=True)) <= 4


def test_instruments_have_room_for_a_tune() -> None:
    assert all(player.highest - player.lowest >= 24 for player in INSTRUMENTS.values())
    assert all(ensemble.lead in INSTRUMENTS for ensemble in ENSEMBLES.values())
