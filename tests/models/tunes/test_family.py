from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mido
import pytest
import soundfile
from transformers import LlamaForCausalLM

from genai_studio.domain.modality import MediaKind
from genai_studio.errors import Cancelled, InvalidInput, ModelUnavailable
from genai_studio.models.base import Draft, ModelFiles
from genai_studio.models.catalog import MODELS
from genai_studio.models.tunes.family import FAMILY, Tunes
from genai_studio.models.tunes.network import save_network
from genai_studio.models.tunes.params import TuneParams
from genai_studio.score.document import read_document
from tests.models.context import RecordingContext

SPEC = next(spec for spec in MODELS if spec.id == "tunes")
QUICK = {"bars": 8, "tempo_bpm": 240, "accompaniment": "piano"}


def field(number: int, content: bytes | int) -> bytes:
    """A field of a protocol buffer: a short text or message, or a small number."""
    if isinstance(content, int):
        return bytes((number << 3, content))
    return bytes((number << 3 | 2, len(content))) + content


def write_network(path: Path) -> Path:
    """The smallest ONNX network: it gives back what it gets."""
    kind = field(1, field(1, 1) + field(2, b""))
    node = field(1, b"x") + field(2, b"y") + field(4, b"Identity")
    ends = field(11, field(1, b"x") + field(2, kind)) + field(12, field(1, b"y") + field(2, kind))
    graph = field(1, node) + field(2, b"graph") + ends
    path.write_bytes(field(1, 8) + field(8, field(2, 13)) + field(7, graph))
    return path


def run(
    tunes: Tunes, folder: Path, *, stop_after: int | None = None, piece: Draft | Path | None = None, **values: object
) -> RecordingContext:
    inputs = {"piece": piece} if isinstance(piece, Path) else {}
    if isinstance(piece, Draft):
        inputs = {"piece": piece.path, "piece/score": piece.companions["score"]}
    context = RecordingContext(folder, seed=11, stop_after=stop_after, inputs=inputs)
    tunes.generate(TuneParams.parse({**QUICK, **values}), context)
    return context


def test_outputs_with_their_companions(tunes: Tunes, tmp_path: Path) -> None:
    context = run(tunes, tmp_path, prompt="a jig in E dorian", count=2)
    assert len(context.drafts) == 2
    for draft in context.drafts:
        assert draft.kind == MediaKind.AUDIO
        assert draft.path.suffix == ".flac"
        assert set(draft.companions) == {"midi", "musicxml", "score"}
        assert draft.info["key"] == "E dorian"
        assert draft.info["bars"] == 8
        midi = mido.MidiFile(draft.companions["midi"])
        assert midi.length == pytest.approx(8 * 2 * 60 / 240, abs=0.1)
        assert soundfile.info(draft.path).duration >= midi.length
    assert context.contents()[0] != context.contents()[1]


def test_same_recipe_same_bytes_and_output_i_is_seed_plus_i(tunes: Tunes, tmp_path: Path) -> None:
    both = run(tunes, tmp_path / "a", prompt="a reel", count=2)
    again = run(tunes, tmp_path / "b", prompt="a reel", count=2)
    assert both.contents() == again.contents()
    second = RecordingContext(tmp_path / "c", seed=12)
    tunes.generate(TuneParams.parse({**QUICK, "prompt": "a reel"}), second)
    assert second.contents() == both.contents()[1:]


def test_wav_when_asked(tunes: Tunes, tmp_path: Path) -> None:
    context = run(tunes, tmp_path, file_format="wav")
    assert soundfile.info(context.drafts[0].path).format == "WAV"


def test_notes_arrive_while_they_are_written(tunes: Tunes, tmp_path: Path) -> None:
    context = run(tunes, tmp_path, prompt="a waltz")
    kinds = [kind for kind, _ in context.said]
    batches = [value[0] for kind, value in context.said if kind == "notes"]
    assert len(batches) > 8
    assert all(len(batch) == 1 for batch in batches[:-1])
    assert {note.part for note in batches[-1]} == {0, 1}
    assert kinds.index("notes") < kinds.count("check")
    steps = [(step, total) for step, total, phase, _ in context.progressed() if phase == "writing"]
    assert steps[-1] == (8, 8)
    assert [step for step, _ in steps] == sorted(step for step, _ in steps)
    assert any(phase == "rendering" for _, _, phase, _ in context.progressed())


