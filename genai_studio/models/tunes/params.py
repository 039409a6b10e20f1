"""The controls of a tune as the panel shows them: each bound, title and help once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from genai_studio.domain.fields import panel
from genai_studio.domain.music import MusicParams
from genai_studio.models.tunes.controls import AUTO
from genai_studio.models.tunes.form import BARS_STEP, MAX_BARS, MIN_BARS
from genai_studio.models.tunes.prompt import FASTEST, SLOWEST, Wishes


def _tempo_or_auto(tempo: int) -> int:
    if tempo and tempo < SLOWEST:
        raise ValueError(f"is {tempo}; allowed is {SLOWEST} to {FASTEST}, or 0 for the style's own")
    return tempo


def _bars_or_auto(bars: int) -> int:
    if bars and (bars < MIN_BARS or bars % BARS_STEP):
        raise ValueError(f"is {bars}; allowed is {MIN_BARS} to {MAX_BARS} in fours, or 0 for the style's own")
    return bars


Style = Annotated[
    Literal["auto", "reel", "jig", "slip jig", "hornpipe", "strathspey", "march", "waltz", "air"],
    Field(
        title="Style",
        description="The kind of tune. auto follows the prompt.",
        json_schema_extra=panel("essential", "choice"),
    ),
]
KeyName = Annotated[
    Literal["auto", "C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"],
    Field(title="Key", description="The note it comes home to.", json_schema_extra=panel("essential", "choice")),
]
Mode = Annotated[
    Literal["auto", "major", "minor", "dorian", "mixolydian"],
    Field(
        title="Mode",
        description="Major is bright, minor is sad, dorian is old and misty, mixolydian is rustic.",
        json_schema_extra=panel("essential", "choice"),
    ),
]
Metre = Annotated[
    Literal["auto", "2/4", "3/4", "4/4", "6/8", "9/8"],
    Field(title="Metre", description="Beats in a bar.", json_schema_extra=panel("more", "choice")),
]
# The bounds stand before the validators: after them, pydantic leaves them out of the JSON schema.
Tempo = Annotated[
    int,
    Field(
        ge=0,
        le=FASTEST,
        title="Tempo",
        description="Beats a minute; in 6/8 and 9/8 the beat is a dotted quarter. 0 is the style's own tempo.",
        json_schema_extra=panel("essential", "slider", 1),
    ),
    AfterValidator(_tempo_or_auto),
]
Bars = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_BARS,
        title="Bars",
        description="8 to 64, in fours. 0 is the style's own length.",
        json_schema_extra=panel("essential", "slider", BARS_STEP),
    ),
    AfterValidator(_bars_or_auto),
]
Accompaniment = Annotated[
    Literal[
        "auto", "solo", "piano", "folk band", "string quartet", "harp and flute", "music box", "chiptune",
        "marching band",
    ],
    Field(title="Players", description="Who accompanies the tune.", json_schema_extra=panel("essential", "choice")),
]  # fmt: skip
Lead = Annotated[
    Literal[
        "auto", "fiddle", "flute", "whistle", "piano", "harp", "guitar", "accordion", "banjo", "clarinet", "oboe",
        "cello", "bagpipe", "trumpet", "music box", "square wave",
    ],
    Field(title="Lead", description="The instrument that plays the tune.", json_schema_extra=panel("more", "choice")),
]  # fmt: skip
Density = Annotated[
    Literal["auto", "sparse", "medium", "dense"],
    Field(title="Density", description="Few notes or many.", json_schema_extra=panel("more", "choice")),
]
FileFormat = Annotated[
    Literal["flac", "wav"],
    Field(
        title="Sound file",
        description="Both are lossless; FLAC is half the size.",
        json_schema_extra=panel("more", "choice"),
    ),
]


class TuneParams(MusicParams):
    """Controls of a tune. "auto" and 0 follow the prompt, then the custom of the style, then the seed."""

    style: Style = "auto"
    key: KeyName = "auto"
    mode: Mode = "auto"
    metre: Metre = "auto"
    tempo_bpm: Tempo = 0
    bars: Bars = 0
    accompaniment: Accompaniment = "auto"
    instrument: Lead = "auto"
    density: Density = "auto"
    file_format: FileFormat = "flac"

    def chosen(self) -> Wishes:
        """What the panel itself decides."""
        words = {name: getattr(self, name) for name in ("style", "key", "mode", "metre", "instrument", "density")}
        words = {name: "" if word == AUTO else word for name, word in words.items()}
        ensemble = "" if self.accompaniment == AUTO else self.accompaniment
        return Wishes(tempo_bpm=self.tempo_bpm, bars=self.bars, ensemble=ensemble, **words)
