"""Reads standard MIDI files that anyone may have written: strictly, with bounds, in time that grows with the file. The
fast readers in C++ crash on broken files, so this one is plain Python.

Source: Standard MIDI Files 1.0, https://midi.org/standard-midi-files-specification
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from genai_studio.errors import InvalidInput
from genai_studio.score.document import MAX_NOTES
from genai_studio.score.formats.foreign import Foreign, Heard, Voice, leading, metre_changes

_MAX_EVENTS = 400_000
_MAX_TICK = 1 << 31
_DRUM_CHANNEL = 9
_LENGTHS = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
"""Data bytes of a channel message by its upper four bits."""
_BROKEN = "This MIDI file is broken: {}."


@dataclass
class Line:
    """The notes of one channel of one track: (start, end, pitch, velocity) in the file's ticks."""

    name: str
    program: int
    channel: int
    notes: list[tuple[int, int, int, int]] = field(default_factory=list)


@dataclass
class MidiFile:
    """What a file says: `resolution` ticks a quarter, lines, and the tempos (microseconds a quarter), metres, key
    signatures (fifths, minor) and markers, each with its tick, in order."""

    resolution: int
    lines: list[Line]
    tempos: list[tuple[int, int]]
    metres: list[tuple[int, str]]
    keys: list[tuple[int, tuple[int, bool]]]
    markers: list[tuple[int, str]]


def read_midi(content: bytes, title: str = "") -> Foreign:
    """The melody of a file. Raises InvalidInput with one sentence for what is no MIDI file, is broken, has no notes or
    too many, or changes its metre."""
    midi = parse(content)
    lines = [line for line in midi.lines if line.channel != _DRUM_CHANNEL and line.notes]
    if not lines:
        raise InvalidInput("This MIDI file has no notes.")
    end = max(note[1] for line in lines for note in line.notes)
    metre, pickup = _metre(midi, end)
    voices = [
        Voice(
            f"{line.name} bass" if 32 <= line.program <= 39 else line.name,
            [
                Heard(Fraction(start, midi.resolution), Fraction(stop - start, midi.resolution), pitch, velocity)
                for start, stop, pitch, velocity in line.notes
            ],
        )
        for line in lines
    ]
    notes = leading(voices).notes
    found = Foreign(title, notes, metre, Fraction(pickup, midi.resolution), tempo=_tempo(midi, end))
    if midi.keys:
        found.fifths, found.minor = midi.keys[0][1]
    found.marks = [(Fraction(tick, midi.resolution), text) for tick, text in midi.markers if 0 < len(text) <= 4]
    if not found.marks:
        _from_first_note(found)
    return found


def parse(content: bytes) -> MidiFile:
    """The whole file. Raises InvalidInput."""
    if content[:4] == b"RIFF" and content[8:12] == b"RMID":
        content = content[20:]
    if content[:4] != b"MThd" or len(content) < 14:
        raise InvalidInput("This is not a MIDI file.")
    header = int.from_bytes(content[4:8])
    kind, resolution = int.from_bytes(content[8:10]), int.from_bytes(content[12:14])
    if header < 6 or kind > 2:
        raise InvalidInput(_BROKEN.format("its header makes no sense"))
    if resolution & 0x8000:
        raise InvalidInput("This MIDI file counts film frames; allowed is time in beats.")
    if resolution == 0:
        raise InvalidInput(_BROKEN.format("a quarter note has no length"))
    midi = MidiFile(resolution, [], [], [], [], [])
    at, events, notes = 8 + header, 0, 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8])
        body = memoryview(content)[at + 8 : at + 8 + size]
        if bytes(content[at : at + 4]) == b"MTrk":
            if len(body) < size:
                raise InvalidInput(_BROKEN.format("it ends in the middle of a track"))
            for kind_of, count in _track(body, midi):
                events += kind_of
                notes += count
                if notes > MAX_NOTES:
                    raise InvalidInput(f"This MIDI file has more than {MAX_NOTES:,} notes, which is the most allowed.")
                if events > _MAX_EVENTS:
                    raise InvalidInput(
                        f"This MIDI file has more than {_MAX_EVENTS:,} events, which is the most allowed."
                    )
        at += 8 + size
    for table in (midi.tempos, midi.metres, midi.keys, midi.markers):
        table.sort(key=lambda entry: entry[0])
    return midi


