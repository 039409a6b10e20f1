"""What a person hears when something goes wrong: one sentence, escaped, in their language; never a traceback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import gradio as gr
import pytest

from genai_studio.errors import InvalidInput
from genai_studio.ui.i18n import COOKIE
from genai_studio.ui.shell import UNEXPECTED, owner_of, readable, toast


class Request(gr.Request):
    def __init__(self, language: str = "en", username: str | None = None) -> None:
        super().__init__(username=username)
        self.kwargs = {"cookies": {COOKIE: language}, "headers": {}}

    @property
    def cookies(self) -> dict[str, str]:
        return {COOKIE: self.kwargs["cookies"][COOKIE]}


@readable
def plain(request: gr.Request, error: Exception) -> None:
    raise error


@readable
def stream(request: gr.Request, error: Exception) -> Iterator[int]:
    yield 1
    raise error


@readable
async def follow(request: gr.Request, error: Exception) -> AsyncIterator[int]:
    yield 1
    raise error


def heard(function, error: Exception, language: str = "en") -> str:
    async def drain() -> None:
        async for _ in follow(Request(language), error):
            pass

    run = {
        plain: lambda: plain(Request(language), error),
        stream: lambda: list(stream(Request(language), error)),
        follow: lambda: asyncio.run(drain()),
    }[function]
    with pytest.raises(gr.Error) as caught:
        run()
    assert caught.value.__cause__ is None
    assert not caught.value.print_exception
    return str(caught.value.message)


@pytest.mark.parametrize("function", [plain, stream, follow])
def test_an_error_of_the_tree_is_its_sentence(function) -> None:
    error = InvalidInput("This message is gone.", "Run it again.")
    assert heard(function, error) == "This message is gone. Run it again."
    assert heard(function, error, "zh-CN") == "这条消息已不在了。 请再次运行。"


@pytest.mark.parametrize("function", [plain, stream, follow])
def test_anything_else_is_logged_and_told_as_one_sentence(function, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert heard(function, KeyError("secret/path")) == UNEXPECTED
    assert "secret/path" in caplog.text


def test_a_message_is_text_and_no_markup() -> None:
    message = toast(InvalidInput("There is no parameter named '<img src=x onerror=alert(1)>'.")).message
    assert "<img" not in message
    assert "&lt;img" in message


def test_a_stream_that_says_nothing_empties_nothing() -> None:
    @readable
    async def silent(request: gr.Request) -> AsyncIterator[int]:
        for number in ():
            yield number

    async def all_of_it() -> list[object]:
        return [value async for value in silent(Request())]

    assert asyncio.run(all_of_it()) == [gr.skip()]


def test_the_owner_is_the_login_or_local() -> None:
    assert owner_of(None) == "local"
    assert owner_of(Request()) == "local"
    assert owner_of(Request(username="ann")) == "ann"
