"""One writer, readers that see one moment, migrations that make the tables of `schema`, and faults in sentences."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from genai_studio.database import connect
from genai_studio.database.connect import HEAD, Database
from genai_studio.database.schema import METADATA, SWITCHES
from genai_studio.errors import InvalidInput, StorageFailed
from genai_studio.gallery.store import GalleryStore


def address(folder: Path) -> str:
    return f"sqlite:///{folder / 'studio.db'}"


def test_migrations_make_exactly_the_tables_of_the_schema(tmp_path):
    database = Database.open(address(tmp_path))
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        found = compare_metadata(context, METADATA)
    database.close()
    assert [item for item in found if "search_" not in str(item)] == []


def test_head_names_the_newest_revision():
    config = Config()
    config.set_main_option("script_location", str(Path(connect.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_opening_again_imports_nothing_heavy(tmp_path):
    Database.open(address(tmp_path)).close()
    code = (
        "import sys; from genai_studio.gallery.store import GalleryStore;"
        "from genai_studio.database.connect import Database;"
        f"Database.open({address(tmp_path)!r}).close();"
        "print([m for m in ('alembic','PIL','numpy','soundfile','mutagen','torch','gradio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pragmas_keep_what_was_committed(tmp_path):
    database = Database.open(address(tmp_path))
    with database.write() as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": connect.BUSY_MS}
    with pytest.raises(StorageFailed), database.read() as connection:
        connection.execute(insert(SWITCHES).values(name="a", value=1))
    database.close()


def test_a_failed_write_leaves_nothing_and_lets_the_next_one_in(tmp_path):
    database = Database.open(address(tmp_path))
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(SWITCHES), [{"name": "a", "value": 1}, {"name": "a", "value": 2}])
    with database.write() as connection:
        assert connection.execute(select(SWITCHES)).all() == []
    database.close()


def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_itself(tmp_path):
    database = Database.open(address(tmp_path))
    with database.write(), pytest.raises(RuntimeError), database.write():
        pass
    with database.write():
        pass
    database.close()


def test_writers_take_turns_and_readers_see_one_moment(tmp_path):
    database = Database.open(address(tmp_path))
    with database.write() as connection:
        connection.execute(insert(SWITCHES), [{"name": name, "value": 0} for name in "ab"])
    torn: list[object] = []

    def count() -> None:
        for _ in range(25):
            with database.write() as connection:
                value = connection.execute(select(SWITCHES.c.value).where(SWITCHES.c.name == "a")).scalar_one()
                connection.execute(update(SWITCHES).values(value=value + 1))

    def look() -> None:
        for _ in range(50):
            with database.read() as connection:
                values = [
                    connection.execute(select(SWITCHES.c.value).where(SWITCHES.c.name == name)).scalar_one()
                    for name in "ab"
                ]
            if values[0] != values[1]:
                torn.append(values)

    threads = [threading.Thread(target=work) for work in (count, count, count, look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(select(SWITCHES.c.value)).scalars().all() == [75, 75]
    assert torn == []
    database.close()


def test_without_the_index_the_gallery_still_searches(tmp_path):
    def forbid(connection, _):
        denied = sqlite3.SQLITE_CREATE_VTABLE
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action == denied else sqlite3.SQLITE_OK)

    event.listen(Engine, "connect", forbid)
    try:
        database = Database.open(address(tmp_path))
    finally:
        event.remove(Engine, "connect", forbid)
    assert not database.indexed
    assert GalleryStore(database, tmp_path / "outputs").page(words="any fox").records == []
    database.close()


def test_a_full_disk_is_one_sentence_and_changes_nothing(tmp_path):
    database = Database.open(address(tmp_path))
    with database.write() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StorageFailed, match="disk is full"), database.write() as connection:
        connection.execute(insert(SWITCHES).values(name="a", value="x" * 500_000))
    with database.read() as connection:
        assert connection.execute(select(SWITCHES)).all() == []
    database.close()


@pytest.mark.parametrize(
    "content", [b"this is no database, it is a letter to my aunt" * 100, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path, content):
    (tmp_path / "studio.db").write_bytes(content)
    with pytest.raises(StorageFailed):
        Database.open(address(tmp_path))
    assert (tmp_path / "studio.db").read_bytes() == content


def test_a_newer_database_is_refused(tmp_path):
    Database.open(address(tmp_path)).close()
    raw = sqlite3.connect(tmp_path / "studio.db")
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    with pytest.raises(StorageFailed, match="newer version"):
        Database.open(address(tmp_path))


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageFailed, match="cannot be made"):
        Database.open(address(tmp_path / "taken" / "home"))


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/name", "sqlite+nope:///x"]
)
def test_an_address_that_cannot_work_is_refused(url):
    with pytest.raises(InvalidInput):
        Database.open(url)


def test_the_folder_is_private(tmp_path):
    Database.open(address(tmp_path / "home")).close()
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0
