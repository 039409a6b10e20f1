"""The controls of one tune, all of them decided: what the panel says, else the prompt, else the custom of the style,
else a draw by the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes.form import BARS_STEP, MAX_BARS, MIN_BARS
from genai_studio.models.tunes.prompt import FASTEST, SLOWEST, Wishes
from genai_studio.models.tunes.tokens import ANY, HIGHEST_STEP, LOWEST_STEP
from genai_studio.score.arrange import ENSEMBLES, INSTRUMENTS
from genai_studio.score.model import METRES, TICKS, Key

AUTO = "auto"
STYLE_METRES = {
    "reel": ("4/4", "2/4"),
    "jig": ("6/8",),
    "slip jig": ("9/8",),
    "hornpipe": ("4/4", "2/4"),
    "strathspey": ("4/4",),
    "march": ("4/4", "2/4", "6/8"),
    "waltz": ("3/4",),
    "air": ("3/4", "4/4", "6/8", "2/4"),
}
"""By style: the metres it is written in, the usual one first."""
_TEMPOS = {
    ("reel", "4/4"): 188, ("reel", "2/4"): 94, ("hornpipe", "4/4"): 152, ("hornpipe", "2/4"): 76,
    ("strathspey", "4/4"): 124, ("jig", "6/8"): 112, ("slip jig", "9/8"): 112, ("waltz", "3/4"): 126,
    ("march", "4/4"): 116, ("march", "2/4"): 92, ("march", "6/8"): 104,
    ("air", "3/4"): 84, ("air", "4/4"): 84, ("air", "6/8"): 54, ("air", "2/4"): 60,
}  # fmt: skip
"""Beats a minute at which players take each."""
_ENSEMBLES = {"air": "harp and flute", "waltz": "string quartet", "march": "marching band"}
_OWN_ENSEMBLES = {"piano": "piano", "harp": "harp and flute", "flute": "harp and flute", "trumpet": "marching band",
                  "cello": "string quartet", "music box": "music box", "square wave": "chiptune"}  # fmt: skip
_BARS = {"air": 16}
_STYLE_DRAW = {"reel": 4, "jig": 4, "hornpipe": 2, "waltz": 3, "air": 3, "march": 2, "slip jig": 1, "strathspey": 1}
_MODE_DRAW = {"major": 12, "minor": 5, "dorian": 3, "mixolydian": 2}
_KEY_DRAW = {"major": ("D", "G", "A", "C", "F", "Bb"), "minor": ("E", "A", "D", "B", "G"),
             "dorian": ("E", "A", "D"), "mixolydian": ("A", "D", "G")}  # fmt: skip


@dataclass(frozen=True)
class Controls:
    """Everything that is decided before the first note."""

    style: str
    key: Key
    metre: str
    tempo: float
    bars: int
    ensemble: str
    instrument: str
    density: str
    tonic: int
    """MIDI pitch of step 0."""
    lowest: int
    highest: int
    """Steps from the tonic that the instrument reaches."""

    @property
    def title(self) -> str:
        """`Jig in D major`."""
        return f"{self.style.capitalize()} in {self.key}"


def decide(chosen: Wishes, asked: Wishes, seed: int) -> Controls:
    """`chosen` on the panel beats `asked` in the prompt; draws for the rest come from `seed`.

    Raises InvalidInput where style and metre do not go together, or the length asked for cannot be reached.
    """
    draw = random.Random(f"{seed}/{asked}")
    drawn_style = draw.choices(list(_STYLE_DRAW), list(_STYLE_DRAW.values()))[0]
    drawn_mode = draw.choices(list(_MODE_DRAW), list(_MODE_DRAW.values()))[0]
    style, metre = _style_and_metre(chosen, asked, drawn_style)
    mode = chosen.mode or asked.mode or drawn_mode
    keys = _KEY_DRAW[mode]
    key = Key(chosen.key or asked.key or draw.choices(keys, range(len(keys), 0, -1))[0], mode)
    tempo = float(chosen.tempo_bpm or asked.tempo_bpm or _usual_tempo(style, metre, asked.pace))
    bars = chosen.bars or asked.bars
    if not bars and asked.seconds:
        bars = _bars_for(asked.seconds, tempo, metre)
    ensemble, instrument = _players(chosen, asked, style)
    low, high = INSTRUMENTS[instrument].lowest, INSTRUMENTS[instrument].highest
    tonic = _tonic(key.pitch_class, low, high)
    return Controls(
        style, key, metre, tempo, bars or _BARS.get(style, 32), ensemble, instrument,
        chosen.density or asked.density or ANY, tonic, max(LOWEST_STEP, low - tonic), min(HIGHEST_STEP, high - tonic),
    )  # fmt: skip


def _style_and_metre(chosen: Wishes, asked: Wishes, drawn: str) -> tuple[str, str]:
    style, metre = chosen.style or asked.style, chosen.metre or asked.metre
    if style and metre and metre not in STYLE_METRES[style]:
        if chosen.style and not chosen.metre:
            metre = ""
        elif chosen.metre and not chosen.style:
            style = ""
        else:
            raise InvalidInput(f"A {style} is in {' or '.join(STYLE_METRES[style])}, not in {metre}.")
    if not style:
        fitting = [name for name, metres in STYLE_METRES.items() if not metre or metre in metres]
        style = drawn if drawn in fitting else fitting[0]
    return style, metre or STYLE_METRES[style][0]


def _usual_tempo(style: str, metre: str, pace: float) -> int:
    return max(SLOWEST, min(FASTEST, round(_TEMPOS[style, metre] * pace)))


def _bars_for(seconds: float, tempo: float, metre: str) -> int:
    """The number of bars, in fours, that comes nearest to `seconds`."""
    beat = TICKS * 3 // 2 if metre in ("6/8", "9/8") else TICKS
    bar_seconds = METRES[metre] / beat * 60 / tempo
    bars = BARS_STEP * round(seconds / bar_seconds / BARS_STEP)
    if not MIN_BARS <= bars <= MAX_BARS:
        least, most = MIN_BARS * bar_seconds, MAX_BARS * bar_seconds
        raise InvalidInput(
            f"The prompt asks for {seconds:g} seconds; at this tempo a tune lasts {least:.0f} to {most:.0f} seconds."
        )
    return bars


def _players(chosen: Wishes, asked: Wishes, style: str) -> tuple[str, str]:
    instrument = chosen.instrument or asked.instrument
    ensemble = chosen.ensemble or asked.ensemble
    if chosen.ensemble and not chosen.instrument:
        instrument = ""  # the ensemble that was chosen brings its own lead
    ensemble = ensemble or _OWN_ENSEMBLES.get(instrument) or _ENSEMBLES.get(style, "folk band")
    return ensemble, instrument or ENSEMBLES[ensemble].lead


def _tonic(pitch_class: int, lowest: int, highest: int) -> int:
    """The octave of the tonic that gives a tune, a fourth below to a tenth above it, most room."""
    choices = [pitch_class + octave for octave in (60, 48, 72, 36)]
    return min(choices, key=lambda tonic: max(0, lowest - (tonic - 5)) + max(0, tonic + 16 - highest))
