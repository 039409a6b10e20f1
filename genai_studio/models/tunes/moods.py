"""What a mood or a pace means for a tune: mode, speed, density, register, and the styles and players it suits."""

from __future__ import annotations

from dataclasses import dataclass

PACES = {"very slow": 0.68, "slow": 0.8, "moderate": 1.0, "fast": 1.14, "very fast": 1.28}
"""Name of a pace to what it makes of the style's own tempo."""


@dataclass(frozen=True)
class Mood:
    """Defaults, the first of each tuple the likeliest; whatever is asked for by name goes before them."""

    modes: tuple[str, ...]
    pace: float = 1.0
    density: str = ""
    register: str = ""
    styles: tuple[str, ...] = ()


MOODS = {
    "happy": Mood(("major",), 1.06, styles=("jig", "reel", "hornpipe")),
    "playful": Mood(("major",), 1.1, register="high", styles=("jig", "hornpipe", "slip jig")),
    "festive": Mood(("major",), 1.1, "dense", styles=("reel", "jig", "march")),
    "energetic": Mood(("major", "mixolydian"), 1.22, "dense", styles=("reel", "jig")),
    "heroic": Mood(("major", "minor"), 1.04, styles=("march",)),
    "romantic": Mood(("major",), 0.86, styles=("waltz", "air")),
    "calm": Mood(("major",), 0.8, "sparse", styles=("air", "waltz")),
    "dreamy": Mood(("major",), 0.84, "sparse", "high", ("air", "waltz")),
    "nostalgic": Mood(("minor", "dorian"), 0.9, styles=("waltz", "air")),
    "sad": Mood(("minor",), 0.82, "sparse", styles=("air", "waltz")),
    "solemn": Mood(("minor", "dorian"), 0.76, "sparse", "low", ("air", "march")),
    "mysterious": Mood(("dorian", "minor"), 0.9, styles=("air", "slip jig")),
    "dark": Mood(("minor",), 0.9, register="low", styles=("air", "march")),
    "tense": Mood(("minor", "dorian"), 1.24, "dense", styles=("reel", "jig")),
    "rustic": Mood(("mixolydian", "dorian"), 1.02, styles=("reel", "strathspey", "jig")),
}
"""Name of a mood to what it brings."""
