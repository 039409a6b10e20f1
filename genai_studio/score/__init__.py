"""Symbolic music: the score, its chords and accompaniment, its sound, and the formats it leaves in."""
