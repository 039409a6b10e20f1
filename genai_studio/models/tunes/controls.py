"""The controls of one tune, all of them decided: what the panel says, else the prompt, else the mood, else the custom
of the style, else a draw by the seed."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes.customs import (
    BARS,
    ENSEMBLE_STYLES,
    KEY_DRAW,
    LEAD_ENSEMBLES,
    MODE_DRAW,
    STYLE_DRAW,
    STYLE_ENSEMBLES,
    STYLE_METRES,
    TEMPOS,
)
from genai_studio.models.tunes.form import AUTO, BARS_STEP, fitting_bars, form_of
from genai_studio.models.tunes.moods import MOODS, PACES, Mood
from genai_studio.models.tunes.prompt import Wishes
from genai_studio.models.tunes.quantities import FASTEST, SLOWEST
from genai_studio.models.tunes.tokens import ANY, HIGHEST_STEP, LOWEST_STEP
from genai_studio.score.arranging.arrange import ENSEMBLES, INSTRUMENTS
from genai_studio.score.model import METRES, TICKS, Ending, Key

LONGEST = 300
"""Seconds that a piece may last."""
INTRODUCTION_BARS = TAG_BARS = 4
REGISTER_SPAN = 21
"""Semitones of the lead's range that a low, middle or high tune has to itself: an octave and a sixth."""


@dataclass(frozen=True)
class Controls:
    """Everything that is decided before the first note."""

    style: str
    mood: str
    """Empty where none was asked for."""
    key: Key
    metre: str
    tempo: float
    bars: int
    """All bars that sound, introduction and tag among them."""
    form: str
    introduction: int
    """Bars before the tune."""
    ending: Ending
    variation: float
    ensemble: str
    instrument: str
    density: str
    register: str
    tonic: int
    """MIDI pitch of step 0."""
    lowest: int
    highest: int
    """Steps from the tonic that the tune stays within: what the instrument reaches, or the register's part of it."""

    @property
    def tag(self) -> int:
        """Bars after the form."""
        return TAG_BARS if self.ending == "tag" else 0

    @property
    def title(self) -> str:
        """`Jig in D major`."""
        return f"{self.style.capitalize()} in {self.key}"


def decide(chosen: Wishes, asked: Wishes, seed: int) -> Controls:
    """`chosen` on the panel beats `asked` in the prompt; draws for the rest come from `seed`.

    Raises InvalidInput where style and metre do not go together, and where the length asked for cannot be reached.
    """
    draw = random.Random(f"{seed}/{asked}")
    drawn_style = draw.choices(list(STYLE_DRAW), list(STYLE_DRAW.values()))[0]
    drawn_mode = draw.choices(list(MODE_DRAW), list(MODE_DRAW.values()))[0]
    key_place, opening = draw.random(), draw.random()
    name = chosen.mood or asked.mood
    mood = MOODS.get(name, Mood((drawn_mode,)))
    style, metre = _style_and_metre(chosen, asked, mood, drawn_style)
    mode = chosen.mode or asked.mode or mood.modes[0]
    keys = KEY_DRAW[mode]
    key = Key(chosen.key or asked.key or keys[int(key_place**1.5 * len(keys))], mode)
    ensemble, instrument = players(chosen, asked, style)
    own_ending = "ritardando" if style in ("air", "waltz") else "plain"
    ending = cast(Ending, chosen.ending or asked.ending or own_ending)
    length = _length(chosen, asked, mood, _Kind(style, metre, ensemble, ending), opening)
    register = chosen.register or asked.register or mood.register
    tonic, lowest, highest = _range(key.pitch_class, instrument, register)
    return Controls(
        style, name, key, metre, length.tempo, length.bars, length.form, length.introduction, ending,
        max(chosen.variation, 0.0), ensemble, instrument, chosen.density or asked.density or mood.density or ANY,
        register or ANY, tonic, lowest, highest,
    )  # fmt: skip


def _style_and_metre(chosen: Wishes, asked: Wishes, mood: Mood, drawn: str) -> tuple[str, str]:
    style, metre = chosen.style or asked.style, chosen.metre or asked.metre
    if style and metre and metre not in STYLE_METRES[style]:
        if chosen.style and not chosen.metre:
            metre = ""
        elif chosen.metre and not chosen.style:
            style = ""
        else:
            raise InvalidInput(f"A {style} is in {' or '.join(STYLE_METRES[style])}, not in {metre}.")
    if style:
        return style, metre or STYLE_METRES[style][0]
    home = ENSEMBLE_STYLES.get(chosen.ensemble or asked.ensemble, ())
    likely = sorted(
        home or [(name, "") for name in mood.styles or (drawn,)],
        key=lambda kind: (kind[0] not in mood.styles, kind[0] != drawn),
    )
    kinds = [*likely, *((name, "") for name in STYLE_METRES)]
    style, usual = next(
        (name, usual) for name, usual in kinds if not metre or metre in ((usual,) if usual else STYLE_METRES[name])
    )
    return style, metre or usual or STYLE_METRES[style][0]


