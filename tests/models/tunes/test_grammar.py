from __future__ import annotations

import random

import pytest

from genai_studio.models.tunes.form import form_of
from genai_studio.models.tunes.grammar import Grammar, draw_recalls
from genai_studio.models.tunes.tokens import IDS, MAX_TOKENS, MODES, Header, Tune, decode
from genai_studio.score.model import METRES, SCALES


def walk(seed: int, header: Header, bars: int, *, lowest: int = -12, highest: int = 28, eager: bool = False) -> Tune:
    """A tune of random allowed words; `eager` takes the shortest note each time, which fills the text most."""
    draw = random.Random(seed)
    form = form_of(bars)
    grammar = Grammar(header, form, lowest=lowest, highest=highest, recalls=draw_recalls(form, draw))
    ids: list[int] = []
    while not grammar.finished:
        allowed = grammar.allowed()
        assert allowed, ids[-5:]
        word = allowed[0] if eager and allowed[0].startswith("until:") else draw.choice(allowed)
        grammar.push(word)
        ids.append(IDS[word])
        assert len(ids) <= MAX_TOKENS
    return decode(ids)


@pytest.mark.parametrize("metre", list(METRES))
@pytest.mark.parametrize("bars", [*range(8, 65, 4), 72, 100, 128])
def test_any_walk_through_the_rules_keeps_every_promise(metre: str, bars: int) -> None:
    for seed in range(4):
        mode = MODES[(bars // 4 + seed) % len(MODES)]
        header = Header(metre, form_of(bars).written_bars, "air", mode)
        tune = walk(seed, header, bars, lowest=-7, highest=16, eager=seed == 0)
        check(tune, bars, mode)


def check(tune: Tune, bars: int, mode: str) -> None:
    form, length = form_of(bars), tune.header.bar_ticks
    assert form.bars == bars
    assert [section.bars for section in tune.sections] == list(form.lengths.values())
    pickup = tune.header.pickup
    for section in tune.sections:
        assert section.pickup == pickup
        at = -pickup
        for note in section.notes:
            assert note.start >= at
            assert note.end - note.start >= 3
            assert -7 <= note.step <= 16
            at = note.end
        assert at <= section.bars * length - pickup
        assert all(note.step % 12 in (*SCALES[mode], 6, 9, 10, 11) for note in section.notes)
    closing = tune.sections[list(form.lengths).index(form.closing)]
    last = closing.notes[-1]
    assert last.step % 12 == 0
    assert last.end == closing.bars * length - pickup
    assert last.end - last.start >= 24


def test_a_range_without_a_tonic_is_refused() -> None:
    with pytest.raises(ValueError, match="tonic"):
        Grammar(Header("4/4", 8, mode="major"), form_of(8), lowest=1, highest=11)


def test_bars_that_come_back_are_the_same() -> None:
    form, same = form_of(32), 0
    for seed in range(20):
        draw = random.Random(seed)
        recalls = {(0, 4): (0, 0), (0, 5): (0, 1), (1, 6): (0, 6), (1, 7): (0, 7)}
        grammar = Grammar(Header("4/4", 16, "reel", "major"), form, recalls=recalls)
        bars: dict[tuple[int, int], list[str]] = {}
        section, bar = -1, -1
        while not grammar.finished:
            word = draw.choice(grammar.allowed())
            grammar.push(word)
            if word.startswith("section:"):
                section, bar = section + 1, -1
            elif word.startswith("bar:"):
                bar += 1
            elif bar >= 0:
                bars.setdefault((section, bar), []).append(word)
        free = [place for place, source in recalls.items() if bars[source][0] not in ("hold", "rest")]
        same += sum(bars[place] == bars[recalls[place]] for place in free if place != (1, 7))
        assert all(bars[place] == bars[recalls[place]] for place in free if place != (1, 7))
        assert bars[1, 7][-3] in ("step:-12", "step:0", "step:12", "step:24")
    assert same > 20


@pytest.mark.parametrize(("form", "bars"), [("A", 48), ("AABB", 128), ("rondo", 36), ("ABAC", 64), ("AABBCC", 96)])
def test_every_form_is_written_to_its_end(form: str, bars: int) -> None:
    shape = form_of(bars, form)
    for seed in range(3):
        draw = random.Random(seed)
        header = Header("9/8", shape.written_bars, "slip jig", "dorian")
        grammar = Grammar(header, shape, lowest=-5, highest=19, recalls=draw_recalls(shape, draw))
        ids: list[int] = []
        while not grammar.finished:
            allowed = grammar.allowed()
            word = allowed[0] if seed == 0 and allowed[0].startswith("until:") else draw.choice(allowed)
            grammar.push(word)
            ids.append(IDS[word])
        tune = decode(ids)
        assert len(ids) <= MAX_TOKENS
        assert [section.bars for section in tune.sections] == list(shape.lengths.values())
        closing = tune.sections[list(shape.lengths).index(shape.closing)]
        assert closing.notes[-1].step % 12 == 0
