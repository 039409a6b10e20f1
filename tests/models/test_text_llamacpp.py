"""GGUF files through llama.cpp: sampling, streaming, stopping, the same text again. A tiny random model stands in for a
real one; the last tests take the real one."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from context import RecordingContext
from tiny_gguf import CONTEXT, write_tiny

from genai_studio.domain.text import TextParams
from genai_studio.errors import Cancelled, InvalidInput
from genai_studio.models.base import ModelFiles
from genai_studio.models.catalog import find
from genai_studio.models.own_files import user_gguf
from genai_studio.models.text_llamacpp import FAMILY, LlamaCpp

# What llama.cpp is given in the tests below; its own limits are not under test.
SHORT = {"prompt": "hello", "max_new_tokens": 24, "temperature": 1.0}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    model = load(write_tiny(tmp_path_factory.mktemp("tiny") / "tiny.gguf"))
    yield model
    model.close()


def load(path: Path) -> LlamaCpp:
    files = ModelFiles({path.name: path}, {path.name: ""}, "file:.")
    model = FAMILY.load(user_gguf(path, path.parent), files, device="cpu", threads=1)
    assert isinstance(model, LlamaCpp)
    return model


def run(model, folder: Path, *, seed: int = 7, stop_after=None, **values) -> RecordingContext:
    context = RecordingContext(folder, seed=seed, stop_after=stop_after)
    model.generate(TextParams.parse({**SHORT, **values}), context)
    return context


def texts(context: RecordingContext) -> list[bytes]:
    return [output[""] for output in context.contents()]


# Writing


def test_what_is_streamed_is_what_is_saved(tiny, tmp_path):
    context = run(tiny, tmp_path, max_new_tokens=200)
    (saved,) = texts(context)
    assert "".join(context.tokens()).encode() == saved
    assert len(context.tokens()) > 50
    assert b"\0" not in saved
    draft = context.drafts[0]
    assert draft.path.suffix == ".txt"
    assert draft.info["tokens"] == 200
    assert draft.info["stop"] == "length"
    assert draft.info["tokens_per_second"] > 0


def test_same_seed_same_text_whatever_ran_before(tiny, tmp_path):
    long = "a long conversation " * 10
    first = texts(run(tiny, tmp_path / "0"))
    order = random.Random(0)
    for number in range(1, 7):
        with pytest.raises(Cancelled):
            run(tiny, tmp_path / f"c{number}", stop_after=order.randrange(12), prompt=order.choice(["hello", long]))
        run(tiny, tmp_path / f"o{number}", prompt=order.choice(["hello", "hello there", long]), seed=number)
        assert texts(run(tiny, tmp_path / f"{number}")) == first
    assert texts(run(tiny, tmp_path / "other", seed=8)) != first


def test_output_i_is_seed_plus_i_alone(tiny, tmp_path):
    together = run(tiny, tmp_path / "all", count=4, seed=20)
    alone = [texts(run(tiny, tmp_path / str(index), seed=20 + index))[0] for index in range(4)]
    assert texts(together) == alone
    assert len(set(alone)) == 4
    assert "".join(together.tokens(2)).encode() == alone[2]


@pytest.mark.parametrize("stop_after", [0, 1, 2, 3, 7])
def test_stop_is_heard_at_the_very_next_call(tiny, tmp_path, stop_after):
    context = RecordingContext(tmp_path, stop_after=stop_after)
    with pytest.raises(Cancelled):
        tiny.generate(TextParams.parse(SHORT), context)
    assert len(context.said) == stop_after
    assert context.drafts == []


def test_a_long_prompt_can_be_stopped_while_it_is_read(tiny, tmp_path):
    context = RecordingContext(tmp_path, stop_when=lambda: len(context.progressed()) == 3)
    with pytest.raises(Cancelled):
        tiny.generate(TextParams.parse({**SHORT, "prompt": "word " * 80}), context)
    steps = context.progressed()
    assert [phase for _, _, phase, _ in steps] == ["reading"] * 3
    assert steps[-1][0] < steps[-1][1]
    assert context.tokens() == []


def test_an_answer_continues_from_its_start(tiny, tmp_path):
    context = run(tiny, tmp_path, prefill="Once upon a ")
    (saved,) = texts(context)
    assert saved == b"Once upon a " + "".join(context.tokens()).encode()
    assert len(context.tokens()) > 1
    assert texts(run(tiny, tmp_path / "free")) != [saved]


def test_the_answer_ends_before_the_stop_words(tiny, tmp_path):
    whole = texts(run(tiny, tmp_path / "whole", max_new_tokens=80))[0].decode()
    word = next(letter for letter in whole[10:] if letter.isascii() and letter.isprintable() and letter != " ")
    context = run(tiny, tmp_path, stop=word, max_new_tokens=80)
    assert texts(context)[0].decode() == whole[: whole.index(word)]
    assert context.drafts[0].info["stop"] == "end"


def test_temperature_zero_takes_the_likeliest(tiny, tmp_path):
    answers = {texts(run(tiny, tmp_path / str(seed), seed=seed, temperature=0.0))[0] for seed in (1, 2, 3)}
    assert len(answers) == 1


@pytest.mark.parametrize(
    "values", [{"top_k": 1}, {"top_p": 0.001}, {"min_p": 1.0}, {"top_k": 0, "top_p": 1.0, "min_p": 0.0}]
)
def test_each_sampling_parameter_arrives(tiny, tmp_path, values):
    loose = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "temperature": 1.2}
    answers = {texts(run(tiny, tmp_path / str(seed), seed=seed, **{**loose, **values}))[0] for seed in (1, 2, 3)}
    assert len(answers) == (3 if values == {name: loose[name] for name in values} else 1)


def test_the_repetition_penalty_arrives(tiny, tmp_path):
    kinds = []
    for penalty in (0.5, 1.0, 2.0):
        context = run(tiny, tmp_path / str(penalty), temperature=0.0, repetition_penalty=penalty, max_new_tokens=60)
        kinds.append(len(set(context.tokens())))
    assert kinds[0] < kinds[2]


def test_system_prompt_and_earlier_turns_play_a_part(tiny, tmp_path):
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    answers = {
        texts(run(tiny, tmp_path / str(number), temperature=0.0, **values))[0]
        for number, values in enumerate([{}, {"system_prompt": "Be odd."}, {"messages": turns}])
    }
    assert len(answers) == 3


def test_a_prompt_that_does_not_fit_says_how_long_it_is(tiny, tmp_path):
    with pytest.raises(InvalidInput, match=r"The prompt is [\d,]+ tokens long; this model reads 512\."):
        run(tiny, tmp_path, prompt="x" * 3000)
    turns = [{"role": "user", "content": "x" * 3000}]
    with pytest.raises(InvalidInput, match="The conversation is"):
        run(tiny, tmp_path, messages=turns)
    assert run(tiny, tmp_path).drafts


def test_an_answer_that_fills_the_context_says_so(tiny, tmp_path):
    info = run(tiny, tmp_path, prompt="x" * 400, max_new_tokens=2000).drafts[0].info
    assert info["stop"] == "context"
    assert info["prompt_tokens"] + info["tokens"] <= CONTEXT + 1


def test_hostile_text_is_only_text(tiny, tmp_path):
    for prompt in ("<img src=x onerror=alert(1)>", "{{ 1/0 }}{% raw %}", "\u202e\u200b", "😀" * 20, "<|im_end|>"):
        assert run(tiny, tmp_path, prompt=prompt).drafts


def test_a_model_that_adds_its_first_token_itself_gets_it_once(tmp_path, tiny):
    template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"
    changed = {"tokenizer.ggml.add_bos_token": True, "tokenizer.chat_template": template}
    model = load(write_tiny(tmp_path / "adds.gguf", changed=changed))
    assert run(model, tmp_path / "out", prompt="hello").drafts[0].info["prompt_tokens"] == 1 + len("hello")
    model.close()


def test_facts_for_the_recipe(tiny):
    environment = tiny.environment()
    assert environment["xllamacpp"]
    assert "AVX" in environment["llama.cpp"] or "NEON" in environment["llama.cpp"]
    assert 1_000_000 < tiny.memory() < 200_000_000


def test_no_port_is_open_and_nothing_is_printed(tmp_path):
    """In a process of its own: what llama.cpp prints does not go through Python."""
    path = write_tiny(tmp_path / "tiny.gguf")
    here, out = str(Path(__file__).parent), str(tmp_path / "out")
    code = f"""
