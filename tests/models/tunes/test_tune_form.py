from __future__ import annotations

import pytest

from genai_studio.models.tunes.form import AUTO, FORMS, MAX_BARS, ORDERS, fitting_bars, form_of
from genai_studio.models.tunes.tokens import MAX_SECTION_BARS


@pytest.mark.parametrize("name", FORMS)
def test_a_form_has_the_bars_and_the_order_that_were_asked_for(name: str) -> None:
    fits = fitting_bars(name)
    assert len(fits) > 10
    assert fits == tuple(sorted(set(fits)))
    for bars in fits:
        form = form_of(bars, name)
        assert form.bars == bars
        assert form.written_bars <= 64
        assert set(form.order) == set(form.lengths)
        assert all(length <= MAX_SECTION_BARS for length in form.lengths.values())
        if name != AUTO:
            assert form.order == ORDERS[name] * (len(form.order) // len(ORDERS[name]))


def test_auto_fits_every_four_bars_and_starts_again_from_the_opening() -> None:
    assert fitting_bars(AUTO) == tuple(range(8, MAX_BARS + 1, 4))
    assert [form_of(bars).order for bars in (8, 20, 32, 64, 72, 128)] == [
        "A", "ABZ", "AABB", "AABBCCDD", "AABBAABBA", "AABBCCDDAABBCCDD",
    ]  # fmt: skip


def test_the_plainest_lengths_are_taken() -> None:
    assert form_of(32, "AABA").lengths == {"A": 8, "B": 8}
    assert form_of(48, "AABB").lengths == {"A": 8, "B": 16}
    assert form_of(40, "rondo").order == "ABACA"
    assert form_of(64, "AABB").order == "AABB"
    assert form_of(64, "AB").order == "ABAB"


@pytest.mark.parametrize("bars", [0, 4, 7, 10, 132, -8])
def test_other_lengths_are_refused(bars: int) -> None:
    with pytest.raises(ValueError, match="8 to 128"):
        form_of(bars)


def test_introduction_and_tag_are_among_the_bars() -> None:
    form = form_of(40, "AABB", introduction=4, tag=4)
    assert form.bars == 32
    assert form_of(8, introduction=4).lengths == {"A": 4}
    assert 40 in fitting_bars("AABB", 4, 4)
    with pytest.raises(ValueError, match="leave no tune"):
        form_of(8, introduction=4, tag=4)


@pytest.mark.parametrize(("bars", "name", "words"), [(20, "AABB", "16, 24 or 32"), (8, "rondo", "20, 24 or 28")])
def test_what_would_fit_is_said(bars: int, name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        form_of(bars, name)
    with pytest.raises(ValueError, match=r"at 24, 28 or 36\.$|at 20, 28 or 36\.$"):
        form_of(24, "AABB", introduction=4)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="one of auto, A, AB"):
        form_of(32, "sonata")
