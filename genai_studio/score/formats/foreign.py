"""What a file of another program, or a recording, says about a tune, and how it becomes a score: on the grid, in one of
the metres, in a key, with bars that add up."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from genai_studio.errors import InvalidInput
from genai_studio.score.arranging.arrange import INSTRUMENTS
from genai_studio.score.document import MAX_BARS, MAX_NOTES
from genai_studio.score.model import KEYS, METRES, SCALES, TICKS, Key, Note, Part, Score, Section

_SAME_BARS = {"2/2": "4/4", "12/8": "6/8", "3/8": "6/8", "6/4": "3/4", "4/8": "2/4"}
"""Metres whose bars are exactly one or two bars of another; 3/8 takes two of them for one."""
_LEADING = ("melody", "lead", "vocal", "voice", "sing", "solo", "tune", "旋律", "主唱")
"""Words in the name of a part that leads."""
_LOWEST_TEMPO, _HIGHEST_TEMPO = 20.0, 400.0
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""How well each step fits a key: the probe-tone ratings of Krumhansl and Kessler, 1982."""


@dataclass
class Heard:
    """A note in quarters from the start."""

    start: Fraction
    duration: Fraction
    pitch: int
    velocity: int = 80

    @property
    def end(self) -> Fraction:
        """The quarter where it stops."""
        return self.start + self.duration


@dataclass
class Foreign:
    """A tune as it was found. Times are in quarters; `pickup` is what sounds before the first bar line."""

    title: str = ""
    notes: list[Heard] = field(default_factory=list)
    metre: str = "4/4"
    pickup: Fraction = Fraction(0)
    key: Key | None = None
    fifths: int | None = None
    """The signature, where the file has one; `minor` is what it says about the third, None for nothing."""
    minor: bool | None = None
    tempo: float = 0.0
    """Quarters a minute; 0 is not known."""
    marks: list[tuple[Fraction, str]] = field(default_factory=list)
    """Where sections begin, and their letters."""


def score_of(found: Foreign) -> Score:
    """The tune as a score with one part. Raises InvalidInput, in one sentence, for a metre that has no place here, no
    notes, or more than a score may hold."""
    metre = metre_of(found.metre)
    if not found.notes:
        raise InvalidInput("There are no notes in it.")
    if len(found.notes) > MAX_NOTES:
        raise InvalidInput(f"It has {len(found.notes):,} notes; allowed are {MAX_NOTES:,}.")
    length = METRES[metre]
    if max(note.end for note in found.notes) * TICKS > MAX_BARS * length:
        bars = math.ceil(max(note.end for note in found.notes) * TICKS / length)
        raise InvalidInput(f"It has {bars:,} bars; allowed are {MAX_BARS}.")
    pickup = round(found.pickup * TICKS) % length
    notes = _fitted(on_grid(melody_of(found.notes), pickup), pickup, length)
    if not notes:
        raise InvalidInput("There is no melody in it.")
    bars = max(1, math.ceil(notes[-1].end / length))
    key = found.key or key_of(notes, found.fifths, found.minor)
    beat = Fraction(3, 2) if metre in ("6/8", "9/8") else Fraction(1)
    quarters = found.tempo or (100.0 * float(beat))
    tempo = min(_HIGHEST_TEMPO, max(_LOWEST_TEMPO, round(quarters / float(beat), 2)))
    name = _instrument(notes)
    lead = Part(name.title(), "melody", INSTRUMENTS[name].program, tuple(notes))
    return Score(
        " ".join(found.title.split())[:120] or "Untitled", key, metre, float(tempo), bars, pickup, (lead,),
        sections=_sections(found.marks, bars, pickup, length), instrument=name,
    )  # fmt: skip


def metre_of(text: str) -> str:
    """The metre of `METRES` that it is, or is exactly two bars of. Raises InvalidInput."""
    text = text.replace(" ", "")
    metre = _SAME_BARS.get(text, text)
    if metre not in METRES:
        raise InvalidInput(f"It is in {text[:12]}; allowed are {', '.join(METRES)}, and 2/2, 3/8, 6/4 and 12/8.")
    return metre


