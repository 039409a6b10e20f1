"""Media: the files of the gallery and the previews of running jobs, each to its owner only. Nothing that a browser
could run is ever shown inline, whatever a record says about itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from genai_studio.errors import NotFound
from genai_studio.gallery.records import Record
from genai_studio.studio import Studio

INLINE = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".json": "application/json",
}
"""What a browser may show by itself. Everything else is offered as a download."""
DOWNLOADS = {
    ".mid": "audio/midi",
    ".musicxml": "application/vnd.recordare.musicxml+xml",
    ".xml": "application/octet-stream",
    ".pdf": "application/pdf",
    ".abc": "text/vnd.abc; charset=utf-8",
    ".zip": "application/zip",
    ".mp4": "video/mp4",
}
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
"""For a file that is opened in a tab of its own: no scripts, no forms, no origin."""


def media_routes(studio: Studio, owner_of: Callable[[Request], str]) -> APIRouter:
    """`/media/{record}`, `/media/{record}/{role}`, `/media/{record}/export/{format}` and `/preview/{job}/{name}`;
    `?download=1` saves instead of showing."""
    routes = APIRouter()

    @routes.api_route("/media/{record_id}", methods=["GET", "HEAD"])
    @routes.api_route("/media/{record_id}/{role}", methods=["GET", "HEAD"])
    def media(request: Request, record_id: str, role: str = "", download: bool = False) -> Response:
        record = studio.gallery.get(record_id, owner=owner_of(request))
        path = studio.gallery.open(record.id, role)
        return _file(path, _name(record, path), download)

    @routes.api_route("/media/{record_id}/export/{name}", methods=["GET", "HEAD"])
    def export(request: Request, record_id: str, name: str, download: bool = False) -> Response:
        owner = owner_of(request)
        path = studio.export(record_id, name, owner=owner)
        return _file(path, _export_name(studio.gallery.get(record_id, owner=owner), name + path.suffix), download)

    @routes.api_route("/preview/{job_id}/{name}", methods=["GET", "HEAD"])
    def preview(request: Request, job_id: str, name: str) -> Response:
        studio.job(job_id, owner=owner_of(request))
        path = studio.preview_path(f"{job_id}/{name}")
        if not path.is_file():
            raise NotFound("This preview is gone; the job has moved on.")
        return _file(path, name, download=False, cache="no-store")

    return routes


def _file(path: Path, name: str, download: bool, cache: str = "private, max-age=86400, immutable") -> Response:
    """A file with ranges. It never changes under its name, and `Vary` keeps it from the next person who logs in."""
    suffix = path.suffix.lower()
    inline = suffix in INLINE and not download
    return FileResponse(
        path,
        media_type=INLINE.get(suffix) or DOWNLOADS.get(suffix, "application/octet-stream"),
        filename=name,
        content_disposition_type="inline" if inline else "attachment",
        headers={"cache-control": cache, "vary": "Cookie", "content-security-policy": POLICY},
    )


def _name(record: Record, path: Path) -> str:
    return f"{record.modality}-{record.id}{path.suffix}"


def _export_name(record: Record, what: str) -> str:
    """The piece's title and what the file is, with nothing in it that a file system could mind."""
    title = "".join(
        letter if letter.isalnum() or letter in " -" else " " for letter in str(record.info.get("title", ""))
    )
    return f"{' '.join(title.split())[:80] or record.id} - {what}"
