"""From a written tune to a score: its form played out, repeats varied, then harmonised and arranged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from genai_studio.errors import InvalidInput
from genai_studio.models.tunes.controls import Controls
from genai_studio.models.tunes.form import Form, form_of
from genai_studio.models.tunes.recast import Melody
from genai_studio.models.tunes.tokens import Header, Tune
from genai_studio.score.arranging.arrange import arrange
from genai_studio.score.arranging.harmony import harmonise
from genai_studio.score.arranging.variation import varied
from genai_studio.score.model import Chord, Note, Score, Section

_SWING = {"hornpipe": 0.25, "strathspey": 0.1}


def form_for(controls: Controls) -> Form:
    """The form that is asked for, in the bars that introduction and tag leave. Raises InvalidInput."""
    try:
        return form_of(controls.bars, controls.form, controls.introduction, controls.tag)
    except ValueError as error:
        raise InvalidInput(str(error)) from error


def header_for(controls: Controls, form: Form) -> Header:
    """What the writer is told."""
    return Header(
        controls.metre, form.written_bars, controls.style, controls.key.mode, density=controls.density,
        register=controls.register,
    )  # fmt: skip


def composed(controls: Controls, form: Form, tune: Tune, seed: int) -> Score:
    """The tune in its form, with chords, accompaniment, introduction and ending. `seed` varies what comes back."""
    return arranged(played_out(controls, form, tune, seed), controls)


def played_out(controls: Controls, form: Form, tune: Tune, seed: int) -> Melody:
    """The melody as it sounds: sections in the order of the form, each a little different when it comes back."""
    written = dict(zip(form.lengths, tune.sections, strict=True))
    pickup, length = tune.header.pickup, tune.header.bar_ticks
    melody: list[Note] = []
    played: list[Section] = []
    heard = Counter[str]()
    bar = 0
    for letter in form.order:
        section = written[letter]
        played.append(Section(letter, bar, section.bars))
        notes = [Note(note.start, note.end - note.start, controls.tonic + note.step) for note in section.notes]
        if heard[letter]:
            notes = varied(
                notes, controls.key, controls.metre, seed=f"{seed}/{letter}/{heard[letter]}", amount=controls.variation,
                lowest=controls.tonic + controls.lowest, highest=controls.tonic + controls.highest,
            )  # fmt: skip
        heard[letter] += 1
        at = pickup + bar * length
        melody += [Note(at + note.start, note.duration, note.pitch) for note in notes]
        bar += section.bars
    return Melody(tuple(melody), tuple(played), controls.key, controls.metre, pickup)


def arranged(body: Melody, controls: Controls, *, title: str = "", chords: Sequence[Chord] = ()) -> Score:
    """A melody that begins at its first bar, with the players and the frame that `controls` name. Without `chords`
    it is harmonised here."""
    bars = body.end_bar
    ticks = bars * body.length
    harmony = tuple(chords) or harmonise(body.notes, body.key, body.metre, ticks=ticks, pickup=body.origin)
    score = Score(
        title or controls.title, body.key, body.metre, controls.tempo, bars, body.origin, (), harmony, body.sections,
        _SWING.get(controls.style, 0.0),
    )  # fmt: skip
    return arrange(
        score, body.notes, controls.ensemble, controls.instrument, style=controls.style,
        introduction=controls.introduction, ending=controls.ending,
    )  # fmt: skip
