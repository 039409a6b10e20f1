from __future__ import annotations

from pathlib import Path

import mido
import music21
import pytest

from genai_studio.score.arranging.arrange import ENSEMBLES
from genai_studio.score.formats.midi import write_midi
from genai_studio.score.formats.musicxml import write_musicxml
from tests.score.pieces import random_score


@pytest.mark.parametrize("seed", range(16))
def test_midi_read_by_another_library(seed: int, tmp_path: Path) -> None:
    score = random_score(seed)
    write_midi(score, tmp_path / "a.mid")
    write_midi(score, tmp_path / "b.mid")
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    midi = mido.MidiFile(tmp_path / "a.mid")
    messages = [message for track in midi.tracks for message in track]
    tempo = next(message for message in messages if message.type == "set_tempo")
    *pickup, metre = (message for message in messages if message.type == "time_signature")
    assert [96 * bar.numerator // bar.denominator for bar in pickup] == [score.pickup] * bool(score.pickup)
    assert mido.tempo2bpm(tempo.tempo) == pytest.approx(score.quarters_per_minute, rel=1e-4)
    assert f"{metre.numerator}/{metre.denominator}" == score.metre
    played = sum(message.type == "note_on" and message.velocity > 0 for message in messages)
    assert played == sum(len(part.notes) for part in score.parts)
    assert midi.length == pytest.approx(score.seconds, abs=0.1)
    names = [message.name for message in messages if message.type == "track_name"]
    assert names == [part.name for part in score.parts]
    onsets = []
    for track in midi.tracks:
        at = 0
        for message in track:
            at += message.time
            if message.type == "note_on" and message.velocity > 0 and message.channel == 0:
                onsets.append((at // 20, message.note))
    assert sorted(onsets) == sorted((note.start, note.pitch) for note in score.parts[0].notes)


@pytest.mark.parametrize("ensemble", list(ENSEMBLES))
def test_musicxml_read_by_music21(ensemble: str, tmp_path: Path) -> None:
    score = random_score(len(ensemble), ensemble)
    path = tmp_path / "a.musicxml"
    write_musicxml(score, path)
    again = tmp_path / "b.musicxml"
    write_musicxml(score, again)
    assert path.read_bytes() == again.read_bytes()
    read = music21.converter.parse(path)
    assert read.metadata.title == score.title
    assert len(read.parts) == len(score.parts)
    for part, source in zip(read.parts, score.parts, strict=True):
        measures = list(part.getElementsByClass("Measure"))
        assert len(measures) == score.bars + bool(score.pickup)
        assert part.duration.quarterLength == score.bars * score.bar_ticks / 24
        inner = measures[1:-1] if score.pickup else measures[:-1]
        assert all(measure.duration.quarterLength == score.bar_ticks / 24 for measure in inner)
        assert part.recurse().getElementsByClass("TimeSignature").first().ratioString == score.metre
        if not source.drums:
            assert part.recurse().getElementsByClass("KeySignature").first().sharps == score.key.fifths
    mark = read.parts[0].recurse().getElementsByClass("MetronomeMark").first()
    assert mark.getQuarterBPM() == pytest.approx(score.quarters_per_minute, rel=1e-3)
    heard = [(float(note.offset), note.pitch.midi) for note in read.parts[0].flatten().stripTies().notes if note.isNote]
    written = [(note.start / 24, note.pitch) for note in score.parts[0].notes]
    assert [pitch for _, pitch in heard] == [pitch for _, pitch in written]
    assert [at for at, _ in heard] == pytest.approx([at for at, _ in written])
    assert len(read.parts[0].recurse().getElementsByClass("Harmony")) == len(score.chords)
