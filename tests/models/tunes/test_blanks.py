"""Blank bars: whatever is drawn for them, the bars add up, the ends meet and nothing else changes."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from genai_studio.models.tunes.bar_rules import Bar, Landing, Steps
from genai_studio.models.tunes.blanks import (
    MAX_BLANKS,
    BlankGrammar,
    blank_places,
    filled_tune,
    legible,
    mode_of,
    window,
)
from genai_studio.models.tunes.form import form_of
from genai_studio.models.tunes.tokens import (
    IDS,
    MAX_TOKENS,
    Header,
    Place,
    Section,
    Tune,
    TuneNote,
    decode,
    encode,
)
from genai_studio.score.model import METRES, SCALES
from tests.models.tunes.test_grammar import walk


def overlapping(tune: Tune) -> bool:
    """Whether a note of the tune starts before the one before it ends."""
    return any(after.start < before.end for section in tune.sections for before, after in pairwise(section.notes))


def some_tune(seed: int, metre: str, bars: int = 32) -> Tune:
    return walk(seed, Header(metre, form_of(bars).written_bars, "air", "minor"), bars, lowest=-9, highest=20)


def some_blanks(tune: Tune, draw: random.Random) -> list[Place]:
    places = [(number, bar) for number, part in enumerate(tune.sections) for bar in range(part.first_bar, part.bars)]
    return blank_places(tune, draw.sample(places, draw.randint(1, min(9, len(places)))))


def filled(tune: Tune, blanks: list[Place], draw: random.Random) -> tuple[Tune, list[str]]:
    grammar = BlankGrammar(tune, blanks, lowest=-9, highest=20, closing=len(tune.sections) - 1)
    words = list(grammar.known)
    while not grammar.finished:
        allowed = grammar.allowed()
        assert allowed
        words.append(draw.choice(allowed))
        grammar.push(words[-1])
        assert len(words) <= MAX_TOKENS
    return filled_tune(tune, blanks, grammar.filled), words


@pytest.mark.parametrize("metre", list(METRES))
def test_nothing_changes_outside_the_blanks(metre: str) -> None:
    for seed in range(12):
        draw = random.Random(seed)
        tune = some_tune(seed, metre)
        blanks = some_blanks(tune, draw)
        result, words = filled(tune, blanks, draw)
        length = tune.header.bar_ticks
        for number, (before, after) in enumerate(zip(tune.sections, result.sections, strict=True)):
            assert (before.bars, before.pickup) == (after.bars, after.pickup)
            kept = [note for note in before.notes if (number, note.start // length) not in blanks]
            assert [note for note in after.notes if (number, note.start // length) not in blanks] == kept
            assert all(note.step % 12 in (*SCALES["minor"], 9, 11) for note in after.notes)
            assert all(note.end <= after.bars * length - tune.header.pickup for note in after.notes)
        assert not overlapping(result)
        # The text itself says the same: read back, it is the same tune.
        assert decode([IDS[word] for word in words]).sections == result.sections


@pytest.mark.parametrize("metre", list(METRES))
def test_a_new_last_bar_comes_home(metre: str) -> None:
    for seed in range(8):
        tune = some_tune(seed, metre)
        last = tune.sections[-1]
        result, _ = filled(tune, [(len(tune.sections) - 1, last.bars - 1)], random.Random(seed))
        note = result.sections[-1].notes[-1]
        assert note.step % 12 == 0
        assert note.end == last.bars * tune.header.bar_ticks - tune.header.pickup
        assert note.end - note.start >= 24


HEADER = Header("4/4", 4, "reel", "major")


def test_notes_over_the_edges_stay() -> None:
    notes = (TuneNote(0, 0, 120), TuneNote(4, 120, 180), TuneNote(7, 180, 216), TuneNote(0, 216, 384))
    tune = Tune(HEADER, (Section(4, 0, notes),))
    for seed in range(30):
        result, words = filled(tune, [(0, 1)], random.Random(seed))
        after = result.sections[0].notes
        assert notes[0] in after  # sounds on into the blank bar
        assert notes[3] in after
        tied = next(note for note in after if note.start < 192 < note.end)
        assert (tied.step, tied.end) == (7, 216)  # the kept bar begins on a held note: the blank lands on it
        assert decode([IDS[word] for word in words]).sections == result.sections


def test_a_section_without_notes_gets_its_upbeat_and_continues() -> None:
    pickup = 12
    header = Header("6/8", 8, "jig", "minor", pickup)
    first = Section(8, pickup, (TuneNote(0, -12, 0), TuneNote(7, 0, 8 * 72 - 12)))
    longer = Tune(header, (first, Section(8, pickup, ())))
    blanks = blank_places(longer, [(1, bar) for bar in range(8)])
    assert blanks[0] == (1, -1)
    result, _ = filled(longer, blanks, random.Random(1))
    assert result.sections[0] == first
    assert result.sections[1].notes[0].start == -12


def test_blanks_that_are_not_there_are_refused() -> None:
    tune = some_tune(1, "4/4", 16)
    for blanks, words in (
        ([], "Between 1 and"),
        ([(5, 0)], "no section 6"),
        ([(0, 8)], "no bar 9"),
        ([(0, -2)], "no bar -1"),
    ):
        with pytest.raises(ValueError, match=words):
            blank_places(tune, blanks)
    long = Tune(HEADER, tuple(Section(16, 0, (TuneNote(0, 0, 96),)) for _ in range(5)))
    with pytest.raises(ValueError, match=str(MAX_BLANKS)):
        blank_places(long, [(number, bar) for number in range(5) for bar in range(16)])
    with pytest.raises(ValueError, match="16 bars at most"):
        blank_places(Tune(HEADER, (Section(17, 0, ()),)), [(0, 0)])


def test_the_text_around_the_blanks_fits_the_model() -> None:
    dense = tuple(TuneNote(index % 12, index * 6, index * 6 + 6) for index in range(16 * 16))
    tune = Tune(HEADER, tuple(Section(16, 0, dense) for _ in range(8)))
    shown = window(tune, [(4, 2), (4, 3)])
    assert 4 in shown
    assert len(shown) < 8
    part = Tune(HEADER, tune.sections[shown.start : shown.stop])
    assert len(encode(part)) < MAX_TOKENS
    with pytest.raises(ValueError, match="too far apart"):
        window(tune, [(0, 0), (7, 0)])


def test_what_the_model_cannot_write_is_tidied_for_it_alone() -> None:
    notes = (TuneNote(-30, 0, 25), TuneNote(50, 23, 47), TuneNote(0, 48, 96 * 4))
    tune = Tune(HEADER, (Section(4, 0, notes),))
    shown = legible(tune)
    assert [note.step for note in shown.notes] == [-6, 26, 0]
    assert not overlapping(shown)
    encode(shown)
    assert legible(shown) == shown
    assert mode_of(Tune(Header("4/4"), (Section(4, 0, (TuneNote(3, 0, 24), TuneNote(8, 24, 48))),))) == "minor"


def test_a_landing_can_be_reached_from_anywhere_in_a_bar() -> None:
    steps = Steps.of("major", -12, 24)
    for start in (tick for tick in range(96) if tick % 3 == 0 or tick % 4 == 0):
        for end in (96, 90, 84, 72):
            if start >= end:
                continue
            for seed in range(5):
                draw = random.Random(seed)
                bar = Bar(steps, start, end, sounding=True, landing=Landing(("step:5",), 6))
                while not bar.finished:
                    bar.push(draw.choice(bar.allowed()))
                assert bar.words[-2:] == ["step:5", f"until:{end}"]
