"""What the text families share: a conversation in, an answer out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from genai_studio.domain.fields import (
    MAX_PROMPT,
    MaxNewTokens,
    MinP,
    Prompt,
    RepetitionPenalty,
    SystemPrompt,
    Temperature,
    TopK,
    TopP,
    clean_text,
    panel,
)
from genai_studio.domain.params import Params


class Message(BaseModel):
    """One earlier turn of the conversation."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    role: Literal["user", "assistant"]
    content: Annotated[str, AfterValidator(clean_text), Field(max_length=5 * MAX_PROMPT)]


Messages = Annotated[
    list[Message],
    Field(
        max_length=1000,
        title="Conversation",
        description="The earlier turns, oldest first.",
        json_schema_extra=panel("hidden"),
    ),
]
Prefill = Annotated[
    str,
    AfterValidator(clean_text),
    Field(
        max_length=5 * MAX_PROMPT,
        title="Start of the answer",
        description="The answer continues from these words.",
        json_schema_extra=panel("hidden", "lines"),
    ),
]
Stop = Annotated[
    str,
    AfterValidator(clean_text),
    Field(
        max_length=200,
        title="Stop at",
        description="The answer ends before these words. Empty turns it off.",
        json_schema_extra=panel("more"),
    ),
]


class TextParams(Params):
    """A chat turn: the conversation so far, the new prompt, and how to sample the answer."""

    prompt: Prompt
    system_prompt: SystemPrompt = ""
    messages: Messages = []
    prefill: Prefill = ""
    max_new_tokens: MaxNewTokens = 256
    temperature: Temperature = 0.7
    top_p: TopP = 0.95
    top_k: TopK = 40
    min_p: MinP = 0.05
    repetition_penalty: RepetitionPenalty = 1.1
    stop: Stop = ""
