from __future__ import annotations

import pytest
from steps import request_for, run_here

from genai_studio.domain.events import Loading, Preview, Token
from genai_studio.domain.modality import MediaKind
from genai_studio.engine import context as context_module
from genai_studio.engine.context import JobContext
from genai_studio.engine.manager import DROPPED_OTHERS, ModelManager
from genai_studio.engine.messages import Facts, Run
from genai_studio.errors import Cancelled, GenerationFailed, InvalidInput
from genai_studio.models.base import Draft


@pytest.fixture
def manager(settings, faulty):
    return ModelManager(settings, "cpu")


def test_outputs_come_in_order_with_what_the_recipe_needs(manager, faulty, tmp_path):
    ended, drafts, events = run_here(faulty.spec(), manager, tmp_path, count=3)
    assert ended.outcome == "done"
    assert [draft.index for draft in drafts] == [0, 1, 2]
    assert len({draft.path for draft in drafts}) == 3
    environment = drafts[0].facts.environment
    assert environment.items() >= {"faulty": "yes", "device": "cpu", "threads": "1"}.items()
    assert {"studio", "python", "machine"} <= environment.keys()
    assert isinstance(events[0], Loading)
    assert drafts[0].seconds["load"] > 0 == drafts[1].seconds["load"]


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [("error", "stopped with an error (ZeroDivisionError)"), ("few", "1 of 2 outputs"), ("absent", "not there")],
)
def test_what_a_model_does_wrong_is_one_sentence(manager, faulty, tmp_path, prompt, sentence):
    ended, _, _ = run_here(faulty.spec(), manager, tmp_path, prompt, count=2)
    assert (ended.outcome, ended.error) == ("failed", "GenerationFailed")
    assert sentence in ended.message
    assert "Traceback" not in ended.message + ended.hint
    assert run_here(faulty.spec(), manager, tmp_path)[0].outcome == "done"


def test_a_disk_that_fills_up_is_said_and_half_an_output_is_not_left(manager, faulty, tmp_path):
    ended, drafts, _ = run_here(faulty.spec(), manager, tmp_path, "full", count=3)
    assert (ended.error, len(drafts)) == ("StorageFailed", 1)
    assert "no space left" in ended.message
    assert list(tmp_path.glob("output*")) == [drafts[0].path]


def test_out_of_memory_is_tried_once_more_and_said_in_the_recipe(manager, faulty, tmp_path):
    run_here(faulty.spec("other"), manager, tmp_path)
    faulty.Faulty.memory_errors = 1
    ended, drafts, _ = run_here(faulty.spec(), manager, tmp_path, "memory")
    assert ended.outcome == "done"
    assert [(draft.index, draft.facts.rungs) for draft in drafts] == [(0, [DROPPED_OTHERS])]
    assert manager.loaded == ["faulty"]


def test_out_of_memory_twice_frees_everything_and_fails(manager, faulty, tmp_path):
    run_here(faulty.spec("other"), manager, tmp_path)
    faulty.Faulty.memory_errors = 2
    ended, _, _ = run_here(faulty.spec(), manager, tmp_path, "memory")
    assert (ended.outcome, ended.error) == ("failed", "OutOfMemory")
    assert manager.loaded == []
    assert faulty.Faulty.alive == 0
    assert run_here(faulty.spec(), manager, tmp_path, "memory")[0].outcome == "done"


def test_what_was_streamed_is_not_streamed_twice(manager, faulty, tmp_path):
    faulty.Faulty.memory_errors = 1
    ended, _, events = run_here(faulty.spec(), manager, tmp_path, "tokens")
    assert ended.error == "OutOfMemory"
    assert len([event for event in events if isinstance(event, Token)]) == 1


def test_a_stopped_job_ends_at_the_next_word(manager, faulty, tmp_path):
    calls = []

    def stopped():
        calls.append(1)
        return len(calls) > 10

    ended, drafts, _ = run_here(faulty.spec(), manager, tmp_path, "steps 1000", stopped)
    assert (ended.outcome, drafts) == ("cancelled", [])
    assert len(calls) == 11
    assert manager.loaded == ["faulty"], "the model stays for the next job"


def test_a_job_stopped_before_it_began_loads_nothing(manager, faulty, tmp_path):
    assert run_here(faulty.spec(), manager, tmp_path, stopped=lambda: True)[0].outcome == "cancelled"
    assert faulty.Faulty.alive == 0


@pytest.fixture
def context(faulty, tmp_path):
    said = []
    work = Run(job="job", spec=faulty.spec(), request=request_for(faulty.spec()), staging=tmp_path)
    made = JobContext(work, said.append, lambda: made.stop, device="cpu", threads=1)
    made.said, made.stop = said, False
    return made


def test_previews_are_small_throttled_and_do_not_pile_up(context, faulty, tmp_path, monkeypatch):
    large = faulty.picture(3).resize((800, 400))
    for _ in range(5):
        context.preview(large)
    assert len(context.said) == 1, "five at once are one too many"
    monkeypatch.setattr(context_module, "PREVIEW_GAP", 0.0)
    for _ in range(10):
        context.preview(large)
        context.preview(large, index=1)
    previews = [message.event for message in context.said]
    assert all(isinstance(event, Preview) for event in previews)
    assert len({event.path for event in previews}) == len(previews)
    files = list(tmp_path.iterdir())
    assert len(files) == 2 * context_module.PREVIEWS_KEPT
    from PIL import Image

    with Image.open(tmp_path.parent / tmp_path.name / previews[-1].path.partition("/")[2]) as shown:
        assert shown.size == (512, 256)


def test_every_word_of_a_stopped_job_raises(context, faulty, tmp_path):
    context.model_ready(Facts(source="", files={}, environment={}), 0.0)
    (tmp_path / "x.png").touch()
    context.stop = True
    for speak in (
        context.check,
        lambda: context.progress(1, 2),
        lambda: context.token("x"),
        lambda: context.notes([]),
        lambda: context.preview(faulty.picture(1)),
        lambda: context.output(Draft(MediaKind.IMAGE, tmp_path / "x.png")),
    ):
        with pytest.raises(Cancelled):
            speak()
    assert context.said == []


def test_an_input_that_was_not_given_and_a_file_that_is_not_there(context, tmp_path):
    with pytest.raises(InvalidInput, match="'image'"):
        context.input("image")
    context.model_ready(Facts(source="", files={}, environment={}), 0.0)
    with pytest.raises(GenerationFailed):
        context.output(Draft(MediaKind.IMAGE, tmp_path / "absent.png"))
