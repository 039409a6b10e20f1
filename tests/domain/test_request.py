"""Requests resolve their seed once, recipes are the same bytes for the same run, events cross the wire unchanged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genai_studio import errors
from genai_studio.domain import events
from genai_studio.domain.fields import MAX_COUNT, MAX_SEED
from genai_studio.domain.image import ImageParams
from genai_studio.domain.job import Job, JobState
from genai_studio.domain.modality import Modality
from genai_studio.domain.recipe import Comparison, Recipe, parse_recipe
from genai_studio.domain.request import Request, draw_seed, new_id


def request(**values: object) -> Request:
    return Request.make("sticker", Modality.IMAGE, ImageParams.parse({"prompt": "a cat", **values}))


def recipe(**values: object) -> Recipe:
    return Recipe.model_validate({"request": request(seed=7), **values})


# Requests


def test_an_open_seed_is_drawn_before_queueing():
    seeds = {request().seed for _ in range(20)}
    assert len(seeds) > 15
    assert all(0 <= seed <= MAX_SEED - MAX_COUNT for seed in seeds)
    assert request(seed=0).seed == 0
    assert request(seed=MAX_SEED).params["seed"] == MAX_SEED


def test_a_drawn_seed_leaves_room_for_the_largest_batch():
    assert max(draw_seed() for _ in range(1000)) + MAX_COUNT <= MAX_SEED


def test_a_request_holds_plain_values_and_survives_json():
    made = Request.make("m", Modality.IMAGE, ImageParams.parse({"prompt": "海", "seed": 3}), {"image": "abc-00"})
    assert Request.model_validate_json(made.model_dump_json()) == made
    assert (made.count, made.prompt, made.seed, made.inputs) == (1, "海", 3, {"image": "abc-00"})
    with pytest.raises(ValidationError):
        Request.model_validate({**made.model_dump(), "extra": 1})


def test_ids_sort_by_time_and_are_safe_in_paths():
    ids = [new_id() for _ in range(50)]
    assert len(set(ids)) == 50
    assert sorted(ids, key=lambda one: one[:12]) == ids
    assert all(one.isalnum() and len(one) == 20 for one in ids)


def test_a_job_ends_in_every_state_but_two():
    assert {state for state in JobState if not state.ended} == {JobState.QUEUED, JobState.RUNNING}
    job = Job(id="1", owner="local", request=request(seed=1), state=JobState.QUEUED, position=1.0, created=0.0)
    assert Job.model_validate_json(job.model_dump_json()) == job


# Recipes


def test_the_portable_recipe_leaves_out_what_differs_between_two_runs():
    one = recipe(timings={"load": 1.0}, environment={"b": "1", "a": "2"}, files={"x": "0" * 64})
    two = recipe(timings={"load": 9.0}, environment={"a": "2", "b": "1"}, files={"x": "0" * 64})
    assert one.portable() == two.portable()
    assert "timings" not in one.portable()
    assert parse_recipe(one.portable()) == one.model_copy(update={"timings": {}})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "{",
        '{"request": 1}',
        "<img src=x onerror=alert(1)>",
        '{"request": {"model": "m"}}',
        "NaN",
    ],
)
def test_what_is_not_ours_is_no_recipe(text):
    assert parse_recipe(text) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_no_json_makes_parse_recipe_raise(value):
    text = json.dumps(value)
    assert parse_recipe(text) is None or isinstance(value, dict)


def test_a_deeply_nested_text_is_no_recipe():
    assert parse_recipe("[" * 100_000) is None


def test_a_recipe_of_a_later_version_is_read_without_what_is_new():
    data = json.loads(recipe().portable()) | {"version": 9, "novelty": {"a": 1}}
    read = parse_recipe(json.dumps(data))
    assert read is not None
    assert read.request == recipe().request


def test_differences_name_what_changed():
    one = recipe(environment={"torch": "2.12", "threads": "1"}, files={"model": "aa"})
    two = recipe(environment={"torch": "2.13", "threads": "1", "new": "1"}, files={"model": "bb"}, rungs=["tiling"])
    assert one.differences(one) == {}
    assert one.differences(two) == {
        "torch": ("2.12", "2.13"),
        "new": ("absent", "1"),
        "model": ("aa", "bb"),
        "rungs": ("", "tiling"),
    }
    assert {name: pair[::-1] for name, pair in one.differences(two).items()} == two.differences(one)


def test_the_verdict_as_a_sentence():
    assert Comparison(verdict="identical").sentence() == "Identical: the same bytes as before."
    assert Comparison(verdict="differs", amount=0.0123).sentence().startswith("Differs by 1.23%")
    changed = Comparison(verdict="environment differs", amount=0.5, changes={"torch": ("2.12", "2.13")}).sentence()
    assert "torch: 2.12 before, 2.13 now" in changed


# Events


EVENTS = [
    events.Queued(job="j", ahead=2),
    events.Loading(job="j", model="m", message="Downloading", fraction=0.5),
    events.Progress(job="j", step=1, total=4, phase="decoding", index=3),
    events.Preview(job="j", path="j/preview.webp"),
    events.Token(job="j", text="海\n<b>\u2028"),
    events.Notes(job="j", notes=[events.Note(part=0, pitch=60, start=0.5, duration=1.0)], parts=["Fiddle"]),
    events.Output(job="j", record="j-00"),
    events.Finished(job="j", seconds=1.5),
    events.Failed(job="j", error="NoNetwork", message="No.", hint="Yes."),
    events.CancelledEvent(job="j"),
    events.InterruptedEvent(job="j"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_event_crosses_the_wire_on_one_line(event):
    line = event.model_dump_json()
    assert "\n" not in line
    assert events.EVENT.validate_json(line) == event
    assert type(events.EVENT.validate_json(line)) is type(event)


def test_the_endings_are_the_events_that_end():
    assert {event.kind for event in EVENTS if isinstance(event, events.ENDINGS)} == {
        "finished", "failed", "cancelled", "interrupted",
    }  # fmt: skip


@pytest.mark.parametrize("line", ["{}", '{"kind": "nonsense", "job": "j"}', '{"kind": "token", "job": "j", "more": 1}'])
def test_nonsense_on_the_wire_is_refused(line):
    with pytest.raises(ValidationError):
        events.EVENT.validate_json(line)


# Errors


def test_every_error_crosses_by_its_name_and_reads_as_a_sentence():
    for name, kind in errors.BY_NAME.items():
        assert kind.__name__ == name
        assert issubclass(kind, errors.StudioError)
        error = kind("It broke.", "Try again.")
        assert (error.message, error.hint, error.sentence) == ("It broke.", "Try again.", "It broke. Try again.")
    assert errors.InvalidInput("No.").sentence == "No."


def test_the_docstring_draws_every_error():
    assert errors.__doc__ is not None
    assert all(name in errors.__doc__ for name in errors.BY_NAME)
