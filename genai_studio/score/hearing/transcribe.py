"""A recording becomes a melody: a small network says which pitches sound when, the likeliest single line through them
is followed, and its notes are put on a beat.

The network is basic-pitch's nmp.onnx, given as a file and run by onnxruntime: 22,050 Hz mono in windows of 43,844
samples, and for each of 172 frames how likely each of the piano's 88 pitches sounds and begins. Source: Bittner et al.
2022, "A lightweight instrument-agnostic model for polyphonic note transcription and multipitch estimation".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genai_studio.errors import InvalidInput
from genai_studio.score.formats.foreign import Foreign, Heard, metre_of, score_of
from genai_studio.score.hearing.pulse import Sounded, beats_of
from genai_studio.score.model import Score

RATE, WINDOW, HOP = 22_050, 43_844, 256
FRAMES = 172
"""Frames of a window."""
_EDGE = 15
"""Frames at both ends of a window that see too little around them; windows overlap by twice as many."""
LOWEST, PITCHES = 21, 88
MAX_SECONDS = 600
_SILENCE = 1e-3
"""Root mean square of the loudest second below which there is nothing to be heard: -60 dB."""
_SHORTEST = 0.07
"""Seconds; what is shorter is a glide or a breath."""
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Heights:
    """(frames, 88) each: how likely a pitch sounds, and how likely it begins there."""

    sounding: Array
    beginning: Array


def transcribe(path: Path, network: Path, *, title: str = "", tempo: float = 0.0, metre: str = "") -> Score:
    """The melody of a recording of at most ten minutes. `tempo` (beats a minute) and `metre` are found where they are
    not given. Raises InvalidInput with one sentence for a file that is no recording, too long, silent or without
    notes."""
    if metre:
        metre = metre_of(metre)
    sound = read_sound(path)
    notes = melody_line(heights_of(sound, network))
    if len(notes) < 3:
        raise InvalidInput("No melody can be heard in this recording.")
    beats = beats_of(notes, tempo=tempo, metre=metre)
    heard = [
        Heard(Fraction(start).limit_denominator(96), Fraction(length).limit_denominator(96), pitch, velocity)
        for start, length, pitch, velocity in beats.notes
    ]
    found = Foreign(title, heard, beats.metre, Fraction(beats.pickup).limit_denominator(96), tempo=beats.quarters)
    score = score_of(found)
    # Nobody hums more exactly than in whole beats a minute.
    return replace(score, tempo=float(round(score.tempo)))


def read_sound(path: Path) -> Array:
    """The recording as mono at 22,050 Hz. Raises InvalidInput for what cannot be read, lasts too long or is silent."""
    import soundfile
    from scipy.signal import resample_poly

    try:
        with soundfile.SoundFile(path) as file:
            seconds = file.frames / max(1, file.samplerate)
            if seconds > MAX_SECONDS:
                raise InvalidInput(_too_long(seconds))
            if not 4000 <= file.samplerate <= 384_000 or file.channels > 32:
                raise InvalidInput("This recording has a sample rate or channels that cannot be read.")
            shared = gcd(RATE, file.samplerate)
            pieces: list[Array] = []
            read = 0
            for block in file.blocks(file.samplerate * 20, dtype="float32", always_2d=True):
                read += len(block)
                if read > MAX_SECONDS * file.samplerate:
                    raise InvalidInput(_too_long(read / file.samplerate))
                mono = np.nan_to_num(block.mean(axis=1), posinf=0.0, neginf=0.0)
                pieces.append(resample_poly(mono, RATE // shared, file.samplerate // shared).astype(np.float32))
    except (soundfile.SoundFileError, RuntimeError, OSError) as error:
        raise InvalidInput("This recording cannot be read; allowed are WAV, FLAC, MP3 and OGG.") from error
    sound = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if len(sound) < RATE // 2:
        raise InvalidInput("This recording is shorter than half a second.")
    seconds_of = sound[: len(sound) // RATE * RATE or len(sound)]
    loudest = float(np.sqrt((seconds_of.reshape(-1, min(RATE, len(seconds_of))) ** 2).mean(axis=1).max()))
    if loudest < _SILENCE:
        raise InvalidInput("This recording is silent.")
    return np.asarray(sound * min(30.0, 0.1 / loudest), dtype=np.float32)


def _too_long(seconds: float) -> str:
    return f"This recording lasts {seconds / 60:.0f} minutes; allowed are {MAX_SECONDS // 60}."


def heights_of(sound: Array, network: Path) -> Heights:
    """What the network hears in mono sound at 22,050 Hz. Raises InvalidInput where the file is not that network."""
    session = open_network(network)
    name = session.get_inputs()[0].name
    outputs = [output.name for output in session.get_outputs() if output.shape[-1] == PITCHES]
    if len(outputs) != 2:
        raise InvalidInput(f"{network.name} is not the transcription model.")
    onset, note = sorted(outputs, key=lambda output: output.split(":")[-1], reverse=True)
    sounding, beginning = [], []
    for window in _windows(sound):
        begins, sounds = session.run([onset, note], {name: window[None, :, None]})
        beginning.append(begins[0, _EDGE:-_EDGE])
        sounding.append(sounds[0, _EDGE:-_EDGE])
    frames = len(sound) // HOP + 1
    return Heights(np.concatenate(sounding)[:frames], np.concatenate(beginning)[:frames])


def open_network(network: Path) -> Any:
    """The transcription model as an onnxruntime session. Raises InvalidInput where the file is none."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors share no other base
        raise InvalidInput(f"{network.name} is not the transcription model.") from error


