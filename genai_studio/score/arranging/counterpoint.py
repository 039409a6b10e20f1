"""Lines beside the melody: thirds and sixths along it, slow guide tones under it, a bass that walks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from genai_studio.score.arranging.patterns import chord_at
from genai_studio.score.arranging.voicing import bass_note
from genai_studio.score.model import Chord, Note, Score


def companion(score: Score, melody: Sequence[Note], *, velocity: int = -12) -> list[Note]:
    """The melody's companion a third or a sixth below: on the beat a tone of the chord, else along the scale.

    `velocity` is added to the melody's.
    """
    notes = []
    for note in melody:
        chord = chord_at(score.chords, note.start)
        pitch = score.key.neighbour(note.pitch, -2)
        on_beat = (note.start - score.pickup) % score.beat_ticks == 0
        if chord is not None and on_beat and pitch % 12 not in chord.pitch_classes:
            below = [note.pitch - step for step in range(3, 10) if (note.pitch - step) % 12 in chord.pitch_classes]
            pitch = min(below, key=lambda tone: abs(tone - pitch), default=pitch)
        notes.append(replace(note, pitch=pitch, velocity=max(1, note.velocity + velocity)))
    return notes


def guide_tones(score: Score, bars: Iterable[int], lowest: int, highest: int, *, velocity: int = 58) -> list[Note]:
    """A slow line of thirds and sevenths (fifths where a chord has none), each the nearest to the one before."""
    notes: list[Note] = []
    before = (lowest + highest) / 2
    length = score.bar_ticks
    for bar in bars:
        opens = score.pickup + bar * length
        at, end = opens, min(opens + length, score.ticks)
        while at < end and (chord := chord_at(score.chords, at)):
            tones = {(chord.root + tone) % 12 for tone in (chord.tones[1], chord.tones[min(3, len(chord.tones) - 1)])}
            pitch = min((tone for tone in range(lowest, highest + 1) if tone % 12 in tones),
                        key=lambda tone: (abs(tone - before), tone))  # fmt: skip
            until = min(chord.end, end)
            if notes and notes[-1].end == at and notes[-1].pitch == pitch and at != opens:
                notes[-1] = replace(notes[-1], duration=until - notes[-1].start)
            else:
                notes.append(Note(at, until - at, pitch, velocity))
            before, at = float(pitch), until
    return notes


def walking_bass(score: Score, bars: Iterable[int], lowest: int, *, velocity: int = 78) -> list[Note]:
    """A note a beat: the root where the harmony changes, tones of the chord on the way, a semitone into the next."""
    notes: list[Note] = []
    beat = 12 if score.metre == "2/4" else score.beat_ticks
    for bar in bars:
        opens = score.pickup + bar * score.bar_ticks
        ticks = range(opens, min(opens + score.bar_ticks, score.ticks - 2), beat)
        for number, tick in enumerate(ticks):
            chord = chord_at(score.chords, tick)
            if chord is None:
                continue
            following = chord_at(score.chords, tick + beat)
            target = bass_note(following or chord, lowest)
            before = notes[-1].pitch if notes else lowest + 12
            if tick == chord.start or (number == 0 and (bar % 2 == 0 or not notes)):
                pitch = _nearest(chord, before, lowest, tones=(0,))
            elif following is not None and following != chord:
                target = _nearest(following, before, lowest, tones=(0,))
                pitch = target + (1 if before > target else -1)
            else:
                pitch = _nearest(chord, before + (3 if bar % 4 < 2 else -4), lowest, tones=(0, 1, 2, 3), but=before)
            duration = min(beat, score.ticks - tick)
            notes.append(Note(tick, duration, pitch, velocity + (5 if number == 0 else 0)))
    return notes


def _nearest(chord: Chord, around: int, lowest: int, *, tones: Sequence[int], but: int = -1) -> int:
    """The chord's tone nearest to `around` in the octave and a half from `lowest`, rather low, other than `but`."""
    classes = {chord.pitch_classes[tone] for tone in tones if tone < len(chord.tones)}
    pitches = [pitch for pitch in range(lowest, lowest + 21) if pitch % 12 in classes and pitch != but]
    return min(pitches, key=lambda pitch: (abs(pitch - around) + 0.7 * max(0, pitch - lowest - 11), pitch))