def _track(data: memoryview, midi: MidiFile) -> Iterator[tuple[int, int]]:
    """Reads one track into `midi`; yields (events, notes) as they come, so that the caller can stop."""
    lines: dict[int, Line] = {}
    sounding: dict[tuple[int, int], list[tuple[int, int]]] = {}
    programs: dict[int, int] = {}
    name, at, tick, status = "", 0, 0, 0
    try:
        while at < len(data):
            delta, at = _number(data, at)
            tick += delta
            if tick > _MAX_TICK:
                raise InvalidInput(_BROKEN.format("its time runs for ever"))
            first = data[at]
            if first >= 0x80:
                at += 1
            if first == 0xFF:
                kind = data[at]
                size, at = _number(data, at + 1)
                text = bytes(data[at : at + size])
                if len(text) < size:
                    raise IndexError
                at += size
                if kind == 0x2F:
                    break
                name = _meta(kind, text, tick, midi) or name
                yield 1, 0
                continue
            if first in (0xF0, 0xF7):
                size, at = _number(data, at)
                at += size
                yield 1, 0
                continue
            status = first if first >= 0x80 else status
            if status < 0x80 or status >= 0xF0:
                raise InvalidInput(_BROKEN.format("it has an event of no known kind"))
            one = data[at]
            two = data[at + 1] if _LENGTHS[status >> 4] == 2 else 0
            at += _LENGTHS[status >> 4]
            if one > 127 or two > 127:
                raise InvalidInput(_BROKEN.format("an event has a value over 127"))
            channel, count = status & 0xF, 0
            if status >> 4 == 0xC:
                programs[channel] = one
            elif status >> 4 == 0x9 and two:
                line = lines.setdefault(channel, Line("", programs.get(channel, 0), channel))
                sounding.setdefault((channel, one), []).append((tick, two))
                count = 1
            elif status >> 4 in (0x8, 0x9) and sounding.get((channel, one)):
                start, velocity = sounding[(channel, one)].pop(0)
                lines[channel].notes.append((start, max(start + 1, tick), one, velocity))
            yield 1, count
    except IndexError:
        raise InvalidInput(_BROKEN.format("a track ends in the middle of an event")) from None
    for (channel, pitch), left in sounding.items():
        lines[channel].notes += [(start, max(start + 1, tick), pitch, velocity) for start, velocity in left]
    for line in lines.values():
        line.name = name
        line.notes.sort()
        midi.lines.append(line)


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """A number of one to four bytes, seven bits each, and the place after it."""
    value = 0
    for _ in range(4):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    raise InvalidInput(_BROKEN.format("a length or a time is negative or too long"))


def _meta(kind: int, text: bytes, tick: int, midi: MidiFile) -> str:
    """Notes what a meta event says; the track's name if it is one."""
    if kind == 0x51 and len(text) == 3 and int.from_bytes(text):
        midi.tempos.append((tick, int.from_bytes(text)))
    elif kind == 0x58 and len(text) >= 2 and text[0] and text[1] <= 6:
        midi.metres.append((tick, f"{text[0]}/{1 << text[1]}"))
    elif kind == 0x59 and len(text) >= 2:
        fifths = text[0] - 256 if text[0] > 127 else text[0]
        if -7 <= fifths <= 7:
            midi.keys.append((tick, (fifths, text[1] == 1)))
    elif kind == 0x06:
        midi.markers.append((tick, text[:80].decode("utf-8", "replace").strip()))
    return text[:80].decode("utf-8", "replace").strip() if kind == 0x03 else ""


def _metre(midi: MidiFile, end: int) -> tuple[str, int]:
    """The metre, and the pickup in ticks where the file begins with a shorter bar. Raises InvalidInput."""
    changes: list[tuple[int, str]] = []
    for tick, metre in midi.metres:
        if changes and changes[-1][0] == tick:
            changes.pop()
        if tick < end and (not changes or changes[-1][1] != metre):
            changes.append((tick, metre))
    pickup = 0
    if len(changes) > 1 and changes[0][0] == 0:
        (_, first), (second_tick, second) = changes[:2]
        shorter = _bar(first, midi.resolution) < _bar(second, midi.resolution)
        if shorter and second_tick == _bar(first, midi.resolution):
            pickup = second_tick
            changes = changes[1:]
    if len(changes) > 1:
        raise InvalidInput(metre_changes(changes[0][1], changes[1][1]))
    return (changes[0][1] if changes else "4/4"), pickup


def _bar(metre: str, resolution: int) -> Fraction:
    beats, unit = metre.split("/")
    return Fraction(4 * resolution * int(beats), int(unit))


def _tempo(midi: MidiFile, end: int) -> float:
    """The tempo that lasts longest, in quarters a minute; 0 where none is given."""
    lasting: dict[int, int] = {}
    for (tick, tempo), (after, _) in pairwise([*midi.tempos, (end, 0)]):
        lasting[tempo] = lasting.get(tempo, 0) + max(0, after - tick)
    return 60_000_000 / max(lasting, key=lambda tempo: lasting[tempo]) if lasting else 0.0


def _from_first_note(found: Foreign) -> None:
    """Leaves out silent bars before the melody; where it then begins after the middle of a bar, that is its pickup."""
    beats, unit = found.metre.split("/")
    bar = Fraction(4 * int(beats), int(unit))
    first = min(note.start for note in found.notes)
    if found.pickup:
        return
    silent = first // bar * bar
    inside = first - silent
    shift = silent
    if silent and inside >= bar / 2:
        shift, found.pickup = first, bar - inside
    for note in found.notes:
        note.start -= shift
