"""What a request to the tune model promises, and whether the files that came back hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from genai_studio.bench.evaluation.readback import INTRODUCTION, TAG, Reading
from genai_studio.models.tunes.form import AUTO, ORDERS
from genai_studio.models.tunes.params import TuneParams
from genai_studio.score.arranging.arrange import INSTRUMENTS
from genai_studio.score.model import SCALES, TICKS, Key

CONTROLS = ("key", "mode", "metre", "tempo", "bars", "form", "range", "bar lengths", "melody in all files")
BROKEN = "{name}: {wrong}."
_REGISTER_SPAN = 21
"""Semitones of a low, middle or high tune: an octave and a sixth."""


def kept(params: TuneParams, readings: Mapping[str, Reading]) -> dict[str, str]:
    """By control: empty where every file holds it, else what one of them says instead."""
    wrong: dict[str, str] = {}
    for name in CONTROLS:
        checks = (
            f"{format} {found}" for format, reading in readings.items() if (found := _CHECKS[name](params, reading))
        )
        wrong[name] = next(checks, "") if name != "melody in all files" else _same_notes(readings)
    return wrong


def _key(params: TuneParams, reading: Reading) -> str:
    key = Key(params.key, params.mode)
    if reading.fifths != key.fifths:
        return f"has {reading.fifths} sharps in place of {key.fifths}"
    if reading.tonic and reading.mode in ("major", "minor") and reading.tonic != _spelled(key):
        return f"says {reading.tonic} in place of {_spelled(key)}"
    last = reading.melody[-1][2]
    return "" if last % 12 == key.pitch_class else f"ends on {last}"


def _spelled(key: Key) -> str:
    letter, alteration, _ = key.spell(60 + key.pitch_class)
    return letter + ("#" * alteration if alteration > 0 else "b" * -alteration)


def _mode(params: TuneParams, reading: Reading) -> str:
    """The old tunes' passing notes are allowed, one a bar."""
    if reading.mode and reading.mode != params.mode:
        return f"says {reading.mode} in place of {params.mode}"
    scale = {(Key(params.key, params.mode).pitch_class + step) % 12 for step in SCALES[params.mode]}
    outside = sum(pitch % 12 not in scale for _, _, pitch in reading.melody)
    return "" if outside <= reading.bars else f"has {outside} notes outside the scale in {reading.bars} bars"


def _metre(params: TuneParams, reading: Reading) -> str:
    return "" if reading.metre == params.metre else f"says {reading.metre} in place of {params.metre}"


def _tempo(params: TuneParams, reading: Reading) -> str:
    quarters = params.tempo_bpm * (1.5 if params.metre in ("6/8", "9/8") else 1)
    found = reading.quarters_per_minute
    return "" if abs(found - quarters) < 0.05 else f"says {found:g} quarters a minute in place of {quarters:g}"


def _bars(params: TuneParams, reading: Reading) -> str:
    return "" if reading.bars == params.bars else f"has {reading.bars} bars in place of {params.bars}"


def _form(params: TuneParams, reading: Reading) -> str:
    """Introduction, form and tag in their order; what comes back unvaried comes back note for note."""
    letters = reading.letters or "A"  # a sheet of one section bears no marks
    if (letters[:1] == INTRODUCTION) != (params.introduction == "4 bars"):
        return f"begins with {letters[:1]}"
    if (letters[-1:] == TAG) != (params.ending == "tag") and params.form != AUTO:
        return f"ends with {letters[-1:]}"
    body = letters.strip(INTRODUCTION + TAG)
    order = body if params.form == AUTO else ORDERS[params.form]
    if not body or body != order * (len(body) // len(order)):
        return f"has the sections {letters} in place of {order}"
    return ""


def _range(params: TuneParams, reading: Reading) -> str:
    sound = INSTRUMENTS[params.instrument]
    spare = max(0, sound.highest - sound.lowest - _REGISTER_SPAN)
    low = sound.lowest + {"low": 0, "middle": spare // 2, "high": spare}[params.pitch_range]
    high = min(sound.highest, low + _REGISTER_SPAN)
    pitches = [pitch for _, _, pitch in reading.melody]
    return "" if low <= min(pitches) and max(pitches) <= high else f"goes from {min(pitches)} to {max(pitches)}"


def _whole(_params: TuneParams, reading: Reading) -> str:
    return "" if reading.whole else "has a bar that is too short or too long"


def _same_notes(readings: Mapping[str, Reading]) -> str:
    """All files have the same melody: the same pitches, each where it is to within a tick of the score. Lengths are
    not compared, as MIDI's are as played."""
    (first, melody), *others = ((name, reading.melody) for name, reading in readings.items())
    for other, notes in others:
        if [pitch for _, _, pitch in notes] != [pitch for _, _, pitch in melody]:
            return f"{other} has other notes than {first}"
        far = max((abs(there[0] - here[0]) for here, there in zip(melody, notes, strict=True)), default=0)
        if far * TICKS > 1:
            return f"{other} has a note {float(far):.3f} quarters from where {first} has it"
    return ""


_CHECKS: dict[str, Callable[[TuneParams, Reading], str]] = {
    "key": _key,
    "mode": _mode,
    "metre": _metre,
    "tempo": _tempo,
    "bars": _bars,
    "form": _form,
    "range": _range,
    "bar lengths": _whole,
    "melody in all files": lambda _params, _reading: "",
}
