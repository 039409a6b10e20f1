"""From words to wishes: a lexicon in English and Chinese that finds style, mood, key, metre, tempo, length and players.

What it does not know it leaves alone. What contradicts itself, or asks for what cannot be written, is said in one
sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes.form import BARS_STEP, MAX_BARS, MIN_BARS
from genai_studio.score.model import METRES

SLOWEST, FASTEST = 40, 240
"""Beats a minute that can be asked for."""

_STYLES = {
    "slip jig": r"slip[ -]?jigs?|hop jigs?|滑步吉格",
    "jig": r"\bjigs?\b|吉格",
    "reel": r"\breels?\b|里尔舞|利尔舞",
    "hornpipe": r"horn ?pipes?|号笛舞|角笛舞",
    "strathspey": r"strathspeys?|斯特拉斯佩",
    "march": r"\bmarch(?:es|ing)?\b(?! band)|quick ?step|parade|进行曲",
    "waltz": r"waltz(?:es)?|minuets?|圆舞曲|华尔兹|小步舞",
    "air": r"\bairs?\b|ballads?|laments?|lullab(?:y|ies)|cradle song|berceuse|nocturne|elegy|"
    r"悲歌|民谣|摇篮曲|夜曲|抒情",
}
_MODES = {
    "minor": r"\bminor\b|小调",
    "major": r"\bmajor\b|大调",
    "dorian": r"\bdorian\b|多利亚",
    "mixolydian": r"\bmixolydian\b|混合利底亚",
}
_MOODS = {
    "minor": r"\bsad|sorrow|melanchol|wistful|mournful|gloom|tragic|dark|lonel|grief|funeral|lament|"
    r"悲|忧|伤感|哀|孤独|惆怅|凄",
    "dorian": r"myster|ancient|medieval|mystic|misty|haunting|celtic|神秘|古老|中世纪|古风",
    "mixolydian": r"rustic|highland|bagpipe|scottish|高地|风笛|苏格兰",
    "major": r"happy|cheer|joy|merry|bright|jolly|playful|festive|sunny|triumph|欢|快乐|开心|明亮|喜|俏皮|节日|胜利",
}
_PACES = (
    ("very slow", r"very slow|largo|\bgrave\b|极慢|很慢"),
    (
        "slow",
        r"\bslow(?:ly)?\b|adagio|gentle|calm|peaceful|sleepy|lullab|dream|lament|慢|柔|轻柔|安静|平静|摇篮曲|宁静|梦",
    ),
    ("very fast", r"very fast|furious|presto|breakneck|极快|飞快|很快"),
    (
        "fast",
        r"\bfast\b|\bquick\b(?! ?step)|lively|energetic|allegro|brisk|spirited|vivace|快速|急速|活泼|轻快|热烈|奔放",
    ),
)
_ENSEMBLES = {
    "string quartet": r"string quartet|string ensemble|\bstrings\b|quartet|弦乐",
    "music box": r"music(?:al)? box|celesta|lullab|cradle song|八音盒|摇篮曲",
    "chiptune": r"chip ?tunes?|8[ -]?bit|video ?game|arcade|nintendo|game ?boy|芯片|8位|电子游戏|游戏音乐|像素",
    "marching band": r"marching band|brass|military|军乐|铜管|仪仗",
    "harp and flute": r"\bharp\b.*\bflute|flute.*\bharp\b|竖琴.*长笛|长笛.*竖琴",
    "folk band": r"folk band|ceilidh|céilí|session|\bband\b|\bpub\b|民谣乐队|乐队|酒吧",
    "solo": r"\bsolo\b|unaccompanied|\balone\b|独奏|无伴奏",
}
_INSTRUMENTS = {
    "fiddle": r"fiddles?|violins?|小提琴",
    "flute": r"flutes?|长笛",
    "whistle": r"whistles?|哨笛|锡笛",
    "piano": r"pianos?|钢琴",
    "harp": r"harps?|竖琴",
    "guitar": r"guitars?|吉他",
    "accordion": r"accordions?|concertinas?|手风琴",
    "banjo": r"banjos?|班卓琴",
    "clarinet": r"clarinets?|单簧管",
    "oboe": r"oboes?|双簧管",
    "cello": r"cellos?|大提琴",
    "bagpipe": r"bagpipes?|\bpipes?\b|风笛",
    "trumpet": r"trumpets?|小号",
    "music box": r"music(?:al)? box|八音盒",
}
_ACCOMPANISTS = {"piano": "piano", "harp": "harp and flute", "guitar": "folk band", "cello": "string quartet"}
_DENSITIES = {
    "sparse": r"sparse|simple|spacious|简单|稀疏|简洁",
    "dense": r"\bbusy\b|dense|ornate|virtuos|密集|华丽|繁复",
}
_ENGLISH_KEY = re.compile(
    r"(?P<letter>\b[A-G]|(?<=\bin )[a-g]|(?<=\bkey of )[a-g])(?P<accidental>#|♯|♭|b(?=\W|m)|[ -]?sharp|[ -]?flat)?"
    r"(?:[ -]?(?P<mode>major|minor|maj\b|min\b|dorian|mixolydian|m\b)(?! key))"
)
_BARE_KEY = re.compile(
    r"\b(?:in|key of) (?:the key of )?(?P<letter>[A-G])(?P<accidental>#|♯|♭|b|[ -]sharp|[ -]flat)?(?![\w'#])"
)
_CHINESE_KEY = re.compile(
    r"(?P<accidental>[升降])?(?P<letter>[A-G])(?P<late>[#b♯♭])?\s*(?P<mode>大调|小调|多利亚|混合利底亚)"
)
_SPELLED = {"C#": "Db", "D#": "Eb", "Gb": "F#", "G#": "Ab", "A#": "Bb", "Cb": "B", "B#": "C", "E#": "F", "Fb": "E"}
_NUMBERS = {"one": 1, "two": 2, "three": 3, "half a": 0.5, "a": 1, "一": 1, "两": 2, "二": 2, "三": 3, "半": 0.5}


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


def read_prompt(prompt: str) -> Wishes:
    """Finds the wishes in `prompt`. Raises InvalidInput for contradictions and for what is outside the limits."""
    text = prompt[:4000]
    lower = text.lower()
    key, key_mode = _key(text)
    ensemble, instrument = _players(lower)
    return Wishes(
        style=_style(lower),
        key=key,
        mode=key_mode or _mode(lower),
        metre=_metre(lower),
        tempo_bpm=_tempo(lower),
        bars=_bars(lower),
        seconds=_seconds(lower),
        ensemble=ensemble,
        instrument=instrument,
        density=_first(_DENSITIES, lower),
        pace=_pace(lower),
    )


def _first(table: dict[str, str], text: str) -> str:
    """The name in `table` whose words stand first in `text`."""
    found = [(match.start(), place, name) for place, (name, pattern) in enumerate(table.items())
             if (match := re.search(pattern, text))]  # fmt: skip
    return min(found)[2] if found else ""


def _players(text: str) -> tuple[str, str]:
    """Ensemble and lead. Of two instruments that are named the one that sings leads, the other accompanies."""
    ensemble = _first(_ENSEMBLES, text)
    places = {name: match.start() for name, pattern in _INSTRUMENTS.items() if (match := re.search(pattern, text))}
    named = sorted(places, key=lambda name: (name in _ACCOMPANISTS, places[name]))
    named = [name for name in named if name != ensemble]
    if not ensemble and len(named) > 1:
        ensemble = _ACCOMPANISTS.get(named[-1], "")
    return ensemble, named[0] if named else ""


def _style(text: str) -> str:
    found = [name for name, pattern in _STYLES.items() if re.search(pattern, text)]
    if "slip jig" in found and "jig" in found:
        found.remove("jig")
    if len(found) > 1 and "air" in found:
        found.remove("air")  # "air" is said of any tune: a waltz may be a lullaby
    if len(found) > 1:
        raise InvalidInput(f"The prompt asks for a {found[0]} and a {found[1]}; name one of them.")
    return found[0] if found else ""


def _key(text: str) -> tuple[str, str]:
    """The key's name as in `score.model.KEYS` and its mode, each empty where none is named."""
    found: list[tuple[str, str]] = []
    for match in (*_ENGLISH_KEY.finditer(text), *_CHINESE_KEY.finditer(text)):
        groups = match.groupdict()
        late = groups.get("late") or ""
        mode = {"maj": "major", "min": "minor", "m": "minor", "大调": "major", "小调": "minor", "多利亚": "dorian",
                "混合利底亚": "mixolydian"}.get(groups["mode"], groups["mode"])  # fmt: skip
        found.append((_tonic(groups["letter"], (groups["accidental"] or "") + late), mode))
    if not found:
        found = [(_tonic(match["letter"], match["accidental"] or ""), "") for match in _BARE_KEY.finditer(text)]
    names = list(dict.fromkeys(found))
    if len(names) > 1:
        first, second = (f"{key} {mode}".strip() for key, mode in names[:2])
        raise InvalidInput(f"The prompt asks for {first} and for {second}; name one key.")
    return names[0] if names else ("", "")


