"""What prompts mean: the table that lexicon, scenes and sentence encoder are held to, and the words that say so."""

from __future__ import annotations

import re

import numpy as np
import pytest

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes import understanding
from genai_studio.models.tunes.controls import decide
from genai_studio.models.tunes.form import ORDERS, form_of
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import found, read_prompt
from genai_studio.models.tunes.surprise import surprise
from genai_studio.score.model import METRES

PROMPTS: tuple[tuple[str, dict[str, object]], ...] = (
    # English
    ("a wistful waltz in D minor for fiddle and harp, 96 bpm",
     {"mood": "nostalgic", "style": "waltz", "key": "D", "mode": "minor", "instrument": "fiddle",
      "accompaniment": "harp and flute", "tempo_bpm": 96}),
    ("a rainy day cafe", {"accompaniment": "lo-fi", "mood": "calm", "pace": "slow"}),
    ("final boss battle theme, 8-bit, very fast",
     {"mood": "tense", "style": "reel", "accompaniment": "chiptune", "pace": "very fast"}),
    ("a lullaby for my baby daughter",
     {"style": "air", "accompaniment": "music box", "mood": "calm", "pace": "slow"}),
    ("an epic movie trailer", {"mood": "heroic", "accompaniment": "string quartet", "pace": "moderate"}),
    ("a lively Irish jig for tin whistle, 32 bars",
     {"pace": "fast", "accompaniment": "folk band", "mood": "happy", "style": "jig", "instrument": "whistle",
      "bars": 32}),
    ("slow sad piano music", {"pace": "slow", "mood": "sad", "accompaniment": "piano"}),
    ("solo violin lament in E Dorian",
     {"accompaniment": "solo", "instrument": "fiddle", "style": "air", "mood": "sad", "pace": "slow", "key": "E",
      "mode": "dorian"}),
    ("Christmas music box", {"mood": "festive", "accompaniment": "music box"}),
    ("haunted house at midnight", {"accompaniment": "string quartet", "mood": "dark", "pace": "slow"}),
    ("jazz trio in Bb major, medium tempo",
     {"accompaniment": "jazz trio", "key": "Bb", "mode": "major", "pace": "moderate"}),
    ("lo-fi hip hop beats to study to", {"accompaniment": "lo-fi"}),
    ("a march for a brass band, 120 BPM, 24 bars, with a 4-bar intro and a coda",
     {"style": "march", "accompaniment": "marching band", "tempo_bpm": 120, "bars": 24, "introduction": "4 bars",
      "ending": "tag"}),
    ("not too fast, not sad, without piano", {"pace": "moderate"}),
    ("a rondo for string quartet in 3/4", {"form": "rondo", "accompaniment": "string quartet", "metre": "3/4"}),
    ("AABA form, 64 bars", {"form": "AABA", "bars": 64}),
    ("two minutes of calm music", {"seconds": 120, "mood": "calm"}),
    ("a minute and a half of sea shanties", {"seconds": 90, "style": "hornpipe"}),
    ("1:30 of something in C# minor", {"seconds": 90, "key": "Db", "mode": "minor"}),
    ("a tavern in a medieval village",
     {"accompaniment": "folk band", "pace": "fast", "style": "reel", "mode": "dorian", "mood": "rustic"}),
    ("thirty-two bars, high register, dense", {"bars": 32, "pitch_range": "high", "density": "dense"}),
    ("moonlight on the lake", {"accompaniment": "harp and flute", "mood": "dreamy", "style": "air", "pace": "slow"}),
    ("Viennese waltz with an accordion",
     {"accompaniment": "waltz band", "style": "waltz", "instrument": "accordion"}),
    ("24/7 lofi radio", {"accompaniment": "lo-fi"}),
    ("a 90-100 bpm reel in g major", {"tempo_bpm": 95, "style": "reel", "key": "G", "mode": "major"}),
    ("pirates sailing on the high seas",
     {"accompaniment": "folk band", "mood": "energetic", "style": "hornpipe", "pace": "fast"}),
    ("♩=96 hornpipe, no introduction", {"tempo_bpm": 96, "style": "hornpipe", "introduction": "none"}),
    ("short and sweet", {"bars": 16, "mood": "romantic"}),
    ("A-B-A form in g major", {"form": "ABA", "key": "G", "mode": "major"}),
    ("three-four time please, in F", {"metre": "3/4", "key": "F"}),
    ("film noir detective", {"accompaniment": "jazz trio", "mood": "mysterious", "pace": "slow"}),
    ("a cowboy riding through the desert", {"accompaniment": "folk band", "instrument": "banjo", "mood": "rustic"}),
    ("wedding dance for cello and piano",
     {"style": "waltz", "mood": "romantic", "instrument": "cello", "accompaniment": "piano"}),
    ("Chinese ink painting, guzheng",
     {"accompaniment": "harp and flute", "mood": "nostalgic", "style": "air", "pace": "slow", "instrument": "harp"}),
    ("a circus of clowns", {"accompaniment": "piano", "mood": "playful", "pace": "fast"}),
    ("car chase through the city", {"mood": "tense", "pace": "very fast", "accompaniment": "string quartet"}),
    ("hymn in a cathedral", {"style": "air", "pace": "slow", "mood": "solemn"}),
    ("ragtime", {"accompaniment": "piano", "style": "march", "metre": "2/4", "mood": "playful", "pace": "moderate"}),
    ("bluegrass banjo, presto",
     {"accompaniment": "folk band", "mood": "rustic", "instrument": "banjo", "pace": "very fast"}),
    ("sunrise in the mountains, flute and harp", {"mood": "calm", "style": "air", "accompaniment": "harp and flute"}),
    ("bagpipes of the Scottish highlands", {"instrument": "bagpipe", "mood": "rustic"}),
    ("tango in Buenos Aires", {"accompaniment": "waltz band", "instrument": "accordion", "mood": "nostalgic"}),
    ("funeral march in C minor, very slow",
     {"mood": "solemn", "style": "march", "key": "C", "mode": "minor", "pace": "very slow"}),
    ("she left me and took the furniture", {"mood": "sad"}),
    ("holding hands on the bridge", {"mood": "romantic"}),
    ("lying in a hammock doing nothing", {"mood": "calm"}),
    ("cows grazing next to a red tractor", {"mood": "rustic"}),
    ("saving the world from an asteroid", {"mood": "heroic"}),
    ("an old console from 1985", {"accompaniment": "chiptune"}),
    ("the quarterly sales report", {}),
    ("my friend Anna", {}),
    ("欢快的吉格舞曲", {"mood": "happy", "style": "jig"}),
    ("悲伤的圆舞曲，D小调，八音盒，速度90",
     {"mood": "sad", "style": "waltz", "key": "D", "mode": "minor", "accompaniment": "music box", "tempo_bpm": 90}),
    ("降B大调进行曲，24小节", {"key": "Bb", "mode": "major", "style": "march", "bars": 24}),
    ("钢琴和小提琴，四三拍，一分钟",
     {"accompaniment": "piano", "instrument": "fiddle", "metre": "3/4", "seconds": 60}),
    ("雨天的咖啡馆", {"accompaniment": "lo-fi", "mood": "calm", "pace": "slow"}),
    ("最终boss战，8位游戏音乐，非常快",
     {"mood": "tense", "style": "reel", "accompaniment": "chiptune", "pace": "very fast"}),
    ("给宝宝的摇篮曲", {"style": "air", "accompaniment": "music box", "mood": "calm", "pace": "slow"}),
    ("史诗般的战斗", {"mood": "heroic", "accompaniment": "chiptune", "pace": "very fast", "style": "reel"}),
    ("江南烟雨",
     {"accompaniment": "harp and flute", "instrument": "harp", "mood": "nostalgic", "style": "air", "pace": "slow"}),
    ("中国风的古筝曲，慢板",
     {"accompaniment": "harp and flute", "mood": "nostalgic", "style": "air", "instrument": "harp", "pace": "slow"}),
    ("春节喜庆热闹的音乐", {"accompaniment": "folk band", "style": "reel", "pace": "fast", "mood": "festive"}),
    ("夜晚的城市，lofi", {"mood": "nostalgic", "pace": "slow", "accompaniment": "lo-fi"}),
    ("爵士三重奏，中速，F大调", {"accompaniment": "jazz trio", "pace": "moderate", "key": "F", "mode": "major"}),
    ("三十二小节，高音区，密集", {"bars": 32, "pitch_range": "high", "density": "dense"}),
    ("两分半的轻柔音乐", {"seconds": 150, "mood": "calm", "pace": "slow"}),
    ("一分三十秒，快板", {"seconds": 90, "pace": "fast"}),
    ("十分快乐的歌", {"mood": "happy"}),
    ("不要太快，没有钢琴", {"pace": "moderate"}),
    ("維也納圓舞曲，慢板，鋼琴",
     {"accompaniment": "waltz band", "style": "waltz", "pace": "slow", "instrument": "piano"}),
    ("一首忧郁的小提琴独奏，a小调，每分钟72拍",
     {"mood": "nostalgic", "instrument": "fiddle", "accompaniment": "solo", "key": "A", "mode": "minor",
      "tempo_bpm": 72}),
    ("带前奏和尾声的波尔卡", {"introduction": "4 bars", "ending": "tag", "metre": "2/4", "style": "reel"}),
    ("回旋曲式，四四拍，弦乐四重奏", {"form": "rondo", "metre": "4/4", "accompaniment": "string quartet"}),
    ("万圣节鬼屋", {"accompaniment": "string quartet", "mood": "dark", "pace": "slow"}),
    ("海边日落", {"accompaniment": "harp and flute", "mood": "calm", "pace": "slow", "style": "air"}),
    ("武侠", {"accompaniment": "harp and flute", "instrument": "flute", "mood": "heroic"}),
    ("童年的回忆", {"accompaniment": "music box", "mood": "nostalgic"}),
    ("婚礼进行曲", {"accompaniment": "waltz band", "mood": "romantic", "style": "march"}),
    ("神秘的森林，竖琴和长笛", {"mood": "mysterious", "style": "air", "accompaniment": "harp and flute"}),
    ("C调，简单的儿歌，16小节", {"key": "C", "density": "sparse", "accompaniment": "music box", "bars": 16}),
    ("圣诞节的八音盒", {"mood": "festive", "accompaniment": "music box"}),
    ("月光下的小夜曲", {"accompaniment": "harp and flute", "style": "air", "mood": "romantic", "pace": "slow"}),
    ("紧张的追逐", {"mood": "tense", "pace": "very fast", "accompaniment": "string quartet"}),
    ("军乐队，胜利", {"accompaniment": "marching band", "mood": "heroic"}),
    ("手风琴，巴黎，街头",
     {"instrument": "accordion", "accompaniment": "waltz band", "style": "waltz", "mood": "romantic"}),
    ("六八拍的船歌", {"metre": "6/8", "style": "air", "pace": "moderate"}),
    ("草原上的骏马，马头琴", {"mood": "rustic", "accompaniment": "folk band", "instrument": "cello"}),
    ("二胡独奏，思乡", {"instrument": "fiddle", "accompaniment": "solo", "mood": "nostalgic"}),
    ("葬礼，极慢，大提琴", {"mood": "solemn", "pace": "very slow", "instrument": "cello"}),
    ("夏天骑自行车", {"accompaniment": "folk band", "mood": "happy", "style": "jig", "pace": "fast"}),
    ("宇宙飞船", {"accompaniment": "harp and flute", "mood": "dreamy", "style": "air"}),
    ("适合睡前听的钢琴曲", {"mood": "calm", "pace": "slow", "style": "air", "accompaniment": "piano"}),
    ("太空中漂浮", {"accompaniment": "harp and flute", "mood": "dreamy", "style": "air"}),
    ("我们中了彩票", {"mood": "happy"}),
    ("她离开了我", {"mood": "sad"}),
    ("看见她就心跳加速", {"mood": "romantic"}),
    ("在祭坛前跪下", {"mood": "solemn"}),
    ("奶牛在拖拉机旁吃草", {"mood": "rustic"}),
    ("从小行星手中拯救地球", {"mood": "heroic"}),
    ("季度销售报告", {}),
    ("我的朋友小明", {}),
)  # fmt: skip


