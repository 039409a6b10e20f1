"""Finds the words of lexicon.toml in a text: which control each speaks of, and where it stands."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

_LETTER = "a-zà-öø-ÿ0-9"
_REFUSED = re.compile(
    r"(?:\b(?:no|not|without|non|never|nothing|avoid|minus|isn't|don't want|instead of)[ -]+"
    r"(?:any |too |so |very |a |an |the |overly |be )*"
    r"|(?:(?<!差)不|没有|(?<![特告分区离差])别|无|避免|而非)(?:太|要|用|是|想要)?)$"
)
"""What stands before a word that is not wanted."""
_BREAKS = re.compile(r"[,.;:!?()\n，。；：！？、]")
_PAIRS = (
    "鋼钢華华爾尔茲兹進进調调歡欢樂乐傷伤憂忧愛爱戀恋戰战鬥斗戲戏節节鬧闹麗丽壯壮偉伟詩诗傳传險险緊紧張张驚惊懸悬"
    "陰阴惡恶夢梦靈灵飄飘鄉乡間间懷怀舊旧憶忆離离別别靜静寧宁緩缓鬆松聖圣莊庄嚴严淚泪絕绝亂乱熱热動动興兴奮奋氣气"
    "勢势騎骑馬马豎竖長长橫横簫箫單单雙双號号貝贝鈴铃鐘钟銅铜隊队協协謠谣獨独無无聲声極极簡简潔洁複复雜杂較较書书"
    "館馆學学習习陽阳過过兒儿寶宝貓猫雲云銀银鳥鸟園园橋桥風风霧雾萬万誕诞櫻樱電电遊游機机賽赛車车達达際际紐纽約约"
    "維维納纳蘭兰蘇苏國国畫画東东絲丝綢绸農农場场鎮镇烏乌燭烛歸归歲岁養养業业漸渐結结開开頭头層层寬宽廣广闊阔慶庆"
    "禮礼婦妇爺爷孫孙輕轻讀读寫写專专龍龙鳳凤標标題题對对決决顯显時时點点擊击聽听遠远鏡镜頌颂詠咏嘆叹樸朴質质飛飞"
    "課课圓圆鍵键絃弦彈弹強强幾几個个鐵铁蘆芦嗩唢嗶哔啞哑數数顆颗燈灯煙烟獅狮團团歷历從从經经懶懒愜惬閒闲適适軟软"
    "溫温禪禅兇凶邁迈勵励誌志傑杰奪夺勝胜慘惨悽凄淒凄愴怆憐怜鬱郁懼惧詭诡異异蹟迹遺遗墳坟殭僵屍尸鄰邻邊边灣湾島岛"
    "陸陆潛潜淺浅綠绿藍蓝紅红黃黄葉叶麥麦獵猎釣钓漁渔捲卷賓宾饗飨廳厅櫃柜檯台營营礦矿採采趕赶買买賣卖錢钱帶带變变"
    "換换後后徹彻併并淨净"
)
_TRADITIONAL = dict(zip(map(ord, _PAIRS[::2]), _PAIRS[1::2], strict=True))
"""Characters of the lexicon whose traditional form differs."""


@dataclass(frozen=True)
class Match:
    """Words in a text and what they ask for. A `weak` match is a scene's: anything more exact goes before it."""

    wishes: Mapping[str, str]
    start: int
    end: int
    weak: bool = False


@dataclass(frozen=True)
class _Entry:
    wishes: Mapping[str, str]
    pattern: re.Pattern[str]
    weak: bool = False


@dataclass(frozen=True)
class _Lexicon:
    entries: tuple[_Entry, ...]
    fillers: re.Pattern[str]


def plain(text: str) -> str:
    """`text` in one form of each character: full-width as usual, traditional Chinese as simplified."""
    return unicodedata.normalize("NFKC", text).translate(_TRADITIONAL)


def scan(text: str) -> list[Match]:
    """Every match in lower-case `text` that no longer one hides, in the order of the text. Words that are refused
    ("not sad") or that only look like one of the lexicon are matches without wishes."""
    found = [
        Match(entry.wishes, match.start(), match.end(), entry.weak)
        for entry in _lexicon().entries
        for match in entry.pattern.finditer(text)
    ]
    found.sort(key=lambda match: (match.start, -match.end))
    kept: list[Match] = []
    widest: list[Match] = []
    for match in found:
        if any(other.end >= match.end and (other.start, other.end) != (match.start, match.end) for other in widest):
            continue
        widest = [other for other in widest if other.end > match.start] + [match]
        refused = _REFUSED.search(text[: match.start]) is not None
        kept.append(replace(match, wishes={}) if refused else match)
    return kept


def unknown(text: str, known: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    """The clause of lower-case `text`, from start to end, that holds its words outside the spans `known`; None where
    nothing is left but words that need no understanding."""
    letters = list(text)
    for start, end in known:
        letters[start:end] = "," * (end - start)
    rest = "".join(letters)
    content = _lexicon().fillers.sub(lambda match: " " * len(match[0]), rest)
    pieces = list(re.finditer(rf"[{_LETTER}']{{3,}}|[\u3400-\u9fff]{{2,}}", content))
    if not pieces:
        return None
    start, end = pieces[0].start(), pieces[-1].end()
    before, after = _BREAKS.split(rest[:start])[-1], _BREAKS.split(rest[end:])[0]
    return start - len(before.lstrip()), end + len(after.rstrip())


@cache
def _lexicon() -> _Lexicon:
    with (Path(__file__).parent / "lexicon.toml").open("rb") as file:
        tables = tomllib.load(file)
    fillers = _pattern(tables.pop("filler"))
    entries = [_Entry({}, _pattern(tables.pop("nothing")))]
    entries += [_Entry(scene["wishes"], _pattern(scene), weak=True) for scene in tables.pop("scene")]
    entries += [
        _Entry({name: value}, _pattern(words)) for name, table in tables.items() for value, words in table.items()
    ]
    return _Lexicon(tuple(entries), fillers)


def _pattern(words: Mapping[str, str]) -> re.Pattern[str]:
    english, chinese = ("|".join(_longest_first(words[language].replace("\n", ""))) for language in ("en", "zh"))
    return re.compile(rf"(?<![{_LETTER}])(?:{english})(?![{_LETTER}])|(?:{chinese})")


def _longest_first(alternatives: str) -> list[str]:
    """Alternatives of a regular expression, so ordered that "slow" does not hide "slow movement"."""
    parts, depth = [""], 0
    for character in alternatives:
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return sorted(parts, key=len, reverse=True)
