"""What can be done with a piece that is there: bars written anew, bars added, the same tune arranged in another way.

Repainting and continuing keep the piece's key, tempo and players; arranging keeps its melody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes.composing import arranged
from genai_studio.models.tunes.controls import (
    AUTO,
    INTRODUCTION_BARS,
    LONGEST,
    STYLE_METRES,
    Controls,
    players,
    usual_tempo,
)
from genai_studio.models.tunes.form import MAX_BARS
from genai_studio.models.tunes.moods import PACES
from genai_studio.models.tunes.params import TuneParams
from genai_studio.models.tunes.prompt import Wishes
from genai_studio.models.tunes.recast import (
    FreshBar,
    Melody,
    body_of,
    chosen_bars,
    fitting_tonic,
    in_range,
    kept_chords,
    moved,
    new_bars,
    reading,
    spans_of,
    with_bars,
)
from genai_studio.models.tunes.tokens import ANY, HIGHEST_STEP, LOWEST_STEP
from genai_studio.score.arranging.arrange import INSTRUMENTS
from genai_studio.score.model import INTRODUCTION, Ending, Key, Score, Section

if TYPE_CHECKING:
    from genai_studio.models.tunes.decoding import Proposal, Written
    from genai_studio.models.tunes.weights import Weights

ADDED = 8
"""Bars that are added where nobody says how many."""


@dataclass(frozen=True)
class Edited:
    """The new score, the bars (from 1) that are new in it, and how likely the writer found them."""

    score: Score
    bars: tuple[int, ...]
    likelihood: float | None


class Writer(Protocol):
    """Whoever writes bars: the network, or the demo's dice."""

    def fill(self, melody: Melody, bars: list[int], controls: Controls) -> tuple[dict[int, FreshBar], float]:
        """New music for `bars` of the melody, and how likely it is."""


@dataclass(frozen=True)
class Pen:
    """The writer with all that it needs beside the tune."""

    network: Weights
    params: TuneParams
    seed: int
    proposals: int
    written: Written | None = None

    def fill(self, melody: Melody, bars: list[int], controls: Controls) -> tuple[dict[int, FreshBar], float]:
        """New music for `bars` of the melody."""
        from genai_studio.models.tunes.decoding import fill

        read = reading(melody, bars, controls.style, controls.tonic)
        best: Proposal = fill(
            self.network, read.tune, read.blanks, lowest=controls.lowest, highest=controls.highest,
            temperature=self.params.temperature, top_p=self.params.top_p, seed=self.seed, proposals=self.proposals,
            closing=-1 if read.ends else None, written=self.written,
        )[0]  # fmt: skip
        return new_bars(read, best.tune), best.likelihood


def edited(score: Score, params: TuneParams, asked: Wishes, pen: Writer) -> Edited:
    """`score` after `params.action`. Raises InvalidInput where it cannot be done, before anything is written."""
    if not score.melody:
        raise InvalidInput("This piece has no melody to work on.")
    if params.action == "repaint":
        return repainted(score, params, pen)
    if params.action == "continue":
        return continued(score, params, pen)
    return rearranged(score, params, asked)


def repainted(score: Score, params: TuneParams, pen: Writer) -> Edited:
    """The bars `params.first_bar` to `last_bar` written anew, also where their section comes back if asked."""
    controls = kept(score)
    offset = controls.introduction
    body = body_of(score)
    first = (params.first_bar or offset + 1) - offset
    last = (params.last_bar or offset + body.end_bar) - offset
    try:
        sets = chosen_bars(body, first, last, repeats=params.repeats)
    except ValueError:
        raise InvalidInput(
            f"Bars {params.first_bar} to {params.last_bar} cannot be repainted; the melody has bars {offset + 1} to"
            f" {offset + body.end_bar}."
        ) from None
    fresh, likelihood = pen.fill(body, sets[0], controls)
    everywhere = dict(fresh)
    for other in sets[1:]:
        everywhere |= {bar: fresh[origin] for origin, bar in zip(sets[0], other, strict=True)}
    new = replace(body, notes=with_bars(body, everywhere))
    result = _with_kept_harmony(score, body, new, everywhere, controls)
    return Edited(result, tuple(sorted(bar + offset + 1 for bar in everywhere)), likelihood)


def continued(score: Score, params: TuneParams, pen: Writer) -> Edited:
    """`params.bars` (or eight) new bars after the last, a section of their own."""
    controls = kept(score)
    body = body_of(score)
    added = params.bars or ADDED
    _check_length(score, score.bars + added, controls)
    letter = next(name for name in "ABCDEFGHJKLMNOPQRSTUVWXY" if name not in {s.letter for s in body.sections[:24]})
    longer = replace(body, sections=(*body.sections, Section(letter, body.end_bar, added)))
    fresh, likelihood = pen.fill(longer, list(range(body.end_bar, longer.end_bar)), controls)
    new = replace(longer, notes=with_bars(longer, fresh))
    result = _with_kept_harmony(score, body, new, fresh, controls)
    return Edited(result, tuple(bar + controls.introduction + 1 for bar in fresh), likelihood)


