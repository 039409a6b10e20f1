"""Tunes: seconds of music for each second of waiting, words a second beside a plain `generate`, and peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from genai_studio.bench import direct
from genai_studio.bench.figure import BEST, Figure, middle
from genai_studio.engine.executor import worker_environment
from genai_studio.models.base import ModelFiles, family_of
from genai_studio.models.catalog import find
from genai_studio.models.tunes.params import TuneParams
from genai_studio.settings import Settings
from genai_studio.studio import Studio

RUNS = 5
MODEL = "tunes"
BARS = 32
PIECES: tuple[dict[str, Any], ...] = (
    {"style": "jig", "accompaniment": "folk band"},
    {"style": "waltz", "accompaniment": "string quartet"},
    {"style": "march", "accompaniment": "marching band"},
)
"""Three of different density; their figures are of the three together."""
TIMES_REAL = 20.0
TIMES_GENERATE = 3.0
MOST_MEMORY = 700.0
_CHILD = "import sys; from genai_studio.bench.tunes import *; globals()[sys.argv[1]](*sys.argv[2:])"


class Times(NamedTuple):
    """Seconds of the music, and of the wall clock for each stage and for everything through the family."""

    music: float
    composing: float
    rendering: float
    engraving: float
    together: float


def tunes(settings: Settings) -> Iterator[Figure]:
    """Both halves run in processes of their own, with the threads that a worker has: stages by hand, everything
    through the family, and the plain `generate`; then the height of memory."""
    with Studio(settings) as studio:
        files = direct.files_of(studio, MODEL)
    measured = json.loads(_in_a_worker("print_times", files, settings))
    times = [Times(*run) for run in measured["times"]]
    words = measured["words"]
    note = f"{len(PIECES)} pieces of {BARS} bars, {RUNS} runs, {settings.worker_threads} threads"
    for name in ("composing", "rendering", "engraving"):
        yield Figure(name, middle([run.music / getattr(run, name) for run in times]), "s of music a second", note=note)
    yield Figure(
        "composing, rendering, exports and engraving together",
        middle([run.music / run.together for run in times]),
        "s of music a second",
        judged="value",
        limit=TIMES_REAL,
        bound=BEST,
        note=note,
    )
    for rows, name in ((1, "one"), (0, "as many")):
        yield Figure(
            f"words written, beside {name} by transformers generate",
            middle([ours for ours, _, _ in words]),
            "tokens/s",
            middle([one if rows else many for _, one, many in words]),
            "transformers generate",
            "ratio",
            TIMES_GENERATE,
            BEST,
            note="all proposals counted",
        )
    peak = float(_in_a_worker("print_peak", files, settings))
    yield Figure(
        "peak memory of a process that composes, renders and engraves",
        peak,
        "MB RSS",
        judged="value",
        limit=MOST_MEMORY,
    )


def _in_a_worker(name: str, files: ModelFiles, settings: Settings) -> str:
    """The last line that the function `name` of this module prints, in a process with a worker's environment."""
    paths = json.dumps({name: str(path) for name, path in files.paths.items()})
    command = [sys.executable, "-c", _CHILD, name, paths, str(direct.scratch(settings)), str(settings.worker_threads)]
    done = subprocess.run(
        command, env=worker_environment(settings, "cpu"), capture_output=True, text=True, check=True, timeout=1800
    )
    return done.stdout.splitlines()[-1]


def _loaded(paths: str, folder: str, threads: str) -> Any:
    spec = find(MODEL, Path(folder))
    files = ModelFiles({name: Path(path) for name, path in json.loads(paths).items()}, {}, "here")
    return family_of(spec).load(spec, files, device="cpu", threads=int(threads))


def print_times(paths: str, folder: str, threads: str) -> None:
    """`times` and `words` of RUNS runs as JSON, after one to warm up."""
    model = _loaded(paths, folder, threads)
    _timed(model, Path(folder), seed=1)
    times = [_timed(model, Path(folder), seed=7 + run) for run in range(RUNS)]
    plain = _plain(Path(model.network.folder), int(threads))
    words = [_words(model, plain, seed=7 + run) for run in range(RUNS)]
    sys.stdout.write(json.dumps({"times": times, "words": words}) + "\n")