@pytest.mark.parametrize(("prompt", "controls"), PROMPTS, ids=range(len(PROMPTS)))
def test_a_prompt_becomes_controls(prompt: str, controls: dict[str, object]) -> None:
    assert {wish.field: wish.value for wish in found(prompt)} == controls


def test_the_table_is_wide_and_half_chinese() -> None:
    chinese = [prompt for prompt, _ in PROMPTS if re.search(r"[\u4e00-\u9fff]", prompt)]
    assert len(PROMPTS) >= 80
    assert len(chinese) * 2 >= len(PROMPTS) - 2


@pytest.mark.parametrize(("prompt", "controls"), PROMPTS, ids=range(len(PROMPTS)))
def test_what_is_found_can_be_set_on_the_panel_and_says_where_it_comes_from(
    prompt: str, controls: dict[str, object]
) -> None:
    for wish in found(prompt):
        TuneParams.parse({wish.field: wish.value})
        assert wish.words
        assert wish.words in prompt
        assert wish.source in ("words", "scene", "meaning")
    chosen = TuneParams.parse({"prompt": prompt, **controls})
    from_panel = decide(chosen.chosen(), read_prompt(""), 5)
    assert from_panel.key.mode == controls.get("mode", from_panel.key.mode)
    assert decide(TuneParams().chosen(), read_prompt(prompt), 5).bars >= 8


