"""Record view: what the gallery shows of one record, as plain JSON: its card, and all that the large view tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genai_studio.domain.image import UpscaleParams
from genai_studio.domain.modality import MediaKind
from genai_studio.domain.recipe import Recipe
from genai_studio.errors import StudioError
from genai_studio.models.base import family_of
from genai_studio.ui.controls import option_title, properties, resolved
from genai_studio.ui.i18n import say
from genai_studio.ui.piece import notes_of_midi

if TYPE_CHECKING:
    from genai_studio.gallery.records import Record
    from genai_studio.studio import Studio

Row = list[Any]
"""[name, value] or [name, value, True] for a value in fixed-width letters."""
ENLARGE: tuple[int, ...] = tuple(UpscaleParams.model_json_schema()["properties"]["scale"]["enum"])
SHOWN_ELSEWHERE = {"prompt", "count", "messages", "step_seconds"}
MIDI = "midi"
MOST_RELATIVES = 24


def card_of(record: Record) -> dict[str, Any]:
    """The record's card, with what can be done with it: `derived` from other records, it has no form of its own."""
    return {
        **record.card(),
        "enlarge": list(ENLARGE) if record.kind is MediaKind.IMAGE else [],
        "derived": bool(record.parents),
        "enlarged": record.recipe.request.params.get("scale") if record.parents else None,
    }


def details_of(studio: Studio, record: Record, language: str) -> dict[str, Any]:
    """Everything the large view tells. Relatives are told only where they belong to the same owner."""
    comparison = record.comparison
    return {
        "card": card_of(record),
        "verdict": say(comparison.sentence(), language) if comparison else "",
        "verdict_kind": comparison.verdict.split()[0] if comparison else "",
        "settings": _settings(studio, record, language),
        "origin": _origin(record.recipe, language),
        "files": _files(record, language),
        "parents": _relatives(studio, record, record.parents),
        "children": _relatives(studio, record, studio.gallery.children(record.id)),
        "roll": _roll(studio, record),
    }


def _settings(studio: Studio, record: Record, language: str) -> list[Row]:
    """Every param that is not empty, by its title, with the seed of this very output."""
    try:
        spec = studio.model(record.model)
        schemas, ignored = properties(family_of(spec).params), spec.hidden
    except StudioError:
        schemas, ignored = {}, frozenset()
    rows: list[Row] = []
    for name, value in {**record.recipe.request.params, "seed": record.seed}.items():
        if name not in SHOWN_ELSEWHERE | ignored and value not in ("", None, [], {}):
            schema = schemas.get(name, {})
            rows.append([say(schema.get("title", name), language), _readable(value, schema, language)])
    return rows


def _readable(value: Any, schema: dict[str, Any], language: str) -> str:
    """As its control shows it. What a person typed stays as it is."""
    if isinstance(value, bool):
        return say("Yes", language) if value else say("No", language)
    if "enum" in resolved(schema):
        return say(option_title(value), language)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _origin(recipe: Recipe, language: str) -> list[Row]:
    rows: list[Row] = [[say("Model", language), recipe.request.model]]
    if recipe.source:
        rows.append([say("Source", language), say(recipe.source, language)])
    if recipe.licence:
        rows.append([say("Licence", language), recipe.licence])
    rows += [[name, value] for name, value in sorted(recipe.environment.items())]
    if recipe.rungs:
        rows.append([say("To save memory", language), ", ".join(recipe.rungs)])
    return rows


def _files(record: Record, language: str) -> list[Row]:
    rows: list[Row] = [
        [say("Size", language), _bytes(record.size)],
        [say("File", language), record.sha256, True],
        [say("Content", language), record.content_sha256, True],
    ]
    return rows + [[name, digest, True] for name, digest in sorted(record.recipe.files.items())]


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} KB"


def _relatives(studio: Studio, record: Record, ids: list[str]) -> list[dict[str, Any]]:
    found = []
    for record_id in ids[:MOST_RELATIVES]:
        try:
            found.append(card_of(studio.gallery.get(record_id, owner=record.owner)))
        except StudioError:
            continue
    return found


def _roll(studio: Studio, record: Record) -> dict[str, Any] | None:
    return notes_of_midi(studio.gallery.open(record.id, MIDI)) if MIDI in record.companions else None
