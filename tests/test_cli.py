"""The command line over the demo models: flags, results, exit codes and sentences."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import genai_studio.remote
from genai_studio.bench import MEASUREMENTS
from genai_studio.bench.figure import BEST, Figure
from genai_studio.cli import main
from genai_studio.domain.job import JobState
from genai_studio.errors import NoNetwork
from genai_studio.models.base import family_of
from genai_studio.models.catalog import MODELS
from genai_studio.settings import Settings
from genai_studio.studio import Studio


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command line in this process, with models in this process too."""

    def inline(settings: Settings, executors: Any = None) -> Studio:
        return Studio(settings, executors=executors, inline=executors is None)

    monkeypatch.setattr(genai_studio.remote, "Studio", inline)
    monkeypatch.delenv("GENAI_STUDIO_HOME", raising=False)

    def run(*words: str, demo: bool = True) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([*words, "--home", str(home), *(["--demo"] if demo else [])])
        captured = capsys.readouterr()
        return Result(int(left.value.code or 0), captured.out, captured.err)

    return run


@pytest.mark.parametrize("modality", ["image", "text", "music"])
def test_the_same_seed_twice_is_the_same_sha256(run, modality):
    words = ("generate", modality, "--prompt", "Write two lines about the sea", "--seed", "7", "--json")
    first, second = run(*words), run(*words)
    assert (first.code, second.code) == (0, 0)
    [one], [other] = first.json, second.json
    assert one["sha256"] == other["sha256"]
    assert one["id"] != other["id"]
    assert one["seed"] == 7
    assert Path(one["path"]).is_file()
    assert one["seconds"] > 0
    assert one["recipe"]["request"]["params"]["prompt"] == "Write two lines about the sea"
    [different] = run(*words[:-3], "--seed", "8", "--json").json
    assert different["sha256"] != one["sha256"]


def test_count_gives_so_many_with_seeds_in_a_row(run):
    records = run("generate", "image", "sea", "--count", "3", "--seed", "10", "--json").json
    assert [record["seed"] for record in records] == [10, 11, 12]
    assert len({record["sha256"] for record in records}) == 3


def test_out_copies_the_files(run, tmp_path):
    result = run("generate", "music", "jig", "--out", str(tmp_path / "copies"))
    paths = [Path(line) for line in result.out.split()]
    assert paths
    assert {path.parent for path in paths} == {tmp_path / "copies"}
    assert all(path.is_file() for path in paths)
    [record] = run("generate", "image", "sea", "--out", str(tmp_path / "copies"), "--json").json
    assert Path(record["path"]).parent == tmp_path / "copies"
    assert Path(record["path"]).is_file()


def test_text_streams_to_stdout_and_progress_does_not(run):
    result = run("generate", "text", "sea", "--seed", "7")
    [record] = run("generate", "text", "sea", "--seed", "7", "--json").json
    assert result.out.rstrip("\n") == Path(record["path"]).read_text().rstrip("\n")
    assert "Loading" in result.err


@pytest.mark.parametrize("spec", [spec for spec in MODELS if spec.id != "realesrgan"], ids=lambda spec: spec.id)
def test_every_parameter_is_a_flag_with_its_help_and_range(run, spec):
    result = run("generate", spec.modality.value, "--model", spec.id, "--help", demo=False)
    text = " ".join(result.out.split())
    schema = family_of(spec).params.model_json_schema()["properties"]
    for name, field in schema.items():
        if name in spec.hidden:
            continue
        assert f"--{name.replace('_', '-')} " in text
        assert field["description"] in text
        if "minimum" in field and "maximum" in field:
            assert f"From {field['minimum']} to {field['maximum']}." in text


