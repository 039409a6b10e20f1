"""The controls of a tune as the panel shows them: each bound, title and help once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from genai_studio.domain.fields import panel
from genai_studio.domain.music import MusicParams
from genai_studio.models.tunes.controls import LONGEST
from genai_studio.models.tunes.form import AUTO, BARS_STEP, MAX_BARS, MIN_BARS
from genai_studio.models.tunes.prompt import Wishes
from genai_studio.models.tunes.quantities import FASTEST, SLOWEST


def _tempo_or_auto(tempo: int) -> int:
    if tempo and tempo < SLOWEST:
        raise ValueError(f"is {tempo}; allowed is {SLOWEST} to {FASTEST}, or 0 for the style's own")
    return tempo


def _bars_or_auto(bars: int) -> int:
    if bars and (bars < MIN_BARS or bars % BARS_STEP):
        raise ValueError(f"is {bars}; allowed is {MIN_BARS} to {MAX_BARS} in fours, or 0 for the style's own")
    return bars


def _not_before_the_first(last: int, info: ValidationInfo) -> int:
    first = info.data.get("first_bar", 0)
    if last and last < first:
        raise ValueError(f"is {last}; allowed is {first} or later, as the first bar is {first}")
    return last


Style = Annotated[
    Literal["auto", "reel", "jig", "slip jig", "hornpipe", "strathspey", "march", "waltz", "air"],
    Field(
        title="Style",
        description="The kind of tune. auto follows the prompt.",
        json_schema_extra=panel("essential", "choice"),
    ),
]
Mood = Annotated[
    Literal[
        "auto", "happy", "playful", "festive", "energetic", "heroic", "romantic", "calm", "dreamy", "nostalgic", "sad",
        "solemn", "mysterious", "dark", "tense", "rustic",
    ],
    Field(
        title="Mood",
        description="Brings a mode, a pace and a register, where they are not chosen.",
        json_schema_extra=panel("essential", "choice"),
    ),
]  # fmt: skip
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
Pace = Annotated[
    Literal["auto", "very slow", "slow", "moderate", "fast", "very fast"],
    Field(
        title="Pace",
        description="Beside the style's own tempo. A tempo in beats a minute goes before it.",
        json_schema_extra=panel("more", "choice"),
    ),
]
Bars = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_BARS,
        title="Bars",
        description=f"{MIN_BARS} to {MAX_BARS}, in fours. 0 is the style's own length.",
        json_schema_extra=panel("essential", "slider", BARS_STEP),
    ),
    AfterValidator(_bars_or_auto),
]
Seconds = Annotated[
    int,
    Field(
        ge=0,
        le=LONGEST,
        title="Seconds",
        description="About how long it lasts, where bars are not chosen. 0 leaves it open.",
        json_schema_extra=panel("more", "slider", 5),
    ),
]
FormName = Annotated[
    Literal["auto", "A", "AB", "ABA", "AABA", "AABB", "ABAC", "AABBCC", "rondo"],
    Field(
        title="Form",
        description="The order of the sections. A rondo is A B A C A.",
        json_schema_extra=panel("more", "choice"),
    ),
]
Introduction = Annotated[
    Literal["auto", "none", "4 bars"],
    Field(
        title="Introduction",
        description="Bars that the players open with, before the tune.",
        json_schema_extra=panel("more", "choice"),
    ),
]
Ending = Annotated[
    Literal["auto", "plain", "ritardando", "tag"],
    Field(
        title="Ending",
        description="A ritardando slows down; a tag adds four bars.",
        json_schema_extra=panel("more", "choice"),
    ),
]
Variation = Annotated[
    float,
    Field(
        ge=0.0,
        le=1.0,
        title="Variation",
        description="How much a section changes when it comes back. 0 repeats it note for note.",
        json_schema_extra=panel("more", "slider", 0.05),
    ),
]
Accompaniment = Annotated[
    Literal[
        "auto", "solo", "piano", "folk band", "string quartet", "harp and flute", "music box", "chiptune",
        "marching band", "lo-fi", "jazz trio", "waltz band",
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
PitchRange = Annotated[
    Literal["auto", "low", "middle", "high"],
    Field(
        title="Range",
        description="The part of the lead's range that the tune stays in.",
        json_schema_extra=panel("more", "choice"),
    ),
]
FileFormat = Annotated[
    Literal["flac", "wav"],
    Field(
        title="Sound file",
        description="Both are lossless; FLAC is half the size.",
        json_schema_extra=panel("more", "choice"),
    ),
]

Action = Annotated[
    Literal["compose", "repaint", "continue", "arrange"],
    Field(
        title="Action",
        description="Compose a new piece, or repaint bars of, continue or arrange a given one.",
        json_schema_extra=panel("hidden"),
    ),
]
FirstBar = Annotated[
    int,
    Field(
        ge=0,
        le=512,
        title="First bar",
        description="The first bar to repaint, counted from 1. 0 is the piece's own first.",
        json_schema_extra=panel("hidden"),
    ),
]
LastBar = Annotated[
    int,
    Field(
        ge=0,
        le=512,
        title="Last bar",
        description="The last bar to repaint. 0 is the piece's own last.",
        json_schema_extra=panel("hidden"),
    ),
    AfterValidator(_not_before_the_first),
]
Repeats = Annotated[
    bool,
    Field(
        title="Repeats",
        description="Repaint the bars also where their section comes back.",
        json_schema_extra=panel("hidden"),
    ),
]


class TuneParams(MusicParams):
    """Controls of a tune. "auto" and 0 follow the prompt, then the mood and the custom of the style, then the seed."""

    style: Style = "auto"
    mood: Mood = "auto"
    key: KeyName = "auto"
    mode: Mode = "auto"
    metre: Metre = "auto"
    tempo_bpm: Tempo = 0
    pace: Pace = "auto"
    bars: Bars = 0
    seconds: Seconds = 0
    form: FormName = "auto"
    introduction: Introduction = "auto"
    ending: Ending = "auto"
    variation: Variation = 0.3
    accompaniment: Accompaniment = "auto"
    instrument: Lead = "auto"
    density: Density = "auto"
    pitch_range: PitchRange = "auto"
    file_format: FileFormat = "flac"
    action: Action = "compose"
    first_bar: FirstBar = 0
    last_bar: LastBar = 0
    repeats: Repeats = True

    def chosen(self) -> Wishes:
        """What the panel itself decides."""
        words = {name: "" if (word := getattr(self, name)) == AUTO else word for name in _WORDS}
        ensemble = "" if self.accompaniment == AUTO else self.accompaniment
        return Wishes(
            tempo_bpm=self.tempo_bpm,
            bars=self.bars,
            seconds=float(self.seconds),
            ensemble=ensemble,
            register="" if self.pitch_range == AUTO else self.pitch_range,
            variation=self.variation,
            **words,
        )


_WORDS = (
    "style", "mood", "key", "mode", "metre", "pace", "form", "introduction", "ending", "instrument", "density",
)  # fmt: skip
"""Controls that are one of several words, named as in `Wishes`."""