def test_chinese_in_traditional_characters_and_full_width_is_the_same() -> None:
    assert read_prompt("悲傷的圓舞曲，鋼琴，１２０ＢＰＭ") == read_prompt("悲伤的圆舞曲，钢琴，120BPM")


@pytest.mark.parametrize(
    ("prompt", "field"),
    [
        ("not sad", "mood"),
        ("without any piano, please", "ensemble"),
        ("no harp", "instrument"),
        ("不要悲伤", "mood"),
        ("没有钢琴", "instrument"),
        ("fresh air", "style"),
        ("十分快乐", "pace"),
        ("高中同学", "register"),
        ("a second voice", "seconds"),
        ("120 beats per minute", "seconds"),
        ("open 24/7", "metre"),
        ("ABBA", "form"),
        ("a minor annoyance of mine", "key"),
    ],
)
def test_what_only_looks_like_a_wish_is_none(prompt: str, field: str) -> None:
    assert not getattr(read_prompt(prompt), field)


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("an air in E lydian mode", "Lydian is not a mode"),
        ("七八拍", "7/8 is not a metre"),
        ("five-four time", "5/4 is not a metre"),
        ("in ABCD form", "ABCD is not a form"),
        ("two four-bar phrases", "4 bars"),
        ("慢一点，要很快", "slow and for fast"),
        ("九百九十九小节", "999 bars"),
        ("D大调，然后g小调", "one key"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(prompt: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        found(prompt)
    assert str(caught.value).count(".") == 1


@pytest.mark.parametrize(
    ("prompt", "says"), [("ten hours of rain", "36000 seconds"), ("8 bars, with an intro and a coda", "leave no tune")]
)
def test_what_cannot_be_reached_is_one_sentence(prompt: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        decide(TuneParams().chosen(), read_prompt(prompt), 1)


def test_bars_and_seconds_together_say_the_tempo() -> None:
    controls = decide(TuneParams().chosen(), read_prompt("a waltz of 32 bars in 48 seconds"), 1)
    assert (controls.tempo, controls.bars) == (120, 32)
    with pytest.raises(InvalidInput, match="allowed is 40 to 240"):
        decide(TuneParams().chosen(), read_prompt("a waltz of 32 bars in 5 seconds"), 1)


def test_a_form_chooses_bars_at_which_it_comes_out() -> None:
    for form in ORDERS:
        for seed in range(6):
            controls = decide(TuneParams.parse({"form": form}).chosen(), read_prompt("with a coda"), seed)
            assert (controls.form, controls.tag) == (form, 4)
            assert form_of(controls.bars, form, controls.introduction, controls.tag)
    with pytest.raises(InvalidInput, match="does not come out at 36 bars"):
        decide(TuneParams.parse({"form": "AABB", "bars": 36}).chosen(), read_prompt(""), 1)


@pytest.mark.parametrize("seconds", [5, 20, 60, 119, 240, 300])
def test_a_length_is_reached_whatever_the_seed(seconds: int) -> None:
    for seed in range(25):
        controls = decide(TuneParams.parse({"seconds": seconds}).chosen(), read_prompt(""), seed)
        beats = METRES[controls.metre] / (36 if controls.metre in ("6/8", "9/8") else 24)
        lasts = controls.bars * beats * 60 / controls.tempo
        assert lasts <= 300
        assert lasts == pytest.approx(seconds, rel=0.35, abs=9)


def test_a_long_or_odd_prompt_is_read_quickly_and_harmlessly() -> None:
    for prompt in (
        "wa" * 10_000,
        "慢" * 20_000,
        "(" * 5000,
        "a " * 10_000,
        "\u202e😀\ufeff",
        "ß" * 4000,
        "İ in E minor",
    ):
        read_prompt(prompt)


def test_the_anchors_kept_are_those_of_the_list() -> None:
    """A handful is encoded anew: a changed phrase shows as another vector."""
    listed, kept = understanding.anchors(), np.load(understanding.VECTORS)
    assert kept.shape == (len(listed), 512)
    sample = range(0, len(listed), 9)
    again = understanding.encoded([listed[index][2] for index in sample])
    assert np.abs(again - kept[list(sample)].astype(np.float32)).max() < 2e-3
    for field, value, _ in listed:
        if field != understanding.NOTHING:
            name = {"ensemble": "accompaniment"}.get(field, field)
            assert TuneParams.parse({name: value})


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_surprise_is_understood_and_can_be_made(language: str) -> None:
    prompts = set()
    for seed in range(150):
        drawn = surprise(seed, language)
        assert drawn == surprise(seed, language)
        params = TuneParams.parse({"prompt": drawn.prompt, **drawn.values})
        wishes = read_prompt(drawn.prompt)
        assert wishes.style
        assert wishes.mood
        assert wishes.ensemble
        decide(params.chosen(), wishes, seed)
        assert (wishes.style, wishes.mood, wishes.ensemble) == _three(surprise(seed).prompt)
        prompts.add(drawn.prompt)
    assert len(prompts) > 120


def _three(prompt: str) -> tuple[str, str, str]:
    wishes = read_prompt(prompt)
    return wishes.style, wishes.mood, wishes.ensemble
