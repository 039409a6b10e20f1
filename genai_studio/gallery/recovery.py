"""What the start of the studio does about files that a crash left without a row, or without their other half."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from genai_studio.database.connect import Database
from genai_studio.database.schema import JOBS
from genai_studio.errors import StudioError
from genai_studio.gallery import media, publish, records
from genai_studio.gallery.files import OutputFiles, parse_name
from genai_studio.gallery.metadata import read_recipe

LOG = logging.getLogger(__name__)


@dataclass
class Recovered:
    """What was done, for the log: ids of records in `adopted` and `missing`, names of files in the others."""

    adopted: list[str] = field(default_factory=list)
    """A main file of a known job that carries its recipe: the row is made from it."""
    removed: list[str] = field(default_factory=list)
    """Temporary files, and further files whose main file was never published."""
    set_aside: list[str] = field(default_factory=list)
    """Main files without a recipe or a job: moved to the folder `recovered`."""
    missing: list[str] = field(default_factory=list)
    """Records whose main file somebody took away. Their rows stay."""


def recover(database: Database, files: OutputFiles) -> Recovered:
    """No save may run meanwhile. Raises nothing for what is on the disk; what can't be done is logged."""
    result = Recovered()
    with database.read() as connection:
        known = {_id_of(key): key for key in records.all_keys(connection)}
    present: set[str] = set()
    for day in files.days():
        try:
            result.removed += files.sweep(day)
            names = files.names(day)
            present.update(f"{day}/{name}" for name in names)
            orphans: dict[str, list[str]] = defaultdict(list)
            for name in names:
                if _id_of(name) not in known:
                    orphans[_id_of(name)].append(f"{day}/{name}")
            for record_id, keys in orphans.items():
                _settle(database, files, record_id, keys, result)
        except OSError as error:
            LOG.warning("outputs of %s could not be looked through: %s", day, error)
    result.missing = [record_id for record_id, key in known.items() if key not in present]
    if any((result.adopted, result.removed, result.set_aside, result.missing)):
        counts = (len(result.adopted), len(result.removed), len(result.set_aside), len(result.missing))
        LOG.warning("outputs: %d adopted, %d removed, %d set aside, %d missing", *counts)
    return result


def _settle(database: Database, files: OutputFiles, record_id: str, keys: list[str], result: Recovered) -> None:
    """Adopt, remove or set aside the files of one output that has no row."""
    main = next((key for key in keys if _is_main(key)), None)
    if main is None:
        files.remove(keys)
        result.removed += [Path(key).name for key in keys]
        return
    try:
        adopted = _adopt(database, files, main, keys)
    except (StudioError, SQLAlchemyError, ValueError) as error:
        LOG.warning("output %s could not be adopted: %s", record_id, error)
        adopted = False
    if adopted:
        result.adopted.append(record_id)
        return
    for key in keys:
        files.set_aside(key)
    result.set_aside += [Path(key).name for key in keys]


def _adopt(database: Database, files: OutputFiles, main: str, keys: list[str]) -> bool:
    path = files.path(main)
    recipe = read_recipe(path)
    parsed = parse_name(path.name)
    if recipe is None or parsed is None or recipe.index != parsed[1]:
        return False
    with database.read() as connection:
        owner = connection.execute(select(JOBS.c.owner).where(JOBS.c.id == parsed[0])).scalar()
    if owner is None:
        return False
    facts = media.facts(media.MAIN_FILES[parsed[3]][0], path)
    created = path.stat().st_mtime
    record = publish.row(owner=owner, recipe=recipe, keys=keys, main=path.read_bytes(), facts=facts, created=created)
    with database.write() as connection:
        records.add(connection, record)
    return True


def _is_main(key: str) -> bool:
    parsed = parse_name(Path(key).name)
    return parsed is not None and not parsed[2] and parsed[3] in media.MAIN_FILES


def _id_of(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]
