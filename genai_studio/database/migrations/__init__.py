"""Alembic migrations, run by `database.connect`: one file a revision in `versions/`, oldest first."""
