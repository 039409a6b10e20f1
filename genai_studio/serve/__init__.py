"""Serving: the page in FastAPI, guarded; the gallery's files; the routes that the command line uses."""
