from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genai_studio.score.model import Key, Note, Part, Score
from genai_studio.score.sound.mastering import RATE
from genai_studio.score.sound.render import Band
from tests.score.soundfont import write_soundfont


def heard(band: Band, pitch: int) -> float:
    """The MIDI pitch of the strongest frequency where one note of `pitch` is played."""
    part = Part("Tone", "melody", 0, (Note(0, 48, pitch),))
    sound = band.part(Score("Tone", Key("C", "major"), "4/4", 60.0, 1, 0, (part,)), part, 1)[0]
    spectrum = np.abs(np.fft.rfft(sound[RATE // 4 : RATE] * np.hanning(RATE - RATE // 4), 1 << 17))
    return float(69 + 12 * np.log2(spectrum.argmax() * RATE / (1 << 17) / 440))


@pytest.mark.parametrize(
    ("pitch", "root", "coarse"), [(69, 69, 0), (60, 69, 0), (60, 81, 12), (60, 57, -12), (255, 69, 0), (69, 255, 0)]
)
def test_a_note_sounds_at_its_pitch_wherever_the_soundfont_says_it(
    pitch: int, root: int, coarse: int, tmp_path: Path
) -> None:
    band = Band(write_soundfont(tmp_path / "tone.sf2", pitch=pitch, root=root, coarse=coarse))
    for note in (57, 69, 76):
        assert heard(band, note) == pytest.approx(note, abs=0.15)