def test_cancel_at_any_point_leaves_no_output(tunes: Tunes, tmp_path: Path) -> None:
    calls = len(run(tunes, tmp_path / "whole").said)
    for share in (0.0, 0.3, 0.8, 0.99):
        context = RecordingContext(tmp_path / str(share), seed=11, stop_after=int(calls * share))
        with pytest.raises(Cancelled):
            tunes.generate(TuneParams.parse(QUICK), context)
        assert not context.drafts
        assert len(context.said) == int(calls * share)


def test_a_contradiction_is_refused_before_the_first_note(tunes: Tunes, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="name one"):
        run(tunes, tmp_path, prompt="a jig and a waltz")


def test_loading(llama: LlamaForCausalLM, soundfont: Path, tmp_path: Path) -> None:
    save_network(llama, tmp_path)
    paths = {
        "model.safetensors": tmp_path / "model.safetensors",
        "tone.sf2": soundfont,
        "nmp.onnx": write_network(tmp_path / "nmp.onnx"),
    }
    files = ModelFiles(paths, {}, "embedded")
    loaded = FAMILY.load(SPEC, files, device="cpu", threads=1)
    assert loaded.memory() > soundfont.stat().st_size
    assert {"numpy", "symusic", "dtype"} <= set(loaded.environment())
    loaded.close()


@pytest.mark.parametrize("broken", ["weights", "soundfont", "listener", "neither"])
def test_files_that_are_not_what_they_should_be(
    broken: str, llama: LlamaForCausalLM, soundfont: Path, tmp_path: Path
) -> None:
    save_network(llama, tmp_path)
    sound = tmp_path / "sound.sf2"
    sound.write_bytes(soundfont.read_bytes())
    listener = write_network(tmp_path / "nmp.onnx")
    paths = {"model.safetensors": tmp_path / "model.safetensors", "sound.sf2": sound, "nmp.onnx": listener}
    if broken == "weights":
        paths["model.safetensors"].write_bytes(b"no weights")
    elif broken == "listener":
        listener.write_bytes(listener.read_bytes()[:-9])
    elif broken == "soundfont":
        sound.write_bytes(b"no soundfont")
    else:
        del paths["sound.sf2"]
    with pytest.raises(ModelUnavailable, match="Tunes cannot be loaded"):
        FAMILY.load(SPEC, ModelFiles(paths, {}, "embedded"), device="cpu", threads=1)


def test_the_page_imports_no_torch() -> None:
    code = (
        "import sys, genai_studio.score, genai_studio.score.sound.render, genai_studio.models.tunes.family;"
        "assert not {'torch', 'transformers', 'music21', 'scipy', 'symusic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_piece_is_arranged_from_its_score_and_from_its_files(tunes: Tunes, tmp_path: Path) -> None:
    (first,) = run(tunes, tmp_path / "a", prompt="a reel in D major").drafts
    before = read_document(first.companions["score"])
    for piece in (first, first.companions["midi"], first.companions["musicxml"]):
        (draft,) = run(
            tunes, tmp_path / "b", piece=piece, action="arrange", accompaniment="string quartet", key="G"
        ).drafts
        score = read_document(draft.companions["score"])
        assert (score.ensemble, score.key.tonic, score.bars) == ("string quartet", "G", 8)
        starts = zip(score.melody, before.melody, strict=True)
        assert max(abs(ours.start - theirs.start) for ours, theirs in starts) <= 1
        assert draft.info["players"] == "string quartet"


@pytest.mark.parametrize(
    ("action", "given", "sentence"),
    [
        ("compose", True, "A piece is given"),
        ("repaint", False, "no piece to repaint"),
        ("continue", False, "no piece to continue"),
        ("arrange", False, "no piece to arrange"),
    ],
)
def test_an_action_and_its_piece_belong_together(
    tunes: Tunes, tmp_path: Path, action: str, given: bool, sentence: str
) -> None:
    (first,) = run(tunes, tmp_path / "a").drafts
    with pytest.raises(InvalidInput, match=sentence):
        run(tunes, tmp_path / "b", piece=first if given else None, action=action)


def test_a_broken_piece_is_one_sentence(tunes: Tunes, tmp_path: Path) -> None:
    (first,) = run(tunes, tmp_path / "a").drafts
    first.companions["score"].write_text('{"format": "else"}')
    with pytest.raises(InvalidInput, match="cannot be read"):
        run(tunes, tmp_path / "b", piece=first, action="arrange")
    (tmp_path / "noise.mid").write_bytes(b"MThd and then nothing")
    with pytest.raises(InvalidInput):
        run(tunes, tmp_path / "c", piece=tmp_path / "noise.mid", action="arrange")
