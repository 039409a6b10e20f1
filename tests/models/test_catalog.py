"""The catalogue: every entry is whole, ids find their entry, and a person's own files show up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genai_studio.domain.modality import Modality
from genai_studio.errors import NotFound
from genai_studio.models.base import family_of, params_of
from genai_studio.models.catalog import DEMO_MODELS, MODELS, available, default_model, find
from genai_studio.models.own_files import user_gguf

EVERY = [*MODELS, *DEMO_MODELS]


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.id)
def test_an_entry_is_whole(spec):
    assert re.fullmatch(r"[a-z0-9-]+", spec.id)
    assert spec.title
    assert spec.licence
    assert spec.summary.endswith(".")
    assert spec.memory > 0
    for source in [*spec.sources, *spec.extras]:
        for name, digest in source.files.items():
            assert re.fullmatch(r"[0-9a-f]{64}", digest), name
            assert not name.startswith("/")
            assert ".." not in name
        if source.kind == "pypi":
            assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+", source.location)
            assert source.size > 0
            assert source.files
        if source.kind == "hub":
            assert re.fullmatch(r"[0-9a-f]{40}", source.revision)


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.id)
def test_its_defaults_examples_and_hidden_names_suit_its_params(spec):
    params = family_of(spec).params
    assert spec.hidden <= params.model_fields.keys()
    assert spec.defaults.keys() <= params.model_fields.keys()
    needed = {"prompt": "x"} if "prompt" in params.model_fields else {}
    assert params_of(spec, needed)
    for example in spec.examples:
        assert params_of(spec, {"prompt": example}).prompt == example


def test_ids_are_unique_and_each_modality_has_a_first_model():
    assert len({spec.id for spec in EVERY}) == len(EVERY)
    for specs in (MODELS, DEMO_MODELS):
        for modality in Modality:
            chosen = default_model(modality, specs)
            assert chosen.modality is modality
            assert not chosen.inputs


def test_default_model_of_nothing_says_what_to_do():
    with pytest.raises(NotFound, match="no music model"):
        default_model(Modality.MUSIC, [])


def test_find_by_id_and_by_a_near_miss(tmp_path):
    assert find("tunes", tmp_path).id == "tunes"
    assert find("demo-text", tmp_path).family.startswith("fake")
    with pytest.raises(NotFound) as caught:
        find("smollm2", tmp_path)
    assert "smollm2-135m-instruct" in caught.value.hint
    for wrong in ("", "x" * 10_000, "gguf:../../etc/passwd", "gguf:", "../sticker"):
        with pytest.raises(NotFound) as caught:
            find(wrong, tmp_path)
        assert len(caught.value.sentence) < 300


def test_demo_and_real_tables_are_apart(tmp_path):
    assert {spec.id for spec in available(tmp_path)} == {spec.id for spec in MODELS}
    assert {spec.id for spec in available(tmp_path, demo=True)} == {spec.id for spec in DEMO_MODELS}


def test_gguf_files_of_the_models_folder(tmp_path):
    models = tmp_path / "models"
    for name in ("b.gguf", "a/Mine-Q4.GGUF", "a/中文.gguf"):
        (models / name).parent.mkdir(parents=True, exist_ok=True)
        (models / name).write_bytes(b"broken")
    for ignored in ("notes.txt", ".hidden.gguf", "mmproj-x.gguf"):
        (models / ignored).write_bytes(b"")
    (models / "folder.gguf").mkdir()
    own = available(models)[len(MODELS) :]
    assert [spec.id for spec in own] == ["gguf:b.gguf", "gguf:a/Mine-Q4.GGUF", "gguf:a/中文.gguf"]
    assert {spec.family for spec in own} == {"text_llamacpp"}
    assert {spec.licence for spec in own} == {"your own file"}
    assert [spec.title for spec in own] == ["b", "Mine-Q4", "中文"]
    assert find("gguf:a/中文.gguf", models).sources[0].location == "a"


def test_the_parts_of_a_split_file_are_one_model(tmp_path):
    for part in (1, 2, 3):
        (tmp_path / f"big-{part:05d}-of-00003.gguf").write_bytes(b"12")
    (own,) = available(tmp_path)[len(MODELS) :]
    assert own.title == "big"
    assert list(own.sources[0].files) == [f"big-{part:05d}-of-00003.gguf" for part in (1, 2, 3)]
    assert own.sources[0].size == 6


def test_a_folder_full_of_files_stays_a_list(tmp_path, monkeypatch):
    monkeypatch.setattr("genai_studio.models.own_files.MAX_USER_MODELS", 5)
    for number in range(9):
        (tmp_path / f"{number}.gguf").touch()
    assert len(available(tmp_path)) == len(MODELS) + 5


def test_no_models_folder_at_all(tmp_path):
    assert available(tmp_path / "absent") == list(MODELS)
    assert user_gguf(Path(tmp_path / "x" / "gone.gguf"), tmp_path).sources[0].size == 0


def test_a_soundfont_in_the_models_folder_is_a_band_for_tunes(tmp_path: Path) -> None:
    (tmp_path / "bands").mkdir()
    (tmp_path / "bands" / "Old Piano.SF2").write_bytes(b"x" * 9)
    spec = find("tunes:bands/Old Piano.SF2", tmp_path)
    own = find("tunes", tmp_path)
    assert (spec.family, spec.title, spec.sources) == (own.family, "Tunes · Old Piano", own.sources)
    assert [name for extra in spec.extras for name in extra.files if name.lower().endswith(".sf2")] == ["Old Piano.SF2"]
    assert len(spec.extras) == len(own.extras)
    assert default_model(Modality.MUSIC, available(tmp_path)).id == "tunes"
