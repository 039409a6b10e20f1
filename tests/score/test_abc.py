from __future__ import annotations

from fractions import Fraction

import pytest

from genai_studio.score.formats.abc import AbcError, parse_key, parse_tune, split_tunes

HEAD = "X:7\nT:Test\nM:4/4\nL:1/8\nK:{key}\n"


def pitches(body: str, key: str = "C") -> list[int | None]:
    return [note.pitch for bar in parse_tune(HEAD.format(key=key) + body).bars for note in bar.notes]


def lengths(body: str) -> list[Fraction]:
    return [note.duration for bar in parse_tune(HEAD.format(key="C") + body).bars for note in bar.notes]


@pytest.mark.parametrize(
    ("text", "tonic", "fifths", "mode"),
    [
        ("G", 7, 1, "major"),
        ("Bb", 10, -2, "major"),
        ("Am", 9, 0, "minor"),
        ("F#m", 6, 3, "minor"),
        ("Ador", 9, 1, "dorian"),
        ("D Mixolydian", 2, 1, "mixolydian"),
        ("E Minor", 4, 1, "minor"),
    ],
)
def test_keys(text: str, tonic: int, fifths: int, mode: str) -> None:
    key = parse_key(text)
    assert (key.tonic, key.fifths, key.mode) == (tonic, fifths, mode)


def test_octaves_and_signature() -> None:
    assert pitches("C,Ccc'|") == [48, 60, 72, 84]
    assert pitches("FCfc|", "D") == [66, 61, 78, 73]
    assert pitches("BEbe|", "Bb") == [70, 63, 82, 75]


def test_an_accidental_lasts_to_the_bar_line_in_its_octave() -> None:
    assert pitches("^FFf F|F=B_B^^c|") == [66, 66, 77, 66, 65, 71, 70, 74]


def test_lengths_broken_rhythm_and_tuplets() -> None:
    half = Fraction(1, 2)
    assert lengths("A2A/A//A3/2A4|") == [1, half / 2, half / 4, half * 3 / 2, 2]
    assert lengths("A>B c<d|") == [half * 3 / 2, half / 2, half / 2, half * 3 / 2]
    assert lengths("(3ABc (3:2:2A2B|c2|") == [Fraction(1, 3)] * 3 + [Fraction(2, 3), Fraction(1, 3), 1]


def test_what_is_read_past() -> None:
    assert pitches('"Am"A {gf}!trill!~B u.vc Td "4"e (fg) % a comment\n[CEG]2|') == [69, 71, 72, 74, 76, 77, 79, 67]


def test_ties_and_endings() -> None:
    tune = parse_tune(HEAD.format(key="C") + "|:A4-A4|1 B8:|2 c8|]\n")
    assert [bar.ending for bar in tune.bars] == [0, 1, 2]
    assert [note.tied for note in tune.bars[0].notes] == [True, False]
    assert tune.number == 7
    assert tune.title == "Test"


@pytest.mark.parametrize(
    "text",
    [
        "X:1\nT:no key\nM:4/4\nABc",
        "X:1\nM:4/4\nK:Hp\nABc",
        HEAD.format(key="C") + "V:1\nABc|",
        HEAD.format(key="C") + "ABcd|\nM:3/4\nABc|",
        HEAD.format(key="C") + "AB & cd|",
        HEAD.format(key="C") + "Z4|",
        "X:1\nM:bad\nK:C\nABc",
    ],
)
def test_what_cannot_be_read_faithfully_is_refused(text: str) -> None:
    with pytest.raises(AbcError):
        parse_tune(text)


def test_a_book_is_split_at_its_numbers() -> None:
    assert len(list(split_tunes("% head\nX:1\nK:C\nA\n\nX:2\nK:G\nB\n"))) == 2