import os, socket, sys
sys.path.insert(0, {here!r})
from pathlib import Path
from test_text_llamacpp import load, run
model = load(Path({str(path)!r}))
run(model, Path({out!r}))
for name in os.listdir("/proc/self/fd"):
    try:
        kind = socket.socket(fileno=os.dup(int(name))).family
    except OSError:
        continue
    assert kind == socket.AF_UNIX, kind
model.close()
"""
    if not Path("/proc/self/fd").exists():
        pytest.skip("looks at /proc")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_loading_and_closing_leaves_nothing_behind(tmp_path):
    import psutil

    path = write_tiny(tmp_path / "tiny.gguf")
    process = psutil.Process()
    load(path).close()
    before = process.num_fds() if hasattr(process, "num_fds") else 0
    threads = process.num_threads()
    for _ in range(3):
        load(path).close()
    deadline = time.monotonic() + 5
    while process.num_threads() > threads and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.num_threads() <= threads
    assert not before or process.num_fds() <= before


# The real one


@pytest.fixture(scope="module")
def smollm(weights):
    spec = find("smollm2-135m-instruct", weights.models)
    model = FAMILY.load(spec, weights(spec), device="cpu", threads=1)
    yield model
    model.close()


@pytest.mark.weights
def test_the_real_model_answers_and_repeats_itself(smollm, tmp_path):
    asked = {"prompt": "What is the capital of France?", "temperature": 0.0, "max_new_tokens": 16}
    first = run(smollm, tmp_path / "a", **asked)
    assert b"Paris" in texts(first)[0]
    with pytest.raises(Cancelled):
        run(smollm, tmp_path / "b", stop_after=4)
    assert texts(run(smollm, tmp_path / "c", **asked)) == texts(first)


@pytest.mark.weights
def test_the_real_model_ends_by_itself(smollm, tmp_path):
    context = run(smollm, tmp_path, prompt="Say hello.", temperature=0.0, max_new_tokens=200)
    assert context.drafts[0].info["stop"] == "end"
    assert "<|im_end|>" not in texts(context)[0].decode()