def metre_changes(first: str, second: str) -> str:
    """The sentence that refuses a tune in two metres."""
    return f"It changes its metre from {first} to {second}; one metre throughout is allowed."


@dataclass(frozen=True)
class Voice:
    """One of several lines of which one is the melody."""

    name: str
    notes: list[Heard]


def leading(voices: Sequence[Voice]) -> Voice:
    """The voice that is most like a melody: one note at a time, sounding throughout, high, called so, and early."""
    end = max(float(note.end) for voice in voices for note in voice.notes)

    def likeness(place: int) -> float:
        voice = voices[place]
        line = melody_of(voice.notes)
        covered = len({int(note.start) for note in line}) / max(1.0, end)
        height = sum(note.pitch for note in line) / len(line)
        name = voice.name.lower()
        few = len({note.pitch for note in line}) < 4
        lengths = Counter(round(float(note.duration), 2) for note in line)
        even = max(lengths.values()) > 0.9 * len(line)  # a figure, not a tune
        return (
            len(line) / len(voice.notes)
            + min(1.0, covered)
            + min(0.6, max(0.0, (height - 48) / 60))
            + any(word in name for word in _LEADING)
            - ("bass" in name)
            - 0.6 * few
            - 0.3 * even
            - 0.12 * place
        )

    return voices[max(range(len(voices)), key=likeness)]


def melody_of(notes: Sequence[Heard]) -> list[Heard]:
    """One note at a time: of those that begin together the highest; a lower one under a note that sounds on is left
    out, and a note ends where the next begins."""
    line: list[Heard] = []
    for note in sorted(notes, key=lambda note: (note.start, -note.pitch)):
        if line and note.start < line[-1].end:
            before = line[-1]
            left = before.end - note.start
            if note.start == before.start or (
                note.pitch < before.pitch and left > max(before.duration / 4, Fraction(1, 4))
            ):
                continue
            before.duration = note.start - before.start
        line.append(Heard(note.start, note.duration, note.pitch, note.velocity))
    return [note for note in line if note.duration > 0]


def on_grid(notes: Sequence[Heard], pickup: int) -> list[Note]:
    """The notes in ticks. A file that is on the grid stays as it is; otherwise each beat that is not moves to
    sixteenths or triplets, whichever are nearer."""
    exact = all((quarters * TICKS).denominator == 1 for note in notes for quarters in (note.start, note.end))
    beats: dict[int, list[Fraction]] = {}
    for note in notes:
        for place in (note.start * TICKS, note.end * TICKS):
            beats.setdefault(math.floor((place - pickup) / TICKS), []).append((place - pickup) % TICKS)
    grids = {beat: 1 if exact else _grid(places) for beat, places in beats.items()}

    def placed(quarters: Fraction) -> int:
        beat, place = divmod(quarters * TICKS - pickup, TICKS)
        size = grids[int(beat)]
        return max(0, pickup + int(beat) * TICKS + round(place / size) * size)

    moved: list[Note] = []
    lasting = Fraction(0)
    for note in notes:
        start, end = placed(note.start), placed(note.end)
        if moved and start < moved[-1].end:
            if start <= moved[-1].start:  # both at one place: the longer stays
                if note.duration <= lasting:
                    continue
                moved.pop()
            else:
                moved[-1] = Note(moved[-1].start, start - moved[-1].start, moved[-1].pitch, moved[-1].velocity)
        lasting = note.duration
        moved.append(Note(start, max(1, end - start) if end > start else 3, note.pitch, max(1, note.velocity)))
    breath = 0 if exact else 5  # less than a sixteenth between two moved notes is no rest
    return [
        note
        if note.end <= after.start - breath - 1 or note.end == after.start or note is moved[-1]
        else Note(note.start, after.start - note.start, note.pitch, note.velocity)
        for note, after in pairwise([*moved, Note(10**9, 1, 0)])
    ]


