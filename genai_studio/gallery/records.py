"""Rows of the gallery: reading them page by page, changing what a person may change, their lineage. Knows no files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, null, select, tuple_, update

from genai_studio.database.schema import PARENTS, RECORDS, REMOVALS
from genai_studio.database.search import Search, row_number
from genai_studio.domain.modality import MediaKind, Modality
from genai_studio.domain.recipe import Comparison, Recipe
from genai_studio.errors import InvalidInput, NotAllowed, NotFound
from genai_studio.gallery.assets import is_asset

MAX_PAGE = 500
THUMBNAIL = "thumbnail"
_CURSOR = re.compile(r"([0-9]{1,12}\.[0-9]{1,17})~([0-9A-Za-z-]{1,60})")
_NUMBER = re.compile(r"[0-9]{1,15}")
_CHUNK = 500
"""Ids in one statement; SQLite allows 999 values in old versions."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One output. Times are seconds since 1970, UTC; `seconds` is how long making it took, or None."""

    id: str
    job: str
    output_index: int
    owner: str
    modality: Modality
    kind: MediaKind
    model: str
    model_title: str
    prompt: str
    excerpt: str
    key: str
    mime: str
    companions: dict[str, str]
    """Role to key; the role "thumbnail" included."""
    size: int
    sha256: str
    content_sha256: str
    width: int | None
    height: int | None
    seconds: float | None
    seed: int
    info: dict[str, Any]
    recipe: Recipe
    comparison: Comparison | None
    starred: bool
    created: float
    trashed: float | None

    @property
    def url(self) -> str:
        return f"/media/{self.id}"

    @property
    def thumbnail_url(self) -> str:
        """Empty for a text, which shows its excerpt."""
        return f"/media/{self.id}/{THUMBNAIL}" if THUMBNAIL in self.companions else ""

    @property
    def parents(self) -> list[str]:
        """Ids of the records it was made from; some may be gone for good."""
        return list(dict.fromkeys(name for name in self.recipe.request.inputs.values() if not is_asset(name)))

    @property
    def title(self) -> str:
        """What it is called in a list: its prompt, or the name that its model gave it."""
        return self.prompt or str(self.info.get("title", ""))

    @property
    def duration(self) -> float | None:
        """Length of a recording in seconds."""
        return self.info.get("duration")

    @property
    def roles(self) -> list[str]:
        """Its further files, such as "midi"."""
        return [role for role in self.companions if role != THUMBNAIL]

    def card(self) -> dict[str, Any]:
        """What the grid needs, as JSON. Texts are data: whoever shows them sets them as text."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "modality": self.modality.value,
            "title": self.title,
            "excerpt": self.excerpt,
            "url": self.url,
            "thumbnail": self.thumbnail_url,
            "starred": self.starred,
            "created": self.created,
            "trashed": self.trashed,
            "model": self.model,
            "model_title": self.model_title or self.model,
            "seed": self.seed,
            "width": self.width,
            "height": self.height,
            "seconds": self.seconds,
            "duration": self.duration,
            "companions": self.roles,
            "peaks": self.info.get("peaks", []),
        }


@dataclass(frozen=True)
class Page:
    """`next` is the cursor of the page after this one, None at the end."""

    records: list[Record]
    next: str | None


@dataclass(frozen=True)
class Choice:
    """Which records: None and empty mean all, but `trashed` always means exactly one side."""

    owner: str | None = None
    words: str = ""
    modality: str | None = None
    model: str | None = None
    starred: bool | None = None
    trashed: bool = False
    indexed: bool = field(default=False, kw_only=True)

    @property
    def search(self) -> Search:
        return Search(self.words, self.indexed)

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Raises InvalidInput for a search that is too long."""
        columns = RECORDS.c
        yield columns.trashed.is_not(None) if self.trashed else columns.trashed.is_(None)
        for name in ("owner", "modality", "model", "starred"):
            value = getattr(self, name)
            if value is not None:
                yield columns[name] == value
        yield from self.search.conditions()


def add(connection: Connection, *new: Record) -> None:
    """Insert rows and their lineage. Raises IntegrityError when an id or key is there already."""
    connection.execute(insert(RECORDS), [_values(record) for record in new])
    parents = [
        {"child": record.id, "parent": parent, "role": role}
        for record in new
        for role, parent in record.recipe.request.inputs.items()
        if not is_asset(parent)
    ]
    if parents:
        connection.execute(insert(PARENTS), parents)


def find(connection: Connection, record_id: str) -> Record | None:
    row = connection.execute(select(RECORDS).where(RECORDS.c.id == record_id)).one_or_none()
    return _record(row) if row else None


