"""Saved outputs: rows and files succeed or fail together. Knows media, not models."""
