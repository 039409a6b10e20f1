"""Piano roll: the notes of a piece, drawn while it is written, with a cursor that follows its recording. It is a part
of other elements: `createRoll` of roll.js.

What it shows is {"notes": [[part, pitch, start, duration, velocity], ...], "parts": [name, ...], "total_quarters":
length}, in quarter notes; nothing for an empty one. Optional: "beats_per_bar" (4), "position" of the cursor in
quarters, and "src" (a record's address) with "tempo" (quarters a minute), and "clock" ([quarters, seconds] here and
there) where that changes: then the cursor follows the player of that recording, and a click makes it jump.
"""

from __future__ import annotations

ROLL = "piano_roll/roll"
