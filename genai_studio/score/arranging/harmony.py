"""Chords for a melody, by dynamic programming: the sequence that fits the notes and moves as harmony does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from genai_studio.score.model import METRES, SCALES, TICKS, Chord, Key, Note, Score

Harmony = tuple[int, tuple[int, ...]]
"""Root pitch class (or its distance from the tonic) and tones above it in semitones."""
Colour = Literal["plain", "rich"]
_MAJOR, _MINOR, _SEVENTH = (0, 4, 7), (0, 3, 7), (0, 4, 7, 10)
_MAJOR_7, _MINOR_7, _HALF, _SIX, _MINOR_6 = (0, 4, 7, 11), (0, 3, 7, 10), (0, 3, 6, 10), (0, 4, 7, 9), (0, 3, 7, 9)

PALETTES: dict[str, dict[Harmony, float]] = {
    "major": {(0, _MAJOR): 0.45, (7, _MAJOR): 0.35, (5, _MAJOR): 0.3, (2, _MINOR): 0.05, (9, _MINOR): 0.05,
              (4, _MINOR): -0.25, (7, _SEVENTH): 0.15},
    "minor": {(0, _MINOR): 0.35, (7, _MINOR): 0.0, (10, _MAJOR): 0.3, (8, _MAJOR): 0.2, (3, _MAJOR): 0.15,
              (5, _MINOR): 0.15, (7, _SEVENTH): 0.15},
    "dorian": {(0, _MINOR): 0.4, (10, _MAJOR): 0.4, (5, _MAJOR): 0.1, (3, _MAJOR): 0.1, (7, _MINOR): 0.1},
    "mixolydian": {(0, _MAJOR): 0.5, (10, _MAJOR): 0.4, (5, _MAJOR): 0.2, (7, _MINOR): 0.0, (2, _MINOR): -0.1},
}  # fmt: skip
"""By mode: harmony above the tonic to how ready one is to use it. Those on the tonic may close."""
RICH_PALETTES: dict[str, dict[Harmony, float]] = {
    "major": {(0, _SIX): 0.2, (0, _MAJOR_7): 0.25, (2, _MINOR_7): 0.3, (7, _SEVENTH): 0.25, (9, _MINOR_7): 0.2,
              (5, _MAJOR_7): 0.2, (4, _MINOR_7): 0.1, (9, _SEVENTH): -0.1, (2, _SEVENTH): -0.1, (4, _SEVENTH): -0.2,
              (0, _SEVENTH): -0.1, (11, _HALF): -0.15, (5, _MINOR_6): -0.15, (10, _SEVENTH): -0.2},
    "minor": {(0, _MINOR_7): 0.3, (0, _MINOR_6): 0.1, (5, _MINOR_7): 0.25, (7, _SEVENTH): 0.25, (2, _HALF): 0.2,
              (10, _SEVENTH): 0.15, (3, _MAJOR_7): 0.2, (8, _MAJOR_7): 0.2, (7, _MINOR_7): 0.0, (0, _SEVENTH): -0.2},
    "dorian": {(0, _MINOR_7): 0.4, (5, _SEVENTH): 0.25, (10, _MAJOR_7): 0.25, (3, _MAJOR_7): 0.15, (2, _MINOR_7): 0.1,
               (7, _MINOR_7): 0.15},
    "mixolydian": {(0, _SEVENTH): 0.45, (10, _MAJOR_7): 0.3, (5, _MAJOR_7): 0.2, (7, _MINOR_7): 0.15,
                   (2, _MINOR_7): 0.1, (9, _MINOR_7): 0.05},
}  # fmt: skip
"""The same in sevenths and sixths, with the dominants of other degrees: for players who like them."""
SPANS = {"2/4": 48, "3/4": 72, "4/4": 48, "6/8": 36, "9/8": 108}
"""Ticks that one chord lasts at least."""
_MOVES = {5: 0.35, 7: 0.15, 2: 0.05, 10: 0.1}
_RICH_MOVES = {5: 0.5, 2: 0.1, 9: 0.1, 10: 0.05}
"""Root motion upwards in semitones to what it is worth: a fourth up above all. Rich harmony goes round the fifths."""


@dataclass(frozen=True)
class _Place:
    """One stretch that gets one chord: where, with which notes, and where in the phrase."""

    start: int
    span: int
    notes: tuple[Note, ...]
    bar: int
    opens_bar: bool
    closing: bool


def harmonise(
    melody: Sequence[Note], key: Key, metre: str, *, ticks: int, pickup: int, colour: Colour = "plain", span: int = 0
) -> tuple[Chord, ...]:
    """Chords from the first bar line to `ticks`; none under the pickup. The last one is the tonic.

    A chord gains from melody notes that it holds, by their length and by the strength of where they start; it loses
    from those it does not hold, most from a semitone above one of its tones. Viterbi over `PALETTES`, or over
    `RICH_PALETTES` with ninths added where they fit. `span`: ticks that one chord lasts at least, if not the metre's.
    """
    span, bar = span or SPANS[metre], METRES[metre]
    palette = (RICH_PALETTES if colour == "rich" else PALETTES)[key.mode]
    choices = [(((root + key.pitch_class) % 12, tones), ready) for (root, tones), ready in palette.items()]
    best: list[dict[Harmony, tuple[float, Harmony | None]]] = []
    places = _places(melody, ticks, pickup, span, bar)
    for place in places:
        column: dict[Harmony, tuple[float, Harmony | None]] = {}
        for chord, ready in choices:
            home = chord[0] == key.pitch_class
            if (place.closing and not home) or (place.closing and key.mode != "mixolydian" and chord[1] == _SEVENTH):
                continue
            fit = ready + _fit(chord, place) + _phrase(chord, place, key)
            if not best:
                column[chord] = (fit + (0.6 if home else 0.0), None)
                continue
            value, before = max(
                (score + _move(old, chord, strong=place.opens_bar), old) for old, (score, _) in best[-1].items()
            )
            column[chord] = (value + fit, before)
        best.append(column)
    path = [max(best[-1], key=lambda chord: best[-1][chord][0])]
    for column in reversed(best[1:]):
        if (previous := column[path[-1]][1]) is not None:
            path.append(previous)
    path.reverse()
    chords = joined(Chord(place.start, place.span, *chord) for place, chord in zip(places, path, strict=True))
    if colour == "plain":
        return chords
    return tuple(_ninth(chord, melody, key) for chord in _prepared(chords, melody, key))


def _places(melody: Sequence[Note], ticks: int, pickup: int, span: int, bar: int) -> list[_Place]:
    places = []
    for start in range(pickup, ticks, span):
        length = min(span, ticks - start)
        inside = tuple(note for note in melody if note.end > start and note.start < start + span)
        number, place = divmod(start - pickup, bar)
        places.append(_Place(start, length, inside, number, place == 0, start >= ticks - bar + pickup))
    return places


def _fit(chord: Harmony, place: _Place) -> float:
    root, tones = chord
    held = {(root + tone) % 12 for tone in tones}
    rich = len(tones) > 3
    total, weight = 0.0, 0.0
    for note in place.notes:
        inside = min(note.end, place.start + place.span) - max(note.start, place.start)
        accent = 2.0 if note.start == place.start else 1.3 if (note.start - place.start) % TICKS == 0 else 0.8
        pitch = note.pitch % 12
        if rich and pitch == root and (root - 1) % 12 in held:
            value = 0.4  # the tonic rubs against a major seventh; a sixth takes it
        elif pitch in held:
            value = 1.15 if pitch == root else 1.0
        elif (pitch - 1) % 12 in held:
            value = -1.0
        elif rich and (pitch - root) % 12 in (2, 9):
            value = 0.4  # a ninth or a thirteenth colours a seventh chord
        else:
            value = -0.45
        total += inside * accent * value
        weight += inside * accent
    return 1.6 * total / weight if weight else 0.0


def _phrase(chord: Harmony, place: _Place, key: Key) -> float:
    """Four bars lead to an open end, eight to a close on the tonic, with the dominant before it."""
    degree = (chord[0] - key.pitch_class) % 12
    leading = degree == (10 if key.mode in ("dorian", "mixolydian") else 7)
    where = place.bar % 8
    weight = 2.5 if len(chord[1]) > 3 else 1.0
    if where == 7:
        return 0.25 * (degree == 0) * weight
    return (0.15 if where == 3 else 0.12 if where == 6 else 0.0) * leading * weight


def _move(before: Harmony, after: Harmony, *, strong: bool) -> float:
    if before == after:
        return -0.12 if strong else 0.4
    step = (after[0] - before[0]) % 12
    if step == 0:
        return 0.2 if len(after[1]) > len(before[1]) else -0.4  # a fifth may gain its seventh, never lose it
    moves = _RICH_MOVES if len(after[1]) > 3 and len(before[1]) > 3 else _MOVES
    pull = moves.get(step, 0.0) + (0.1 if strong else -0.15)
    if before[1] == _SEVENTH and step != 5:
        return -0.5  # a dominant wants to resolve
    if before[1] == _HALF and after != ((before[0] + 5) % 12, _SEVENTH):
        return -0.4
    if before[1] == _MINOR_7 and after == ((before[0] + 5) % 12, _SEVENTH):
        return pull + 0.2
    return pull


def _prepared(chords: Sequence[Chord], melody: Sequence[Note], key: Key) -> list[Chord]:
    """A second degree that goes straight home gives its second half to the dominant, where the melody lets it."""
    prepared: list[Chord] = []
    for chord, after in zip(chords, [*chords[1:], None], strict=True):
        half = chord.duration // 2
        second = (chord.root - key.pitch_class) % 12 == 2 and chord.tones in (_MINOR_7, _HALF)
        if second and after and after.root == key.pitch_class and half >= TICKS and not half % 12:
            dominant = (key.pitch_class + 7) % 12, _SEVENTH
            start = chord.start + half
            inside = tuple(note for note in melody if note.end > start and note.start < chord.end)
            if _fit(dominant, _Place(start, half, inside, 0, False, False)) > -0.4:
                prepared += [replace(chord, duration=half), Chord(start, half, *dominant)]
                continue
        prepared.append(chord)
    return prepared


def _ninth(chord: Chord, melody: Sequence[Note], key: Key) -> Chord:
    """The chord with its ninth, where the ninth is in the scale and the melody does not rub against it."""
    ninth = (chord.root + 2) % 12
    scale = {(key.pitch_class + step) % 12 for step in SCALES[key.mode]}
    rubs = any(
        note.start < chord.end and note.end > chord.start and (note.pitch - ninth) % 12 in (1, 11) and note.duration > 6
        for note in melody
    )
    if chord.tones not in (_SEVENTH, _MAJOR_7, _MINOR_7) or ninth not in scale or rubs:
        return chord
    return replace(chord, tones=(*chord.tones, 14))


def joined(chords: Iterable[Chord]) -> tuple[Chord, ...]:
    """Like neighbours as one chord each."""
    found: list[Chord] = []
    for chord in chords:
        last = found[-1] if found else None
        if last and last.end == chord.start and (last.root, last.tones) == (chord.root, chord.tones):
            found[-1] = replace(last, duration=last.duration + chord.duration)
        else:
            found.append(chord)
    return tuple(found)


def is_rich(chords: Iterable[Chord]) -> bool:
    """Whether there are sevenths and sixths other than those of dominants."""
    return any(len(chord.tones) > 3 and chord.tones != _SEVENTH for chord in chords)


def cadence(key: Key, start: int, duration: int, *, rich: bool) -> list[Chord]:
    """Chords from `start` that lead to the tonic: the dominant, or in old modes the degree below the tonic."""
    tonic = key.pitch_class
    if key.mode in ("dorian", "mixolydian"):
        return [Chord(start, duration, (tonic + 10) % 12, _MAJOR_7 if rich else _MAJOR)]
    dominant = (tonic + 7) % 12
    if not rich or duration % 2:
        return [Chord(start, duration, dominant, _SEVENTH)]
    half = duration // 2
    second = _MINOR_7 if key.mode == "major" else _HALF
    return [Chord(start, half, (tonic + 2) % 12, second), Chord(start + half, half, dominant, _SEVENTH)]


def closing_chord(score: Score, held: int) -> Harmony:
    """What goes before a very last tonic while pitch class `held` sounds on: the fourth degree where they agree."""
    home = score.chords[-1]
    if held != score.key.pitch_class:
        return home.root, home.tones
    minor = score.key.mode == "minor"
    if len(home.tones) > 3:
        sevenths = {"minor": _MINOR_7, "dorian": _SEVENTH}
        return (score.key.pitch_class + 5) % 12, sevenths.get(score.key.mode, _MAJOR_7)
    return (score.key.pitch_class + 5) % 12, _MINOR if minor else _MAJOR
