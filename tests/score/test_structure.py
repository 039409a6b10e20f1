from __future__ import annotations

from itertools import pairwise

import pytest

from genai_studio.score.arranging.arrange import ENSEMBLES, arrange
from genai_studio.score.arranging.harmony import harmonise
from genai_studio.score.arranging.structure import body_of, passages
from genai_studio.score.model import INTRODUCTION, METRES, TAG, Key, Note, Score, Section
from tests.score.pieces import random_score


@pytest.mark.parametrize("ensemble", list(ENSEMBLES))
@pytest.mark.parametrize("seed", [1, 6, 7])
def test_an_introduction_and_a_tag_stand_around_the_same_body(ensemble: str, seed: int) -> None:
    plain = random_score(seed, ensemble)
    framed = random_score(seed, ensemble, introduction=4, ending="tag")
    shift = 4 * framed.bar_ticks
    assert framed.bars == plain.bars + 8
    assert [section.letter for section in framed.sections] == [INTRODUCTION, "A", "B", TAG]
    assert all(before.end_bar == after.first_bar for before, after in pairwise(framed.sections))
    assert framed.sections[0].first_bar == 0
    assert framed.sections[-1].end_bar == framed.bars
    tune = [(note.start, note.duration, note.pitch) for note in plain.melody]
    assert [(note.start - shift, note.duration, note.pitch) for note in framed.melody][: len(tune)] == tune
    assert framed.chords[0].start == framed.pickup
    assert framed.chords[-1].end == framed.ticks
    assert all(before.end == after.start for before, after in pairwise(framed.chords))
    assert framed.chords[-1].root == framed.key.pitch_class


@pytest.mark.parametrize("ensemble", list(ENSEMBLES))
def test_players_are_alone_in_the_introduction_and_everyone_ends_together(ensemble: str) -> None:
    score = random_score(4, ensemble, introduction=4, ending="tag")
    opens = score.pickup + 4 * score.bar_ticks
    assert min(note.start for note in score.melody) >= opens - score.bar_ticks
    others = [note for part in score.parts[1:] for note in part.notes]
    for bar in range(4):
        start = score.pickup + bar * score.bar_ticks
        assert any(start <= note.start < start + score.bar_ticks for note in others), bar
    assert score.melody[-1].end == score.ticks
    echo = [note.pitch for note in score.melody if note.start >= (score.bars - 4) * score.bar_ticks][:-1]
    body = [note.pitch for note in body_of(score).melody]
    assert echo
    assert echo == body[-len(echo) - 1 : -1]


@pytest.mark.parametrize("ensemble", list(ENSEMBLES))
def test_the_body_can_be_taken_out_again(ensemble: str) -> None:
    plain = random_score(8, ensemble)
    body = body_of(random_score(8, ensemble, introduction=4, ending="tag"))
    assert (body.bars, body.sections) == (plain.bars, plain.sections)
    assert [(note.start, note.pitch) for note in body.melody] == [(note.start, note.pitch) for note in plain.melody]
    assert all(note.start >= 0 and note.end <= body.ticks for part in body.parts for note in part.notes)
    assert body.chords[0].start == body.pickup
    assert body.chords[-1].end == body.ticks
    assert body_of(plain) is plain


def _score(order: str, bars: int = 8) -> Score:
    sections = tuple(Section(letter, number * bars, bars) for number, letter in enumerate(order))
    return Score("", Key("D", "major"), "4/4", 100, bars * len(order), 0, (), (), sections)


@pytest.mark.parametrize("order", ["A", "AB", "AABB", "ABACA"])
def test_a_piece_grows(order: str) -> None:
    found = passages(_score(order))
    assert [passage.letter for passage in found] == list(order)
    levels = [passage.level for passage in found]
    assert levels == sorted(levels)
    assert all(0 < level <= 1 for level in levels)


def test_long_sections_grow_in_phrases_of_eight_bars() -> None:
    found = passages(_score("AB", bars=20))
    assert [(passage.first_bar, passage.end_bar) for passage in found] == [
        (0, 8), (8, 16), (16, 20), (20, 28), (28, 36), (36, 40)
    ]  # fmt: skip
    assert [passage.closes for passage in found] == [False, False, True, False, False, True]


@pytest.mark.parametrize("ensemble", ["folk band", "marching band", "lo-fi", "jazz trio", "chiptune", "waltz band"])
def test_later_passages_are_fuller_and_louder(ensemble: str) -> None:
    key = Key("G", "major")
    phrase = [67, 71, 74, 71, 72, 71, 69, 67] * 8
    tune = [Note(24 * place, 24, pitch) for place, pitch in enumerate(phrase * 2)]
    ticks = 32 * METRES["4/4"]
    sections = tuple(Section(letter, 8 * number, 8) for number, letter in enumerate("AABB"))
    chords = harmonise(tune, key, "4/4", ticks=ticks, pickup=0)
    score = arrange(Score("", key, "4/4", 120, 32, 0, (), chords, sections), tune, ensemble, style="march")
    quarter = 8 * score.bar_ticks
    energy = [
        sum(note.velocity**2 for part in score.parts for note in part.notes if note.start // quarter == number)
        for number in range(4)
    ]
    assert energy[0] < energy[1]
    assert energy[0] * 1.2 < energy[3]


def test_a_long_introduction_is_refused() -> None:
    with pytest.raises(ValueError, match="4 bars"):
        random_score(1, introduction=3)
