"""The only door to saved outputs: files and rows are published, changed and deleted together here.

Files first, row last; deleted in the other order, with the files noted in the transaction that deletes the row. So
whatever is killed in between leaves at most a file without a row, which `recover` adopts or clears away.
"""

from __future__ import annotations

import dataclasses
import errno
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import func

from genai_studio.database.connect import Database
from genai_studio.database.schema import RECORDS
from genai_studio.domain.modality import MediaKind
from genai_studio.domain.recipe import Comparison, Recipe
from genai_studio.errors import GenerationFailed, NotAllowed, NotFound, StorageFailed
from genai_studio.gallery import media, publish, records
from genai_studio.gallery.compare import difference
from genai_studio.gallery.files import OutputFiles, copy_whole, day_of, output_id
from genai_studio.gallery.records import Choice, Page, Record
from genai_studio.gallery.recovery import Recovered, recover

_NOUNS = {MediaKind.IMAGE: "picture", MediaKind.AUDIO: "recording", MediaKind.TEXT: "text"}
_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space"),
    errno.EDQUOT: ("your share of the disk is used up", "free some space"),
    errno.EROFS: ("the outputs folder is read-only", "make it writable"),
    errno.EACCES: ("the outputs folder may not be written", "make it writable"),
    errno.EPERM: ("the outputs folder may not be written", "make it writable"),
}


