"""The family of every GGUF: llama.cpp through xllamacpp, streamed token by token.

Same seed, same text: each answer starts from an empty cache, because a prompt that is taken from the cache is
computed in other portions than a fresh one and may differ in its last bits.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from genai_studio.domain.modality import MediaKind
from genai_studio.domain.text import TextParams
from genai_studio.errors import GenerationFailed, InvalidInput, ModelUnavailable
from genai_studio.models.base import Draft, Family, LoadedModel, ModelFiles, ModelSpec, RunContext
from genai_studio.models.chat_template import ChatTemplate
from genai_studio.models.gguf import Header, read_header

MAX_CONTEXT = 8192
"""Tokens. Longer contexts cost memory from the start, whether they are used or not."""
CONTEXT_SHARE = 8
"""At most one part in so many of the machine's memory for the context."""
PORTION = 32
"""Prompt tokens computed between two looks at Stop: 0.2 to 0.4 s of a small model on one core. Larger ones are no
faster there (measured: 83, 87 and 83 tokens/s for 64, 256 and 2048)."""
PORTION_GPU = 512
REPEAT_WINDOW = 64
"""Last tokens that the repetition penalty looks at."""
PROGRESS_EVERY = 8
WORKING_MEMORY = 64 << 20

MAX_LAYERS = 512
"""llama.cpp's own limit, beyond which it ends the process."""

NOT_WRITERS = {
    "adapter": "a LoRA adapter",
    "mmproj": "the eyes of a vision model",
    "imatrix": "a table of importances",
}
ENCODERS = re.compile("bert|clip|embedding|wavtokenizer|whisper|^t5")
"""In the names of architectures that read text and write none; llama.cpp ends the process over some."""


class LlamaCpp:
    """One GGUF in memory."""

    def __init__(self, server: Any, header: Header, template: ChatTemplate, weights: int, context: int) -> None:
        self._server = server
        self._template = template
        self._bos = header.token("bos")
        self._memory = weights + context * _cache_bytes(header) + WORKING_MEMORY
        self._adds_bos = self._bos != "" and self._prompt_tokens(self._bos) > 1

    def generate(self, params: TextParams, ctx: RunContext) -> None:
        prompt = self._prompt(params)
        for index in range(params.count):
            answer = _Answer(params, ctx, index)
            self._complete(_request(prompt, params, ctx.seed + index), answer.hear)
            path = ctx.stage(".txt")
            path.write_text(params.prefill + answer.text(), encoding="utf-8", newline="")
            ctx.output(Draft(MediaKind.TEXT, path, info=answer.info()))

    def memory(self) -> int:
        return self._memory

    def environment(self) -> Mapping[str, str]:
        import xllamacpp

        features = [part.split("=")[0].strip(" :") for part in xllamacpp.get_system_info().split("|") if "= 1" in part]
        return {"xllamacpp": xllamacpp.__version__, "llama.cpp": " ".join(features)}

    def close(self) -> None:
        self._server = None

    def _prompt(self, params: TextParams) -> str:
        """What the model continues: its own template around the conversation, then the start of the answer."""
        turns = [{"role": "system", "content": params.system_prompt}] if params.system_prompt.strip() else []
        turns += [{"role": turn.role, "content": turn.content} for turn in params.messages]
        prompt = self._template.render([*turns, {"role": "user", "content": params.prompt}])
        # The tokenizer of such a model adds the token itself; twice would be a prompt it never saw in training.
        if self._adds_bos:
            prompt = prompt.removeprefix(self._bos)
        return prompt + params.prefill

    def _complete(self, request: Mapping[str, Any], hear: Callable[[dict[str, Any]], None]) -> None:
        """Run one request; what `hear` raises stops it at once and comes out of here."""
        raised: list[BaseException] = []

        def callback(message: dict[str, Any]) -> bool:
            try:
                hear(message)
            except BaseException as error:
                raised.append(error)
                return True
            return False

        self._server.handle_completions(dict(request), callback)
        if raised:
            raise raised[0]

    def _prompt_tokens(self, text: str) -> int:
        """How many tokens `text` becomes; costs one step of the model, which is then also warm."""
        reply = self._server.handle_completions({"prompt": text, "max_tokens": 1, "cache_prompt": False})
        return int(reply.get("usage", {}).get("prompt_tokens", 1))


