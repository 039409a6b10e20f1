"""Recipes in files: they come back whole, nothing else in the file moves, and no file can do harm or raise."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zlib
from pathlib import Path

import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from staged_files import MUSICXML, Staging, make_midi, make_recipe

from genai_studio.domain.recipe import RECIPE_KEY, Recipe
from genai_studio.gallery import metadata
from genai_studio.gallery.metadata import embed, embedded, read_recipe

NAMES = ["a.png", "a.wav", "a.flac", "a.mid", "a.musicxml"]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[str, bytes]:
    """A file of each format, without a recipe."""
    staging = Staging(tmp_path_factory.mktemp("formats") / "staging")
    paths = [staging.image(), staging.audio(), staging.audio("a.flac"), staging.midi(), staging.musicxml()]
    return {path.name: path.read_bytes() for path in paths}


def read(folder: Path, name: str, data: bytes) -> Recipe | None:
    path = folder / name
    path.write_bytes(data)
    return read_recipe(path)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_comes_back_and_a_second_one_takes_its_place(tmp_path, plain, name):
    first, second = make_recipe(prompt="one " * 300), make_recipe(prompt="two 猫 \x07 \uffff <&>\"'")
    once = embedded(plain[name], first.portable())
    twice = embedded(once, second.portable())
    assert read(tmp_path, name, plain[name]) is None
    assert read(tmp_path, name, once) == first
    assert read(tmp_path, name, twice) == second
    assert twice == embedded(plain[name], second.portable())
    assert once == embedded(plain[name], first.portable())


@QUICK
@given(prompt=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200))
def test_any_prompt_fits_in_any_format(tmp_path, plain, prompt):
    recipe = make_recipe(prompt=prompt)
    for name in NAMES:
        assert read(tmp_path, name, embedded(plain[name], recipe.portable())) == recipe


def test_the_content_does_not_move(plain):
    recipe = make_recipe().portable()
    pictures = [Image.open(io.BytesIO(data)) for data in (plain["a.png"], embedded(plain["a.png"], recipe))]
    assert pictures[0].tobytes() == pictures[1].tobytes()
    assert pictures[1].info[RECIPE_KEY] == recipe
    for name in ("a.wav", "a.flac"):
        samples = [soundfile.read(io.BytesIO(data))[0] for data in (plain[name], embedded(plain[name], recipe))]
        assert (samples[0] == samples[1]).all()
    with_recipe = embedded(plain["a.mid"], recipe)
    assert with_recipe[:14] == make_midi()[:14]
    assert with_recipe.endswith(make_midi()[22:])
    assert struct.unpack(">I", with_recipe[18:22])[0] == len(with_recipe) - 22
    score = embedded(plain["a.musicxml"], recipe)
    assert b"<!DOCTYPE score-partwise PUBLIC" in score
    assert score.index(b"</work>") < score.index(b"<identification>") < score.index(b"<part-list>")


def test_a_float_wav_forgets_when_it_was_written(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, [0.5, -0.25] * 100, 8000, subtype="FLOAT")
    assert b"PEAK" in path.read_bytes()
    embed(path, make_recipe().portable())
    assert b"PEAK" not in path.read_bytes()
    assert soundfile.read(path)[0][0] == 0.5
    assert read_recipe(path) == make_recipe()


def test_a_text_has_its_recipe_beside_it(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("a poem")
    assert read_recipe(path) is None
    embed(path, make_recipe("text").portable())
    assert path.read_text() == "a poem"
    assert read_recipe(path) == read_recipe(tmp_path / "poem.recipe.json") == make_recipe("text")


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(data=st.data())
def test_damaged_files_answer_none_or_a_recipe(tmp_path, plain, name, data):
    whole = bytearray(embedded(plain[name], make_recipe().portable()))
    area = st.integers(0, min(len(whole), 1500) - 1) if data.draw(st.booleans()) else st.integers(0, len(whole) - 1)
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(area)] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(whole)))
    found = read(tmp_path, name, bytes(whole[:cut]))
    assert found is None or isinstance(found, Recipe)
    with contextlib.suppress(ValueError):
        embedded(bytes(whole[:cut]), make_recipe().portable())


@pytest.mark.parametrize(
    "magic", [b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\xff\xffWAVE", b"fLaC", b"MThd", b"<?xml ", b"<score", b"{", b""]
)
@pytest.mark.parametrize("name", ["x.bin", "x.json", "x.txt"])
@settings(QUICK, max_examples=25)
@given(rest=st.binary(max_size=300))
def test_noise_behind_a_familiar_beginning_is_nothing(tmp_path, magic, name, rest):
    assert read(tmp_path, name, magic + rest) is None


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_compressed_text_is_never_unpacked(tmp_path, plain):
    packed = zlib.compress(make_recipe().portable().encode())
    key = RECIPE_KEY.encode()
    for bomb in (chunk(b"iTXt", key + b"\x00\x01\x00\x00\x00" + packed), chunk(b"zTXt", key + b"\x00\x00" + packed)):
        png = plain["a.png"]
        assert read(tmp_path, "a.png", png[:33] + bomb + png[33:]) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_larger_than_allowed_is_not_read(tmp_path, plain, name, monkeypatch):
    recipe = make_recipe(prompt="x" * 20_000)
    data = embedded(plain[name], recipe.portable())
    assert read(tmp_path, name, data) == recipe
    monkeypatch.setattr(metadata, "MAX_METADATA", 10_000)
    assert read(tmp_path, name, data) is None
    monkeypatch.setattr(metadata, "MAX_FILE", 1000)
    assert read(tmp_path, name, data[:1001]) is None


def test_entities_of_a_score_are_refused(tmp_path):
    bomb = MUSICXML.replace(b"<score-partwise v", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><score-partwise v')
    data = embedded(MUSICXML, make_recipe().portable()).replace(b"<?xml", b"<?xml", 1)
    assert read(tmp_path, "a.musicxml", bomb) is None
    assert read(tmp_path, "a.musicxml", data.replace(b"<work>", b"<!ENTITY><work>")) is None


def wanted(**params: object) -> str:
    data = json.loads(make_recipe().portable())
    data["request"]["params"].update(params)
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "[" * 900_000,
        '{"a":' * 100_000,
        "{}",
        "9" * 10_000,
        wanted(seed="7"),
        wanted(seed=2**64),
        wanted(seed=True),
        wanted(seed=None),
        wanted(count=10**9),
        wanted(prompt=["a"]),
        wanted(prompt="\ud800"),
        wanted(prompt="a\x00b"),
        make_recipe().portable().replace('"image"', '"hologram"'),
    ],
)
def test_json_that_is_no_recipe_of_ours_is_nothing(tmp_path, text):
    assert read(tmp_path, "x.json", text.encode()) is None


def test_markup_in_a_recipe_stays_text(tmp_path, plain):
    recipe = make_recipe(prompt="<img src=x onerror=alert(1)>{{7*7}}${7*7}__import__('os')")
    assert read(tmp_path, "a.png", embedded(plain["a.png"], recipe.portable())).request.prompt == recipe.request.prompt


def test_folders_and_absent_files_have_no_recipe(tmp_path):
    assert read_recipe(tmp_path) is None
    assert read_recipe(tmp_path / "absent.png") is None