def _tonic(letter: str, accidental: str) -> str:
    sign = accidental.strip(" -")
    name = letter.upper() + (
        "#" if sign in ("#", "♯", "sharp", "升") else "b" if sign in ("b", "♭", "flat", "降") else ""
    )
    return _SPELLED.get(name, name)


def _mode(text: str) -> str:
    named = [name for name, pattern in _MODES.items() if re.search(pattern, text)]
    if len(named) > 1:
        raise InvalidInput(f"The prompt asks for {named[0]} and for {named[1]}; name one mode.")
    return named[0] if named else _first(_MOODS, text)


def _metre(text: str) -> str:
    named = [f"{int(beats)}/{int(unit)}" for beats, unit in re.findall(r"(?<![\d/])(\d{1,3})/(\d{1,3})(?![\d/])", text)]
    figures = {"二": 2, "三": 3, "四": 4, "六": 6, "八": 8, "九": 9}
    for unit, beats in re.findall(r"([四八])分之([二三四六九])拍", text) + re.findall(
        r"([四八])([二三四六九])拍", text
    ):
        named.append(f"{figures[beats]}/{figures[unit]}")
    named = list(dict.fromkeys(named))
    if len(named) > 1:
        raise InvalidInput(f"The prompt asks for {named[0]} and for {named[1]}; name one metre.")
    if named and named[0] not in METRES:
        raise InvalidInput(f"{named[0]} is not a metre that Tunes can write; it knows {', '.join(METRES)}.")
    return named[0] if named else ""


