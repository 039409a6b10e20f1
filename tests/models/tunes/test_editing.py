"""Repainting, continuing and arranging a piece: what is asked for changes, everything else stays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes import editing
from genai_studio.models.tunes.editing import Pen, edited
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import Wishes, read_prompt
from genai_studio.models.tunes.recast import FreshBar, Melody, body_of
from genai_studio.score.arranging.arrange import ENSEMBLES, INSTRUMENTS, arrange
from genai_studio.score.arranging.harmony import harmonise
from genai_studio.score.model import METRES, SCALES, Key, Note, Part, Score, Section

ROUND = (("A", 8), ("B", 8), ("A", 8))


@dataclass
class Writer:
    """Stands in for the network: fills each bar with one long note on the tonic, and remembers what it was asked."""

    asked: list[tuple[Melody, list[int]]] = field(default_factory=list)

    def fill(self, melody: Melody, bars: list[int], controls: Any) -> tuple[dict[int, FreshBar], float]:
        self.asked.append((melody, bars))
        note = Note(0, melody.length, controls.tonic)
        return {bar: FreshBar((note,), melody.length) for bar in bars}, -0.5


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Writer:
    stand_in = Writer()
    monkeypatch.setattr(Pen, "fill", lambda self, *given: stand_in.fill(*given))
    return stand_in


def piece(*, introduction: int = 0, ending: str = "plain", metre: str = "4/4", ensemble: str = "piano") -> Score:
    length, key = METRES[metre], Key("D", "minor")
    melody = [Note(at, 12, 62 + SCALES["minor"][at // 12 * 3 % 7]) for at in range(0, 24 * length, 12)]
    melody[-1] = Note(24 * length - 12, 12, 74)
    starts = [0, 8, 16]
    sections = tuple(Section(letter, first, bars) for (letter, bars), first in zip(ROUND, starts, strict=True))
    chords = harmonise(melody, key, metre, ticks=24 * length, pickup=0)
    score = Score("Air in D minor", key, metre, 90.0, 24, 0, (), chords, sections)
    return arrange(score, melody, ensemble, style="air", introduction=introduction, ending=ending)


def run(score: Score, prompt: str = "", **values: Any) -> editing.Edited:
    params = TuneParams.parse({"prompt": prompt, "seed": 1, **values})
    return edited(score, params, read_prompt(prompt) if prompt else Wishes(), Pen(None, params, 1, 4))


def untouched(score: Score, bars: set[int]) -> list[Note]:
    """The melody's notes outside `bars` (from 1), without how loud they are."""
    return [
        replace(note, velocity=80)
        for note in score.melody
        if (note.start - score.pickup) // score.bar_ticks + 1 not in bars
    ]


@pytest.mark.parametrize("introduction", [0, 4])
@pytest.mark.parametrize("ending", ["plain", "tag"])
def test_repainting_changes_the_chosen_bars_and_their_repeats(writer: Writer, introduction: int, ending: str) -> None:
    before = piece(introduction=introduction, ending=ending)
    first, last = introduction + 3, introduction + 4
    made = run(before, action="repaint", first_bar=first, last_bar=last)
    assert made.bars == (first, last, first + 16, last + 16)
    assert untouched(made.score, set(made.bars)) == untouched(before, set(made.bars))
    changed = [note for note in made.score.melody if note.duration == before.bar_ticks]
    assert len(changed) >= 4
    assert (made.score.bars, made.score.sections, made.score.tempo) == (before.bars, before.sections, before.tempo)
    assert made.score.chords[0] == before.chords[0]
    assert writer.asked[0][1] == [2, 3]


def test_one_place_alone_can_be_repainted(writer: Writer) -> None:
    before = piece()
    made = run(before, action="repaint", first_bar=3, last_bar=3, repeats=False)
    assert made.bars == (3,)
    assert untouched(made.score, {3}) == untouched(before, {3})


def test_without_bars_everything_is_repainted(writer: Writer) -> None:
    made = run(piece(introduction=4), action="repaint")
    assert made.bars == tuple(range(5, 29))


@pytest.mark.parametrize(("first", "last"), [(1, 2), (4, 5), (28, 29), (300, 301)])
def test_bars_outside_the_melody_are_refused_in_the_pieces_own_numbers(writer: Writer, first: int, last: int) -> None:
    with pytest.raises(InvalidInput, match="bars 5 to 28"):
        run(piece(introduction=4), action="repaint", first_bar=first, last_bar=last)
    assert writer.asked == []


