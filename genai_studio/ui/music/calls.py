"""What the room's elements ask while they are looked at: the engraved sheet of a piece."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from genai_studio.errors import NotFound
from genai_studio.score.model import Score
from genai_studio.score.sheet.engrave import Engraving, engrave
from genai_studio.ui.music.pieces import score_of
from genai_studio.ui.server_calls import Answer, Asked, Caller, server_call

if TYPE_CHECKING:
    from genai_studio.studio import Studio


class EngravingAsked(Asked):
    id: Annotated[str, Field(min_length=1, max_length=60)]
    parts: Literal["lead", "all"] = "lead"
    width: Annotated[int, Field(ge=280, le=1400)]


class MusicCalls:
    """Each method sees only the caller's own records."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def all(self) -> list[Any]:
        return [server_call(EngravingAsked, self.music_engraving)]

    def music_engraving(self, caller: Caller, asked: EngravingAsked) -> Answer:
        """The sheet as SVG, its bars as [id, number, seconds], and what sounds when."""
        record = self.studio.gallery.get(asked.id, owner=caller.owner)
        score = score_of(self.studio, record)
        if score is None:
            raise NotFound("This recording has no score.")
        engraving = _engraved(score, asked.width, asked.parts)
        return {
            "svg": engraving.svg,
            "bars": [[bar.id, bar.number, bar.seconds] for bar in engraving.bars],
            "events": engraving.events,
        }


@lru_cache(maxsize=16)
def _engraved(score: Score, width: int, parts: Literal["lead", "all"]) -> Engraving:
    return engrave(score, width=width, parts=parts)