class _Answer:
    """Listens to one completion, tells the page, and keeps the text."""

    def __init__(self, params: TextParams, ctx: RunContext, index: int) -> None:
        self._params, self._ctx, self._index = params, ctx, index
        self._pieces: list[str] = []
        self._last: Mapping[str, Any] = {}

    def hear(self, message: dict[str, Any]) -> None:
        """One message of the stream; raises Cancelled when the person stopped the job."""
        if "error" in message:
            raise _as_error(message["error"], self._params)
        progress, choices = message.get("prompt_progress"), message.get("choices")
        if progress:
            self._ctx.progress(progress["processed"], progress["total"], "reading", self._index)
        elif choices and choices[0].get("text"):
            piece = choices[0]["text"].replace("\0", "\ufffd")  # which no database and few editors keep
            self._ctx.token(piece, self._index)
            self._pieces.append(piece)
            if len(self._pieces) % PROGRESS_EVERY == 0:
                self._ctx.progress(len(self._pieces), self._params.max_new_tokens, "", self._index)
        else:
            self._ctx.check()
        if choices and choices[0].get("finish_reason"):
            self._last = message

    def text(self) -> str:
        """Raises GenerationFailed where nothing came."""
        if not self._last:
            raise GenerationFailed("The model stopped in the middle of its answer.", "Run it again.")
        text = "".join(self._pieces)
        if not text.strip() and not self._params.prefill:
            raise GenerationFailed("The model had nothing to say.", "Try another prompt or another seed.")
        return text

    def info(self) -> dict[str, Any]:
        """ "stop" is what ended it: "end" (the model or the stop words), "length" (as many as asked for), "context"."""
        usage, timings = self._last.get("usage", {}), self._last.get("timings", {})
        tokens = int(usage.get("completion_tokens", 0))
        stop = "end" if self._last["choices"][0]["finish_reason"] == "stop" else "length"
        return {
            "tokens": tokens,
            "prompt_tokens": int(usage.get("prompt_tokens", 0)),
            "tokens_per_second": round(float(timings.get("predicted_per_second", 0.0)), 1),
            "stop": "context" if stop == "length" and tokens < self._params.max_new_tokens else stop,
        }


class LlamaCppFamily:
    params = TextParams

    def load(self, spec: ModelSpec, files: ModelFiles, *, device: str, threads: int) -> LoadedModel:
        """Raises ModelUnavailable in one sentence for a file that is damaged, or does not write text."""
        headers = [read_header(path) for path in files.paths.values()]
        path, header = next(iter(files.paths.values())), headers[0]
        _check_writes_text(path, header)
        template = ChatTemplate(
            header.text("tokenizer.chat_template"), bos=header.token("bos"), eos=header.token("eos")
        )
        context = _context(header)
        server = _start(path, context=context, threads=threads, gpu=device.startswith(("cuda", "mps")))
        return LlamaCpp(server, header, template, sum(part.size for part in headers), context)


def _check_writes_text(path: Path, header: Header) -> None:
    architecture = header.architecture
    other = NOT_WRITERS.get(header.text("general.type"))
    if not other and ENCODERS.search(architecture):
        other = f"a {architecture} model, which reads text and writes none"
    if not other and not header.text("tokenizer.ggml.model"):
        other = f"a {architecture} model without a tokenizer" if architecture else "a GGUF without a model"
    if other:
        raise ModelUnavailable(f"{path.name} is not a model that writes text: it is {other}.", "Choose another file.")
    tokens = header.values.get("tokenizer.ggml.tokens") or []
    in_range = 1 <= header.number("block_count") <= MAX_LAYERS and 1 <= header.number("context_length") < 1 << 31
    if not in_range or len(set(tokens)) != len(tokens):
        raise ModelUnavailable(f"{path.name} is damaged: its head makes no sense.", "Download it again.")


