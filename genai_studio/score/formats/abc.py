"""Reads ABC notation, the text format of the folk-tune collections, into bars of notes.

Owns the subset that printed tune books use: key signatures and modes, bar-long accidentals, tuplets, broken rhythm,
ties, repeats with first and second endings, inline key and unit changes. Grace notes, chord symbols and decorations are
read past; a chord becomes its highest note. A tune it cannot read faithfully (several voices, overlays, a metre that
changes) is refused with `AbcError` rather than guessed at.

Source of the rules: https://abcnotation.com/wiki/abc:standard:v2.1
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

LETTER_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARP_ORDER = "FCGDAEB"
MODE_FIFTHS = {
    "lydian": 1,
    "major": 0,
    "mixolydian": -1,
    "dorian": -2,
    "minor": -3,
    "phrygian": -4,
    "locrian": -5,
}
_MODE_NAMES = {
    "": "major",
    "maj": "major",
    "ion": "major",
    "m": "minor",
    "min": "minor",
    "aeo": "minor",
    "dor": "dorian",
    "mix": "mixolydian",
    "lyd": "lydian",
    "phr": "phrygian",
    "loc": "locrian",
}
_TONIC_FIFTHS = {letter: index - 1 for index, letter in enumerate("FCGDAEB")}
_TUPLET_TIME = {2: 3, 3: 2, 4: 3, 5: 2, 6: 2, 7: 2, 8: 3, 9: 2}

_TOKEN = re.compile(
    r"""(?P<field>\[[A-Za-z]:[^\]]*\])
      | (?P<text>"[^"]*"|![A-Za-z0-9.<>()+]*!|\+[a-z0-9.]+\+|\{[^}]*\})
      | (?P<chord>\[(?:[_^=]*[A-Ga-g][,']*[\d/]*[-.]?)+\](?P<chordlength>\d*/*\d*))
      | (?P<bar>:*\|[|\]:]*(?:\s*\[?[1-9](?=[^\d/]))?|::+|\[\||\|\]|\[[1-9](?:[,-][1-9])*)
      | (?P<tuplet>\((?P<p>[2-9])(?::(?P<q>\d*))?(?::(?P<r>\d*))?)
      | (?P<note>(?P<accidental>\^\^|__|[_^=])?(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<length>\d*/*\d*))
      | (?P<rest>[zxZ](?P<restlength>\d*/*\d*))
      | (?P<tie>-)
      | (?P<broken>[<>]+)
      | (?P<overlay>&)
      | (?P<other>.)""",
    re.VERBOSE,
)
_CHORD_NOTE = re.compile(r"(\^\^|__|[_^=])?([A-Ga-g])([,']*)(\d*/*\d*)")


class AbcError(ValueError):
    """The text is not a tune that this reader can read faithfully."""


@dataclass(frozen=True)
class AbcKey:
    """A key: `tonic` as a pitch class 0-11, `fifths` of its signature (sharps positive), `mode` by name."""

    tonic: int
    fifths: int
    mode: str


@dataclass
class AbcNote:
    """`pitch` is a MIDI number or None for a rest; `duration` in quarter notes; `tied` into the next note."""

    pitch: int | None
    duration: Fraction
    tied: bool = False


@dataclass
class AbcBar:
    """The notes between two bar lines. `opens` and `closes` are the bar lines' text; `ending` is 0, 1 or 2; `part` is
    the name of the part (P:) that begins with it."""

    notes: list[AbcNote] = field(default_factory=list)
    opens: str = ""
    closes: str = ""
    ending: int = 0
    part: str = ""

    @property
    def duration(self) -> Fraction:
        """Length in quarter notes."""
        return sum((note.duration for note in self.notes), Fraction(0))


@dataclass
class AbcTune:
    """One tune as printed: `metre` is (beats, unit); the bars are in written order, repeats not played out; `tempo` is
    in quarters a minute, 0 where none is given."""

    number: int
    title: str
    rhythm: str
    metre: tuple[int, int]
    key: AbcKey
    bars: list[AbcBar]
    tempo: float = 0.0


def split_tunes(text: str) -> Iterator[str]:
    """Each tune of a tune book: the lines from an `X:` field to the next."""
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("X:"):
            if current:
                yield "\n".join(current)
            current = [line]
        elif current:
            current.append(line)
    if current:
        yield "\n".join(current)


def parse_key(text: str) -> AbcKey:
    """`Am`, `D mix`, `F#m`, `Bb` to a key. Raises `AbcError` for no key, a bagpipe key or explicit accidentals."""
    match = re.match(r"\s*([A-G])([#b]?)\s*([A-Za-z]*)", text)
    if not match:
        raise AbcError(f"The key {text.strip()!r} is not one that can be read.")
    letter, accidental, name = match.groups()
    name = name if name == "m" else name.lower()[:3]
    if name not in _MODE_NAMES:
        raise AbcError(f"The mode {name!r} is not known.")
    mode = _MODE_NAMES[name]
    shift = {"#": 7, "b": -7, "": 0}[accidental]
    tonic = (LETTER_SEMITONES[letter] + {"#": 1, "b": -1, "": 0}[accidental]) % 12
    return AbcKey(tonic, _TONIC_FIFTHS[letter] + shift + MODE_FIFTHS[mode], mode)


def parse_tune(text: str) -> AbcTune:
    """One tune's ABC to bars of notes with sounding pitches. Raises `AbcError` where it cannot be read faithfully."""
    header: dict[str, str] = {}
    body: list[str] = []
    for raw in text.splitlines():
        line = raw.split("%", 1)[0].rstrip()
        match = re.match(r"([A-Za-z]):(.*)", line)
        if match and (name := match.group(1)) and "K" not in header:
            if name == "T" and "T" in header:
                continue
            header[name] = match.group(2).strip()
        elif match:
            if match.group(1) == "V":
                raise AbcError("The tune has several voices.")
            if match.group(1) in "KLMP":
                body.append(f"[{match.group(1)}:{match.group(2).strip()}]")
        elif line and "K" in header:
            body.append(line.removesuffix("\\"))
    if "K" not in header or "M" not in header:
        raise AbcError("The tune has no key or no metre.")
    metre = _parse_metre(header["M"])
    reader = _BodyReader(metre, _parse_unit(header.get("L", ""), metre), parse_key(header["K"]))
    bars = reader.read(" ".join(body))
    number = re.match(r"\s*(\d+)", header.get("X", ""))
    return AbcTune(
        int(number.group(1)) if number else 0,
        header.get("T", ""),
        header.get("R", ""),
        metre,
        parse_key(header["K"]),
        bars,
        _parse_tempo(header.get("Q", "")),
    )


def _parse_tempo(text: str) -> float:
    """`1/4=120`, `3/8=60`, or the number alone, which counts quarters: in quarters a minute. 0 for words alone."""
    match = re.search(r"(?:(\d{1,2})/(\d{1,3})\s*=\s*)?(\d{1,4}(?:\.\d{1,4})?)\s*(?:\"|$)", text)
    if not match:
        return 0.0
    unit = 4 * int(match.group(1)) / max(1, int(match.group(2))) if match.group(1) else 1.0
    return unit * float(match.group(3))


def _parse_metre(text: str) -> tuple[int, int]:
    text = text.replace(" ", "")
    if text in ("C", "C|"):
        return (4, 4)
    match = re.match(r"(\d+)/(\d+)", text)
    if not match:
        raise AbcError(f"The metre {text!r} is not one that can be read.")
    return int(match.group(1)), int(match.group(2))


def _parse_unit(text: str, metre: tuple[int, int]) -> Fraction:
    """The unit note length in quarters; by default a sixteenth below 3/4 and an eighth from there on."""
    match = re.match(r"\s*(\d+)/(\d+)", text)
    if match:
        return Fraction(4 * int(match.group(1)), int(match.group(2)))
    return Fraction(1, 4) if Fraction(*metre) < Fraction(3, 4) else Fraction(1, 2)


def _parse_length(text: str) -> Fraction:
    """`3`, `/`, `3/2`, `//` as a multiple of the unit."""
    if not text:
        return Fraction(1)
    match = re.fullmatch(r"(\d*)(/*)(\d*)", text)
    if not match:
        raise AbcError(f"The note length {text!r} is not one that can be read.")
    top, slashes, bottom = match.groups()
    value = Fraction(int(top) if top else 1)
    if slashes:
        value /= int(bottom) if bottom else 2 ** len(slashes)
    if value <= 0:
        raise AbcError("A note has no length.")
    return value


class _BodyReader:
    """Walks the music code of one tune, keeping what carries from note to note."""

    def __init__(self, metre: tuple[int, int], unit: Fraction, key: AbcKey) -> None:
        self.metre, self.unit, self.key = metre, unit, key
        self.accidentals: dict[tuple[str, int], int] = {}
        self.bars = [AbcBar()]
        self.tuplet: tuple[int, Fraction] = (0, Fraction(1))
        self.broken: Fraction | None = None

    def read(self, body: str) -> list[AbcBar]:
        for match in _TOKEN.finditer(body):
            kind = match.lastgroup
            if match.group("bar"):
                self._bar_line(match.group("bar").replace(" ", ""))
            elif match.group("note"):
                pitch = self._pitch(match.group("accidental"), match.group("letter"), match.group("octave"))
                self._add(pitch, match.group("length"))
            elif match.group("rest"):
                if match.group("rest")[0] == "Z":
                    raise AbcError("The tune has rests of whole bars.")
                self._add(None, match.group("restlength"))
            elif match.group("chord"):
                notes = _CHORD_NOTE.findall(match.group("chord"))
                pitches = [self._pitch(accidental, letter, octave) for accidental, letter, octave, _ in notes]
                inner, outer = _parse_length(notes[0][3]), _parse_length(match.group("chordlength"))
                self._add(max(pitches), str(inner * outer))
            elif match.group("tuplet"):
                count = int(match.group("p"))
                compound = self.metre[0] % 3 == 0 and self.metre[1] == 8
                default = 3 if compound and count in (5, 7, 9) else _TUPLET_TIME[count]
                time = int(match.group("q")) if match.group("q") else default
                notes_in = int(match.group("r")) if match.group("r") else count
                self.tuplet = (notes_in, Fraction(time, count))
            elif match.group("broken"):
                self._break(match.group("broken"))
            elif match.group("tie") and self.bars[-1].notes:
                self.bars[-1].notes[-1].tied = True
            elif match.group("tie") and len(self.bars) > 1 and self.bars[-2].notes:
                self.bars[-2].notes[-1].tied = True
            elif kind == "field":
                self._inline(match.group("field"))
            elif kind == "overlay":
                raise AbcError("The tune has a second voice inside a bar.")
        return [bar for bar in self.bars if bar.notes]

    def _inline(self, text: str) -> None:
        name, value = text[1], text[3:-1]
        if name == "K":
            self.key = parse_key(value)
        elif name == "L":
            self.unit = _parse_unit(value, self.metre)
        elif name == "P":
            if self.bars[-1].notes:
                self.bars.append(AbcBar())
            self.bars[-1].part = value.strip()
        elif name == "M" and _parse_metre(value) != self.metre:
            raise AbcError("The tune changes its metre.")

    def _bar_line(self, text: str) -> None:
        ending = int(text[-1]) if text[-1].isdigit() else 0
        line = text.rstrip("0123456789").rstrip("[")
        self.accidentals.clear()
        bar = self.bars[-1]
        if bar.notes:
            bar.closes = line
            follows = 0 if ":" in line or "||" in line or "]" in line else bar.ending
            self.bars.append(AbcBar(opens=line, ending=ending or follows))
        else:
            bar.opens += line
            bar.ending = ending or bar.ending
            if len(self.bars) > 1:
                self.bars[-2].closes += line

    def _pitch(self, accidental: str | None, letter: str, octave: str) -> int:
        name = letter.upper()
        height = (5 if letter.islower() else 4) + octave.count("'") - octave.count(",")
        if accidental:
            self.accidentals[(name, height)] = accidental.count("^") - accidental.count("_")
        shift = self.accidentals.get((name, height))
        if shift is None:
            fifths = self.key.fifths
            sharp = fifths > 0 and name in SHARP_ORDER[:fifths]
            flat = fifths < 0 and name in SHARP_ORDER[fifths:]
            shift = 1 if sharp else -1 if flat else 0
        return 12 * (height + 1) + LETTER_SEMITONES[name] + shift

    def _add(self, pitch: int | None, length: str) -> None:
        duration = Fraction(length) if "/" in length and length[-1].isdigit() and length[0].isdigit() else None
        duration = (duration or _parse_length(length)) * self.unit
        left, factor = self.tuplet
        if left:
            duration *= factor
            self.tuplet = (left - 1, factor)
        if self.broken is not None:
            duration *= self.broken
            self.broken = None
        self.bars[-1].notes.append(AbcNote(pitch, duration))

    def _break(self, text: str) -> None:
        """`a>b` dots the first and halves the second; `a>>b` dots twice; `<` the other way round."""
        if not self.bars[-1].notes:
            return
        short = Fraction(1, 2 ** len(text))
        long = 2 - short
        before, after = (long, short) if text[0] == ">" else (short, long)
        self.bars[-1].notes[-1].duration *= before
        self.broken = after
