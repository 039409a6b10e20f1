"""The studio as its users see it: one object, from a prompt to a record, and what it refuses."""

from __future__ import annotations

import pytest

from genai_studio.domain.events import Output, Token
from genai_studio.domain.modality import Modality
from genai_studio.domain.request import Request
from genai_studio.errors import InvalidInput, NotAllowed, NotFound
from tests.jobs import finish, slow

# From a prompt to a record


@pytest.mark.parametrize("modality", list(Modality))
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(studio, modality):
    one, two, other = (studio.generate(modality.value, "a red apple", seed=seed)[0] for seed in (7, 7, 8))
    assert one.sha256 == two.sha256 != other.sha256
    assert one.content_sha256 != other.content_sha256
    assert one.modality is modality
    assert studio.gallery.open(one.id).stat().st_size == one.size


def test_output_i_uses_seed_plus_i(studio):
    batch = studio.generate("demo-image", "a cup", seed=5, count=3)
    assert [record.output_index for record in batch] == [0, 1, 2]
    for index, record in enumerate(batch):
        alone = studio.generate("demo-image", "a cup", seed=5 + index)[0]
        assert alone.content_sha256 == record.content_sha256


def test_a_record_carries_all_that_is_needed_to_make_it_again(studio):
    record = studio.generate("music", "a jig", seed=1)[0]
    recipe = studio.read_recipe(studio.gallery.open(record.id))
    assert recipe.request == record.recipe.request
    assert {"studio", "python", "machine", "device", "threads", "soundfile"} <= recipe.environment.keys()
    assert record.recipe.timings.keys() == {"load", "generate"}
    assert recipe.timings == {}
    spec, values, dropped = studio.restore(recipe)
    assert (spec.id, dropped) == ("demo-music", [])
    assert studio.request(spec.id, values) == record.recipe.request


def test_an_old_recipe_is_restored_without_what_is_gone(studio):
    recipe = studio.generate("image", "a cup", seed=1)[0].recipe
    params = {**recipe.request.params, "sampler": "old", "num_inference_steps": 9999}
    recipe = recipe.model_copy(update={"request": recipe.request.model_copy(update={"params": params})})
    _, values, dropped = studio.restore(recipe)
    assert sorted(dropped) == ["num_inference_steps", "sampler"]
    assert values["prompt"] == "a cup"


def test_an_action_on_a_record_takes_its_file_and_remembers_it(studio):
    image = studio.generate("image", "a cup", seed=1)[0]
    larger = studio.generate("demo-upscale", inputs={"image": image.id}, scale=2)[0]
    assert (larger.width, larger.height) == (2 * image.width, 2 * image.height)
    assert larger.parents == [image.id]


def test_what_was_streamed_is_what_was_saved(studio):
    job = studio.submit(slow(studio, seconds=0.0, count=2))
    events = list(studio.watch(job.id))
    outputs = [event for event in events if isinstance(event, Output)]
    for output in outputs:
        said = "".join(event.text for event in events if isinstance(event, Token) and event.index == output.index)
        assert studio.gallery.open(output.record).read_text() == said
    assert len(outputs) == 2
    assert events[-1].kind == "finished"


def test_make_again_compares_and_makes_only_that_output(studio):
    batch = studio.generate("image", "a cup", seed=5, count=3)
    job = studio.make_again(batch[1].id)
    assert finish(studio, job).kind == "finished"
    (again,) = studio.job(job.id).outputs
    record = studio.gallery.get(again)
    assert record.comparison.verdict == "identical"
    assert (record.comparison.original, record.output_index) == (batch[1].id, 1)
    assert record.sha256 == batch[1].sha256


def test_make_again_without_the_original_is_still_made(studio):
    record = studio.generate("text", "a cup", seed=5)[0]
    studio.pause()
    job = studio.make_again(record.id)
    studio.gallery.purge([record.id])
    studio.resume()
    assert finish(studio, job).kind == "finished"
    assert studio.gallery.get(studio.job(job.id).outputs[0]).comparison is None


# Refused before anything is queued


@pytest.mark.parametrize(
    ("model", "values", "inputs", "error"),
    [
        ("demo-image", {"prompt": ""}, {}, InvalidInput),
        ("demo-image", {"prompt": "x\x00"}, {}, InvalidInput),
        ("demo-image", {"prompt": "x" * 100_000}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "seed": float("nan")}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "seed": True}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "seed": 2**64}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "count": "7"}, {}, InvalidInput),
        ("demo-image", {"prompt": "x", "nonsense": 1}, {}, InvalidInput),
        ("demo-image", {"prompt": "x"}, {"image": "y"}, InvalidInput),
        ("demo-upscale", {}, {}, InvalidInput),
        ("demo-imag", {"prompt": "x"}, {}, NotFound),
    ],
)
def test_bad_input_is_one_sentence_and_queues_nothing(studio, model, values, inputs, error):
    with pytest.raises(error) as refused:
        studio.submit(studio.request(model, values, inputs))
    assert refused.value.message.endswith(".")
    assert len(refused.value.message) < 300
    assert studio.jobs() == []


def test_a_request_made_by_hand_is_checked_as_well(studio):
    good = slow(studio)
    for params in ({**good.params, "seed": -1}, {**good.params, "top_p": 7.0}, {"seed": 3}):
        with pytest.raises(InvalidInput):
            studio.submit(Request(model=good.model, modality=good.modality, params=params))
    for params, modality in ({**good.params}, Modality.IMAGE), ({"prompt": "no seed"}, Modality.TEXT):
        with pytest.raises(InvalidInput, match="not a complete request"):
            studio.submit(Request(model=good.model, modality=modality, params=params))
    with pytest.raises(NotFound):
        studio.submit(Request(model="demo-upscale", modality=Modality.IMAGE, params={"seed": 3}, inputs={"image": "x"}))
    with pytest.raises(InvalidInput, match="choose one first"):
        studio.submit(Request(model="demo-upscale", modality=Modality.IMAGE, params={"seed": 3}))
    assert studio.jobs() == []


@pytest.mark.parametrize("name", ["", "\x00", "\ud800", "../x", "x" * 100_000, "a'b"])
def test_names_from_outside_that_no_record_or_job_has(studio, name):
    for ask in (
        studio.job,
        studio.cancel,
        studio.retry,
        studio.snapshot,
        studio.watch,
        studio.eta,
        studio.make_again,
        studio.model,
        studio.default_model,
        lambda name: studio.submit(studio.request("demo-upscale", {}, {"image": name})),
    ):
        with pytest.raises((NotFound, InvalidInput)):
            ask(name)


def test_nobody_reaches_what_belongs_to_another(studio):
    record = studio.generate("image", "a cup", owner="ann")[0]
    job = record.job
    for reach in (
        lambda: studio.job(job, "bob"),
        lambda: studio.cancel(job, "bob"),
        lambda: studio.retry(job, "bob"),
        lambda: studio.move(job, None, "bob"),
        lambda: studio.make_again(record.id, "bob"),
        lambda: studio.submit(studio.request("demo-upscale", {}, {"image": record.id}), "bob"),
    ):
        with pytest.raises(NotAllowed):
            reach()
    assert studio.jobs("bob") == []
