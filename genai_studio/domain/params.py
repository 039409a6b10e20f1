"""Params: the base of every family's sampling parameters, its error sentences, and reading old saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from genai_studio.domain.fields import Count, Seed
from genai_studio.errors import InvalidInput


class Params(BaseModel):
    """What one run is asked for. Strict: `true`, `"7"`, NaN and unknown names are refused, never converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    seed: Seed = -1
    count: Count = 1

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Validate `values`; raises InvalidInput with one sentence that names the first wrong field."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InvalidInput(explain(error, cls)) from error

    @classmethod
    def restore(cls, saved: Mapping[str, Any]) -> tuple[Self, list[str]]:
        """Read an old save: fields that are unknown or no longer allowed fall back to the default.

        Returns the params and the names of what was dropped, so that the page can say so. Raises InvalidInput
        when what is left still does not make valid params (a required field is gone).
        """
        kept = {name: value for name, value in saved.items() if name in cls.model_fields}
        dropped = [name for name in saved if name not in cls.model_fields]
        try:
            return cls.model_validate(kept), dropped
        except ValidationError as error:
            wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
            dropped += sorted(wrong & kept.keys())
            return cls.parse({name: value for name, value in kept.items() if name not in wrong}), dropped


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem as one sentence: which field by its title, what is wrong, what is allowed."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    field = model.model_fields.get(name)
    title = (field.title if field else None) or name or "Input"
    kind, context, value = first["type"], first.get("ctx", {}), first.get("input")
    if len(first["loc"]) > 1:
        return f"{title} is wrong in {_place(first['loc'][1:])}: {str(context.get('error', first['msg'])).rstrip('.')}."
    if kind == "extra_forbidden":
        allowed = ", ".join(model.model_fields)
        return f"There is no parameter named {name[:60]!r}; allowed are {allowed}."
    if kind == "missing":
        return f"{title} is missing."
    if kind == "value_error":
        return f"{title} {context['error']}."
    if kind in {"string_too_long", "too_long"}:
        unit = "characters" if isinstance(value, str) else "entries"
        return f"{title} has {len(value):,} {unit}; at most {context['max_length']:,} are allowed."
    shown = _shown(value)
    if kind in {"greater_than_equal", "greater_than", "less_than_equal", "less_than"}:
        return f"{title} is {shown}; allowed is {_range(model, name)}."
    if kind == "literal_error":
        return f"{title} is {shown}; allowed is {context['expected']}."
    wanted = {
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "finite_number": "a finite number",
        "string_type": "text",
        "string_unicode": "valid text",
        "bool_type": "true or false",
    }.get(kind)
    if wanted and kind.startswith(("int", "float", "finite")):
        return f"{title} is {shown}; allowed is {wanted} {_range(model, name)}.".replace(" .", ".")
    return f"{title} is {shown}; allowed is {wanted}." if wanted else f"{title}: {first['msg']}."


def _place(location: tuple[int | str, ...]) -> str:
    """Where inside a list of entries: (3, "content") is "entry 4, content"."""
    return ", ".join(f"entry {part + 1}" if isinstance(part, int) else str(part)[:60] for part in location)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _range(model: type[BaseModel], name: str) -> str:
    schema = model.model_json_schema()["properties"].get(name, {})
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if low is None and high is None:
        return ""
    opening = "above" if "exclusiveMinimum" in schema else "from"
    return f"{opening} {low} to {high}" if high is not None else f"{opening} {low}"