def _cache_bytes(header: Header) -> int:
    """Bytes of keys and values for one token of context, in 16 bits."""
    heads = header.number("attention.head_count", 1)
    width = header.number("embedding_length") // max(1, heads)
    sizes = header.number("attention.key_length", width) + header.number("attention.value_length", width)
    return 2 * header.number("block_count") * header.number("attention.head_count_kv", heads) * sizes


def _context(header: Header) -> int:
    """Tokens of context: what the model was trained for, within MAX_CONTEXT and a share of this machine's memory."""
    import psutil

    affordable = psutil.virtual_memory().total // CONTEXT_SHARE // max(1, _cache_bytes(header))
    wanted = min(header.number("context_length", MAX_CONTEXT) or MAX_CONTEXT, MAX_CONTEXT)
    return max(256, int(min(wanted, affordable)) // 256 * 256)


def _start(path: Path, *, context: int, threads: int, gpu: bool) -> Any:
    """llama.cpp's server object with the model in it. It insists on a socket for HTTP: it gets one in a private
    folder, with a key that nobody knows, and the folder is gone before this returns, so that no port is open."""
    # Both are read when the library is loaded: waiting threads sleep, and a crash starts no debugger.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(path)
    wanted.offline = True
    wanted.verbosity = -1
    wanted.n_ctx = context
    wanted.n_parallel = 1
    wanted.n_batch = wanted.n_ubatch = PORTION_GPU if gpu else PORTION
    wanted.n_gpu_layers = 999 if gpu else 0
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = threads
    wanted.cache_prompt = False
    wanted.cache_ram_mib = 0
    wanted.n_ctx_checkpoints = 0
    wanted.fit_params = False
    wanted.warmup = False
    wanted.ui = False
    wanted.endpoint_slots = False
    wanted.n_threads_http = 1
    wanted.api_keys = [secrets.token_hex(32)]
    # A path of a socket holds about 100 bytes, which a long temporary folder leaves no room for.
    short = "/tmp" if os.name == "posix" and len(tempfile.gettempdir()) > 60 else None
    with tempfile.TemporaryDirectory(prefix="studio-", dir=short) as private:
        wanted.hostnames = [os.path.join(private, "llama.sock")]
        try:
            return xllamacpp.Server(wanted)
        except RuntimeError as error:
            raise ModelUnavailable(
                f"{path.name} cannot be loaded: this version of llama.cpp does not know its kind of model, or it does "
                "not fit into memory.",
                "Choose another file, or a smaller quantisation.",
            ) from error


def _request(prompt: str, params: TextParams, seed: int) -> dict[str, Any]:
    """The sampling parameters under llama.cpp's names."""
    return {
        "prompt": prompt,
        "stream": True,
        "return_progress": True,
        "cache_prompt": False,
        "max_tokens": params.max_new_tokens,
        "seed": seed,
        "samplers": ["penalties", "top_k", "top_p", "min_p", "temperature"],
        "temperature": params.temperature,
        "top_k": params.top_k,
        "top_p": params.top_p,
        "min_p": params.min_p,
        "repeat_penalty": params.repetition_penalty,
        "repeat_last_n": REPEAT_WINDOW,
        "stop": [params.stop] if params.stop else [],
    }


def _as_error(error: Mapping[str, Any], params: TextParams) -> GenerationFailed | InvalidInput:
    if error.get("type") == "exceed_context_size_error":
        needed, fits = int(error.get("n_prompt_tokens", 0)), int(error.get("n_ctx", 0))
        whole = "The conversation" if params.messages else "The prompt"
        return InvalidInput(
            f"{whole} is {needed:,} tokens long; this model reads {fits:,}.",
            "Shorten it, or start a new conversation." if params.messages else "Shorten it.",
        )
    return GenerationFailed(f"The model could not answer: {str(error.get('message', ''))[:200]}")


FAMILY: Family = LlamaCppFamily()