def _windows(sound: Array) -> Iterator[Array]:
    """Windows whose inner frames follow one another without gap or overlap; silence before and after the sound."""
    step = (FRAMES - 2 * _EDGE) * HOP
    padded = np.pad(sound, (_EDGE * HOP, WINDOW + step))
    for start in range(0, len(sound), step):
        yield padded[start : start + WINDOW]


def melody_line(heights: Heights) -> list[Sounded]:
    """The likeliest single line as notes, in seconds.

    1. Viterbi over 88 pitches and silence: a state earns how likely it sounds; a change costs, less where a note
    begins. Of several voices the upper is preferred a little. 2. Runs of one pitch are cut where it begins again.
    3. What is too short goes.
    """
    path = _likeliest(heights)
    notes: list[Sounded] = []
    start = 0
    for frame in range(1, len(path) + 1):
        if frame < len(path) and path[frame] == path[start]:
            continue
        if path[start] < PITCHES:
            notes += _struck(heights, int(path[start]), start, frame)
        start = frame
    return [note for note in notes if note.end - note.start >= _SHORTEST]


_REST_GAIN, _CHANGE, _BEGIN, _STOP = 0.32, 1.6, 1.0, 0.4
_STRUCK_AGAIN = 0.75
"""How sure a beginning must be to cut a pitch that goes on; less, and a vibrato does."""
_UPPER = 0.0016
"""What a semitone higher is worth a frame."""


def _likeliest(heights: Heights) -> NDArray[np.int64]:
    """For each frame the pitch from 0 to 87, or 88 for silence."""
    frames = len(heights.sounding)
    gain = np.concatenate([heights.sounding + _UPPER * np.arange(PITCHES), np.full((frames, 1), _REST_GAIN)], axis=1)
    begins = np.maximum(heights.beginning, np.roll(heights.beginning, 1, axis=0))
    best = gain[0].copy()
    back = np.zeros((frames, PITCHES + 1), np.int64)
    for frame in range(1, frames):
        voiced = int(best[:PITCHES].argmax())
        # into a pitch: staying, from another pitch, or from silence; a heard beginning makes the change cheap
        change = best[voiced] - _CHANGE + 1.4 * begins[frame]
        begin = best[PITCHES] - _BEGIN + 0.9 * begins[frame]
        stay = best[:PITCHES]
        into = np.maximum(stay, np.maximum(change, begin))
        back[frame, :PITCHES] = np.where(stay >= into, np.arange(PITCHES), np.where(change >= begin, voiced, PITCHES))
        rest = max(best[PITCHES], best[voiced] - _STOP)
        back[frame, PITCHES] = PITCHES if best[PITCHES] >= rest else voiced
        best = np.concatenate([into, [rest]]) + gain[frame]
    path = np.empty(frames, np.int64)
    path[-1] = int(best.argmax())
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = back[frame, path[frame]]
    return path


def _struck(heights: Heights, pitch: int, start: int, end: int) -> Iterator[Sounded]:
    """One run of a pitch as notes: it is struck again where a clear beginning stands out."""
    begins = heights.beginning[:, pitch]
    cuts = [start]
    for frame in range(start + 7, end - 4):
        near = begins[max(0, frame - 3) : frame + 4]
        if begins[frame] > _STRUCK_AGAIN and begins[frame] == near.max() and frame - cuts[-1] >= 7:
            cuts.append(frame)
    # the beginning itself is where the network hears it, a few frames around the change of state
    first = max(0, start - 4)
    if begins[first : start + 5].max(initial=0.0) > 0.3:
        cuts[0] = first + int(begins[first : start + 5].argmax())
    for cut, until in zip(cuts, [*cuts[1:], end], strict=True):
        if until > cut:
            loud = float(heights.sounding[cut:until, pitch].mean())
            yield Sounded(cut * HOP / RATE, until * HOP / RATE, pitch + LOWEST, round(50 + 60 * min(1.0, loud)))
