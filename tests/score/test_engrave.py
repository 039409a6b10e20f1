from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import music21
import pytest

from genai_studio.score.formats.abc import parse_tune
from genai_studio.score.formats.abc_writer import abc_of
from genai_studio.score.formats.musicxml import write_musicxml
from genai_studio.score.model import Chord, Key, Note, Part, Score
from genai_studio.score.sheet.engrave import engrave, pdf
from genai_studio.score.sheet.staff import PLAIN, TRIPLET, measures, staff
from genai_studio.score.sheet.typeset import png_of
from genai_studio.score.sound.performance import seconds_at
from tests.score.pieces import random_score

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("parts", ["lead", "all"])
def test_every_bar_and_every_note_has_its_place(seed: int, parts: str) -> None:
    score = random_score(seed)
    engraving = engrave(score, parts=parts, prefix=f"t{seed}-")  # type: ignore[arg-type]
    assert [bar.number for bar in engraving.bars] == [measure.number for measure in measures(score)]
    assert [bar.first_tick for bar in engraving.bars] == [measure.start for measure in measures(score)]
    for bar in engraving.bars:
        assert 0 <= bar.x < bar.x + bar.width <= engraving.width + 1
        assert 0 <= bar.y < bar.y + bar.height <= engraving.height
    ids = {element.get("id") for element in ElementTree.fromstring(engraving.svg).iter() if element.get("id")}
    lit = [name for _, names in engraving.events for name in names]
    assert {bar.id for bar in engraving.bars} | set(lit) <= ids
    assert len(lit) == len(set(lit))
    assert all(name.startswith(f"t{seed}-") for name in ids if name)
    for note in score.melody:
        assert f"t{seed}-n0-{note.start}-{note.pitch}" in lit
    seconds = [moment for moment, _ in engraving.events]
    assert seconds == sorted(seconds)
    assert seconds[0] == pytest.approx(seconds_at(score, min(n.start for n in score.melody)), abs=0.5)
    assert [moment for moment, *_ in engraving.cursor] == seconds
    for (_, x, y, _), (_, after, y_after, _) in pairwise(engraving.cursor):
        assert y_after > y or after >= x - 1


def test_the_same_score_gives_the_same_bytes_and_is_as_wide_as_asked() -> None:
    score = random_score(4)
    assert engrave(score, width=360) == engrave(score, width=360)
    assert engrave(score, width=360).width == pytest.approx(360, abs=1)
    assert engrave(score, width=360).height > engrave(score, width=1200).height
    assert pdf(score) == pdf(score)
    with pytest.raises(ValueError, match="199 pixels"):
        engrave(score, width=199)


def flat_score() -> Score:
    """E flat minor with chords of flats and sharps, and a title that would like to be markup."""
    melody = Part("Flute \x00\ud800&", "melody", 73, (Note(0, 96, 63), Note(96, 96, 70)))
    chords = (Chord(0, 96, 3, (0, 3, 7)), Chord(96, 96, 10, (0, 3, 7, 10)))
    title = "<script>alert(1)</script> & #set page() \x07 圆舞曲"
    return Score(title, Key("Eb", "minor"), "4/4", 96.0, 2, 0, (melody,), chords)


def test_signs_are_drawn_and_titles_are_text() -> None:
    svg = engrave(flat_score(), title=True).svg
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg
    assert not re.search("[\ue000-\uf8ff]", svg), "a sign of the music font is left as a letter"
    assert svg.count('class="glyph"') == 3, "two flats in chord names and the note of the tempo"
    assert "base64" not in svg
    assert "url(" not in svg
    assert png_of(svg, 1000, 200, 500)[:4] == b"\x89PNG"


def test_pdf_has_pages_and_a_title() -> None:
    document = pdf(flat_score())
    assert document.startswith(b"%PDF")
    score = random_score(3)
    assert len(pdf(score, parts="all")) > len(pdf(score))


@pytest.mark.parametrize("seed", range(30))
def test_a_staff_is_filled_with_values_that_can_be_written(seed: int) -> None:
    score = random_score(seed)
    for part in score.parts:
        for measure, events in zip(measures(score), staff(score, part), strict=True):
            assert sum(event.duration for event in events) == measure.end - measure.start
            assert events[0].start == measure.start
            assert all(event.start + event.duration == after.start for event, after in pairwise(events))
            assert all(event.whole_measure or event.duration in {**PLAIN, **TRIPLET} for event in events)


@pytest.mark.parametrize("places", [(0, 7, 13, 31), (0, 8, 36), (5, 10, 15), (0, 1, 2, 95), (0, 4, 9, 12)])
def test_any_timing_finds_a_place_on_paper(places: tuple[int, ...], tmp_path: Path) -> None:
    ends = [*places[1:], 96]
    notes = tuple(
        Note(start, end - start, 60 + place) for place, (start, end) in enumerate(zip(places, ends, strict=True))
    )
    score = Score("Odd", Key("C", "major"), "4/4", 100.0, 1, 0, (Part("Flute", "melody", 73, notes),))
    (events,) = staff(score, score.parts[0])
    assert sum(event.duration for event in events) == 96
    assert engrave(score).bars[0].number == 1
    write_musicxml(score, tmp_path / "a.musicxml")
    assert music21.converter.parse(tmp_path / "a.musicxml").duration.quarterLength == 4


@pytest.mark.parametrize("seed", range(12))
def test_abc_is_read_exactly_by_music21_and_by_us(seed: int) -> None:
    score = replace(random_score(seed), title="50% fun\nK:evil")
    text = abc_of(score)
    assert text == abc_of(score)
    written = [(note.start, note.duration, note.pitch) for note in score.melody]
    stream = music21.converter.parseData(text, format="abc")
    notes = [note for note in stream.flatten().stripTies().notes if note.isNote]
    found = [(round(note.offset * 24, 3), round(note.quarterLength * 24, 3), note.pitch.midi) for note in notes]
    assert found == written
    tune = parse_tune(text)
    assert tune.key.fifths == score.key.fifths
    assert tune.key.tonic == score.key.pitch_class
    assert tune.tempo == pytest.approx(score.quarters_per_minute)
    assert f"{tune.metre[0]}/{tune.metre[1]}" == score.metre
    assert [note.pitch for bar in tune.bars for note in bar.notes if note.pitch and not note.tied]
