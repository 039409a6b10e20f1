from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from genai_studio.models.tunes.judgement import judge
from genai_studio.models.tunes.novelty import RUN, KnownRuns, known_runs
from genai_studio.models.tunes.tokens import Header, Section, Tune, TuneNote


def tune(seed: int, notes: int = 60) -> Tune:
    draw = random.Random(seed)
    places = range(0, 12 * notes, 12)
    return Tune(Header("4/4"), (Section(8, 0, tuple(TuneNote(draw.randrange(15), at, at + 12) for at in places)),))


@pytest.fixture(scope="module")
def known() -> KnownRuns:
    return KnownRuns.of(tune(seed) for seed in range(50))


def joined(first: Tune, second: Tune, cut: int) -> Tune:
    notes = (*first.notes[:cut], *second.notes[cut:])
    return Tune(first.header, (Section(8, 0, notes),))


def test_a_copy_is_as_long_as_what_was_copied(known: KnownRuns) -> None:
    assert known.longest_copy(tune(7)) == 60
    assert known.longest_copy(tune(1000)) < RUN + 3
    for cut in (12, 20, 33):
        assert cut <= known.longest_copy(joined(tune(7), tune(1000), cut)) <= cut + 3


def test_a_short_tune_is_no_copy(known: KnownRuns) -> None:
    assert known.longest_copy(tune(7, RUN - 1)) == 0


def test_the_runs_survive_the_disk_and_a_copy_costs_score(known: KnownRuns, tmp_path: Path) -> None:
    known.save(tmp_path)
    assert np.array_equal(known_runs(str(tmp_path)).bits, known.bits)  # type: ignore[union-attr]
    assert known_runs(str(tmp_path / "none")) is None
    assert known_runs("") is None
    assert judge(tune(7), -0.6, str(tmp_path)) < judge(tune(7), -0.6, "") - 1
    assert judge(tune(1000), -0.6, str(tmp_path)) == judge(tune(1000), -0.6, "")


def test_neither_the_plainest_nor_the_wildest_is_preferred() -> None:
    usual, plain, wild = (judge(tune(1), likelihood, "") for likelihood in (-0.6, -0.1, -2.0))
    assert usual > plain > wild


@pytest.mark.parametrize("content", [b"", b"no array", b"cut"])
def test_a_damaged_file_of_runs_is_told_when_the_weights_are_read(tmp_path: Path, content: bytes) -> None:
    KnownRuns.of([]).save(tmp_path)
    path = tmp_path / "known_runs.npy"
    path.write_bytes(path.read_bytes()[:1000] if content == b"cut" else content)
    with pytest.raises(ValueError, match=r"known_runs\.npy"):
        KnownRuns.load(tmp_path)
    np.save(path, np.zeros(7))
    with pytest.raises(ValueError, match="something else"):
        KnownRuns.load(tmp_path)