def test_inputs_of_a_model_are_flags(run):
    [record] = run("generate", "image", "sea", "--json").json
    words = ("generate", "image", "--model", "demo-upscale", "--scale", "2", "--json")
    [larger] = run(*words, "--image", record["id"]).json
    assert larger["recipe"]["request"]["inputs"] == {"image": record["id"]}
    without = run(*words)
    assert without.code == 1
    assert len(without.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("generate", "image", "sea", "--num-inference-steps", "500"), "Steps is 500; allowed is from 1 to 150."),
        (("generate", "image", "sea", "--seed", str(2**64)), "Seed is 18446744073709551616"),
        (("generate", "image", "sea", "--guidance-scale", "nan"), "Guidance is nan"),
        (("generate", "image", "sea", "--background", "pink"), "Background is 'pink'; allowed is"),
        (("generate", "image"), "Prompt is missing"),
        (("generate", "image", " "), "Prompt is empty"),
        (("generate", "image", "x" * 100_000), "Prompt has 100,000 characters; at most 20,000"),
        (("generate", "image", "a\udcffb"), "lone surrogate"),
        (("generate", "image", "sea", "--prompt", "sea"), "The prompt is there twice."),
        (("generate", "text", "sea", "--messages", "[{"), "--messages is not valid JSON."),
        (("generate", "text", "sea", "--messages", '[{"role": "boss", "content": "x"}]'), "Conversation"),
        (("generate", "text", "sea", "--model", "smollm"), "There is no model named 'smollm'. Did you mean smollm2"),
        (("generate", "text", "sea", "--model", "demo-image"), "Demo image makes image."),
        (("gallery", "show", "nothing"), "There is no such output."),
        (("gallery", "export", "nothing", "--out", "x"), "There is no such output."),
        (("jobs", "cancel", "nothing"), "There is no such job."),
        (("models", "fetch", "nothing"), "There is no model named 'nothing'."),
        (("bench", "--only", "nothing"), "There is no measurement named 'nothing'."),
        (("gallery", "list", "--port", "99999"), "The port is 99999"),
        (("gallery", "list", "--auth", "ann"), "name:password"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_exits_with_1(run, words, said):
    result = run(*words)
    assert result.code == 1
    assert said in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert result.out == ""


def test_right_to_left_and_markup_in_a_prompt_are_kept_as_they_are(run):
    prompt = "\u202eabc <img src=x onerror=alert(1)> \U0001f98a"
    [record] = run("generate", "text", "--prompt", prompt, "--json").json
    assert record["recipe"]["request"]["params"]["prompt"] == prompt


@pytest.mark.parametrize("words", [("generate", "image", "--no-such-flag"), ("paint",), ("generate", "video")])
def test_a_flag_or_command_that_does_not_exist_exits_with_2(run, words):
    assert run(*words).code == 2


def test_a_data_folder_that_cannot_be_written_is_one_sentence(run, home):
    home.write_text("not a folder")
    result = run("generate", "image", "sea")
    assert result.code == 1
    assert "cannot be written" in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_failed_job_exits_with_1_and_its_sentence(run, monkeypatch):
    def fail(*_: Any, **__: Any) -> None:
        raise NoNetwork("Demo text could not be downloaded.", "Try again.")

    family = family_of(Studio(demo=True).default_model("text"))
    monkeypatch.setattr(family, "load", fail, raising=False)
    result = run("generate", "text", "sea")
    assert (result.code, result.err.splitlines()[-1]) == (1, "Demo text could not be downloaded. Try again.")


def test_an_unexpected_error_is_a_sentence_with_the_details_in_the_log(run, home, monkeypatch):
    monkeypatch.setattr("genai_studio.cli.jobs.open_studio", lambda *_, **__: 1 / 0)
    result = run("jobs", "list")
    assert result.code == 1
    assert "Traceback" not in result.err
    assert "studio.log" in result.err
    assert "ZeroDivisionError" in (home / "studio.log").read_text()


def test_ctrl_c_cancels_the_job_and_exits_with_130(run, monkeypatch):
    watch = Studio.watch

    def interrupted(self: Studio, job_id: str, *rest: Any, **options: Any) -> Any:
        for event in watch(self, job_id, *rest, **options):
            yield event
            raise KeyboardInterrupt

    monkeypatch.setattr(Studio, "watch", interrupted)
    result = run("generate", "image", "sea", "--step-seconds", "5")
    assert result.code == 130
    monkeypatch.undo()
    [job] = json.loads(_jobs(run))
    assert job["state"] == JobState.CANCELLED


def _jobs(run: Run) -> str:
    return run("jobs", "list", "--json").out


def test_the_gallery_from_the_command_line(run, tmp_path):
    [picture] = run("generate", "image", "a lighthouse", "--json").json
    [poem] = run("generate", "text", "a harbour", "--json").json
    ids = [record["id"] for record in run("gallery", "list", "--json").json]
    assert ids == [poem["id"], picture["id"]]
    assert [record["id"] for record in run("gallery", "list", "--modality", "image", "--json").json] == [picture["id"]]
    assert [record["id"] for record in run("gallery", "list", "--model", "demo-text", "--json").json] == [poem["id"]]
    assert [record["id"] for record in run("gallery", "search", "lighthouse", "--json").json] == [picture["id"]]
    assert run("gallery", "search", "submarine", "--json").json == []
    assert run("gallery", "list", "--limit", "1").out.startswith(poem["id"])
    assert run("gallery", "show", picture["id"]).json == picture
    result = run("gallery", "export", picture["id"], poem["id"], "--out", str(tmp_path / "out"))
    assert all(Path(line).is_file() for line in result.out.split())


def test_looking_leaves_waiting_jobs_alone(run, home):
    settings = Settings.read({}, home=home, demo=True)
    with Studio(settings, executors=[]) as studio:
        job = studio.submit(studio.request("demo-image", {"prompt": "sea"}))
    assert [(row["id"], row["state"]) for row in json.loads(_jobs(run))] == [(job.id, "queued")]
    assert run("jobs", "list", "--state", "finished").out == ""
    assert run("jobs", "cancel", job.id).code == 0
    assert [row["state"] for row in json.loads(_jobs(run))] == ["cancelled"]


def test_models_are_listed_with_what_they_cost(run):
    rows = run("models", "list", "--json", demo=False).json
    assert {row["id"] for row in rows} == {spec.id for spec in MODELS}
    text = next(row for row in rows if row["id"] == "smollm2-135m-instruct")
    assert (text["present"], text["licence"]) == (False, "Apache-2.0")
    assert text["download"] > 50_000_000
    assert "MB to download" in run("models", "list", demo=False).out


def test_fetch_reports_and_fails_in_one_sentence(run, monkeypatch):
    def fetch(self: Studio, model: str, progress: Callable[[float | None, str], None]) -> None:
        progress(0.5, "Downloading")
        raise NoNetwork("It could not be downloaded.", "Try again.")

    monkeypatch.setattr(Studio, "fetch", fetch)
    result = run("models", "fetch", "smollm2-135m-instruct")
    assert result.code == 1
    assert result.err.splitlines() == ["Downloading", "It could not be downloaded. Try again."]


def test_training_flags_come_from_the_function(run, monkeypatch):
    module = ModuleType("train")
    given: dict[str, Any] = {}

    def train(*, data: Path, minutes: float = 25, threads: int = 2, compiled: bool = True) -> None:
        given.update(data=data, minutes=minutes, threads=threads, compiled=compiled)

    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "genai_studio.models.sticker.train", module)
    assert run("train", "sticker", "train", "--data", "d", "--no-compiled", "--threads", "1").code == 0
    assert given == {"data": Path("d"), "minutes": 25.0, "threads": 1, "compiled": False}
    assert run("train", "sticker", "train").code == 2
    monkeypatch.setitem(sys.modules, "genai_studio.models.tunes.train", None)
    missing = run("train", "tunes", "prepare")
    assert missing.code == 1
    assert "needs the package" in missing.err


