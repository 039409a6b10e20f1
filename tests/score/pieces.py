"""Made-up scores for the tests of arranging, playing and exporting."""

from __future__ import annotations

import random

from genai_studio.score.arranging.arrange import ENSEMBLES, arrange
from genai_studio.score.arranging.harmony import harmonise
from genai_studio.score.model import KEYS, METRES, SCALES, Ending, Key, Note, Score, Section

LENGTHS = (6, 12, 12, 12, 24, 24, 36, 48)


def melody_of(key: Key, metre: str, bars: int, pickup: int, draw: random.Random) -> list[Note]:
    """Random notes of the scale without gaps, over bar lines too, now and then a triplet; the last is the tonic."""
    end = bars * METRES[metre]
    notes: list[Note] = []
    at = 0
    while at < end:
        pitch = 60 + key.pitch_class + draw.choice(SCALES[key.mode]) + draw.choice((0, 0, 12))
        if (at - pickup) % 24 == 0 and end - at >= 48 and draw.random() < 0.15:
            notes += [Note(at + 8 * part, 8, pitch + part) for part in range(3)]
            at += 24
            continue
        length = min(draw.choice(LENGTHS), end - at)
        last = at + length == end
        notes.append(Note(at, length, 60 + key.pitch_class if last else pitch))
        at += length
    return notes


def random_score(seed: int, ensemble: str = "", *, introduction: int = 0, ending: Ending = "plain") -> Score:
    """A score whose key, metre, length, pickup, tempo and players are drawn from `seed`."""
    draw = random.Random(seed)
    key = Key(draw.choice(KEYS), draw.choice(list(SCALES)))
    metre = draw.choice(list(METRES))
    bars, pickup = draw.choice((8, 12, 16)), draw.choice((0, 12))
    melody = melody_of(key, metre, bars, pickup, draw)
    chords = harmonise(melody, key, metre, ticks=bars * METRES[metre], pickup=pickup)
    sections = (Section("A", 0, bars // 2), Section("B", bars // 2, bars - bars // 2))
    score = Score(f"Piece {seed}", key, metre, draw.randrange(40, 241), bars, pickup, (), chords, sections)
    style = draw.choice(("air", "waltz", "reel", "jig"))
    players = ensemble or draw.choice(list(ENSEMBLES))
    return arrange(score, melody, players, style=style, introduction=introduction, ending=ending)
