"""From a score to sound: performance, soundfont, room and loudness."""