def page(connection: Connection, choice: Choice, before: str | None, limit: int) -> Page:
    """Newest first. The cursor names the last record seen, so that records that arrive meanwhile neither repeat nor
    hide any. Raises InvalidInput for a cursor that is not of this choice."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput(f"A page of {limit} is not possible; allowed is 1 to {MAX_PAGE}.")
    numbered = choice.search.numbered
    query = select(RECORDS, row_number if numbered else null().label("rowid"))
    query = query.select_from(choice.search.source()).where(*choice.conditions())
    if before is not None:
        query = query.where(_after(before, numbered))
    order = [row_number.desc()] if numbered else [RECORDS.c.created.desc(), RECORDS.c.id.desc()]
    rows = connection.execute(query.order_by(*order).limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    cursor = None if last is None else str(last.rowid) if numbered else f"{last.created!r}~{last.id}"
    return Page([_record(row) for row in rows[:limit]], cursor)


def _after(cursor: str, numbered: bool) -> ColumnElement[bool]:
    """What comes after the record that the cursor names."""
    match = (_NUMBER if numbered else _CURSOR).fullmatch(cursor) if len(cursor) <= 100 else None
    if match is None:
        raise InvalidInput("That page of the gallery does not exist.", "Start again from the newest.")
    if numbered:
        return row_number < int(match[0])
    return tuple_(RECORDS.c.created, RECORDS.c.id) < tuple_(float(match[1]), match[2])


def count(connection: Connection, choice: Choice) -> int:
    query = select(func.count()).select_from(choice.search.source()).where(*choice.conditions())
    return connection.execute(query).scalar_one()


def models(connection: Connection, owner: str | None) -> list[str]:
    query = select(RECORDS.c.model).distinct().order_by(RECORDS.c.model)
    return list(connection.execute(query if owner is None else query.where(RECORDS.c.owner == owner)).scalars())


def children(connection: Connection, record_id: str) -> list[str]:
    query = select(PARENTS.c.child).where(PARENTS.c.parent == record_id).distinct().order_by(PARENTS.c.child)
    return list(connection.execute(query).scalars())


def check(connection: Connection, ids: Iterable[str], owner: str | None) -> list[str]:
    """The ids once each. Raises NotFound or NotAllowed if it is so for any of them, before anything is changed."""
    unique = list(dict.fromkeys(ids))
    owners: dict[str, str] = {}
    for some in _chunks(unique):
        rows = connection.execute(select(RECORDS.c.id, RECORDS.c.owner).where(RECORDS.c.id.in_(some)))
        owners.update({row.id: row.owner for row in rows})
    for record_id in unique:
        if record_id not in owners:
            raise NotFound("There is no such output.", "It may have been deleted for good.")
        if owner is not None and owners[record_id] != owner:
            raise NotAllowed("This output belongs to somebody else.")
    return unique


def change(connection: Connection, ids: Sequence[str], **values: Any) -> None:
    for some in _chunks(ids):
        connection.execute(update(RECORDS).where(RECORDS.c.id.in_(some)).values(values))


def remove(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Delete the rows and note their files for removal in the same transaction. Returns id to keys."""
    keys: dict[str, list[str]] = {}
    for some in _chunks(ids):
        rows = connection.execute(
            select(RECORDS.c.id, RECORDS.c.key, RECORDS.c.companions).where(RECORDS.c.id.in_(some))
        )
        keys.update({row.id: [row.key, *row.companions.values()] for row in rows})
        connection.execute(delete(RECORDS).where(RECORDS.c.id.in_(some)))
    if keys:
        connection.execute(insert(REMOVALS), [{"id": record_id, "files": files} for record_id, files in keys.items()])
    return keys


def removals(connection: Connection) -> dict[str, list[str]]:
    """Files whose rows are deleted and that may still be there: id to keys."""
    return {row.id: row.files for row in connection.execute(select(REMOVALS))}


def removed(connection: Connection, ids: Sequence[str]) -> None:
    for some in _chunks(ids):
        connection.execute(delete(REMOVALS).where(REMOVALS.c.id.in_(some)))


def trashed_before(connection: Connection, moment: float, owner: str | None) -> list[str]:
    query = select(RECORDS.c.id).where(RECORDS.c.trashed <= moment)
    return list(connection.execute(query if owner is None else query.where(RECORDS.c.owner == owner)).scalars())


def all_keys(connection: Connection) -> list[str]:
    """Keys of the main files of all records."""
    return list(connection.execute(select(RECORDS.c.key)).scalars())


def _record(row: Row[Any]) -> Record:
    values = {column.name: row._mapping[column.name] for column in RECORDS.columns}
    comparison = values["comparison"]
    values.update(
        modality=Modality(values["modality"]),
        kind=MediaKind(values["kind"]),
        recipe=Recipe.model_validate(values["recipe"]),
        comparison=Comparison.model_validate(comparison) if comparison else None,
    )
    return Record(**values)


def _values(record: Record) -> dict[str, Any]:
    values = {column.name: getattr(record, column.name) for column in RECORDS.columns}
    values["recipe"] = record.recipe.model_dump(mode="json")
    values["comparison"] = record.comparison.model_dump(mode="json") if record.comparison else None
    return values


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
