"""The example pieces of the model card: written, arranged and drawn by one command.

python -m genai_studio.models.tunes.examples --output pictures
"""

from __future__ import annotations

import argparse
from pathlib import Path

from genai_studio.models.tunes.composing import composed, form_for, header_for
from genai_studio.models.tunes.controls import decide
from genai_studio.models.tunes.family import PROPOSALS
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import read_prompt
from genai_studio.score.model import Score
from genai_studio.score.picture import piano_roll

PROMPTS = (
    "a lively jig in G major, 16 bars",
    "a reel in D major for fiddle, 16 bars",
    "a wistful waltz in D minor for string quartet, 16 bars",
    "a slow air in E dorian for harp and flute, 16 bars",
    "a hornpipe in A major as chiptune, 16 bars",
    "a march in Bb major for marching band, 16 bars",
)
WEIGHTS = Path(__file__).parents[3] / "assets" / "weights" / "tunes"


def compose(prompt: str, *, seed: int, weights: Path = WEIGHTS, temperature: float = 0.9, top_p: float = 0.95) -> Score:
    """The score that the family would play for `prompt`, without its sound. Raises InvalidInput as the family does."""
    from genai_studio.models.tunes.decoding import write
    from genai_studio.models.tunes.weights import read_weights

    params = TuneParams(prompt=prompt)
    controls = decide(params.chosen(), read_prompt(prompt), seed)
    form = form_for(controls)
    header = header_for(controls, form)
    proposals = write(
        read_weights(weights), header, form, lowest=controls.lowest, highest=controls.highest, seed=seed,
        temperature=temperature, top_p=top_p, proposals=PROPOSALS,
    )  # fmt: skip
    return composed(controls, form, proposals[0].tune, seed)


def write_examples(*, output: Path, seed: int = 1, weights: Path = WEIGHTS) -> list[Path]:
    """A piano roll as PNG for each of `PROMPTS`; returns the paths."""
    output.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, prompt in enumerate(PROMPTS):
        path = output / f"{number + 1}.png"
        piano_roll(compose(prompt, seed=seed, weights=weights)).save(path, optimize=True)
        paths.append(path)
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write_examples(output=arguments.output, seed=arguments.seed)