@dataclass(frozen=True)
class _Kind:
    """What a length depends on."""

    style: str
    metre: str
    ensemble: str
    ending: str

    @property
    def beats(self) -> float:
        """Beats of a bar, as a tempo counts them."""
        return METRES[self.metre] / (TICKS * 3 // 2 if self.metre in ("6/8", "9/8") else TICKS)

    @property
    def tag(self) -> int:
        return TAG_BARS if self.ending == "tag" else 0


@dataclass(frozen=True)
class _Length:
    tempo: float
    bars: int
    form: str
    introduction: int


def _length(chosen: Wishes, asked: Wishes, mood: Mood, kind: _Kind, opening: float) -> _Length:
    """Tempo, bars in all, form and introduction; `opening` is a draw, 0 to 1.

    Bars and seconds together say the tempo, where that is open. Only a length that nobody asked for gets an
    introduction of its own accord.
    """
    bars = chosen.bars or (0 if chosen.seconds else asked.bars)
    seconds = chosen.seconds or asked.seconds
    exact = chosen.tempo_bpm or (0 if chosen.pace else asked.tempo_bpm)
    if not exact and bars and seconds and not (chosen.pace or asked.pace):
        exact = round(bars * kind.beats * 60 / seconds)
        if not SLOWEST <= exact <= FASTEST:
            raise InvalidInput(
                f"{bars} bars in {seconds:g} seconds are {exact} beats a minute; allowed is {SLOWEST} to {FASTEST}."
            )
    tempo = exact or usual_tempo(kind.style, kind.metre, PACES.get(chosen.pace or asked.pace, mood.pace))
    form = chosen.form or asked.form or AUTO
    wish = chosen.introduction or asked.introduction
    opens = wish == "4 bars" or (
        not (wish or bars or seconds) and kind.ensemble not in ("solo", "music box") and opening < 0.4
    )
    introduction = INTRODUCTION_BARS if opens else 0
    if not bars:
        fits = fitting_bars(form, introduction, kind.tag)
        if seconds:
            bars, tempo = _bars_for(seconds, kind.beats, tempo, bool(exact), fits)
        else:
            usual = introduction + BARS.get(kind.style, 32) + kind.tag
            bars = min(fits, key=lambda count: abs(count - usual))
    try:
        form_of(bars, form, introduction, kind.tag)
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    lasts = bars * kind.beats * 60 / tempo
    if lasts > LONGEST:
        raise InvalidInput(
            f"{bars} bars of {kind.metre} at {tempo} beats a minute last {lasts:.0f} seconds; allowed is {LONGEST}."
        )
    return _Length(float(tempo), bars, form, introduction)


def usual_tempo(style: str, metre: str, pace: float) -> int:
    """Beats a minute: those of the style, `pace` times as fast."""
    return max(SLOWEST, min(FASTEST, round(TEMPOS[style, metre] * pace)))


def _bars_for(seconds: float, beats: float, tempo: int, exact: bool, fits: Sequence[int]) -> tuple[int, int]:
    """Of the numbers of bars in `fits` the one that comes nearest to `seconds`, and the tempo: it gives way where the
    length cannot be had otherwise, unless it is `exact`. `beats` are those of a bar.
    """
    if seconds > LONGEST:
        raise InvalidInput(f"{seconds:g} seconds are too long for a tune; allowed is {LONGEST} at most.")
    bar_seconds = beats * 60 / tempo
    least, most = min(fits), max(count for count in fits if count == min(fits) or count * bar_seconds <= LONGEST)
    if not exact and not least <= seconds / bar_seconds <= most:
        bars = least if seconds / bar_seconds < least else most
        tempo = max(SLOWEST, min(FASTEST, math.ceil(bars * beats * 60 / seconds)))
        bar_seconds = beats * 60 / tempo
    if not least - BARS_STEP < seconds / bar_seconds < most + BARS_STEP:
        raise InvalidInput(
            f"{seconds:g} seconds cannot be reached; at this tempo a tune lasts {least * bar_seconds:.0f} to"
            f" {most * bar_seconds:.0f} seconds."
        )
    return min((count for count in fits if count <= most), key=lambda count: abs(count - seconds / bar_seconds)), tempo


def players(chosen: Wishes, asked: Wishes, style: str) -> tuple[str, str]:
    """Ensemble and lead."""
    instrument = chosen.instrument or asked.instrument
    ensemble = chosen.ensemble or asked.ensemble
    if chosen.ensemble and not chosen.instrument:
        instrument = ""  # the ensemble that was chosen brings its own lead
    ensemble = ensemble or LEAD_ENSEMBLES.get(instrument) or STYLE_ENSEMBLES.get(style, "folk band")
    return ensemble, instrument or ENSEMBLES[ensemble].lead


def _range(pitch_class: int, instrument: str, register: str) -> tuple[int, int, int]:
    """MIDI pitch of the tonic, and the lowest and highest step from it.

    The tonic lies in the octave that gives a tune, a fourth below to a tenth above it, most room.
    """
    low, high = INSTRUMENTS[instrument].lowest, INSTRUMENTS[instrument].highest
    spare = max(0, high - low - REGISTER_SPAN)
    if register:
        low += {"low": 0, "middle": spare // 2, "high": spare}[register]
        high = min(high, low + REGISTER_SPAN)
    choices = [pitch_class + octave for octave in (60, 48, 72, 36, 84)]
    tonic = min(choices, key=lambda tonic: max(0, low - (tonic - 5)) + max(0, tonic + 16 - high))
    return tonic, max(LOWEST_STEP, low - tonic), min(HIGHEST_STEP, high - tonic)