def rearranged(score: Score, params: TuneParams, asked: Wishes) -> Edited:
    """The same tune in the key, at the tempo, for the players that the panel or the prompt asks for."""
    controls = _changed(score, params.chosen(), asked)
    body = body_of(score)
    _check_length(score, body.end_bar + controls.introduction + controls.tag, controls)
    notes = in_range(
        moved(body.notes, body.key, controls.key),
        INSTRUMENTS[controls.instrument].lowest,
        INSTRUMENTS[controls.instrument].highest,
    )
    renamed = controls.title if score.title.endswith(f" in {score.key}") else score.title
    return Edited(arranged(replace(body, notes=notes, key=controls.key), controls, title=renamed), (), None)


def kept(score: Score) -> Controls:
    """The controls that the piece was made with, or that fit it."""
    return _changed(score, Wishes(), Wishes())


def _changed(score: Score, chosen: Wishes, asked: Wishes) -> Controls:
    metre = chosen.metre or asked.metre
    if metre and metre != score.metre:
        raise InvalidInput(f"Arranging keeps the metre: this piece is in {score.metre}, not in {metre}.")
    style = chosen.style or asked.style or score.style
    if style and score.metre not in STYLE_METRES[style]:
        raise InvalidInput(f"A {style} is in {' or '.join(STYLE_METRES[style])}; this piece is in {score.metre}.")
    style = style or next(name for name, metres in STYLE_METRES.items() if name != "march" and metres[0] == score.metre)
    key = Key(chosen.key or asked.key or score.key.tonic, chosen.mode or asked.mode or score.key.mode)
    named = asked
    if not chosen.ensemble and not asked.ensemble:  # other players bring their own lead
        named = replace(asked, ensemble=score.ensemble, instrument=asked.instrument or score.instrument)
    ensemble, instrument = players(chosen, named, style)
    pace = chosen.pace or asked.pace
    tempo = (
        chosen.tempo_bpm or asked.tempo_bpm or (usual_tempo(style, score.metre, PACES[pace]) if pace else score.tempo)
    )
    opens = score.sections[0].bars if score.sections and score.sections[0].letter == INTRODUCTION else 0
    wish = chosen.introduction or asked.introduction
    melody = body_of(score)
    melody = replace(melody, notes=moved(melody.notes, melody.key, key), key=key)
    band = INSTRUMENTS[instrument]
    tonic = fitting_tonic(replace(melody, notes=in_range(melody.notes, band.lowest, band.highest)))
    return Controls(
        style, "", key, score.metre, float(tempo), score.bars, AUTO,
        (INTRODUCTION_BARS if wish == "4 bars" else 0) if wish else opens,
        cast(Ending, chosen.ending or asked.ending or score.ending), 0.0, ensemble, instrument, ANY, ANY, tonic,
        max(LOWEST_STEP, band.lowest - tonic), min(HIGHEST_STEP, band.highest - tonic),
    )  # fmt: skip


def _check_length(score: Score, bars: int, controls: Controls) -> None:
    if bars > MAX_BARS:
        raise InvalidInput(f"The piece would have {bars} bars; allowed is {MAX_BARS} at most.")
    seconds = replace(score, bars=bars, tempo=controls.tempo).seconds
    if seconds > LONGEST:
        raise InvalidInput(f"The piece would last {seconds:.0f} seconds; allowed is {LONGEST} at most.")


def _with_kept_harmony(
    score: Score, before: Melody, new: Melody, fresh: Mapping[int, FreshBar], controls: Controls
) -> Score:
    """The new melody with its players; the chords change only under the bars that were written."""
    from genai_studio.score.arranging.harmony import harmonise

    ticks = new.end_bar * new.length
    harmony = harmonise(new.notes, new.key, new.metre, ticks=ticks, pickup=new.origin)
    if score.chords:
        shift = controls.introduction * new.length
        end = before.end_bar * before.length
        old = [
            replace(
                chord,
                start=max(chord.start - shift, 0),
                duration=min(chord.end - shift, end) - max(chord.start - shift, 0),
            )
            for chord in score.chords
            if chord.end - shift > 0 and chord.start - shift < end
        ]
        spans = spans_of(new, fresh)
        if new.end_bar > before.end_bar:
            spans.append((end, ticks))
        harmony = kept_chords(old, harmony, spans)
    return arranged(new, controls, title=score.title, chords=harmony)
