"""From words to wishes: what a prompt asks for, by lexicon first, then by meaning for what the lexicon does not know.

What contradicts itself, or asks for what cannot be written, is said in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes import quantities, understanding
from genai_studio.models.tunes.customs import STYLE_METRES
from genai_studio.models.tunes.lexicon import Match, plain, scan, unknown
from genai_studio.models.tunes.quantities import Quantity
from genai_studio.models.tunes.tokens import MODES

READ = 4000
"""Characters of a prompt that are read."""
_ACCOMPANISTS = {"piano": "piano", "harp": "harp and flute", "guitar": "folk band", "cello": "string quartet"}
_BY_MEANING = ("mood", "ensemble")
_PARAMETERS = {"ensemble": "accompaniment", "register": "pitch_range"}

Source = Literal["words", "scene", "meaning"]


@dataclass(frozen=True)
class Wishes:
    """What a prompt or the panel asks for; empty, 0 or -1 where it says nothing. `seconds` is a length."""

    style: str = ""
    mood: str = ""
    key: str = ""
    mode: str = ""
    metre: str = ""
    tempo_bpm: int = 0
    pace: str = ""
    bars: int = 0
    seconds: float = 0.0
    form: str = ""
    ensemble: str = ""
    instrument: str = ""
    density: str = ""
    register: str = ""
    introduction: str = ""
    ending: str = ""
    variation: float = -1.0


@dataclass(frozen=True)
class Found:
    """One wish: the name of the control as in `TuneParams`, a value it can take, and the words that say so.

    `source` is "words" for what was said, "scene" for what a scene brings along, "meaning" for what was guessed.
    """

    field: str
    value: str | int
    words: str
    source: Source


@dataclass(frozen=True)
class _Finding:
    """A value of a field of `Wishes`, and the part of the text that says so."""

    value: Any
    start: int
    end: int
    source: Source = "words"


def read_prompt(prompt: str) -> Wishes:
    """Finds the wishes in `prompt`. Raises InvalidInput for contradictions and for what is outside the limits."""
    return Wishes(**{field: finding.value for field, finding in _read(plain(prompt[:READ])).items()})


def found(prompt: str) -> list[Found]:
    """The wishes in `prompt` one by one, in the order of its words. Raises InvalidInput as `read_prompt` does."""
    text = plain(prompt[:READ])
    shown = prompt if len(prompt[:READ]) == len(text) else text
    findings = sorted(_read(text).items(), key=lambda item: (item[1].start, item[1].end))
    return [
        Found(
            _PARAMETERS.get(field, field),
            round(finding.value) if field == "seconds" else finding.value,
            shown[finding.start : finding.end].strip(),
            finding.source,
        )
        for field, finding in findings
    ]


def _read(text: str) -> dict[str, _Finding]:
    lower = text.lower() if len(text.lower()) == len(text) else text
    matches = scan(lower)
    exact = [match for match in matches if not match.weak]
    findings: dict[str, _Finding] = {}
    tonic, mode = quantities.key(text)
    _keep(findings, "key", tonic)
    _keep(findings, "mode", mode or _only(exact, "mode", "mode"))
    _refuse_unwritten(exact)
    _keep(findings, "style", _style(exact))
    _keep(findings, "metre", quantities.metre(lower))
    _keep(findings, "tempo_bpm", quantities.tempo(lower))
    _keep(findings, "bars", quantities.bars(lower))
    _keep(findings, "seconds", quantities.seconds(lower))
    for field, finding in _players(exact).items():
        _keep(findings, field, finding)
    _keep(findings, "form", quantities.form(text) or next(_values(exact, "form"), None))
    for field in ("mood", "density", "register", "introduction", "ending"):
        _keep(findings, field, next(_values(exact, field), None))
    if "tempo_bpm" not in findings:
        _keep(findings, "pace", _pace(exact))
    if not {"bars", "seconds"} & findings.keys():
        length = next(_values(exact, "bars"), None)
        _keep(findings, "bars", length and Quantity(int(length.value), length.start, length.end))
    _add_scenes(findings, [match for match in matches if match.weak])
    _add_meaning(findings, lower, [(match.start, match.end) for match in matches])
    return findings


def _keep(findings: dict[str, _Finding], field: str, finding: Quantity | None) -> None:
    if finding is not None:
        findings[field] = _Finding(finding.value, finding.start, finding.end)


def _values(matches: Iterable[Match], field: str) -> Iterator[Quantity]:
    """Every value of `field` that is named, in the order of the text."""
    return (Quantity(match.wishes[field], match.start, match.end) for match in matches if field in match.wishes)


def _only(matches: Iterable[Match], field: str, title: str) -> Quantity | None:
    """The one value of `field` that is named. Raises InvalidInput where there are two."""
    named = {value.value: value for value in reversed(list(_values(matches, field)))}
    if len(named) > 1:
        first, second = sorted(named.values(), key=lambda value: value.start)[:2]
        raise InvalidInput(f"The prompt asks for {first.value} and for {second.value}; name one {title}.")
    return next(iter(named.values()), None)


def _refuse_unwritten(matches: Iterable[Match]) -> None:
    for value in _values(matches, "unwritten_mode"):
        known = ", ".join(MODES)
        raise InvalidInput(f"{str(value.value).capitalize()} is not a mode that Tunes can write; it knows {known}.")


def _style(matches: Iterable[Match]) -> Quantity | None:
    named = list(_values(matches, "style"))
    dances = [value for value in named if value.value != "air"]  # "air" is said of any tune: a waltz may be a lullaby
    names = list(dict.fromkeys(value.value for value in dances))
    if len(names) > 1:
        raise InvalidInput(f"The prompt asks for a {names[0]} and a {names[1]}; name one of them.")
    return next(iter(dances or named), None)


def _pace(matches: Iterable[Match]) -> Quantity | None:
    """The strongest pace that is named. Raises InvalidInput for slow and fast together."""
    named = list(_values(matches, "pace"))
    words = [str(value.value) for value in named]
    if any("slow" in word for word in words) and any("fast" in word for word in words):
        raise InvalidInput("The prompt asks for slow and for fast; name one of them.")
    return next((value for value in named if str(value.value).startswith("very")), next(iter(named), None))


def _players(matches: Iterable[Match]) -> dict[str, Quantity]:
    """Ensemble and lead. Of two instruments that are named the one that sings leads, the other accompanies."""
    matches = list(matches)
    ensembles = list(_values(matches, "ensemble"))
    # "a band" says less than "a jazz trio": the longer word is the more exact one.
    longest = max(ensembles, key=lambda value: (value.end - value.start, -value.start), default=None)
    ensemble = next((value for value in ensembles if longest and value.value == longest.value), None)
    named = {value.value: value for value in reversed(list(_values(matches, "instrument")))}
    leads = sorted(named.values(), key=lambda value: (value.value in _ACCOMPANISTS, value.start))
    leads = [value for value in leads if ensemble is None or value.value != ensemble.value]
    if ensemble is None and len(leads) > 1 and leads[-1].value in _ACCOMPANISTS:
        last = leads[-1]
        ensemble = Quantity(_ACCOMPANISTS[str(last.value)], last.start, last.end)
    players = {"ensemble": ensemble, "instrument": next(iter(leads), None)}
    return {field: value for field, value in players.items() if value is not None}


def _add_scenes(findings: dict[str, _Finding], scenes: Iterable[Match]) -> None:
    """What the scenes bring along, where nothing more exact is said and style and metre still go together.

    The scene of the most words comes first: a rainy day in a coffee shop is the coffee shop's.
    """
    for scene in sorted(scenes, key=lambda scene: (scene.start - scene.end, scene.start)):
        for field, value in scene.wishes.items():
            if field in findings or (field == "pace" and "tempo_bpm" in findings):
                continue
            if field == "instrument" and "ensemble" in findings and findings["ensemble"].source == "words":
                continue
            finding = _Finding(value, scene.start, scene.end, "scene")
            if _go_together({**findings, field: finding}):
                findings[field] = finding


def _add_meaning(findings: dict[str, _Finding], text: str, known: list[tuple[int, int]]) -> None:
    """What the words mean that the lexicon does not know, for the fields that are still open."""
    open_fields = [field for field in _BY_MEANING if field not in findings]
    known = known + [(finding.start, finding.end) for finding in findings.values()]
    span = unknown(text, known)
    if not open_fields or span is None:
        return
    for field, value in understanding.guess(text[span[0] : span[1]], open_fields).items():
        finding = _Finding(value, *span, "meaning")
        if _go_together({**findings, field: finding}):
            findings[field] = finding


def _go_together(findings: dict[str, _Finding]) -> bool:
    style, metre = findings.get("style"), findings.get("metre")
    return style is None or metre is None or metre.value in STYLE_METRES[style.value]
