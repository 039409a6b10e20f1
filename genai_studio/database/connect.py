"""Opens the one database of a data folder, brings it up to date, and hands out connections: many that read, one that
writes. Refuses a database that a newer version wrote, rather than guess."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from genai_studio.database.search import has_search
from genai_studio.errors import InvalidInput, StorageFailed

HEAD = "0001"
"""The newest revision in `migrations/versions`; a test holds the two together."""
BUSY_MS = 10_000
READERS = 8
"""Connections kept open; as many threads as a page has may read at once."""


class Database:
    """Thread-safe. `read()` and `write()` are the only doors; a write inside a write of the same thread is a mistake
    in the calling code and raises RuntimeError instead of waiting for itself."""

    def __init__(self, readers: Engine, writer: Engine) -> None:
        self._readers, self._writer = readers, writer
        self._lock = threading.Lock()
        self._writing: int | None = None
        self.indexed = False
        """Whether records can be searched by index."""

    @classmethod
    def open(cls, url: str) -> Database:
        """Open and migrate. Raises InvalidInput for a URL that cannot work, StorageFailed when the file can't be
        opened, isn't a database, or was written by a newer version."""
        address = _parse(url)
        if address.get_backend_name() == "sqlite":
            database = cls(*_sqlite_engines(address))
        else:
            try:
                engine = create_engine(address, pool_pre_ping=True)
            except (ModuleNotFoundError, NoSuchModuleError) as error:
                raise InvalidInput(f"The database driver is not installed: {error}.") from error
            database = cls(engine, engine)
        try:
            with database.write() as connection:
                _migrate(connection)
            with database.read() as connection:
                database.indexed = has_search(connection)
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot: everything read inside belongs to one moment."""
        with _in_sentences(), self._readers.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, one at a time; commits at the end, rolls back on any exception."""
        if self._writing == threading.get_ident():
            raise RuntimeError("a write transaction inside a write transaction")
        with self._lock:
            self._writing = threading.get_ident()
            try:
                with _in_sentences(), self._writer.begin() as connection:
                    yield connection
            finally:
                self._writing = None

    def close(self) -> None:
        """Readers first: the last connection to close is the one that may write, and tidies the log."""
        self._readers.dispose()
        self._writer.dispose()


def _parse(url: str) -> URL:
    try:
        address = make_url(url)
        address.get_backend_name()
    except ArgumentError as error:
        raise InvalidInput("The database address is not a URL such as sqlite:///path/studio.db.") from error
    if address.drivername != "sqlite" and address.get_backend_name() != "postgresql":
        raise InvalidInput(f"The database {address.drivername!r} is not supported; use sqlite or postgresql.")
    if address.get_backend_name() == "sqlite" and address.database in {None, "", ":memory:"}:
        raise InvalidInput("The database must be a file, so that the gallery is there after a restart.")
    return address


def _sqlite_engines(address: URL) -> tuple[Engine, Engine]:
    folder = Path(address.database or "").absolute().parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"The data folder {folder} cannot be made: {error.strerror}.") from error
    common: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": BUSY_MS / 1000}}
    readers = create_engine(address, pool_size=READERS, max_overflow=-1, **common)
    writer = create_engine(address, pool_size=1, max_overflow=0, **common)
    _prepare(readers, "BEGIN", ["PRAGMA query_only = ON"])
    # A transaction that starts by reading and writes later fails at once when another wrote in between, in spite of
    # busy_timeout; IMMEDIATE takes the write lock first and waits for it.
    _prepare(writer, "BEGIN IMMEDIATE", ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"])
    return readers, writer


def _prepare(engine: Engine, begin: str, pragmas: list[str]) -> None:
    """Take transactions out of the driver's hands, which begins them late and only for some statements."""

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        for pragma in [f"PRAGMA busy_timeout = {BUSY_MS}", "PRAGMA foreign_keys = ON", *pragmas]:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _migrate(connection: Connection) -> None:
    """Run the missing revisions. Alembic is imported only when there are any: it costs half a second."""
    current = None
    if inspect(connection).has_table("alembic_version"):
        current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if current == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StorageFailed(
            "The data folder was written by a newer version of the studio.", "Nothing was changed; update the studio."
        ) from error


@contextmanager
def _in_sentences() -> Iterator[None]:
    """Faults of the disk under SQLite as StorageFailed, text that no database can hold as InvalidInput; everything else
    as it is."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidInput("A name has half of a character (a lone surrogate).") from error
    except DBAPIError as error:
        name = getattr(error.orig, "sqlite_errorname", "") or ""
        for prefix, sentence in _FAULTS.items():
            if name.startswith(prefix):
                raise StorageFailed(*sentence) from error
        raise


_FAULTS = {
    "SQLITE_FULL": ("The disk is full.", "Nothing was changed; free some space and try again."),
    "SQLITE_READONLY": ("The database cannot be written.", "Nothing was changed; check who owns the data folder."),
    "SQLITE_CANTOPEN": ("The database cannot be opened.", "Check that the data folder exists and can be written."),
    "SQLITE_IOERR": ("The disk reported an error.", "Nothing was changed; check the disk and try again."),
    "SQLITE_BUSY": ("The database is in use by another program.", "Nothing was changed; close it and try again."),
    "SQLITE_NOTADB": ("The database file is not a database.", "Move it away, or name another one."),
    "SQLITE_CORRUPT": ("The database file is damaged.", "Restore a backup; the files in the outputs folder are whole."),
}