def _grid(places: Sequence[Fraction]) -> int:
    """The step, in ticks, of a beat: 1 where the places are on thirty-seconds, triplets or half triplets already."""
    if all(abs(place - round(place / size) * size) <= Fraction(1, 10) for place in places for size in (1,)) and all(
        round(place) % 3 == 0 or round(place) % 2 == 0 for place in places
    ):
        return 1

    def cost(size: int) -> Fraction:
        return sum((abs(place - round(place / size) * size) for place in places), Fraction(0)) / len(places)

    return 8 if cost(8) + Fraction(2, 5) < cost(6) else 6


def _fitted(notes: list[Note], pickup: int, length: int) -> list[Note]:
    """The last bar is short by the pickup: a last note that fills it gives way."""
    if notes and pickup:
        over = notes[-1].end % length
        if 0 < over <= pickup < notes[-1].duration:
            last = notes[-1]
            notes[-1] = Note(last.start, last.duration - over, last.pitch, last.velocity)
    return notes


def key_of(notes: Sequence[Note], fifths: int | None = None, minor: bool | None = None) -> Key:
    """The key that fits best: one of the signature where the notes agree with it, the last note deciding its mode;
    otherwise by how long each step sounds."""
    weights = [0.0] * 12
    for note in notes:
        weights[note.pitch % 12] += note.duration
    total = sum(weights) or 1.0
    last = notes[-1].pitch % 12
    everything = [Key(tonic, mode) for tonic in KEYS for mode in SCALES]
    if fifths is not None:
        signed = [key for key in everything if key.fifths == fifths or abs(key.fifths - fifths) == 12]
        if minor is not None:
            signed = [key for key in signed if (key.mode in ("minor", "dorian")) is minor]
        scale = {(key.pitch_class + step) % 12 for key in signed for step in SCALES[key.mode]}
        if signed and sum(weights[step] for step in scale) / total > 0.75:
            return min(signed, key=lambda key: (key.pitch_class != last, list(SCALES).index(key.mode)))
    return max(everything, key=lambda key: _fit(key, weights) + 0.12 * (key.pitch_class == last))


def _fit(key: Key, weights: Sequence[float]) -> float:
    """Correlation of what sounds with what the key expects."""
    profile = list(_MINOR if key.mode in ("minor", "dorian") else _MAJOR)
    if key.mode == "dorian":
        profile[8], profile[9] = profile[9], profile[8]
    if key.mode == "mixolydian":
        profile[10], profile[11] = profile[11], profile[10]
    expected = [profile[(step - key.pitch_class) % 12] for step in range(12)]
    means = sum(expected) / 12, sum(weights) / 12
    top = sum((a - means[0]) * (b - means[1]) for a, b in zip(expected, weights, strict=True))
    spread = math.sqrt(sum((a - means[0]) ** 2 for a in expected) * sum((b - means[1]) ** 2 for b in weights))
    return top / spread if spread else 0.0


def _instrument(notes: Sequence[Note]) -> str:
    """The first melody instrument that has all the notes, or the one that has most of them."""

    def missing(name: str) -> int:
        return sum(not INSTRUMENTS[name].lowest <= note.pitch <= INSTRUMENTS[name].highest for note in notes)

    return min(INSTRUMENTS, key=missing)


def _sections(marks: Sequence[tuple[Fraction, str]], bars: int, pickup: int, length: int) -> tuple[Section, ...]:
    """Marks as sections of whole bars without gaps; one section where there are none."""
    starts: dict[int, str] = {}
    for quarters, letter in marks:
        bar = max(0, round((float(quarters) * TICKS - pickup) / length))
        if bar < bars:
            starts[bar] = letter[:4] or "A"
    starts.setdefault(0, "A")
    ordered = sorted(starts)
    return tuple(Section(starts[bar], bar, end - bar) for bar, end in pairwise([*ordered, bars]) if end > bar)


def letters() -> Iterator[str]:
    """A, B, C and so on, without those that mean an introduction and an ending."""
    for number in range(10_000):
        letter = chr(ord("A") + number % 26)
        if letter not in "IZ":
            yield letter if number < 26 else f"{letter}{number // 26}"
