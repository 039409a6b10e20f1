"""What an icon is called: names, keywords in English and Chinese, colour words, and which concepts are held out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HELD_OUT_SHARE = 20  # one concept in twenty is never trained on
MAX_KEYWORDS = 4

# word, Chinese word, hue in degrees of HSV
COLOURS: tuple[tuple[str, str, int], ...] = (
    ("red", "红色", 0),
    ("orange", "橙色", 28),
    ("yellow", "黄色", 50),
    ("green", "绿色", 120),
    ("turquoise", "青色", 175),
    ("blue", "蓝色", 215),
    ("purple", "紫色", 275),
    ("pink", "粉色", 330),
)
_COLOUR_WORDS = {word for word, _, _ in COLOURS} | {
    "black",
    "white",
    "brown",
    "grey",
    "gray",
    "rainbow",
    "golden",
}
_COLOUR_CHARACTERS = set("红橙黄绿青蓝紫粉黑白棕灰彩色")

# A mirrored letter, clock or arrow is a wrong one.
_ONE_WAY = re.compile(
    r"\b(left|right|leftwards|rightwards|clock|oclock|thirty|letter|button|keycap|arrow|number|input|\d+|sign|mark|abc|ok"
    r"|new|free|cool|sos|top|back|end|soon|on|atm|tm|copyright|registered|calendar|music|note|notes|dollar|euro|yen|pound)\b"
)


@dataclass(frozen=True)
class Names:
    """All that one concept is called. `concept` is the key that decides whether it is held out."""

    concept: str
    english: tuple[str, ...]
    chinese: tuple[str, ...]


class Vocabulary:
    """Emoji names and keywords from an unpacked `emojibase-data` package, found by an icon's slug."""

    def __init__(self, folder: Path) -> None:
        english = _entries(folder / "en" / "data.json")
        chinese = _entries(folder / "zh" / "data.json")
        self._by_squashed: dict[str, Names] = {}
        for shortcodes in ("cldr", "emojibase"):
            codes = json.loads((folder / "en" / "shortcodes" / f"{shortcodes}.json").read_text("utf-8"))
            for hexcode, found in codes.items():
                if hexcode in english:
                    names = _names(english[hexcode], chinese.get(hexcode, {}))
                    for code in [found] if isinstance(found, str) else found:
                        self._by_squashed.setdefault(_squash(code), names)
        for hexcode, entry in english.items():
            self._by_squashed.setdefault(_squash(entry["label"]), _names(entry, chinese.get(hexcode, {})))

    def find(self, slug: str) -> Names | None:
        """The names of the emoji that `slug` means, or None when it is no emoji's name."""
        return self._by_squashed.get(_squash(slug))


def names_of(slug: str, vocabulary: Vocabulary, *, words_are_split: bool) -> Names | None:
    """What to call an icon; None when its slug is neither an emoji's name nor split into words."""
    plain = re.sub(r"-\d+$", "", slug)
    found = vocabulary.find(slug) or vocabulary.find(plain)
    if found is None and not words_are_split:
        return None
    spoken = plain.replace("-", " ").strip()
    if found is None:
        return Names(spoken, (spoken,), ())
    if words_are_split and spoken not in found.english:
        return Names(found.concept, (spoken, *found.english), found.chinese)
    return found


def is_held_out(concept: str) -> bool:
    """Whether a concept is kept from training. A hash, so that every set and every machine agrees."""
    return int.from_bytes(hashlib.sha256(concept.encode()).digest()[:8], "big") % HELD_OUT_SHARE == 0


def captions(names: Names) -> list[str]:
    """The captions of a plain picture. They are drawn evenly, so what should be said often stands there often:
    names far more than keywords, which many pictures share.
    """
    first, *rest = names.english
    spoken = [first] * 5 + [f"a {first}", f"{first} sticker", *rest[:2]]
    if names.chinese:
        label, *tags = names.chinese
        spoken += [label] * 4 + tags[:1]
    return spoken


def coloured_captions(names: Names, colour: int) -> list[str]:
    """Captions that say colour `colour` (an index of COLOURS); none when the name says a colour already."""
    first = names.english[0]
    if _COLOUR_WORDS & set(first.split()):
        return []
    word, character, _ = COLOURS[colour]
    spoken = [f"{word} {first}", f"a {word} {first}"]
    if names.chinese and not _COLOUR_CHARACTERS & set(names.chinese[0]):
        spoken += [f"{character}{names.chinese[0]}", f"{character}的{names.chinese[0]}"]
    return spoken


def paired_captions(big: Names, small: Names) -> list[str]:
    """Captions of two pictures composed into one."""
    a, b = big.english[0], small.english[0]
    spoken = [f"{a} with {b}", f"{a} and {b}", f"a {a} with a {b}"]
    if big.chinese and small.chinese:
        spoken += [f"{big.chinese[0]}和{small.chinese[0]}"]
    return spoken


def may_mirror(names: Names) -> bool:
    """Whether the picture means the same when mirrored."""
    return not any(_ONE_WAY.search(name) for name in names.english[:2])


def _names(english: dict[str, Any], chinese: dict[str, Any]) -> Names:
    label = english["label"].lower()
    keywords = [k.lower() for k in english.get("tags", []) if k.lower() != label][:MAX_KEYWORDS]
    labels = [chinese["label"], *chinese.get("tags", [])[:MAX_KEYWORDS]] if chinese else []
    return Names(label, (label, *keywords), tuple(dict.fromkeys(labels)))


def _entries(path: Path) -> dict[str, dict[str, Any]]:
    return {entry["hexcode"]: entry for entry in json.loads(path.read_text("utf-8"))}


def _squash(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
