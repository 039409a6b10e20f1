"""What the image families share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from genai_studio.domain.fields import Guidance, NegativePrompt, Prompt, Single, Steps, panel
from genai_studio.domain.params import Params

Background = Annotated[
    Literal["transparent", "white"],
    Field(
        title="Background",
        description="Transparent keeps the shape cut out; white fills behind it.",
        json_schema_extra=panel("essential", "choice"),
    ),
]
UpscaleFactor = Annotated[
    Literal[2, 4],
    Field(
        title="Enlarge",
        description="How many times wider and higher.",
        json_schema_extra=panel("essential", "choice"),
    ),
]


class ImageParams(Params):
    """Text to image. A family adds its sizes, styles and schedulers."""

    prompt: Prompt
    negative_prompt: NegativePrompt = ""
    num_inference_steps: Steps = 25
    guidance_scale: Guidance = 4.0


class UpscaleParams(Params):
    """An action on one picture, which is the request's input `image`; the seed plays no part."""

    count: Single = 1
    scale: UpscaleFactor = 2
