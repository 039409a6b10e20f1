"""Tunes: the embedded music model, from words to notes."""
