"""The named endpoints, through a real page and its HTTP: what they give, and what they refuse in one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from genai_studio.settings import Settings
from genai_studio.studio import Studio
from genai_studio.ui import api


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One for all tests here: mounting a page takes longer than calling it."""
    settings = Settings.read({}, home=tmp_path_factory.mktemp("home"), demo=True, threads=1)
    with Studio(settings, inline=True) as running:
        yield running


@pytest.fixture(scope="module")
def client(studio: Studio) -> Iterator[TestClient]:
    with gr.Blocks(analytics_enabled=False) as blocks:
        api.build(studio)
    app = gr.mount_gradio_app(FastAPI(), blocks, path="", ssr_mode=False, run_history=False)
    with TestClient(app) as client:
        yield client


def call(client: TestClient, name: str, body: str) -> tuple[str, Any]:
    """The kind of answer, "complete" or "error", and what it holds. `body` is raw JSON, so that it can be wrong."""
    headers = {"content-type": "application/json"}
    event = client.post(f"/gradio_api/call/{name}", content=body, headers=headers).json()["event_id"]
    lines = client.get(f"/gradio_api/call/{name}/{event}").text.strip().splitlines()
    kind, data = lines[-2].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))
    return kind, data["error"] if kind == "error" else data[0]


def test_the_same_seed_gives_the_same_bytes_and_the_gallery_has_them(client: TestClient) -> None:
    body = '{"data": ["an ochre fox", {"seed": 7, "count": 2}, null]}'
    kind, first = call(client, "generate_image", body)
    _, second = call(client, "generate_image", body)
    assert kind == "complete"
    assert [one["sha256"] for one in first] == [one["sha256"] for one in second]
    assert [one["seed"] for one in first] == [7, 8]
    _, gallery = call(client, "gallery", '{"data": ["ochre", "image", 50, null]}')
    assert len(gallery["records"]) == 4
    _, page = call(client, "gallery", '{"data": ["ochre", null, 3, null]}')
    _, rest = call(client, "gallery", json.dumps({"data": ["ochre", None, 3, page["next"]]}))
    assert len({one["id"] for one in page["records"] + rest["records"]}) == 4


def test_text_music_and_enlarging(client: TestClient) -> None:
    assert call(client, "generate_text", '{"data": ["sea", {"seed": 1}, null]}')[1][0]["modality"] == "text"
    assert "midi" in call(client, "generate_music", '{"data": ["jig", null, "demo-music"]}')[1][0]["downloads"]
    _, [picture] = call(client, "generate_image", '{"data": ["a fox", null, null]}')
    _, [large] = call(client, "upscale", json.dumps({"data": [picture["id"], 2]}))
    assert large["recipe"]["request"]["inputs"] == {"image": picture["id"]}


def test_jobs_and_cancel(client: TestClient, studio: Studio) -> None:
    studio.pause()
    job = studio.submit(studio.request("demo-image", {"prompt": "a fox"}))
    _, jobs = call(client, "jobs", '{"data": ["queued", 50]}')
    assert [one["id"] for one in jobs] == [job.id]
    assert call(client, "cancel", json.dumps({"data": [job.id]}))[1] == {"id": job.id, "state": "cancelled"}
    studio.resume()
    assert call(client, "models", '{"data": []}')[1][0]["id"] == "demo-image"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("generate_image", '{"data": ["", null, null]}'),
        ("generate_image", '{"data": [7, null, null]}'),
        ("generate_image", '{"data": [true, null, null]}'),
        ("generate_image", '{"data": ["\\ud800", null, null]}'),
        ("generate_image", '{"data": ["a\\u0000b", null, null]}'),
        ("generate_image", '{"data": ["x", [1], null]}'),
        ("generate_image", '{"data": ["x", {"guidance_scale": NaN}, null]}'),
        ("generate_image", '{"data": ["x", {"guidance_scale": Infinity}, null]}'),
        ("generate_image", '{"data": ["x", {"count": true}, null]}'),
        ("generate_image", '{"data": ["x", {"count": "7"}, null]}'),
        ("generate_image", '{"data": ["x", {"seed": 18446744073709551616}, null]}'),
        ("generate_image", '{"data": ["x", {"bogus": 1}, null]}'),
        ("generate_image", '{"data": ["x", {"owner": "bob"}, null]}'),
        ("generate_image", '{"data": ["x", {"side": 63}, null]}'),
        ("generate_image", '{"data": ["x", null, "nothing"]}'),
        ("generate_image", '{"data": ["x", null, 7]}'),
        ("generate_image", '{"data": ["x", null, "demo-text"]}'),
        ("generate_image", '{"data": ["x", null, "demo-upscale"]}'),
        ("upscale", '{"data": ["nothing", 2]}'),
        ("upscale", '{"data": [7, 2]}'),
        ("jobs", '{"data": ["odd", 50]}'),
        ("jobs", '{"data": [null, NaN]}'),
        ("cancel", '{"data": ["nothing"]}'),
        ("cancel", '{"data": [{}]}'),
        ("gallery", '{"data": [7, null, 50, null]}'),
        ("gallery", '{"data": ["", "film", 50, null]}'),
        ("gallery", '{"data": ["", null, true, null]}'),
        ("gallery", '{"data": ["", null, 50, "odd"]}'),
    ],
)
def test_what_is_wrong_is_one_sentence(client: TestClient, studio: Studio, name: str, body: str) -> None:
    before = len(studio.jobs(limit=None))
    kind, sentence = call(client, name, body)
    assert kind == "error"
    assert sentence.endswith((".", "?"))
    assert "Something went wrong" not in sentence
    assert "Traceback" not in sentence
    assert len(studio.jobs(limit=None)) == before


def test_a_long_prompt_is_refused(client: TestClient) -> None:
    kind, sentence = call(client, "generate_image", json.dumps({"data": ["x" * 100_000, None, None]}))
    assert (kind, sentence) == ("error", "Prompt has 100,000 characters; at most 20,000 are allowed.")
