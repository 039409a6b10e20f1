"""What players do when nobody says otherwise: the metre, tempo, length and players of each style, the usual keys."""

from __future__ import annotations

STYLE_METRES = {
    "reel": ("4/4", "2/4"),
    "jig": ("6/8",),
    "slip jig": ("9/8",),
    "hornpipe": ("4/4", "2/4"),
    "strathspey": ("4/4",),
    "march": ("4/4", "2/4", "6/8"),
    "waltz": ("3/4",),
    "air": ("3/4", "4/4", "6/8", "2/4"),
}
"""By style: the metres it is written in, the usual one first."""
TEMPOS = {
    ("reel", "4/4"): 188, ("reel", "2/4"): 94, ("hornpipe", "4/4"): 152, ("hornpipe", "2/4"): 76,
    ("strathspey", "4/4"): 124, ("jig", "6/8"): 112, ("slip jig", "9/8"): 112, ("waltz", "3/4"): 126,
    ("march", "4/4"): 116, ("march", "2/4"): 92, ("march", "6/8"): 104,
    ("air", "3/4"): 84, ("air", "4/4"): 84, ("air", "6/8"): 54, ("air", "2/4"): 60,
}  # fmt: skip
"""Beats a minute at which players take each."""
STYLE_ENSEMBLES = {"air": "harp and flute", "waltz": "string quartet", "march": "marching band"}
ENSEMBLE_STYLES = {
    "lo-fi": (("air", "4/4"),),
    "jazz trio": (("hornpipe", "4/4"), ("air", "4/4"), ("waltz", "3/4")),
    "waltz band": (("waltz", "3/4"),),
    "marching band": (("march", "4/4"), ("march", "2/4"), ("march", "6/8")),
    "music box": (("waltz", "3/4"), ("air", "3/4"), ("air", "6/8")),
}
"""What these players are at home in, style and metre; the others play anything."""
LEAD_ENSEMBLES = {"piano": "piano", "harp": "harp and flute", "flute": "harp and flute", "trumpet": "marching band",
                  "cello": "string quartet", "music box": "music box", "square wave": "chiptune"}  # fmt: skip
BARS = {"air": 16}
"""Length of a tune, 32 where the style has none of its own."""
STYLE_DRAW = {"reel": 4, "jig": 4, "hornpipe": 2, "waltz": 3, "air": 3, "march": 2, "slip jig": 1, "strathspey": 1}
MODE_DRAW = {"major": 12, "minor": 5, "dorian": 3, "mixolydian": 2}
KEY_DRAW = {"major": ("D", "G", "A", "C", "F", "Bb"), "minor": ("E", "A", "D", "B", "G"),
             "dorian": ("E", "A", "D"), "mixolydian": ("A", "D", "G")}  # fmt: skip
"""Weights and orders for what is left open: the most usual most often."""