def _tempo(text: str) -> int:
    match = re.search(
        r"(\d{1,6})\s*(?:bpm|beats? (?:a|per) minute)|(?:tempo|速度|每分钟)\s*(?:of|:|：|为)?\s*(\d{1,6})", text
    )
    if not match:
        return 0
    tempo = int(match.group(1) or match.group(2))
    if not SLOWEST <= tempo <= FASTEST:
        raise InvalidInput(f"The prompt asks for {tempo} beats a minute; allowed is {SLOWEST} to {FASTEST}.")
    return tempo


def _bars(text: str) -> int:
    match = re.search(r"(\d{1,6})[ -]*(?:bars?\b|measures?\b|小节)", text)
    if not match:
        return 0
    bars = int(match.group(1))
    if not MIN_BARS <= bars <= MAX_BARS or bars % BARS_STEP:
        raise InvalidInput(f"The prompt asks for {bars} bars; allowed is {MIN_BARS} to {MAX_BARS}, in fours.")
    return bars


def _seconds(text: str) -> float:
    number = r"(\d+(?:\.\d+)?|half a|one|two|three|a|[一两二三半])"
    minutes = re.search(rf"(?<![\w/]){number}[ -]*(?:minutes?\b|min\b|分钟)", text.replace("beats a minute", ""))
    seconds = re.search(rf"(?<![\w/]){number}[ -]*(?:seconds?\b|secs?\b|秒)", text)
    total = 0.0
    for match, unit in ((minutes, 60), (seconds, 1)):
        if match:
            word = match.group(1)
            total += unit * (_NUMBERS[word] if word in _NUMBERS else float(word))
    return total


def _pace(text: str) -> str:
    found: list[str] = []
    for pace, pattern in _PACES:
        if re.search(pattern, text):
            found.append(pace)
            text = re.sub(pattern, " ", text)
    if any("slow" in pace for pace in found) and any("fast" in pace for pace in found):
        raise InvalidInput("The prompt asks for slow and for fast; name one of them.")
    return found[0] if found else ""
