"""Translations. English is the source: a string in the code is its own key, and assets/translations/zh-CN.json maps
it to Chinese. `{name}` in a key stands for any words, so that finished sentences (error messages) translate too.

Static strings of components are translated in the browser before the page is drawn (ui/page.js); elements call
`studio.say("text", {n: 3})` there, and event functions call `say("text", language_of(request), n=3)` here.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "translations"
ENGLISH = "en"
LANGUAGES = {"en": "English", "zh-CN": "简体中文"}
LEAST_FIXED = 8
"""Characters outside the blanks that a key needs to be a pattern for finished sentences."""
COOKIE = "genai_studio_language"


@cache
def dictionary(language: str) -> dict[str, str]:
    """English to `language`; empty for English and for languages without a file."""
    path = FOLDER / f"{language}.json"
    if language == ENGLISH or language not in LANGUAGES or not path.is_file():
        return {}
    translations: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return translations


def language_of(request: gr.Request | None) -> str:
    """The language the person chose (cookie), or the browser's, or English."""
    if request is None:
        return ENGLISH
    chosen = (request.cookies or {}).get(COOKIE, "")
    if chosen in LANGUAGES:
        return str(chosen)
    return best_language(str((request.headers or {}).get("accept-language", "")))


def best_language(accepted: str) -> str:
    """The first of an Accept-Language header that we have; any Chinese reads zh-CN rather than English."""
    for part in accepted.split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return ENGLISH
    return ENGLISH


def say(text: str, language: str = ENGLISH, /, **values: object) -> str:
    """`text` in `language`, with `{name}` filled from `values`. Unknown text comes back as it is."""
    words = dictionary(language)
    translated = words.get(text)
    if translated is None:
        translated = _by_template(text, language)
    return fill(translated if translated is not None else text, values)


def fill(text: str, values: dict[str, object]) -> str:
    """Replace `{name}` for the given names only: braces in a person's own words stay as they are."""
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), text)


def _by_template(sentence: str, language: str) -> str | None:
    for pattern, translated in _templates(language):
        found = pattern.fullmatch(sentence)
        if found:
            words = dictionary(language)
            return fill(translated, {name: words.get(part, part) for name, part in found.groupdict().items()})
    return None


@cache
def _templates(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Keys with `{name}` as patterns, the most specific (longest fixed text) first. A key of few fixed letters
    would fit anything and is no pattern."""
    found = [(key, value) for key, value in dictionary(language).items() if re.search(r"\{\w+\}", key)]
    found = [pair for pair in found if _fixed(pair[0]) >= LEAST_FIXED]
    found.sort(key=lambda pair: -_fixed(pair[0]))
    return [(re.compile(_as_pattern(key), re.DOTALL), value) for key, value in found]


def _fixed(key: str) -> int:
    return len(re.sub(r"\{\w+\}", "", key).strip(" .,;:!?"))


def _as_pattern(key: str) -> str:
    parts = re.split(r"\{(\w+)\}", key)
    return "".join(re.escape(part) if place % 2 == 0 else f"(?P<{part}>.+?)" for place, part in enumerate(parts))
