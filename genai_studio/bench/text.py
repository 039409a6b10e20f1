"""Text: tokens a second and time to the first one, beside the same GGUF driven by hand through xllamacpp."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genai_studio.bench.direct import files_of
from genai_studio.bench.figure import BEST, Figure, middle
from genai_studio.domain.events import Token
from genai_studio.settings import Settings
from genai_studio.studio import Studio

RUNS = 5
MODEL = "smollm2-135m-instruct"
PROMPT = "Tell a long bedtime story about a fox who is afraid of the dark."
TOKENS = 200
CHAT = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
)
"""SmolLM2's own chat template for one question."""


def text(settings: Settings) -> Iterator[Figure]:
    """Interleaved runs with the same prompt, seed and sampling."""
    with Studio(settings) as studio:
        server = _direct_server(files_of(studio, MODEL).one(".gguf"), settings.worker_threads)
        _by_studio(studio)
        _by_hand(server)
        ours, bare = [], []
        for _ in range(RUNS):
            ours.append(_by_studio(studio))
            bare.append(_by_hand(server))
    yield Figure(
        "text generation",
        middle([rate for rate, _ in ours]),
        "tokens/s",
        middle([rate for rate, _ in bare]),
        "xllamacpp directly",
        "ratio",
        0.95,
        BEST,
        note=f"{TOKENS} tokens, {RUNS} runs, {settings.worker_threads} threads",
    )
    yield Figure(
        "time to the first token",
        1000 * middle([first for _, first in ours]),
        "ms",
        1000 * middle([first for _, first in bare]),
        "xllamacpp directly",
        "difference",
        60,
    )


def _by_studio(studio: Studio) -> tuple[float, float]:
    """Tokens a second, and seconds to the first token, as a watcher of the job sees them."""
    started = time.perf_counter()
    job = studio.submit(studio.request(MODEL, {"prompt": PROMPT, "seed": 7, "max_new_tokens": TOKENS}))
    first = last = 0.0
    for event in studio.watch(job.id):
        if isinstance(event, Token):
            last = time.perf_counter()
            first = first or last
    record = studio.gallery.get(studio.job(job.id).outputs[0])
    return (record.info["tokens"] - 1) / (last - first), first - started


def _direct_server(path: Path, threads: int) -> Any:
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(path)
    wanted.offline = True
    wanted.verbosity = -1
    wanted.n_ctx = 2048
    wanted.n_parallel = 1
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = threads
    wanted.cache_prompt = False
    return xllamacpp.Server(wanted)


def _by_hand(server: Any) -> tuple[float, float]:
    moments: list[float] = []

    def hear(message: dict[str, Any]) -> bool:
        if message.get("choices") and message["choices"][0].get("text"):
            moments.append(time.perf_counter())
        return False

    started = time.perf_counter()
    request = {
        "prompt": CHAT.format(prompt=PROMPT),
        "stream": True,
        "max_tokens": TOKENS,
        "seed": 7,
        "cache_prompt": False,
        "samplers": ["penalties", "top_k", "top_p", "min_p", "temperature"],
        "temperature": 0.7,
        "top_k": 40,
        "top_p": 0.95,
        "min_p": 0.05,
        "repeat_penalty": 1.1,
    }
    server.handle_completions(request, hear)
    return (len(moments) - 1) / (moments[-1] - moments[0]), moments[0] - started
