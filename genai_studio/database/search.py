"""Search over records by words: the condition for a query, and whether the index of the migrations is there.

Trigrams find any substring of three characters or more, in any language. Shorter words, and databases without the
index, are searched with LIKE. Words are data: no character in them has a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Join, column, literal_column, or_, table, text
from sqlalchemy.ext.compiler import compiles

from genai_studio.database.schema import RECORDS
from genai_studio.errors import InvalidInput

MAX_WORDS = 500
"""Characters of one search."""

_ROWS = table("search_rows", column("number"), column("record"))
_WORDS = table("search_words", column("rowid"))
row_number = _WORDS.c.rowid
"""Grows with every record; there only in a search whose `numbered` is true."""


def has_search(connection: Connection) -> bool:
    """Whether this database has the index."""
    if connection.dialect.name != "sqlite":
        return False
    found = connection.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 'search_words'"))
    return bool(found.scalar())


def split_words(words: str) -> list[str]:
    """The words of a search. NUL and half characters, which no record holds, separate like white space does.

    Raises InvalidInput for more than MAX_WORDS characters.
    """
    if len(words) > MAX_WORDS:
        raise InvalidInput(f"The search has {len(words):,} characters; at most {MAX_WORDS:,} are allowed.")
    clean = "".join(" " if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in words)
    return clean.split()


class _Outward(Join):
    """A join that SQLite reads from left to right. Left to itself it may ask the index again for every record."""

    inherit_cache = True


@compiles(_Outward)
def _compile_outward(join: _Outward, compiler: Any, **options: Any) -> str:
    left, right = (compiler.process(side, **{**options, "asfrom": True}) for side in (join.left, join.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.onclause, **options)}"


@dataclass(frozen=True)
class Search:
    """Finds the records in which every one of `words` occurs, in the prompt, the excerpt or the model."""

    words: str
    indexed: bool
    """Whether the database has the index."""

    def terms(self, long: bool) -> list[str]:
        """The words that the index can find, or those that it can't."""
        return [term for term in split_words(self.words) if (self.indexed and len(term) >= 3) is long]

    @property
    def numbered(self) -> bool:
        """Whether the index is used. It answers in the order of its numbers, latest first, and stops when enough are
        found; any other order would have to collect all it finds."""
        return bool(self.terms(long=True))

    def source(self) -> FromClause:
        """What to select from."""
        if not self.numbered:
            return RECORDS
        return _Outward(_Outward(_WORDS, _ROWS, _ROWS.c.number == row_number), RECORDS, RECORDS.c.id == _ROWS.c.record)

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions = [self._contains(term) for term in self.terms(long=False)]
        if self.numbered:
            quoted = ['"' + term.replace('"', '""') + '"' for term in self.terms(long=True)]
            conditions.append(literal_column("search_words").match(" AND ".join(quoted)))
        return conditions

    def _contains(self, term: str) -> ColumnElement[bool]:
        columns = (RECORDS.c.prompt, RECORDS.c.excerpt, RECORDS.c.model, RECORDS.c.model_title)
        if self.indexed:  # SQLite, whose LIKE knows no case
            return or_(*(column.contains(term, autoescape=True) for column in columns))
        return or_(*(column.icontains(term, autoescape=True) for column in columns))
