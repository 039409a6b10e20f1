from __future__ import annotations

import pytest

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes.controls import STYLE_METRES, Controls, decide
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import Wishes, read_prompt


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("a wistful waltz in D minor for fiddle and harp, 96 bpm",
         {"style": "waltz", "key": "D", "mode": "minor", "tempo_bpm": 96, "instrument": "fiddle",
          "ensemble": "harp and flute"}),
        ("a lively Irish jig", {"style": "jig", "pace": "fast", "key": "", "mode": ""}),
        ("a slow waltz in a minor key", {"style": "waltz", "mode": "minor", "key": "", "pace": "slow"}),
        ("a march in G major", {"style": "march", "key": "G", "mode": "major"}),
        ("a sad air in D minor", {"style": "air", "key": "D", "mode": "minor"}),
        ("a cheerful reel for fiddle", {"style": "reel", "mood": "happy", "mode": "", "instrument": "fiddle"}),
        ("a gentle lullaby", {"style": "air", "ensemble": "music box", "pace": "slow"}),
        ("slip jig in E dorian, 16 bars", {"style": "slip jig", "key": "E", "mode": "dorian", "bars": 16}),
        ("8-bit chiptune, 32 measures in 4/4", {"ensemble": "chiptune", "bars": 32, "metre": "4/4"}),
        ("B-flat major string quartet", {"key": "Bb", "mode": "major", "ensemble": "string quartet"}),
        ("something in C# minor", {"key": "Db", "mode": "minor"}),
        ("a tune in A", {"key": "A", "mode": ""}),
        ("A happy song about cats", {"key": "", "mood": "happy"}),
        ("marching band music", {"ensemble": "marching band", "style": ""}),
        ("solo harp, 30 seconds", {"ensemble": "solo", "instrument": "harp", "seconds": 30.0}),
        ("one and a half minutes", {"seconds": 90.0}),
        ("欢快的吉格舞曲", {"style": "jig", "mood": "happy"}),
        ("悲伤的圆舞曲,D小调,八音盒,速度90", {"style": "waltz", "key": "D", "mode": "minor",
                                                "ensemble": "music box", "tempo_bpm": 90}),
        ("降B大调进行曲,24小节", {"style": "march", "key": "Bb", "mode": "major", "bars": 24}),
        ("钢琴和小提琴,四三拍,一分钟", {"instrument": "fiddle", "ensemble": "piano", "metre": "3/4", "seconds": 60.0}),
        ("", {"style": "", "key": "", "tempo_bpm": 0}),
        ("<img src=x onerror=alert(1)> \u202e 🎻 zzz", {"style": "", "key": ""}),
    ],
)  # fmt: skip
def test_words_become_wishes(prompt: str, found: dict[str, object]) -> None:
    wishes = read_prompt(prompt)
    assert {name: getattr(wishes, name) for name in found} == found


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("a jig and a reel", "jig and a reel|reel and a jig"),
        ("from D major to G minor", "one key"),
        ("a minor and major piece", "one mode"),
        ("slow but very fast", "slow and for fast"),
        ("a tune in 13/8", "13/8"),
        ("3/4 then 4/4", "one metre"),
        ("999 bpm", "40 to 240"),
        ("0 bars", "8 to 128"),
        ("10 bars", "in fours"),
        ("99999 bars", "8 to 128"),
    ],
)
def test_contradictions_and_limits_are_one_sentence(prompt: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        read_prompt(prompt)
    assert str(caught.value).count(".") == 1
    assert len(str(caught.value)) < 160


def decided(prompt: str, seed: int = 1, **panel: object) -> Controls:
    params = TuneParams.parse({"prompt": prompt, **panel})
    return decide(params.chosen(), read_prompt(params.prompt), seed)


def test_the_panel_beats_the_prompt() -> None:
    controls = decided("a slow waltz in D minor, 90 bpm, 16 bars", key="G", mode="major", tempo_bpm=120, bars=32)
    assert (str(controls.key), controls.tempo, controls.bars, controls.style) == ("G major", 120, 32, "waltz")
    assert decided("a waltz", style="reel").metre == "4/4"
    assert decided("a waltz", metre="6/8").style != "waltz"
    assert decided("string quartet", accompaniment="piano").ensemble == "piano"
    assert decided("for fiddle", accompaniment="chiptune").instrument == "square wave"


def test_style_and_metre_that_do_not_go_together() -> None:
    for panel, prompt in (({"style": "waltz", "metre": "4/4"}, ""), ({}, "a waltz in 4/4")):
        with pytest.raises(InvalidInput, match="A waltz is in 3/4, not in 4/4"):
            decided(prompt, **panel)


def test_a_length_in_seconds_becomes_bars() -> None:
    controls = decided("a reel, 30 seconds")
    assert controls.bars * 4 / controls.tempo * 60 == pytest.approx(30, abs=3)
    with pytest.raises(InvalidInput, match="seconds"):
        decided("a reel of four minutes at 200 bpm")
    assert decided("a reel of two minutes").tempo <= 188


@pytest.mark.parametrize("seed", range(40))
def test_what_is_open_is_drawn_and_fits(seed: int) -> None:
    controls = decide(Wishes(), Wishes(), seed)
    assert controls == decide(Wishes(), Wishes(), seed)
    assert controls.metre in STYLE_METRES[controls.style]
    assert controls.highest - controls.lowest >= 20
    assert controls.lowest <= 0 <= controls.highest


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"bars": 10}, "Bars"),
        ({"bars": 4}, "Bars"),
        ({"bars": 132}, "Bars"),
        ({"bars": True}, "Bars"),
        ({"bars": "16"}, "Bars"),
        ({"bars": -4}, "Bars"),
        ({"tempo_bpm": 20}, "Tempo"),
        ({"tempo_bpm": 999}, "Tempo"),
        ({"tempo_bpm": float("nan")}, "Tempo"),
        ({"temperature": float("inf")}, "Temperature"),
        ({"key": "H"}, "Key"),
        ({"metre": "13/8"}, "Metre"),
        ({"style": "<img src=x>"}, "Style"),
        ({"prompt": "a\x00b"}, "Prompt"),
        ({"prompt": "x" * 100_000}, "Prompt"),
        ({"wobble": 1}, "wobble"),
    ],
)
def test_bad_values_are_named(values: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        TuneParams.parse(values)
