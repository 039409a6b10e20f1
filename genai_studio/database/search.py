"""Search over records by words: the condition for a query, and whether the index of the migrations is there.

Trigrams find any substring of three characters or more, in any language. Shorter words, and databases without the
index, are searched with LIKE. Words are data: no character in them has a meaning.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, column, literal_column, select, table, text

from genai_studio.database.schema import RECORDS
from genai_studio.errors import InvalidInput

MAX_WORDS = 500
"""Characters of one search."""

_ROWS = table("search_rows", column("number"), column("record"))
_WORDS = table("search_words", column("rowid"))


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


def matching(words: str, indexed: bool) -> ColumnElement[bool] | None:
    """Records in which every one of `words` occurs, in the prompt, the excerpt or the model; None for no words."""
    terms = split_words(words)
    long = [term for term in terms if indexed and len(term) >= 3]
    conditions: list[ColumnElement[bool]] = []
    if long:
        query = " AND ".join('"' + term.replace('"', '""') + '"' for term in long)
        found = select(_ROWS.c.record).join(_WORDS, _ROWS.c.number == _WORDS.c.rowid)
        found = found.where(literal_column("search_words").match(query))
        conditions.append(RECORDS.c.id.in_(found))
    # White space between the columns keeps a word from matching across two of them.
    joined = RECORDS.c.prompt + "\n" + RECORDS.c.excerpt + "\n" + RECORDS.c.model + "\n" + RECORDS.c.model_title
    conditions += [joined.icontains(term, autoescape=True) for term in terms if term not in long]
    return and_(*conditions) if conditions else None
