"""The exact wishes of a prompt: key, metre, tempo, bars and seconds, in figures and in words, English and Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes.form import BARS_STEP, MAX_BARS, MIN_BARS, ORDERS
from genai_studio.score.model import METRES

SLOWEST, FASTEST = 40, 240
"""Beats a minute that can be asked for."""

_FIGURE = r"\d{1,6}(?:\.\d{1,3})?"
_ENGLISH_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_ENGLISH_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100}
_ENGLISH_NUMBER = (
    rf"(?:(?:{'|'.join(_ENGLISH_TENS)})(?:[ -](?:{'|'.join(_ENGLISH_UNITS[1:10])}))?"
    rf"|{'|'.join(reversed(_ENGLISH_UNITS))})"
)
_CHINESE_DIGITS = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_CHINESE_NUMBER = "[零一二两三四五六七八九十百]{1,5}"
_NUMBER = rf"(?:{_FIGURE}|(?<![a-z]){_ENGLISH_NUMBER}|{_CHINESE_NUMBER})"

_MODE_WORDS = {"maj": "major", "min": "minor", "m": "minor", "moll": "minor", "dur": "major", "大调": "major",
               "小调": "minor", "多利亚": "dorian", "多里安": "dorian", "混合利底亚": "mixolydian"}  # fmt: skip
_ENGLISH_KEY = re.compile(
    r"(?<![A-Za-z'])(?P<letter>[A-G]|(?<=\bin )[a-g]|(?<=\bkey of )[a-g]"
    r"|[b-g](?=(?:#|♯|♭|b|[ -](?:sharp|flat))?[ -](?:major|minor|dorian|mixolydian)\b))"
    r"(?P<accidental>#|♯|♭|b(?=\W|m)|[ -]?(?i:sharp|flat))?"
    r"(?:[ -]?(?P<mode>(?i:major|minor|maj\b|min\b|dorian|mixolydian|moll\b|dur\b)|m\b(?! I\b|'))(?! key))"
)
_BARE_KEY = re.compile(
    r"\b(?i:in|key of|key:) ?(?i:the key of )?(?P<letter>[A-G])(?P<accidental>#|♯|♭|b|[ -](?i:sharp|flat))?(?![\w'#])"
)
_CHINESE_KEY = re.compile(
    r"(?P<accidental>[升降])?(?P<letter>(?<![A-Za-z])[A-Ga-g])(?P<late>[#b♯♭])?\s*"
    r"(?P<mode>大调|小调|多利亚|多里安|混合利底亚|调(?!式))"
)
_SPELLED = {"C#": "Db", "D#": "Eb", "Gb": "F#", "G#": "Ab", "A#": "Bb", "Cb": "B", "B#": "C", "E#": "F", "Fb": "E"}


@dataclass(frozen=True)
class Quantity:
    """A value that was asked for, and where in the text it stands."""

    value: str | int | float
    start: int
    end: int


def key(text: str) -> tuple[Quantity | None, Quantity | None]:
    """The tonic as in `score.model.KEYS` and the mode named with it. Raises InvalidInput for two keys.

    `text` is as it was typed: a capital A is a note, a small one an article.
    """
    found: list[tuple[str, str, int, int]] = []
    for match in (*_ENGLISH_KEY.finditer(text), *_CHINESE_KEY.finditer(text)):
        groups = match.groupdict()
        word = (groups["mode"] or "").lower()
        mode = "" if word == "调" else _MODE_WORDS.get(word, word)
        accidental = (match["accidental"] or "") + (groups.get("late") or "")
        found.append((_tonic(match["letter"], accidental), mode, *match.span()))
    if not found:
        found = [(_tonic(match["letter"], match["accidental"] or ""), "", match.start("letter"), match.end())
                 for match in _BARE_KEY.finditer(text)]  # fmt: skip
    names = list(dict.fromkeys(each[:2] for each in found))
    if len(names) > 1:
        first, second = (f"{tonic} {mode}".strip() for tonic, mode in names[:2])
        raise InvalidInput(f"The prompt asks for {first} and for {second}; name one key.")
    if not found:
        return None, None
    tonic, mode, start, end = found[0]
    return Quantity(tonic, start, end), Quantity(mode, start, end) if mode else None


def _tonic(letter: str, accidental: str) -> str:
    sign = accidental.strip(" -").lower()
    name = letter.upper() + (
        "#" if sign in ("#", "♯", "sharp", "升") else "b" if sign in ("b", "♭", "flat", "降") else ""
    )
    return _SPELLED.get(name, name)


_METRE = re.compile(
    r"(?<![\d/.])(?<!\d )(?P<beats>\d{1,3})/(?P<unit>\d{1,3})(?![\d/])"
    r"|\b(?P<english>two|three|four|five|six|seven|nine|twelve)(?:-(?=\w+)| (?=\w+ (?:time|met(?:re|er))))"
    r"(?P<of>two|four|eight)\b(?!-)"
    r"|(?P<late>[四八])分之(?P<number>[二三四五六七九])拍?"
    r"|(?P<first>[二三四五六七八九])(?P<second>[二三四五六七八九])拍"
    r"|(?P<simple>[二两三四五六七九])拍子"
)
_SIMPLE = {2: "2/4", 3: "3/4", 4: "4/4", 5: "5/4", 6: "6/8", 7: "7/8", 9: "9/8"}


def metre(text: str) -> Quantity | None:
    """A metre in figures or words. Raises InvalidInput for two of them, and for one that cannot be written."""
    named: dict[str, Quantity] = {}
    for match in _METRE.finditer(text):
        name = _metre_name(match.groupdict())
        if name:
            named.setdefault(name, Quantity(name, *match.span()))
    if len(named) > 1:
        first, second = list(named)[:2]
        raise InvalidInput(f"The prompt asks for {first} and for {second}; name one metre.")
    for name in named:
        if name not in METRES:
            raise InvalidInput(f"{name} is not a metre that Tunes can write; it knows {', '.join(METRES)}.")
    return next(iter(named.values()), None)


def _metre_name(groups: dict[str, str | None]) -> str:
    """`6/8`; empty for figures that are no metre, such as a date."""
    if groups["simple"]:
        return _SIMPLE[int(number(groups["simple"]))]
    if groups["beats"]:
        beats, unit = int(groups["beats"]), int(groups["unit"] or 0)
    elif groups["english"]:
        beats, unit = int(number(groups["english"])), int(number(groups["of"] or ""))
    elif groups["late"]:
        beats, unit = int(number(groups["number"] or "")), int(number(groups["late"]))
    else:
        beats, unit = int(number(groups["first"] or "")), int(number(groups["second"] or ""))
        if unit not in (4, 8):
            beats, unit = unit, beats
    return f"{beats}/{unit}" if beats > 1 and unit in (1, 2, 4, 8, 16, 32) else ""


_FORM = re.compile(
    r"(?<![A-Za-z])(?P<name>[A-D](?:[- ]?[A-D]){1,7})(?![A-Za-z])(?P<said> ?(?i:form|structure|曲式|结构|式))?"
)


def form(text: str) -> Quantity | None:
    """A form in letters. Raises InvalidInput for one that cannot be written. `text` is as it was typed."""
    for match in _FORM.finditer(text):
        letters = re.sub("[- ]", "", match["name"])
        name = {"ABACA": "rondo"}.get(letters, letters)
        if name in ORDERS:
            return Quantity(name, *match.span())
        if match["said"]:
            raise InvalidInput(f"{letters} is not a form that Tunes can write; it knows {', '.join(ORDERS)}.")
    return None


def tempo(text: str) -> Quantity | None:
    """Beats a minute; of a range its middle. Raises InvalidInput outside SLOWEST to FASTEST."""
    unit = r"(?:bpm|beats? (?:a|per) minute|拍每分钟?|拍/分钟?)"
    match = (
        re.search(rf"({_FIGURE})\s*(?:-|–|~|to|到|至)\s*({_FIGURE})\s*{unit}", text)
        or re.search(rf"({_FIGURE})\s*{unit}", text)
        or re.search(
            rf"(?:bpm|tempo|速度|每分钟|节拍|[♩♪])\s*(?:is|of|at|about|around|:|=|为|是|约|大约|在|,)*\s*"
            rf"({_FIGURE})(?![\d/]| ?(?:bars|小节|秒|分))",
            text,
        )
    )
    if not match:
        return None
    figures = [float(figure) for figure in match.groups()]
    beats = round(sum(figures) / len(figures))
    if not SLOWEST <= beats <= FASTEST:
        raise InvalidInput(f"The prompt asks for {beats} beats a minute; allowed is {SLOWEST} to {FASTEST}.")
    return Quantity(beats, *match.span())


def bars(text: str) -> Quantity | None:
    """The number of bars. Raises InvalidInput where a tune cannot have as many."""
    unit = r"(?:bars?(?![a-z])|measures?(?![a-z])|个?小节)"
    match = re.search(rf"(?<![a-z0-9.])({_NUMBER})[ -]*{unit}(?! ?的?(?:of )?(?:an )?(?:intro|lead|前奏|引子))", text)
    if not match:
        return None
    count = number(match[1])
    if not MIN_BARS <= count <= MAX_BARS or count % BARS_STEP:
        raise InvalidInput(f"The prompt asks for {count:g} bars; allowed is {MIN_BARS} to {MAX_BARS}, in fours.")
    return Quantity(int(count), *match.span())


_RATES = re.compile(
    r"(?:beats?|bpm|notes?) (?:a|per) (?:minute|second)|per (?:minute|second)|每分钟?|每秒钟?|十分(?!钟)|\d+/\d+"
)
_CLOCK = re.compile(r"(?<![\d:/])(\d{1,2}):([0-5]\d)(?![\d:])(?! ?(?:am|pm|a\.m|p\.m|o'clock))")
_HALF = r"( and a half|半)?"
_LENGTHS = (
    (3600, rf"({_NUMBER}|half an|an)个?{_HALF}[ -]*(?:hours?(?![a-z])|小时)"),
    (60, rf"({_NUMBER}|half a|半)个?{_HALF}[ -]*(?:minutes?(?![a-z])|mins?(?![a-z])|分钟|分(?=半|{_NUMBER}秒)){_HALF}"),
    (60, rf"(a) minute(?![a-z]){_HALF}"),
    (1, rf"({_NUMBER})[ -]*(?:seconds?(?![a-z])|secs?(?![a-z])|s(?![a-z'0-9])|秒)"),
)
"""Seconds of a unit, and how an amount of it is written."""


def seconds(text: str) -> Quantity | None:
    """A length in seconds: "a minute and a half", "1:30", "90s", "两分半"."""
    clock = _CLOCK.search(text)
    if clock:
        return Quantity(60.0 * int(clock[1]) + int(clock[2]), *clock.span())
    text = _RATES.sub(lambda match: " " * len(match[0]), text)
    total, start, end = 0.0, len(text), 0
    for unit, pattern in _LENGTHS:
        match = re.search(rf"(?<![a-z0-9/.:]){pattern}", text)
        if match:
            amount, *halves = match.groups()
            total += unit * (0.5 if amount[:4] in ("half", "半") else 1 if amount in ("a", "an") else number(amount))
            total += unit / 2 if any(halves) else 0
            start, end = min(start, match.start()), max(end, match.end())
    return Quantity(total, start, end) if total else None


def number(text: str) -> float:
    """Of figures, of English words up to a hundred, of Chinese figures up to 999."""
    if text[0].isdigit():
        return float(text)
    if text[0] in "零一二两三四五六七八九十百":
        total = digit = 0
        for character in text:
            if character in "十百":
                total += (digit or 1) * (10 if character == "十" else 100)
                digit = 0
            else:
                digit = _CHINESE_DIGITS[character]
        return float(total + digit)
    words = re.split("[ -]", text)
    return float(sum(_ENGLISH_TENS.get(word) or _ENGLISH_UNITS.index(word) for word in words))