@pytest.mark.parametrize(
    ("figure", "good", "shown"),
    [
        (Figure("a", 1.2, "s", 1.0, "bare", "ratio", 1.4), True, "ratio 1.200; at most 1.4: yes"),
        (Figure("a", 0.9, "x", 1.0, "bare", "ratio", 0.95, BEST), False, "at least 0.95: NO"),
        (Figure("a", 100, "ms", 10, "bare", "difference", 80), False, "difference 90 ms; at most 80 ms: NO"),
        (Figure("a", 250, "MB", judged="value", limit=300), True, "250 MB; at most 300 MB: yes"),
        (Figure("a", 3, "s"), None, "a: 3 s"),
    ],
)
def test_figures_are_judged_as_they_say(figure, good, shown):
    assert figure.good is good
    assert shown in figure.line()


def test_bench_prints_each_figure(run, monkeypatch):
    monkeypatch.setitem(MEASUREMENTS, "text", lambda settings: iter([Figure("made up", 2, "s", 1, "bare", "ratio", 3)]))
    assert "made up: 2 s; bare 1 s; ratio 2.000" in run("bench", "--only", "text").out
    [figure] = run("bench", "--only", "text", "--json").json
    assert (figure["ratio"], figure["good"]) == (2.0, True)


def test_a_reader_that_has_seen_enough_is_no_error(run, monkeypatch):
    run("generate", "text", "sea")

    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(SystemExit):
        main(["gallery", "list", "--demo"])
