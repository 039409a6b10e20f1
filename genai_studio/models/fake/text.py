"""The demo answer: short sentences about the words of the prompt, streamed word by word."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping

from genai_studio.domain.modality import MediaKind
from genai_studio.domain.text import TextParams
from genai_studio.models.base import Draft, Family, LoadedModel, ModelFiles, ModelSpec, RunContext
from genai_studio.models.fake import StepSeconds, digest, pause

ADJECTIVES = ("quiet", "bright", "patient", "golden", "distant", "gentle", "silver", "curious", "warm", "wild")
NOUNS = ("sea", "lantern", "garden", "river", "morning", "bird", "window", "song", "mountain", "harbour")
VERBS = ("remembers", "follows", "carries", "welcomes", "sings to", "waits for", "dreams of", "paints", "lights")


class DemoTextParams(TextParams):
    step_seconds: StepSeconds = 0.0


class DemoText:
    def generate(self, params: DemoTextParams, ctx: RunContext) -> None:
        for index in range(params.count):
            turns = "\n".join(f"{turn.role}: {turn.content}" for turn in params.messages)
            key = digest(
                f"{params.system_prompt}\n{turns}\n{params.prompt}\n{params.prefill}\n{params.temperature}",
                ctx.seed + index,
            )
            answer = params.prefill
            for step, word in enumerate(words(key, params.prompt, params.max_new_tokens), start=1):
                text = word if not answer or answer[-1].isspace() else " " + word
                if params.stop and params.stop in answer + text:
                    break
                answer += text
                ctx.token(text, index=index)
                ctx.progress(step, params.max_new_tokens, index=index)
                pause(params.step_seconds, ctx)
            path = ctx.stage(".txt")
            path.write_text(answer, encoding="utf-8", newline="")
            ctx.output(Draft(MediaKind.TEXT, path, info={"tokens": len(answer.split())}))

    def memory(self) -> int:
        return 1_000_000

    def environment(self) -> Mapping[str, str]:
        return {"demo": "1"}

    def close(self) -> None:
        pass


class DemoTextFamily:
    params = DemoTextParams

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> LoadedModel:
        return DemoText()


def words(key: bytes, prompt: str, limit: int) -> Iterator[str]:
    """At most `limit` words in sentences: about 60 of them, or as many as `limit` when that is over 1000 (a long
    answer is asked for on purpose)."""
    draw = random.Random(key)
    nouns = [*NOUNS, *re.findall(r"\w{3,20}", prompt)[:50]]
    wanted, made = (limit if limit > 1000 else min(limit, 60)), 0
    while made < wanted:
        sentence = f"The {draw.choice(ADJECTIVES)} {draw.choice(nouns)} {draw.choice(VERBS)} the {draw.choice(nouns)}."
        for word in sentence.split()[: wanted - made]:
            made += 1
            yield word


FAMILY: Family = DemoTextFamily()