class GalleryStore:
    """Thread-safe. Where a method takes `owner`, the records must be theirs: NotAllowed otherwise; None checks nothing.
    A method that takes ids changes all of them or none."""

    def __init__(self, database: Database, outputs: Path) -> None:
        self._database = database
        self._files = OutputFiles(outputs)
        self._publishing = threading.RLock()
        """Held from the first temporary file to the row, so that `recover` never sees a save halfway."""

    def save(
        self,
        *,
        owner: str,
        job: str,
        index: int,
        recipe: Recipe,
        kind: MediaKind,
        staged: Path,
        companions: Mapping[str, Path] | None = None,
        info: Mapping[str, Any] | None = None,
        model_title: str = "",
        seconds: float | None = None,
    ) -> Record:
        """Publish the staged files and the row; saving the same output twice answers the first record. The staged
        files stay where they are.

        Raises StorageFailed when the disk can't hold them, GenerationFailed when a file isn't what `kind` says, and
        then leaves nothing behind.
        """
        name = output_id(job, index)
        with self._publishing:
            before = self._find(name)
            if before is not None:
                return before
            try:
                facts = media.facts(kind, staged)
                files = publish.contents(name, kind, recipe.portable(), staged, companions or {}, facts)
                keys = self._files.write(day_of(job), files)
            except OSError as error:
                if not staged.exists():
                    raise GenerationFailed("The model named a file that it did not write.") from error
                reason, step = _REASONS.get(error.errno or 0, (f"{error.strerror or error}".lower(), "check the disk"))
                raise _not_saved(kind, reason, staged, step) from error
            try:
                main = files[keys[-1].rpartition("/")[2]]
                record = publish.row(owner=owner, recipe=recipe, keys=keys, main=main, facts=facts)
                told = {**record.info, **(info or {})}
                record = dataclasses.replace(record, info=told, model_title=model_title[:200], seconds=seconds)
                with self._database.write() as connection:
                    records.add(connection, record)
            except BaseException as error:
                # A commit can fail after it took effect; only where there is no row for certain may the files go.
                if self._find(name) is None:
                    self._files.remove(keys)
                if isinstance(error, StorageFailed):
                    raise _not_saved(kind, error.message.rstrip(".").lower(), staged, "free some space") from error
                raise
        return record

    def get(self, record_id: str, owner: str | None = None) -> Record:
        record = self._find(record_id)
        if record is None:
            raise NotFound("There is no such output.", "It may have been deleted for good.")
        if owner is not None and record.owner != owner:
            raise NotAllowed("This output belongs to somebody else.")
        return record

    def open(self, record_id: str, role: str = "", owner: str | None = None) -> Path:
        """Path of the main file (no role), the "thumbnail", or a further file such as "midi"."""
        record = self.get(record_id, owner)
        key = record.companions.get(role) if role else record.key
        path = self._files.path(key) if key else None
        if path is None or not path.is_file():
            raise NotFound(f"This output has no {role[:40]!r} file." if role else "The file of this output is gone.")
        return path

    def page(
        self,
        *,
        owner: str | None = None,
        before: str | None = None,
        limit: int = 40,
        words: str = "",
        modality: str | None = None,
        model: str | None = None,
        starred: bool | None = None,
        trashed: bool = False,
    ) -> Page:
        """Newest first; `before` is the `next` of the page before. Raises InvalidInput for a bad cursor or search."""
        choice = self._choice(owner, words, modality, model, starred, trashed)
        with self._database.read() as connection:
            return records.page(connection, choice, before, limit)

    def count(
        self,
        owner: str | None = None,
        *,
        words: str = "",
        modality: str | None = None,
        model: str | None = None,
        starred: bool | None = None,
        trashed: bool = False,
    ) -> int:
        choice = self._choice(owner, words, modality, model, starred, trashed)
        with self._database.read() as connection:
            return records.count(connection, choice)

    def models(self, owner: str | None = None) -> list[str]:
        """Ids of the models that made something."""
        with self._database.read() as connection:
            return records.models(connection, owner)

    def children(self, record_id: str) -> list[str]:
        """Ids of the records made from this one, oldest first."""
        with self._database.read() as connection:
            return records.children(connection, record_id)

    def star(self, ids: Iterable[str], on: bool = True, *, owner: str | None = None) -> None:
        self._change(ids, owner, starred=on)

    def trash(self, ids: Iterable[str], *, owner: str | None = None) -> None:
        # Once in the trash, the time there counts from the first day.
        self._change(ids, owner, trashed=func.coalesce(RECORDS.c.trashed, time.time()))

    def restore(self, ids: Iterable[str], *, owner: str | None = None) -> None:
        self._change(ids, owner, trashed=None)

    def purge(self, ids: Iterable[str], *, owner: str | None = None) -> None:
        """Delete rows and files for good."""
        with self._database.write() as connection:
            keys = records.remove(connection, records.check(connection, ids, owner))
        self._clear(keys)

    def empty_trash(self, older_than_s: float = 0.0, *, owner: str | None = None) -> int:
        """Delete for good what has been in the trash for so long; returns how many."""
        with self._database.write() as connection:
            keys = records.remove(connection, records.trashed_before(connection, time.time() - older_than_s, owner))
        self._clear(keys)
        return len(keys)

    def recover(self) -> Recovered:
        """Called at start: finish deletions, adopt files without a row, sweep temporary files."""
        with self._publishing:
            with self._database.read() as connection:
                unfinished = records.removals(connection)
            self._clear(unfinished)
            return recover(self._database, self._files)

    def compare(self, original: Record, again: Record) -> Comparison:
        """Whether `again` came out as `original` did, by how much not, and what in the environment changed."""
        changes = original.recipe.differences(again.recipe)
        same = original.kind is again.kind and original.content_sha256 == again.content_sha256
        amount = 0.0
        if not same:
            alike = original.kind is again.kind
            amount = difference(original.kind, self.open(original.id), self.open(again.id)) if alike else 1.0
        return Comparison(
            verdict="identical" if same else "environment differs" if changes else "differs",
            amount=amount,
            changes=changes,
            original=original.id,
            again=again.id,
        )

    def set_comparison(self, record_id: str, comparison: Comparison) -> None:
        self._change([record_id], None, comparison=comparison.model_dump(mode="json"))

    def export(self, ids: Iterable[str], destination: Path, *, owner: str | None = None) -> list[Path]:
        """Copy main and further files to a folder of the person's; returns the copies. Raises StorageFailed."""
        sources: list[Path] = []
        for record in [self.get(record_id, owner) for record_id in dict.fromkeys(ids)]:
            sources += [self.open(record.id, role) for role in ("", *record.roles)]
        copies = [destination / source.name for source in sources]
        try:
            destination.mkdir(parents=True, exist_ok=True)
            for source, copy in zip(sources, copies, strict=True):
                copy_whole(source, copy)
        except OSError as error:
            reason = error.strerror or error
            raise StorageFailed(
                f"The export to {destination} stopped: {reason}.", "The gallery is as it was."
            ) from error
        return copies

    def _choice(
        self,
        owner: str | None,
        words: str,
        modality: str | None,
        model: str | None,
        starred: bool | None,
        trashed: bool,
    ) -> Choice:
        return Choice(owner, words, modality, model, starred, trashed, indexed=self._database.indexed)

    def _find(self, record_id: str) -> Record | None:
        with self._database.read() as connection:
            return records.find(connection, record_id)

    def _change(self, ids: Iterable[str], owner: str | None, **values: Any) -> None:
        with self._database.write() as connection:
            records.change(connection, records.check(connection, ids, owner), **values)

    def _clear(self, keys: Mapping[str, list[str]]) -> None:
        """Delete the files of deleted rows. What can't be deleted now stays noted for the next start."""
        gone = [record_id for record_id, files in keys.items() if self._files.remove(files)]
        if gone:
            with self._database.write() as connection:
                records.removed(connection, gone)


def _not_saved(kind: MediaKind, reason: str, staged: Path, step: str) -> StorageFailed:
    return StorageFailed(
        f"The {_NOUNS[kind]} could not be saved: {reason}.",
        f"It is kept in {staged.parent}; {step} and press Retry.",
    )
