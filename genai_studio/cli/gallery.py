"""`gallery list|search|show|export`: what was made, read from the running studio or from the data folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from genai_studio.cli.connection import open_studio
from genai_studio.cli.generate import describe
from genai_studio.cli.options import command, print_json
from genai_studio.domain.modality import Modality
from genai_studio.errors import StorageFailed
from genai_studio.gallery.files import copy_whole
from genai_studio.gallery.records import Record
from genai_studio.remote import AnyStudio
from genai_studio.score.exports import FORMATS
from genai_studio.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many, newest first.")]


def gallery_app() -> typer.Typer:
    app = typer.Typer(help="What was made.", no_args_is_help=True)

    @app.command("list", help="Newest first.")
    @command
    def list_records(
        settings: Settings,
        *,
        limit: Limit = 40,
        modality: Annotated[Modality | None, typer.Option(help="Only these.")] = None,
        of_model: Annotated[str | None, typer.Option("--model", help="Only this model's.")] = None,
        starred: Annotated[bool, typer.Option("--starred", help="Only starred ones.")] = False,
        trashed: Annotated[bool, typer.Option("--trashed", help="What lies in the trash.")] = False,
        as_json: Json = False,
    ) -> None:
        with open_studio(settings, work=False) as studio:
            filters = {"modality": modality, "model": of_model, "starred": starred or None, "trashed": trashed}
            _list(studio, limit, as_json, **filters)

    @app.command("search", help="Records whose prompt or text has these words.")
    @command
    def search(
        settings: Settings,
        *,
        words: Annotated[list[str], typer.Argument(help="What to look for.")],
        limit: Limit = 40,
        as_json: Json = False,
    ) -> None:
        with open_studio(settings, work=False) as studio:
            _list(studio, limit, as_json, words=" ".join(words))

    @app.command("show", help="One record with its recipe.")
    @command
    def show_record(settings: Settings, *, record_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
        with open_studio(settings, work=False) as studio:
            print_json(describe(studio, studio.gallery.get(record_id)))

    @app.command("export", help="Copy files out of the gallery, as they are or in another format.")
    @command
    def export(
        settings: Settings,
        *,
        ids: Annotated[list[str], typer.Argument(metavar="ID...")],
        out: Annotated[Path, typer.Option("--out", help="Folder to copy to.")],
        as_format: Annotated[
            str, typer.Option("--format", help=f"Music only: {', '.join(FORMATS)}, or stem-1 and on.")
        ] = "",
    ) -> None:
        with open_studio(settings, work=False) as studio:
            if not as_format:
                for path in studio.gallery.export(ids, out.absolute()):
                    print(path)
                return
            for record_id in ids:
                path = studio.export(record_id, as_format)
                print(_exported(path, out.absolute() / f"{record_id}-{as_format}{path.suffix}"))

    return app


def _exported(source: Path, copy: Path) -> Path:
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy_whole(source, copy)
    except OSError as error:
        raise StorageFailed(f"The export to {copy.parent} stopped: {error.strerror or error}.") from error
    return copy


def _list(studio: AnyStudio, limit: int, as_json: bool, **filters: Any) -> None:
    records: list[Record] = []
    before = None
    while len(records) < limit:
        page = studio.gallery.page(before=before, limit=min(limit - len(records), 200), **filters)
        records += page.records
        before = page.next
        if before is None:
            break
    if as_json:
        print_json([describe(studio, record) for record in records])
        return
    for record in records:
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created))
        words = " ".join((record.title or record.excerpt).split())
        print(f"{record.id}  {made}  {record.modality:6} {record.model:22} {words[:60]}")
