"""The three modalities, and the kinds of media their outputs are."""

from __future__ import annotations

from enum import StrEnum


class Modality(StrEnum):
    """What a model makes. Adding one needs its params, one family and one media kind."""

    IMAGE = "image"
    TEXT = "text"
    MUSIC = "music"


class MediaKind(StrEnum):
    """How an output is stored, shown and compared."""

    IMAGE = "image"
    TEXT = "text"
    AUDIO = "audio"
