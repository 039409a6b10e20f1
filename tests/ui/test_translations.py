"""English and Chinese: nothing on the page is without its translation, and sentences with values translate whole."""

from __future__ import annotations

import re

import page_words
import pytest

from genai_studio.domain.params import Params
from genai_studio.errors import InvalidInput
from genai_studio.models.base import family_of
from genai_studio.models.catalog import DEMO_MODELS
from genai_studio.ui.i18n import COOKIE, LANGUAGES, best_language, dictionary, language_of, say

NAMES = re.compile(r"[A-G][b#]?|\d/\d")
"""Notes and metres read the same everywhere."""


@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "en"])
def test_every_string_of_the_page_is_translated(language: str) -> None:
    shown = {text for text in page_words.of_the_page() if not NAMES.fullmatch(text)}
    assert len(shown) > 150
    missing = [text for text in shown if text not in dictionary(language) and say(text, language) == text]
    assert sorted(missing) == []


@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "en"])
def test_a_translation_has_the_same_blanks(language: str) -> None:
    for text, translated in dictionary(language).items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", translated)), text
        assert translated.strip()


@pytest.mark.parametrize(
    "values",
    [
        {"prompt": ""},
        {"prompt": "a\x00b"},
        {"prompt": "\ud800"},
        {"prompt": "x" * 100_000},
        {"prompt": 7},
        {"prompt": "a", "seed": 2**64},
        {"prompt": "a", "count": True},
        {"prompt": "a", "guidance_scale": float("nan")},
        {"prompt": "a", "background": "pink"},
        {"prompt": "a", "bogus": 1},
        {},
    ],
)
def test_what_is_wrong_with_an_input_is_said_in_chinese(values: dict[str, object]) -> None:
    params: type[Params] = family_of(DEMO_MODELS[0]).params
    with pytest.raises(InvalidInput) as caught:
        params.parse(values)
    said = say(caught.value.sentence, "zh-CN")
    assert re.search(r"[\u4e00-\u9fff]", said), said
    assert "allowed" not in said


def test_the_persons_own_words_stay_as_they_are() -> None:
    assert say("Open: {prompt}", "zh-CN", prompt="{prompt} <b>Stop</b>") == "打开：{prompt} <b>Stop</b>"
    assert say("Never heard of {this}", "zh-CN") == "Never heard of {this}"
    assert say("a fox and 3 more", "zh-CN") == "a fox and 3 more"
    assert say("Stop", "xx") == "Stop"


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("", "zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("", "de-DE,en;q=0.8", "en"),
        ("", "de", "en"),
        ("zh-CN", "en", "zh-CN"),
        ("en", "zh", "en"),
        ("../../etc", "zh", "zh-CN"),
        ("", "", "en"),
    ],
)
def test_the_choice_goes_before_the_browser(cookie: str, accepted: str, language: str) -> None:
    class Request:
        cookies = {COOKIE: cookie} if cookie else {}
        headers = {"accept-language": accepted}

    assert language_of(Request()) == language  # type: ignore[arg-type]


def test_without_a_request_it_is_english() -> None:
    assert language_of(None) == "en"
    assert best_language(";;;,,") == "en"
