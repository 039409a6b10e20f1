"""Chords for a melody, by dynamic programming: the sequence that fits the notes and moves as harmony does."""

from __future__ import annotations

from collections.abc import Sequence

from genai_studio.score.model import METRES, TICKS, Chord, Key, Note

Triad = tuple[int, tuple[int, ...]]
_MAJOR, _MINOR, _SEVENTH = (0, 4, 7), (0, 3, 7), (0, 4, 7, 10)

PALETTES: dict[str, dict[Triad, float]] = {
    "major": {(0, _MAJOR): 0.45, (7, _MAJOR): 0.35, (5, _MAJOR): 0.3, (2, _MINOR): 0.05, (9, _MINOR): 0.05,
              (4, _MINOR): -0.25, (7, _SEVENTH): 0.15},
    "minor": {(0, _MINOR): 0.35, (7, _MINOR): 0.0, (10, _MAJOR): 0.3, (8, _MAJOR): 0.2, (3, _MAJOR): 0.15,
              (5, _MINOR): 0.15, (7, _SEVENTH): 0.15},
    "dorian": {(0, _MINOR): 0.4, (10, _MAJOR): 0.4, (5, _MAJOR): 0.1, (3, _MAJOR): 0.1, (7, _MINOR): 0.1},
    "mixolydian": {(0, _MAJOR): 0.5, (10, _MAJOR): 0.4, (5, _MAJOR): 0.2, (7, _MINOR): 0.0, (2, _MINOR): -0.1},
}  # fmt: skip
"""By mode: (root above the tonic, chord tones) to how ready one is to use it."""
SPANS = {"2/4": 48, "3/4": 72, "4/4": 48, "6/8": 36, "9/8": 108}
"""Ticks that one chord lasts at least."""
_MOVES = {5: 0.35, 7: 0.15, 2: 0.05, 10: 0.1}
"""Root motion upwards in semitones to what it is worth: a fourth up above all."""


def harmonise(melody: Sequence[Note], key: Key, metre: str, *, ticks: int, pickup: int) -> tuple[Chord, ...]:
    """Chords from the first bar line to `ticks`; none under the pickup. The last one is the tonic.

    A chord gains from melody notes that it holds, by their length and by the strength of where they start; it loses
    from those it does not hold, most from a semitone above one of its tones. Viterbi over `PALETTES`.
    """
    span, bar = SPANS[metre], METRES[metre]
    starts = list(range(pickup, ticks, span))
    palette = PALETTES[key.mode]
    choices = [(((root + key.pitch_class) % 12, tones), ready) for (root, tones), ready in palette.items()]
    home = choices[0][0]
    best: list[dict[Triad, tuple[float, Triad | None]]] = []
    for start in starts:
        inside = [note for note in melody if note.end > start and note.start < start + span]
        strong = (start - pickup) % bar == 0
        closing = start >= ticks - bar + pickup
        column: dict[Triad, tuple[float, Triad | None]] = {}
        for chord, ready in choices:
            if closing and chord != home:
                continue
            fit = ready + _fit(chord, inside, start, span)
            if not best:
                column[chord] = (fit + (0.6 if chord == home else 0.0), None)
                continue
            value, before = max(
                (score + _move(triad, chord, strong=strong), triad) for triad, (score, _) in best[-1].items()
            )
            column[chord] = (value + fit, before)
        best.append(column)
    path = [max(best[-1], key=lambda triad: best[-1][triad][0])]
    for column in reversed(best[1:]):
        if (previous := column[path[-1]][1]) is not None:
            path.append(previous)
    path.reverse()
    return _joined([Chord(start, min(span, ticks - start), *triad) for start, triad in zip(starts, path, strict=True)])


def _fit(chord: Triad, notes: Sequence[Note], start: int, span: int) -> float:
    root, tones = chord
    held = {(root + tone) % 12 for tone in tones}
    total, weight = 0.0, 0.0
    for note in notes:
        inside = min(note.end, start + span) - max(note.start, start)
        accent = 2.0 if note.start == start else 1.3 if (note.start - start) % TICKS == 0 else 0.8
        size = inside * accent
        pitch = note.pitch % 12
        if pitch in held:
            value = 1.15 if pitch == root else 1.0
        elif (pitch - 1) % 12 in held:
            value = -1.0
        else:
            value = -0.45
        total += size * value
        weight += size
    return 1.6 * total / weight if weight else 0.0


def _move(before: Triad, after: Triad, *, strong: bool) -> float:
    if before == after:
        return -0.12 if strong else 0.4
    if before[0] == after[0]:
        return 0.2 if len(after[1]) > len(before[1]) else -0.4  # a fifth may gain its seventh, never lose it
    if len(before[1]) == 4 and (after[0] - before[0]) % 12 != 5:
        return -0.5  # a seventh chord wants to resolve
    return _MOVES.get((after[0] - before[0]) % 12, 0.0) + (0.1 if strong else -0.15)


def _joined(chords: list[Chord]) -> tuple[Chord, ...]:
    """Like neighbours as one chord each."""
    joined: list[Chord] = []
    for chord in chords:
        last = joined[-1] if joined else None
        if last and (last.root, last.tones) == (chord.root, chord.tones):
            joined[-1] = Chord(last.start, last.duration + chord.duration, last.root, last.tones)
        else:
            joined.append(chord)
    return tuple(joined)
