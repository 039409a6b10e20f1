"""The figures that ensembles share, metre by metre; `patterns` says how they are read. Bars are written in eighths,
or in sixteenths where a figure needs them."""

from __future__ import annotations

from genai_studio.score.arranging.patterns import Figure

BOOM: Figure = {"2/4": "1-v-", "3/4": ("1-----", "v-----"), "4/4": "1---v---", "6/8": "1--v--", "9/8": "1--v--1--"}
"""Bass on the strong beats."""
BOOM_SHORT: Figure = {
    "2/4": "1.v.",
    "3/4": ("1-....", "v-...."),
    "4/4": "1-..v-..",
    "6/8": "1-.v-.",
    "9/8": "1-.v-.1-.",
}
"""The same, detached."""
BOOM_RUN: Figure = {"2/4": "1-v>", "3/4": "1-v->-", "4/4": "1---v->-", "6/8": "1--v->", "9/8": "1--v--1->"}
"""The same with a step into the next bar: for the end of a section."""
CHUCK: Figure = {"2/4": ".x.x", "3/4": "..x.x.", "4/4": "..x...x.", "6/8": "..x..x", "9/8": "..x..x..x"}
"""Chords that answer the bass."""
STRUM: Figure = {"2/4": (".x.x.xox", ".xoxoxox"), "3/4": ("..x.xo", "..x.x."), "4/4": ("..x.o.xo", "..xo.oxo"),
                 "6/8": ("..x.ox", ".ox.ox"), "9/8": ("..x..x.ox", ".ox..x.ox")}  # fmt: skip
"""The same with strokes back up between."""
CHOP: Figure = {"2/4": ".xox", "3/4": "..x.xx", "4/4": "x.x.x.xx", "6/8": "x.xx.x", "9/8": "x.xx.xx.x"}
"""What bows do at the fullest."""
HELD: Figure = {"2/4": "x---", "3/4": "x-----", "4/4": "x-------", "6/8": "x-----", "9/8": "x--------"}
"""One chord a bar."""
HALVES: Figure = {"2/4": "x-x-", "3/4": "x---x-", "4/4": "x---x---", "6/8": "x--x--", "9/8": "x--x--x--"}
"""A chord on each strong beat."""
BROKEN: Figure = {"2/4": ("158a", "15a8"), "3/4": ("158a85", "15a8a5"), "4/4": ("158aca85", "158a8a85"),
                  "6/8": ("158a85", "15a8a5"), "9/8": ("158aca858", "158a858a5")}  # fmt: skip
"""Chords broken upwards and back."""
BROKEN_SLOW: Figure = {
    "2/4": "1-a-",
    "3/4": "1-5-a-",
    "4/4": ("1-5-a-5-", "1-5-8-a-"),
    "6/8": "1-5a-5",
    "9/8": "1-5a-5a-5",
}
"""The same at half the speed."""
OCTAVES: Figure = {"2/4": "1858", "3/4": "1.8.58", "4/4": ("1.8.1.58", "1.8.5.8>"), "6/8": "1.85.8", "9/8": "1.85.81.8"}
"""A bass that bounces."""

FRAME_LOW: Figure = {"2/4": "X..xX...", "3/4": "X.....", "4/4": "X..xX...", "6/8": "X..x..", "9/8": "X..x..x.."}
FRAME_HIGH: Figure = {"2/4": "..oo..xo", "3/4": "..o.oo", "4/4": "..oo..xo", "6/8": (".oo.ox", ".ox.oo"),
                      "9/8": ("..o..o.ox", ".oo..o.ox")}  # fmt: skip
FRAME_LOW_TURN: Figure = {"2/4": "X..xX.x.", "3/4": "X..x..", "4/4": "X..xX.x.", "6/8": "X..x.x", "9/8": "X..x..x.x"}
FRAME_HIGH_TURN: Figure = {"2/4": ".xox.x.X", "3/4": "..xoxX", "4/4": ".xox.x.X", "6/8": ".xoxoX", "9/8": ".xo.xoxoX"}
"""A frame drum's low and high stroke, and what it plays into a new section."""

SNARE: Figure = {"2/4": ("X.xxX.x.", "X.xxX.xx"), "3/4": "X...x.x.x.xx",
                 "4/4": ("X...x.xxX...x.x.", "X...x.xxX.xxX.xx"),
                 "6/8": ("X.xx.x", "X.xxxx"), "9/8": "X.xx.xx.x"}  # fmt: skip
SNARE_LIGHT: Figure = {"2/4": "x.o.", "3/4": "x.o.o.", "4/4": "x.o.x.oo", "6/8": "x.ox.o", "9/8": "x.ox.ox.o"}
SNARE_TURN: Figure = {
    "2/4": "XxxxXxXX",
    "3/4": "X.xxX.xxXxxx",
    "4/4": "X.xxX.xxXxxxXxXX",
    "6/8": "XxxXXX",
    "9/8": "XxxXxxXXX",
}
"""A marching snare: its cadence, lightly, and the roll into a new section."""
BEAT_ONE: Figure = {"2/4": "X...", "3/4": "X.....", "4/4": "X.......", "6/8": "X.....", "9/8": "X........"}
BEATS: Figure = {"2/4": "X.x.", "3/4": "X.....", "4/4": "X...x...", "6/8": "X..x..", "9/8": "X..x..x.."}
BACKBEATS: Figure = {"2/4": "..X.", "3/4": "..x.x.", "4/4": "..X...X.", "6/8": "...X..", "9/8": "...x..x.."}
"""Plain drum strokes: the first beat, the strong beats, the beats between."""
