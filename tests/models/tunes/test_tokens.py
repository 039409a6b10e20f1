from __future__ import annotations

import pytest

from genai_studio.models.tunes.tokens import (
    ANY,
    IDS,
    WORDS,
    Header,
    Section,
    SectionReader,
    Tune,
    TuneNote,
    decode,
    encode,
)

HEADER = Header("6/8", 8, "jig", "dorian", 12, "dense", "low")


def test_the_vocabulary_names_each_word_once() -> None:
    assert len(set(WORDS)) == len(WORDS) < 256
    assert all(IDS[word] == index for index, word in enumerate(WORDS))


def test_round_trip_with_upbeat_rest_triplet_and_a_note_over_the_bar_line() -> None:
    notes = (
        TuneNote(7, -12, 0),
        TuneNote(0, 0, 36),
        TuneNote(4, 48, 56),
        TuneNote(5, 56, 64),
        TuneNote(7, 64, 96),
        TuneNote(12, 96, 180),
        TuneNote(0, 180, 4 * 72 - 12),
    )
    tune = Tune(HEADER, (Section(4, 12, notes),))
    again = decode(encode(tune))
    assert again == tune
    assert encode(again) == encode(tune)


def test_a_key_is_not_in_the_text() -> None:
    words = [WORDS[index] for index in encode(Tune(HEADER, (Section(1, 0, (TuneNote(0, 0, 72),)),)))]
    assert not any(word.startswith("key") for word in words)
    assert words[:2] == ["begin", "style:jig"]


def test_open_controls_read_any() -> None:
    assert Header("4/4").words() == [
        "style:any",
        "mode:any",
        "metre:4/4",
        "bars:any",
        "pickup:0",
        "density:any",
        "register:any",
        "form:any",
        "range:any",
    ]
    assert Header("4/4", 13).words()[3] == "bars:any"
    assert decode([IDS[word] for word in Header("3/4").words()]).header.style == ANY


def test_blank_bars_come_after_the_sections_and_read_back_in_their_places() -> None:
    notes = tuple(
        TuneNote(step, 36 * index - 12, 36 * index + 24) for index, step in enumerate((0, 2, 4, 5, 7, 9, 7, 5))
    )
    tune = Tune(HEADER, (Section(4, 12, notes), Section(4, 12, notes[:5])))
    places = [(number, bar) for number in (0, 1) for bar in range(-1, 4)]
    for size in range(1, len(places) + 1):
        ids = encode(tune, places[:size])
        words = [WORDS[index] for index in ids]
        assert decode(ids) == tune
        assert words.count("fill") == 1
        assert sum(word.startswith("blank:") for word in words) == 2 * size
    assert encode(tune, ()) == encode(tune)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["style:jig"],
        [*HEADER.words(), "step:0"],
        [*HEADER.words(), "section:4", "until:12"],
        [*HEADER.words(), "section:4", "bar:4", "step:0", "until:12", "step:2", "until:12"],
        [*HEADER.words(), "section:4", "style:jig"],
        [*HEADER.words(), "section:4", "bar:4", "blank:1", "fill"],
        [*HEADER.words(), "section:4", "bar:4", "blank:1", "fill", "bar:4", "step:0", "until:12"],
        [*HEADER.words(), "section:4", "bar:4", "blank:1", "fill", "blank:1", "bar:3", "step:0", "until:12"],
    ],
)
def test_text_out_of_grammar_is_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match=r"The text|The token|A note"):
        decode([IDS[word] for word in words])


def test_the_reader_gives_each_note_when_it_ends() -> None:
    reader = SectionReader(4, HEADER)
    given = [
        reader.read(word) for word in ("bar:4", "step:3", "until:24", "rest", "until:72", "bar:3", "hold", "until:12")
    ]
    assert given[2] == TuneNote(3, 0, 24)
    assert given[:2] == [None, None]
    assert given[4] is None
    assert given[-1] is None  # there is nothing to hold after a rest
