"""The parameter vocabulary. Each alias declares type, bounds, title and help once; the control on the page, the
API schema, the command-line flag, the error sentence, the saved recipe and the table in the docs all come from it.

A subclass that needs another default writes `num_inference_steps: Steps = 8`: always the alias, because a bare
`int` would lose the bounds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

Group = Literal["essential", "more", "hidden"]
"""Where a control stands: open on the panel, under "More", or not on the panel at all."""
Widget = Literal["auto", "lines", "seed", "slider", "choice", "toggle"]

MAX_PROMPT = 20_000
"""Characters. Longer than any model here reads; a paste of a whole book is refused in one sentence."""
MAX_SEED = 2**31 - 1
"""llama.cpp reserves 2^32 - 1 and browsers round above 2^53; this fits everywhere with room for seed + i."""
MAX_COUNT = 16


def panel(group: Group = "more", widget: Widget = "auto", step: float | None = None) -> dict[str, Any]:
    """How a field shows on the page; kept beside its bounds in the JSON schema under `panel`."""
    return {"panel": {"group": group, "widget": widget, "step": step}}


def clean_text(text: str) -> str:
    """Refuse what neither SQLite nor PostgreSQL can keep; everything else, emoji and right-to-left marks
    included, is the person's own text and stays as it is.

    Raises ValueError with the sentence that `params.explain` shows.
    """
    if "\x00" in text:
        raise ValueError("has a NUL character, which no text can hold; remove it")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("has half of a character (a lone surrogate); type that character again")
    return text


def visible_text(text: str) -> str:
    """As `clean_text`, and something must be left when white space is taken away."""
    if not clean_text(text).strip():
        raise ValueError("is empty; type what you would like")
    return text


Prompt = Annotated[
    str,
    AfterValidator(visible_text),
    Field(
        max_length=MAX_PROMPT,
        title="Prompt",
        description="What to make, in your own words. Ctrl+Enter starts it.",
        json_schema_extra=panel("essential", "lines"),
    ),
]
OptionalPrompt = Annotated[
    str,
    AfterValidator(clean_text),
    Field(
        max_length=MAX_PROMPT,
        title="Prompt",
        description="What to make, in your own words. Ctrl+Enter starts it.",
        json_schema_extra=panel("essential", "lines"),
    ),
]
NegativePrompt = Annotated[
    str,
    AfterValidator(clean_text),
    Field(
        max_length=MAX_PROMPT,
        title="Negative prompt",
        description="What should not be in the picture.",
        json_schema_extra=panel("more", "lines"),
    ),
]
Seed = Annotated[
    int,
    Field(
        ge=-1,
        le=MAX_SEED,
        title="Seed",
        description="Same settings and same seed give the same output. -1 draws a new one each time.",
        json_schema_extra=panel("essential", "seed"),
    ),
]
Count = Annotated[
    int,
    Field(
        ge=1,
        le=MAX_COUNT,
        title="How many",
        description="Outputs in one job. Output i uses seed + i.",
        json_schema_extra=panel("essential", "slider", 1),
    ),
]
Single = Annotated[
    int,
    Field(
        ge=1,
        le=1,
        title="How many",
        description="Always one.",
        json_schema_extra=panel("hidden"),
    ),
]
Steps = Annotated[
    int,
    Field(
        ge=1,
        le=150,
        title="Steps",
        description="More steps take longer and add detail, up to a point.",
        json_schema_extra=panel("more", "slider", 1),
    ),
]
Guidance = Annotated[
    float,
    Field(
        ge=0.0,
        le=20.0,
        title="Guidance",
        description="How closely to follow the prompt. 1 follows it freely; too high looks overdone.",
        json_schema_extra=panel("more", "slider", 0.1),
    ),
]
Temperature = Annotated[
    float,
    Field(
        ge=0.0,
        le=2.0,
        title="Temperature",
        description="0 always takes the likeliest; higher is more surprising.",
        json_schema_extra=panel("essential", "slider", 0.05),
    ),
]
TopP = Annotated[
    float,
    Field(
        gt=0.0,
        le=1.0,
        title="Top-p",
        description="Choose among the likeliest that together reach this probability. 1 turns it off.",
        json_schema_extra=panel("more", "slider", 0.01),
    ),
]
TopK = Annotated[
    int,
    Field(
        ge=0,
        le=1000,
        title="Top-k",
        description="Choose among this many of the likeliest. 0 turns it off.",
        json_schema_extra=panel("more", "slider", 1),
    ),
]
MinP = Annotated[
    float,
    Field(
        ge=0.0,
        le=1.0,
        title="Min-p",
        description="Leave out what is less likely than this share of the likeliest. 0 turns it off.",
        json_schema_extra=panel("more", "slider", 0.01),
    ),
]
RepetitionPenalty = Annotated[
    float,
    Field(
        ge=0.5,
        le=2.0,
        title="Repetition penalty",
        description="Above 1 discourages words that were just used. 1 turns it off.",
        json_schema_extra=panel("more", "slider", 0.01),
    ),
]
MaxNewTokens = Annotated[
    int,
    Field(
        ge=1,
        le=8192,
        title="Longest answer",
        description="In tokens: about three quarters of a word each.",
        json_schema_extra=panel("essential", "slider", 1),
    ),
]
SystemPrompt = Annotated[
    str,
    AfterValidator(clean_text),
    Field(
        max_length=MAX_PROMPT,
        title="System prompt",
        description="Who the model should be and how it should write.",
        json_schema_extra=panel("more", "lines"),
    ),
]
