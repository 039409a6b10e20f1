"""Presets: named sets of values for a panel. The built-in ones only say what differs from the model's own defaults;
the person's own live in the browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from genai_studio.domain.modality import Modality

BALANCED = "Balanced"
BUILT_IN: dict[Modality, dict[str, dict[str, Any]]] = {
    Modality.IMAGE: {
        "Quick sketch": {"num_inference_steps": 10},
        BALANCED: {},
        "Careful": {"num_inference_steps": 50},
    },
    Modality.TEXT: {
        "Precise": {"temperature": 0.2, "top_p": 0.9},
        BALANCED: {},
        "Inventive": {"temperature": 1.1, "top_p": 0.98},
    },
    Modality.MUSIC: {
        "Steady": {"temperature": 0.7, "top_p": 0.9},
        BALANCED: {},
        "Adventurous": {"temperature": 1.1, "top_p": 0.98},
    },
}
"""BALANCED is the model's own defaults."""

LONGEST_NAME = 60
MOST = 50
"""Own presets a modality; more would be no list a person can read."""
NOT_KEPT = frozenset({"seed", "prompt"})

Own = Mapping[str, Mapping[str, Any]]


def names(modality: Modality, own: Own | None) -> list[str]:
    """Built-in names, then the person's own in alphabetical order."""
    return [*BUILT_IN[modality], *sorted(name for name in own or {} if name not in BUILT_IN[modality])]


def values_of(modality: Modality, name: str, own: Own | None, fields: Iterable[str]) -> dict[str, Any] | None:
    """What preset `name` sets of `fields`, or None where there is no such preset."""
    found = BUILT_IN[modality].get(name)
    if found is None:
        found = dict((own or {}).get(name, {})) if name in (own or {}) else None
    if found is None:
        return None
    known = set(fields) - NOT_KEPT
    return {field: value for field, value in found.items() if field in known}


def with_saved(own: Own | None, name: str, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`own` and one more; the oldest goes when there are too many."""
    kept = {key: dict(value) for key, value in (own or {}).items() if key != name}
    while len(kept) >= MOST:
        kept.pop(next(iter(kept)))
    kept[name] = {field: value for field, value in values.items() if field not in NOT_KEPT}
    return kept
