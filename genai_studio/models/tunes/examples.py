"""The example pieces of the model card: written, arranged, engraved and exported by one command.

python -m genai_studio.models.tunes.examples --output pictures
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image

from genai_studio.models.tunes.composing import composed, form_for, header_for
from genai_studio.models.tunes.controls import decide
from genai_studio.models.tunes.family import PROPOSALS
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import read_prompt
from genai_studio.score.formats.midi import write_midi
from genai_studio.score.model import Score
from genai_studio.score.sheet.engrave import engrave
from genai_studio.score.sheet.typeset import png_of

PROMPTS = (
    "a lively jig in G major for a folk band, 16 bars",
    "a reel in D major for fiddle, 16 bars",
    "a wistful waltz in D minor for string quartet, 16 bars",
    "a slow air in E dorian for harp and flute, 16 bars",
    "a hornpipe in A major as chiptune, 16 bars",
    "a march in Bb major for marching band, 16 bars, with an introduction and a coda",
    "a slip jig in E minor for tin whistle, 16 bars",
    "a strathspey in A mixolydian for bagpipes, 16 bars",
    "a rainy day cafe, 16 bars in F",
    "a lullaby in Eb major, 16 bars",
    "boss fight in C minor, 24 bars",
    "a jazz trio in Bb major, medium tempo, 16 bars",
    "Viennese waltz in G major, with an introduction, 20 bars",
    "a solemn hymn in F major for string quartet, 16 bars, no introduction",
    "pirates on the high seas, 24 bars in D dorian",
    "haunted house, in B minor, 16 bars",
    "a playful rondo in C major for piano, 40 bars",
    "sunrise in the mountains, ABA form, 24 bars in D",
    "江南烟雨，G小调，16小节",
    "欢快的吉格舞曲，D大调，16小节",
    "悲伤的圆舞曲，A小调，手风琴，16小节",
    "雨天的咖啡馆，16小节，C大调",
    "春节喜庆热闹的音乐，16小节，G大调",
    "给宝宝的摇篮曲，F大调，16小节",
)
WEIGHTS = Path(__file__).parents[3] / "assets" / "weights" / "tunes"
_WIDTH = 900
"""Pixels of a picture."""
_GREYS = 16
_COLUMNS, _CELL = 4, (450, 220)
"""Of the sheet that shows the beginnings of all."""


def compose(prompt: str, *, seed: int, weights: Path = WEIGHTS, temperature: float = 0.9, top_p: float = 0.95) -> Score:
    """The score that the family would play for `prompt`, without its sound. Raises InvalidInput as the family does."""
    from genai_studio.models.tunes.decoding import write
    from genai_studio.models.tunes.weights import read_weights

    params = TuneParams(prompt=prompt)
    controls = decide(params.chosen(), read_prompt(prompt), seed)
    form = form_for(controls)
    proposals = write(
        read_weights(weights), header_for(controls, form), form, lowest=controls.lowest, highest=controls.highest,
        seed=seed, temperature=temperature, top_p=top_p, proposals=PROPOSALS,
    )  # fmt: skip
    return composed(controls, form, proposals[0].tune, seed)


def picture(score: Score) -> Image.Image:
    """The melody with its chord names, engraved, in shades of grey."""
    page = engrave(score, width=_WIDTH, title=False)
    drawn = Image.open(io.BytesIO(png_of(page.svg, page.width, page.height, _WIDTH))).convert("L")
    return drawn.quantize(_GREYS)


def write_examples(*, output: Path, seed: int = 1, weights: Path = WEIGHTS) -> list[Path]:
    """A picture and a MIDI file for each of `PROMPTS`, and `all.png` with how each begins; returns the pictures."""
    output.mkdir(parents=True, exist_ok=True)
    width, height = _CELL
    rows = -(-len(PROMPTS) // _COLUMNS)
    sheet = Image.new("L", (_COLUMNS * width, rows * height), 255)
    paths = []
    for number, prompt in enumerate(PROMPTS):
        score = compose(prompt, seed=seed + number, weights=weights)
        path = output / f"{number + 1:02}.png"
        drawn = picture(score)
        drawn.save(path, optimize=True)
        write_midi(score, path.with_suffix(".mid"))
        paths.append(path)
        small = drawn.convert("L").resize((width - 20, drawn.height * (width - 20) // drawn.width))
        row, column = divmod(number, _COLUMNS)
        sheet.paste(
            small.crop((0, 0, width - 20, min(small.height, height - 20))), (column * width + 10, row * height + 10)
        )
    sheet.quantize(_GREYS).save(output / "all.png", optimize=True)
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write_examples(output=arguments.output, seed=arguments.seed)
