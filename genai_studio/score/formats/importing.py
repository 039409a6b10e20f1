"""Brings a tune in: a MIDI, MusicXML or ABC file, or a recording, becomes a score with its melody. Whatever the file
is, the answer is a score or one sentence, soon, and in bounded memory."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from genai_studio.errors import InvalidInput
from genai_studio.score.formats.abc import AbcError, AbcTune, parse_tune, split_tunes
from genai_studio.score.formats.foreign import Foreign, Heard, letters, score_of
from genai_studio.score.formats.midi_reader import read_midi
from genai_studio.score.formats.musicxml_reader import read_musicxml
from genai_studio.score.formats.played import Signs, played
from genai_studio.score.model import KEYS, SCALES, Key, Score

MAX_BYTES = 10_000_000
MAX_AUDIO_BYTES = 50_000_000
_MAX_TUNE = 200_000
"""Characters of one ABC tune; 512 bars take a tenth of it."""
MIDI, MUSICXML, ABC = (".mid", ".midi", ".kar", ".rmi"), (".musicxml", ".xml", ".mxl"), (".abc", ".txt")
AUDIO = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif")
SUFFIXES = (*MIDI, *MUSICXML, *ABC, *AUDIO)
"""What a file may be called; its content decides what it is."""


def import_score(path: Path, *, notes: Path | None = None, tempo: float = 0.0, metre: str = "") -> Score:
    """The tune in a file as a score with one part, the melody, and the key, metre and tempo that were found.

    `notes` is the transcription model (nmp.onnx of basic-pitch), which recordings need. `tempo` (beats a minute) and
    `metre` may be given for a recording. Raises InvalidInput with one sentence for whatever cannot be read.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise InvalidInput(f"{path.name[:80]} cannot be read: {error.strerror or error}.") from None
    if size == 0:
        raise InvalidInput(f"{path.name[:80]} is empty.")
    kind = _kind(start, path.suffix.lower())
    limit = MAX_AUDIO_BYTES if kind == "audio" else MAX_BYTES
    if size > limit:
        raise InvalidInput(f"{path.name[:80]} has {size / 1e6:.0f} MB; allowed are {limit // 1_000_000} MB.")
    # A kept file is named by its hash, which is no title.
    title = "" if re.fullmatch("[0-9a-f]{64}", path.stem) else path.stem[:80]
    if kind == "audio":
        from genai_studio.score.hearing.transcribe import transcribe

        if notes is None:
            raise InvalidInput("A recording needs the transcription model, which is not here.")
        return transcribe(path, notes, title=title, tempo=tempo, metre=metre)
    content = path.read_bytes()
    if kind == "midi":
        return score_of(read_midi(content, title))
    if kind == "musicxml":
        return score_of(read_musicxml(content, title))
    return score_of(_read_abc(content, title))


def _kind(start: bytes, suffix: str) -> str:
    """midi, musicxml, abc or audio, by the first bytes, then by the name. Raises InvalidInput for anything else."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:4] == b"MThd" or (start[:4] == b"RIFF" and start[8:12] == b"RMID"):
        return "midi"
    if (
        start[:4] in (b"fLaC", b"OggS", b"FORM")
        or start[:3] == b"ID3"
        or (start[:4] == b"RIFF" and start[8:12] == b"WAVE")
        or (start[:1] == b"\xff" and len(start) > 1 and start[1] & 0xE0 == 0xE0 and suffix == ".mp3")
    ):
        return "audio"
    if text[:1] == b"<" or start[:2] == b"PK" or start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "musicxml"
    if suffix in ABC or text[:2] in (b"X:", b"%a", b"%%", b"T:"):
        return "abc"
    if suffix in MIDI:
        raise InvalidInput("This is not a MIDI file, though it is called one.")
    if suffix in MUSICXML:
        raise InvalidInput("This is not a MusicXML score, though it is called one.")
    if suffix in AUDIO:
        raise InvalidInput("This is not a recording that can be read, though it is called one.")
    raise InvalidInput("This is neither MIDI, MusicXML, ABC nor a recording (WAV, FLAC, MP3, OGG).")


def _read_abc(content: bytes, title: str) -> Foreign:
    """The first tune of the text. Raises InvalidInput."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "\0" in text:
        raise InvalidInput("This is not ABC notation.")
    tune = next(split_tunes(text), text)
    if len(tune) > _MAX_TUNE:
        raise InvalidInput(f"This ABC tune has {len(tune):,} characters; allowed are {_MAX_TUNE:,}.")
    try:
        return _from_abc(parse_tune(tune), title)
    except AbcError as error:
        raise InvalidInput(f"This ABC cannot be read: {error}") from None
    except ZeroDivisionError:
        raise InvalidInput("This ABC cannot be read: a length or the metre is divided by zero.") from None


def _from_abc(tune: AbcTune, title: str) -> Foreign:
    """The tune with its repeats played out, ties joined, bars aligned."""
    key = next((Key(KEYS[tune.key.tonic], tune.key.mode) for _ in (0,) if tune.key.mode in SCALES), None)
    bar = Fraction(4 * tune.metre[0], max(1, tune.metre[1]))
    found = Foreign(tune.title or title, [], f"{tune.metre[0]}/{tune.metre[1]}", key=key, tempo=tune.tempo)
    found.fifths = max(-7, min(7, tune.key.fifths))
    signs = [
        Signs(line.opens.endswith(":"), 2 if line.closes.startswith(":") else 0, (line.ending,) if line.ending else ())
        for line in tune.bars
    ]
    order = played(signs)
    if tune.bars and tune.bars[0].duration < bar and len(tune.bars) > 1:
        found.pickup = tune.bars[0].duration
    named = any(line.part for line in tune.bars)
    repeated = any(place != number for number, (place, _) in enumerate(order))
    names: dict[int, str] = {}
    letter = letters()
    at = Fraction(0)
    tied = False
    for number, (place, start) in enumerate(order):
        line = tune.bars[place]
        at = _aligned(found, at, line.duration, bar) if number else at
        if named and line.part:
            found.marks.append((at, line.part[:4]))
        elif not named and repeated and (place == start or number == 0):
            if start not in names:
                names[start] = next(letter)
            found.marks.append((at, names[start]))
        for note in line.notes:
            if note.pitch is not None and note.duration > 0:
                if tied and found.notes and found.notes[-1].pitch == note.pitch and found.notes[-1].end == at:
                    found.notes[-1].duration += note.duration
                else:
                    found.notes.append(Heard(at, note.duration, note.pitch))
            tied = note.tied
            at += note.duration
    return found


def _aligned(found: Foreign, at: Fraction, length: Fraction, bar: Fraction) -> Fraction:
    """Where a bar of `length` begins so that bar lines stay on the metre. Old books give a repeat its pickup but no
    short bar before it: then the note before gives way; a full bar waits for the bar line."""
    place = (at - found.pickup) % bar
    if place and length >= bar:
        return at + bar - place
    if not place and 0 < length <= bar / 2 and found.notes and found.notes[-1].duration > length and found.pickup:
        if found.notes[-1].end == at:
            found.notes[-1].duration -= length
        return at - length
    return at
