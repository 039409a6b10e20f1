"""Versions: the records of one piece, from the first on. Whoever changes a piece makes a new record with the old one as
its input, so that nothing is lost and every step can be walked back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genai_studio.errors import StudioError
from genai_studio.ui.i18n import say

if TYPE_CHECKING:
    from genai_studio.gallery.records import Record
    from genai_studio.studio import Studio

MOST = 40
"""Versions that are told; of more, the newest."""
PIECE = "piece"


def versions_of(studio: Studio, record: Record, language: str) -> list[dict[str, Any]]:
    """Every version that is not in the trash, oldest first: {"id", "label", "depth"}; empty where there is one only."""
    family = _family(studio, record)
    kept = [member for member in family if member[0].trashed is None or member[0].id == record.id]
    kept.sort(key=lambda member: (member[0].created, member[0].output_index))
    if len(kept) < 2:
        return []
    return [{"id": version.id, "label": label_of(version, language), "depth": depth} for version, depth in kept[-MOST:]]


def label_of(record: Record, language: str) -> str:
    """What made this version."""
    params = record.recipe.request.params
    action, first, last = params.get("action", "compose"), params.get("first_bar") or 0, params.get("last_bar") or 0
    if action == "repaint":
        if first == last:
            return say("Bar {n} anew", language, n=first)
        return say("Bars {first}–{last} anew", language, first=first, last=last)
    if action == "continue":
        return say("Continued", language)
    if action == "arrange":
        return say("Arranged", language) if record.parents else say("Brought along", language)
    return say("Composed", language)


def origin_of(studio: Studio, record: Record) -> Record:
    """The first version that is still there and belongs to the same owner."""
    seen = {record.id}
    while (parent := _parent(studio, record)) and parent.id not in seen:
        seen.add(parent.id)
        record = parent
    return record


def _family(studio: Studio, record: Record) -> list[tuple[Record, int]]:
    """All that came from the same first version, with how many steps away."""
    first = origin_of(studio, record)
    found, waiting = {first.id: (first, 0)}, [first]
    while waiting and len(found) < 4 * MOST:
        parent = waiting.pop(0)
        for child_id in studio.gallery.children(parent.id):
            child = _get(studio, child_id, record.owner)
            if child and child.id not in found and PIECE in child.recipe.request.inputs:
                found[child.id] = (child, found[parent.id][1] + 1)
                waiting.append(child)
    return list(found.values())


def _parent(studio: Studio, record: Record) -> Record | None:
    source = record.recipe.request.inputs.get(PIECE, "")
    return _get(studio, source, record.owner) if source in record.parents else None


def _get(studio: Studio, record_id: str, owner: str) -> Record | None:
    try:
        return studio.gallery.get(record_id, owner)
    except StudioError:
        return None
