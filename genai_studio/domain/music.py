"""What the music families share. Symbolic families add key, metre and form; audio families a length in seconds."""

from __future__ import annotations

from genai_studio.domain.fields import OptionalPrompt, Temperature, TopP
from genai_studio.domain.params import Params


class MusicParams(Params):
    """Text to music. An empty prompt is allowed: the controls alone say what to play."""

    prompt: OptionalPrompt = ""
    temperature: Temperature = 0.9
    top_p: TopP = 0.95
