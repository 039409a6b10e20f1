"""Surprise: a prompt that nobody typed, and controls that go with it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

_STYLES = {
    "jig": "吉格舞曲", "reel": "里尔舞曲", "hornpipe": "号笛舞曲", "waltz": "圆舞曲", "air": "抒情曲",
    "march": "进行曲", "slip jig": "滑步吉格舞曲", "strathspey": "斯特拉斯佩舞曲",
}  # fmt: skip
_MOODS = {
    "cheerful": "欢快的", "mischievous": "俏皮的", "festive": "节日的", "rousing": "充满活力的", "heroic": "英雄般的",
    "tender": "浪漫的", "peaceful": "宁静的", "dreamy": "梦幻的", "wistful": "怀旧的", "sorrowful": "悲伤的",
    "solemn": "庄严的", "mysterious": "神秘的", "dark": "黑暗的", "tense": "紧张的", "rustic": "乡村的",
}  # fmt: skip
_PLAYERS = {
    "piano": ("for piano accompaniment", "钢琴伴奏"), "folk band": ("for a folk band", "民谣乐队"),
    "string quartet": ("for string quartet", "弦乐四重奏"), "harp and flute": ("for harp and flute", "竖琴和长笛"),
    "music box": ("on a music box", "八音盒"), "chiptune": ("as a chiptune", "芯片音乐"),
    "marching band": ("for marching band", "军乐队"), "lo-fi": ("with lo-fi beats", "低保真"),
    "jazz trio": ("for jazz trio", "爵士三重奏"), "waltz band": ("for a waltz band", "圆舞曲乐队"),
}  # fmt: skip
_SCENES = (
    ("by the sea", "海边"), ("in the rain", "下雨"), ("under the stars", "星空下"), ("in an old castle", "古老的城堡"),
    ("on a winter night", "冬天的夜里"), ("in the garden", "花园里"), ("at the market", "集市上"),
    ("at sunset", "日落时"), ("in the forest", "森林里"), ("for a voyage", "远航"), ("before bedtime", "睡前"),
    ("at the village fair", "村庄集市"), ("in a coffee shop", "咖啡馆"), ("among fireflies", "萤火虫"),
    ("on the road", "路上"),
)  # fmt: skip
_PARTNERS = {
    "waltz band": ("waltz",),
    "marching band": ("march",),
    "lo-fi": ("air", "waltz"),
    "music box": ("air", "waltz"),
}
"""Players that do not take every style."""


@dataclass(frozen=True)
class Surprise:
    """`values` are of `TuneParams` and say what the prompt leaves open."""

    prompt: str
    values: dict[str, Any]


def surprise(seed: int, language: str = "en") -> Surprise:
    """A prompt in English, or in Chinese where `language` begins with "zh"; the same for the same seed."""
    draw = random.Random(f"surprise {seed}")
    players = draw.choice(list(_PLAYERS))
    style = draw.choice(_PARTNERS.get(players, tuple(_STYLES)))
    mood, (scene, place) = draw.choice(list(_MOODS)), draw.choice(_SCENES)
    values: dict[str, Any] = {
        "key": draw.choice(("C", "D", "Eb", "E", "F", "G", "A", "Bb")),
        "bars": draw.choice((16, 24, 32, 32, 40)),
        "variation": draw.choice((0.2, 0.3, 0.5)),
        "introduction": draw.choice(("auto", "none", "4 bars")),
    }
    if draw.random() < 0.4:
        values["density"] = draw.choice(("sparse", "medium", "dense"))
    if language.startswith("zh"):
        return Surprise(f"{_MOODS[mood]}{_STYLES[style]}，{_PLAYERS[players][1]}，{place}", values)
    article = "an" if mood[0] in "aeiou" else "a"
    return Surprise(f"{article} {mood} {style} {_PLAYERS[players][0]} {scene}", values)
