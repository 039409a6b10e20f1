"""What every family must hold, as one table of cases and one set of tests: strict params, the same seed the same bytes,
output i the same as seed + i alone, a stop that is heard at once, whole outputs, and a sentence for a damaged file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from context import RecordingContext
from PIL import Image
from tiny_gguf import write_tiny

from genai_studio.domain.fields import MAX_COUNT, MAX_SEED
from genai_studio.domain.modality import MediaKind, Modality
from genai_studio.domain.params import Params
from genai_studio.errors import Cancelled, InvalidInput, ModelUnavailable
from genai_studio.models.base import LoadedModel, ModelFiles, ModelSpec, family_of, params_of
from genai_studio.models.catalog import DEMO_MODELS, MODELS, find
from genai_studio.models.own_files import user_gguf

KINDS = {Modality.IMAGE: MediaKind.IMAGE, Modality.TEXT: MediaKind.TEXT, Modality.MUSIC: MediaKind.AUDIO}
SUFFIXES = {MediaKind.IMAGE: {".png"}, MediaKind.TEXT: {".txt"}, MediaKind.AUDIO: {".wav", ".flac"}}


@dataclass(frozen=True)
class Case:
    """`values` make a short run; `other` is a further run whose output must differ; `batches` is False where there
    is one output whatever the seed."""

    id: str
    values: Mapping[str, Any]
    other: Mapping[str, Any] = field(default_factory=lambda: {"seed": 99})
    batches: bool = True
    downloads: bool = False


CASES = (
    Case("demo-image", {"prompt": "a red circle", "num_inference_steps": 3, "side": 64}),
    Case("demo-text", {"prompt": "the sea", "max_new_tokens": 12}),
    Case("demo-music", {"prompt": "a jig"}),
    Case("demo-upscale", {"scale": 2}, {"scale": 4}, batches=False),
    Case("gguf:tiny.gguf", {"prompt": "hello", "max_new_tokens": 24}),
    Case("sticker", {"prompt": "a red apple", "num_inference_steps": 2, "count": 1, "size": 64}),
    Case("tunes", {"prompt": "a jig", "bars": 8, "accompaniment": "solo", "file_format": "wav"}, downloads=True),
    Case("realesrgan", {"scale": 2}, {"scale": 4}, batches=False, downloads=True),
)


@dataclass
class Bench:
    """A loaded model and what it takes to run it."""

    case: Case
    spec: ModelSpec
    files: ModelFiles
    model: LoadedModel
    picture: Path

    def run(self, folder: Path, *, seed: int = 7, stop_after: int | None = None, **values: Any) -> RecordingContext:
        context = self.context(folder, seed, stop_after)
        self.model.generate(params_of(self.spec, {**self.case.values, **values}), context)
        return context

    def context(self, folder: Path, seed: int = 7, stop_after: int | None = None) -> RecordingContext:
        inputs = dict.fromkeys(self.spec.inputs, self.picture)
        return RecordingContext(folder, seed=seed, inputs=inputs, stop_after=stop_after)

    def other(self, folder: Path) -> RecordingContext:
        values = dict(self.case.other)
        return self.run(folder, seed=values.pop("seed", 7), **values)


def _spec(case: Case, folder: Path) -> ModelSpec:
    if case.id.startswith("gguf:"):
        return user_gguf(write_tiny(folder / case.id.removeprefix("gguf:")), folder)
    return find(case.id, folder)


@pytest.fixture(
    scope="module",
    params=[pytest.param(case, id=case.id, marks=[pytest.mark.weights] * case.downloads) for case in CASES],
)
def bench(request, tmp_path_factory, weights):
    """Loaded once for all the tests of this module."""
    folder = tmp_path_factory.mktemp("bench")
    spec = _spec(request.param, folder)
    try:
        files = weights(spec, models=folder)
    except ModelUnavailable as error:
        if any(source.kind == "embedded" for source in spec.sources):
            pytest.skip(error.sentence)
        raise
    picture = folder / "picture.png"
    Image.radial_gradient("L").resize((24, 16)).convert("RGB").save(picture)
    model = family_of(spec).load(spec, files, device="cpu", threads=1)
    yield Bench(request.param, spec, files, model, picture)
    model.close()


def test_every_entry_of_the_catalogue_has_a_case():
    covered = {case.id for case in CASES} | {"smollm2-135m-instruct"}  # the family of the tiny GGUF
    assert {spec.id for spec in (*MODELS, *DEMO_MODELS)} <= covered


# Params


FAMILIES = {spec.family: spec for spec in (*MODELS, *DEMO_MODELS)}


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES)
def spec(request) -> ModelSpec:
    return request.param


def needed(spec: ModelSpec) -> dict[str, Any]:
    required = [name for name, info in family_of(spec).params.model_fields.items() if info.is_required()]
    assert set(required) <= {"prompt"}, "only the prompt may be without a default"
    return dict.fromkeys(required, "something")


def test_params_take_their_defaults_and_refuse_the_unknown(spec):
    params = params_of(spec, needed(spec))
    assert isinstance(params, Params)
    assert type(params).parse(params.model_dump(mode="json")) == params
    with pytest.raises(InvalidInput, match="no parameter named 'cfg'"):
        params_of(spec, {**needed(spec), "cfg": 1})


def test_the_seed_and_count_of_every_family_are_the_shared_ones(spec):
    for wrong in ({"seed": MAX_SEED + 1}, {"count": 0}, {"count": MAX_COUNT + 1}, {"seed": True}, {"seed": "7"}):
        with pytest.raises(InvalidInput):
            params_of(spec, {**needed(spec), **wrong})


def test_every_number_holds_its_limits(spec):
    params = family_of(spec).params
    for name, schema in params.model_json_schema()["properties"].items():
        if schema.get("type") not in {"integer", "number"} or "enum" in schema or "const" in schema:
            continue
        low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
        assert low is not None, f"{name} has no lower bound"
        assert high is not None, f"{name} has no upper bound"
        wrong = [low - 1, high + 1, float("nan"), float("inf"), -float("inf"), True, str(high), None, [high], 2**64]
        for value in wrong:
            with pytest.raises(InvalidInput) as caught:
                params_of(spec, {**needed(spec), name: value})
            assert schema["title"] in caught.value.message, name
            assert "\n" not in caught.value.message


def test_every_choice_and_text_holds_its_limits(spec):
    params = family_of(spec).params
    for name, schema in params.model_json_schema()["properties"].items():
        choices = "enum" in schema or "const" in schema
        if schema.get("type") == "string" and not choices:
            assert "maxLength" in schema, f"{name} has no greatest length"
            wrong: list[Any] = ["x" * (schema["maxLength"] + 1), "a\0b", "\ud800", 7, None]
        elif choices:
            wrong = ["nonsense", None, True, -1]
        else:
            continue
        for value in wrong:
            with pytest.raises(InvalidInput):
                params_of(spec, {**needed(spec), name: value})


def test_every_field_has_a_title_and_help(spec):
    for name, info in family_of(spec).params.model_fields.items():
        assert info.title, name
        assert str(info.description).endswith("."), name


def test_importing_every_family_imports_no_torch():
    families = sorted(FAMILIES)
    code = (
        "import sys\nfrom importlib import import_module\n"
        f"for name in {families!r}: assert import_module('genai_studio.models.' + name).FAMILY.params\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'xllamacpp', 'ncnn', 'gradio'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


# Running


def test_an_output_is_whole(bench, tmp_path):
    context = bench.run(tmp_path)
    (draft,) = context.drafts
    assert draft.kind is KINDS[bench.spec.modality]
    assert draft.path.suffix in SUFFIXES[draft.kind]
    assert all(path.stat().st_size > 0 for path in (draft.path, *draft.companions.values()))
    assert all(path.parent == tmp_path for path in (draft.path, *draft.companions.values()))
    json.dumps(dict(draft.info), allow_nan=False)
    if draft.kind is MediaKind.TEXT:
        assert draft.path.read_bytes().decode("utf-8") == "".join(context.tokens())


def test_the_same_seed_gives_the_same_bytes_whatever_ran_before(bench, tmp_path):
    first = bench.run(tmp_path / "first").contents()
    assert bench.other(tmp_path / "other").contents() != first
    with pytest.raises(Cancelled):
        bench.run(tmp_path / "stopped", stop_after=1)
    assert bench.run(tmp_path / "again").contents() == first


def test_output_i_is_seed_plus_i_alone(bench, tmp_path):
    if not bench.case.batches:
        pytest.skip("one picture in, one picture out")
    together = bench.run(tmp_path / "together", count=3, seed=11).contents()
    assert len(together) == 3
    assert bench.run(tmp_path / "alone", count=1, seed=13).contents() == together[2:]
    assert together[0] != together[1]


def test_progress_grows_to_its_total(bench, tmp_path):
    context = bench.run(tmp_path, **({"count": 2} if bench.case.batches else {}))
    assert context.progressed()
    last: dict[tuple[str, int], int] = {}
    for step, total, phase, index in context.progressed():
        assert last.get((phase, index), 0) <= step <= total, (phase, index)
        last[phase, index] = step


def test_a_stop_is_heard_wherever_it_falls(bench, tmp_path):
    calls = len(bench.run(tmp_path / "whole").said)
    assert calls >= 2, "a run must look at Stop along the way"
    for stop_after in sorted({0, 1, calls // 2, calls - 1}):
        context = bench.context(tmp_path / f"stop-{stop_after}", stop_after=stop_after)
        with pytest.raises(Cancelled):
            bench.model.generate(params_of(bench.spec, bench.case.values), context)
        assert context.refusals == 1, "the stop was swallowed"
        assert context.drafts == []
    assert bench.run(tmp_path / "after").drafts


def test_facts_about_the_loaded_model(bench):
    environment = bench.model.environment()
    assert environment
    assert all(isinstance(name, str) and isinstance(value, str) and value for name, value in environment.items())
    assert bench.model.memory() > 0


# Damaged files


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "garbage": lambda whole: b"\x93garbage\n" * 64,
    "cut off": lambda whole: whole[: len(whole) // 2],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_one_sentence(bench, tmp_path, damage):
    if not bench.files.paths:
        pytest.skip("a model without files")
    root = Path(os.path.commonpath([path.parent for path in bench.files.paths.values()]))
    for broken in _weight_files(bench.files):
        folder = tmp_path / broken.replace("/", "_")
        paths = {}
        for name, path in bench.files.paths.items():
            paths[name] = folder / path.relative_to(root)
            paths[name].parent.mkdir(parents=True, exist_ok=True)
            if name == broken:
                paths[name].write_bytes(DAMAGE[damage](path.read_bytes()))
            else:
                _link(path, paths[name])
        files = ModelFiles(paths, bench.files.hashes, bench.files.source)
        with pytest.raises(ModelUnavailable) as caught:
            family_of(bench.spec).load(bench.spec, files, device="cpu", threads=1)
        assert "\n" not in caught.value.sentence, broken
        shutil.rmtree(folder)


def _weight_files(files: ModelFiles) -> list[str]:
    """One of each kind: the largest file with each suffix, without small settings that a library may do without."""
    by_suffix: dict[str, str] = {}
    for name, path in sorted(files.paths.items(), key=lambda item: item[1].stat().st_size):
        if path.stat().st_size > 100_000:
            by_suffix[path.suffix] = name
    return list(by_suffix.values())


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
