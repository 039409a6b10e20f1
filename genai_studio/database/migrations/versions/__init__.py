"""Revisions. Each creates what its time needed and never imports `schema`, which moves on."""
