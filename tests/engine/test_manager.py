from __future__ import annotations

from dataclasses import replace

import pytest

from genai_studio.engine import manager as module
from genai_studio.engine.manager import ModelManager, is_out_of_memory, total_memory
from genai_studio.errors import Cancelled, OutOfMemory
from genai_studio.settings import Settings


@pytest.fixture
def manager(settings, faulty):
    """A budget of 2500 bytes: two models of 1000."""
    made = ModelManager(replace(settings, memory="2500"), "cpu")
    yield made
    made.drop_all()
    assert faulty.Faulty.alive == 0, "a model was not freed"


def use(manager, spec):
    with manager.lease(spec, lambda *_: None, lambda: None) as lease:
        return lease.load_seconds > 0


def test_a_model_stays_in_memory_for_the_next_job(manager, faulty):
    assert use(manager, faulty.spec())
    assert not use(manager, faulty.spec())
    assert faulty.Faulty.alive == 1


def test_the_least_recently_used_goes_first(manager, faulty):
    a, b, c = (faulty.spec(name) for name in "abc")
    use(manager, a)
    use(manager, b)
    use(manager, a)
    use(manager, c)
    assert manager.loaded == ["a", "c"]
    assert faulty.Faulty.alive == 2


def test_a_leased_model_is_never_evicted(manager, faulty):
    with manager.lease(faulty.spec("a"), lambda *_: None, lambda: None):
        for name in "bcd":
            use(manager, faulty.spec(name))
            assert "a" in manager.loaded
        manager.drop_all()
        assert manager.loaded == ["a"]


def test_the_budget_counts_what_was_measured_not_what_was_guessed(manager, faulty, monkeypatch):
    use(manager, faulty.spec("a"))
    monkeypatch.setattr(faulty.Faulty, "memory", lambda self: 2400)
    use(manager, faulty.spec("b"))
    assert manager.loaded == ["b"]


def test_one_model_larger_than_the_budget_still_runs(manager, faulty):
    use(manager, faulty.spec("a"))
    use(manager, faulty.spec("big", memory=9000))
    assert "a" not in manager.loaded


def test_a_model_that_fits_alone_is_loaded_when_the_others_are_gone(manager, faulty):
    use(manager, faulty.spec("a"))
    use(manager, faulty.spec("fits-alone"))
    assert manager.loaded == ["fits-alone"]


def test_a_model_that_never_fits_is_one_sentence(manager, faulty):
    use(manager, faulty.spec("a"))
    with pytest.raises(OutOfMemory, match="more memory than there is"):
        use(manager, faulty.spec("never-fits"))
    assert manager.loaded == []


def test_a_file_that_changed_is_loaded_again(manager, faulty):
    use(manager, faulty.spec())
    assert use(manager, replace(faulty.spec(), memory=1001))
    assert faulty.Faulty.alive == 1


def test_loading_is_told_and_can_be_cancelled_while_files_download(manager, faulty, monkeypatch):
    told = []

    def download(spec, cache, models, progress, check):
        for fraction in (0.1, 0.5, 0.9):
            progress(fraction, "Downloading")
        raise AssertionError("the download went on")

    def check():
        if len(told) == 3:
            raise Cancelled

    monkeypatch.setattr(module, "resolve", download)
    with pytest.raises(Cancelled), manager.lease(faulty.spec(), lambda *news: told.append(news), check):
        pass
    assert [fraction for _, fraction in told] == [None, 0.1, 0.5]
    assert manager.loaded == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_running_out_of_memory_is_recognised(error, expected):
    assert is_out_of_memory(error) is expected


def test_the_budget_is_half_of_the_memory_unless_set(tmp_path):
    assert ModelManager(Settings.read({}, home=tmp_path), "cpu").budget == total_memory() // 2
    assert ModelManager(Settings.read({}, home=tmp_path, memory="2GB"), "cpu").budget == 2 * 10**9