@pytest.mark.parametrize("ending", ["plain", "tag"])
def test_continuing_adds_a_section_and_keeps_what_was(writer: Writer, ending: str) -> None:
    before = piece(introduction=4, ending=ending)
    made = run(before, action="continue", bars=16)
    assert made.score.bars == before.bars + 16
    assert made.bars == tuple(range(29, 45))
    kept = 28 * before.bar_ticks
    assert [n for n in untouched(made.score, set()) if n.end <= kept] == [
        n for n in untouched(before, set()) if n.end <= kept
    ]
    assert [section.letter for section in made.score.sections][:5] == ["I", "A", "B", "A", "C"]


def test_a_piece_does_not_grow_without_end(writer: Writer) -> None:
    with pytest.raises(InvalidInput, match="allowed is 128 at most"):
        run(piece(), action="continue", bars=128)
    slow = replace(piece(), tempo=20.0)
    with pytest.raises(InvalidInput, match="300 at most"):
        run(slow, action="continue", bars=8)
    assert writer.asked == []


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_arranging_keeps_the_tune_and_changes_the_players(ensemble: str) -> None:
    before = piece()
    made = run(before, action="arrange", accompaniment=ensemble).score
    assert (made.ensemble, made.instrument, made.metre, made.bars) == (ensemble, ENSEMBLES[ensemble].lead, "4/4", 24)
    assert [(n.start, n.duration, n.pitch % 12) for n in made.melody] == [
        (n.start, n.duration, n.pitch % 12) for n in before.melody
    ]
    band = INSTRUMENTS[made.instrument]
    assert all(band.lowest <= note.pitch <= band.highest for note in made.melody)


def test_key_and_tempo_change_without_recomposing() -> None:
    made = run(piece(), action="arrange", key="F#", mode="major", tempo_bpm=120).score
    assert (str(made.key), made.tempo, made.title) == ("F# major", 120.0, "Air in F# major")
    assert [note.start for note in made.melody] == [note.start for note in piece().melody]
    back = run(made, action="arrange", key="D", mode="minor", tempo_bpm=90).score
    assert [note.pitch % 12 for note in back.melody] == [note.pitch % 12 for note in piece().melody]


def test_the_prompt_arranges_too_and_the_panel_goes_before_it() -> None:
    made = run(piece(), "for string quartet in G minor, 100 bpm", action="arrange", tempo_bpm=80).score
    assert (made.ensemble, str(made.key), made.tempo) == ("string quartet", "G minor", 80.0)


def test_introduction_and_ending_come_and_go() -> None:
    framed = run(piece(), action="arrange", introduction="4 bars", ending="tag").score
    assert framed.bars == 32
    plain = run(framed, action="arrange", introduction="none", ending="plain").score
    assert plain.bars == 24
    assert untouched(plain, set()) == untouched(piece(), set())
    assert body_of(framed).notes[0].start == 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"metre": "3/4"}, "keeps the metre: this piece is in 4/4"),
        ({"style": "jig"}, "this piece is in 4/4"),
    ],
)
def test_what_cannot_be_arranged_is_said(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        run(piece(), action="arrange", **values)


def test_a_piece_without_melody_is_refused() -> None:
    score = Score("x", Key("C", "major"), "4/4", 90, 8, 0, (Part("Drums", "drums", 0, (Note(0, 6, 38),)),))
    with pytest.raises(InvalidInput, match="no melody"):
        run(score, action="arrange")


def test_an_imported_melody_without_form_style_or_players_can_be_worked_on(writer: Writer) -> None:
    notes = tuple(Note(at, 36, 20 + at % 80) for at in range(0, 19 * 108, 36))
    score = Score("Found", Key("Eb", "dorian"), "9/8", 97.5, 19, 0, (Part("Melody", "melody", 0, notes),))
    made = run(score, action="repaint", first_bar=17, last_bar=19)
    assert made.bars == (17, 18, 19)
    assert (made.score.title, made.score.tempo, str(made.score.key)) == ("Found", 97.5, "Eb dorian")
    assert made.score.ensemble
    assert run(score, action="continue").score.bars == 27