def print_peak(paths: str, folder: str, threads: str) -> None:
    """Composes, renders, exports and engraves one piece, then prints the megabytes that it took at most."""
    import resource

    from genai_studio.score.document import read_document
    from genai_studio.score.sheet.engrave import engrave

    model = _loaded(paths, folder, threads)
    context = direct.DirectContext(Path(folder), 7, int(threads))
    model.generate(TuneParams.parse(_values(PIECES[0], 7)), context)
    engrave(read_document(context.drafts[0].companions["score"]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"{peak / (1e6 if sys.platform == 'darwin' else 1e3)}\n")


def _values(piece: Mapping[str, Any], seed: int) -> dict[str, Any]:
    return {**piece, "bars": BARS, "key": "D", "mode": "major", "introduction": "none", "ending": "plain", "seed": seed}


def _timed(model: Any, folder: Path, seed: int) -> Times:
    """All of PIECES once: every stage by hand, then through the family."""
    from genai_studio.models.tunes.controls import decide
    from genai_studio.models.tunes.prompt import Wishes
    from genai_studio.score.document import read_document
    from genai_studio.score.sheet.engrave import engrave

    music = composing = rendering = engraving = together = 0.0
    for piece in PIECES:
        params = TuneParams.parse(_values(piece, seed))
        started = time.perf_counter()
        score = _composed(model, params, decide(params.chosen(), Wishes(), seed))
        composing += time.perf_counter() - started
        started = time.perf_counter()
        model.band.play(score, seed)
        rendering += time.perf_counter() - started
        started = time.perf_counter()
        engrave(score)
        engraving += time.perf_counter() - started
        started = time.perf_counter()
        context = direct.DirectContext(folder, seed, 1)
        model.generate(params, context)
        engrave(read_document(context.drafts[0].companions["score"]))
        together += time.perf_counter() - started
        music += score.seconds
    return Times(music, composing, rendering, engraving, together)


def _composed(model: Any, params: Any, controls: Any) -> Any:
    """As the family does it: written, played out, harmonised and arranged."""
    from genai_studio.models.tunes.composing import composed, form_for

    form = form_for(controls)
    return composed(controls, form, _proposals(model, params, controls)[0].tune, params.seed)


def _proposals(model: Any, params: Any, controls: Any) -> Any:
    from genai_studio.models.tunes.composing import form_for, header_for
    from genai_studio.models.tunes.decoding import write
    from genai_studio.models.tunes.family import PROPOSALS

    form = form_for(controls)
    return write(
        model.network, header_for(controls, form), form, lowest=controls.lowest, highest=controls.highest,
        seed=params.seed, temperature=params.temperature, top_p=params.top_p, proposals=PROPOSALS,
    )  # fmt: skip


def _plain(folder: Path, threads: int) -> Any:
    """The same weights as transformers loads them."""
    import torch

    from genai_studio.models.tunes.network import load_network

    torch.set_num_threads(threads)
    return load_network(folder)


def _words(model: Any, plain: Any, seed: int) -> tuple[float, float, float]:
    """Tokens a second: ours over all proposals, then `generate` for one text and for as many side by side."""
    import torch

    from genai_studio.models.tunes.controls import decide
    from genai_studio.models.tunes.prompt import Wishes
    from genai_studio.models.tunes.tokens import HEADER_WORDS, encode

    params = TuneParams.parse(_values(PIECES[0], seed))
    controls = decide(params.chosen(), Wishes(), seed)
    started = time.perf_counter()
    texts = [encode(proposal.tune) for proposal in _proposals(model, params, controls)]
    ours = sum(map(len, texts)) / (time.perf_counter() - started)
    header = torch.tensor([texts[0][: HEADER_WORDS + 1]])
    length = max(map(len, texts)) - header.shape[1]
    rates = []
    for rows in (1, len(texts)):
        torch.manual_seed(seed)
        started = time.perf_counter()
        with torch.inference_mode():
            plain.generate(
                header, attention_mask=torch.ones_like(header), do_sample=True, temperature=params.temperature,
                top_p=params.top_p, num_return_sequences=rows, min_new_tokens=length, max_new_tokens=length,
            )  # fmt: skip
        rates.append(rows * length / (time.perf_counter() - started))
    return ours, rates[0], rates[1]
