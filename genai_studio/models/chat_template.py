"""A model's own chat template: the conversation as the one text that the model was trained to continue.

A template is code from a model file. It runs in jinja's immutable sandbox, with a time limit and a size limit, and
sees nothing but the conversation. What it may call is what transformers gives it (`apply_chat_template`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from genai_studio.errors import GenerationFailed, ModelUnavailable

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

SECONDS = 5.0
MAX_CHARACTERS = 10_000_000
FIXED_DATE = datetime(2024, 7, 26)
"""What a template that asks for today is told: with the real date, the same recipe would differ tomorrow. It is the
date that templates with a date fall back to by themselves."""

Turn = dict[str, str]


class ChatTemplate:
    """`source` is the template, or "" for a base model that has none; `bos` and `eos` are the texts of its tokens."""

    def __init__(self, source: str, *, bos: str = "", eos: str = "") -> None:
        """Compile. Raises ModelUnavailable where it is no template."""
        from jinja2 import TemplateError

        self._tokens = {"bos_token": bos, "eos_token": eos}
        try:
            with _time_limit(SECONDS):
                self._template = _sandbox().from_string(source) if source.strip() else None
        except (TemplateError, TimeoutError, RecursionError) as error:
            raise ModelUnavailable(f"The chat template of this model is damaged: {_reason(error)}.") from error

    def render(self, turns: Sequence[Turn]) -> str:
        """The prompt for `turns` (role "system", "user" or "assistant"; content), open for the answer.

        A template that refuses a system turn gets it at the head of the first user turn; without a template the
        contents stand one below the other. Raises GenerationFailed in one sentence.
        """
        turns = _alternating(turns)
        if self._template is None:
            return "\n\n".join(turn["content"] for turn in turns)
        try:
            return self._run(turns)
        except GenerationFailed:
            if turns[0]["role"] != "system" or len(turns) == 1:
                raise
            first = {**turns[1], "content": f"{turns[0]['content']}\n\n{turns[1]['content']}"}
            return self._run([first, *turns[2:]])

    def _run(self, turns: list[Turn]) -> str:
        assert self._template is not None
        given = {"messages": turns, "add_generation_prompt": True, "tools": None, "documents": None, **self._tokens}
        pieces: list[str] = []
        length = 0
        try:
            with _time_limit(SECONDS):
                for piece in self._template.generate(given):
                    pieces.append(piece)
                    length += len(piece)
                    if length > MAX_CHARACTERS:
                        raise TimeoutError
        except TimeoutError as error:
            raise GenerationFailed("The chat template of this model does not come to an end.") from error
        except Exception as error:
            # Whatever it is, it came out of the template: a wrong type, a missing key, its own raise_exception.
            raise GenerationFailed(f"The chat template of this model failed: {_reason(error)}.") from error
        return "".join(pieces)


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    """Two turns of one role in a row, which many templates refuse, become one."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1] = {**turn, "content": f"{merged[-1]['content']}\n\n{turn['content']}"}
        else:
            merged.append(dict(turn))
    return merged


def _sandbox() -> ImmutableSandboxedEnvironment:
    from jinja2.exceptions import SecurityError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        """Also refuses what fills the memory in one step: "a" * 10**9, "%999999999d" % 1."""

        intercepted_binops = frozenset({"*", "**", "%"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
            if operator == "**" or not numbers:
                raise SecurityError(f"the operator {operator} is not allowed here")
            return super().call_binop(context, operator, left, right)

    environment = Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = _to_json
    del environment.filters["center"]
    environment.globals.update(raise_exception=_refuse, strftime_now=FIXED_DATE.strftime)
    return environment


def _reason(error: BaseException) -> str:
    """The first line of what went wrong, without its full stop."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")


def _refuse(message: str) -> NoReturn:
    from jinja2 import TemplateError

    raise TemplateError(message)


def _to_json(value: Any, indent: int | None = None) -> str:
    """As transformers has it: jinja's own would escape < and > for HTML."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError inside the block's Python code when it runs for longer. A trace function sees every line
    of the compiled template, also of a loop that writes nothing; a signal would need the main thread."""
    end = time.monotonic() + seconds
    before = sys.gettrace()

    def trace(*_: Any) -> Any:
        if time.monotonic() > end:
            raise TimeoutError
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
