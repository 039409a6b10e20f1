"""Figure: one measured number, what it is compared with, and the most it should be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

WORST = "at most"
BEST = "at least"


@dataclass(frozen=True)
class Figure:
    """`value` and `base` are in `unit`. `judged` is what `limit` is about: "ratio", "difference" or "value"."""

    name: str
    value: float
    unit: str
    base: float | None = None
    base_name: str = ""
    judged: str = ""
    limit: float | None = None
    bound: str = WORST
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.base if self.base else None

    @property
    def judged_value(self) -> float | None:
        if self.judged == "ratio":
            return self.ratio
        if self.judged == "difference":
            return None if self.base is None else self.value - self.base
        return self.value if self.judged == "value" else None

    @property
    def good(self) -> bool | None:
        """Whether it is within its limit; None where it has none."""
        value = self.judged_value
        if value is None or self.limit is None:
            return None
        return value <= self.limit if self.bound == WORST else value >= self.limit

    def line(self) -> str:
        """One row of the printed table."""
        parts = [f"{self.name}: {_number(self.value)} {self.unit}".strip()]
        if self.base is not None:
            parts.append(f"{self.base_name} {_number(self.base)} {self.unit}".strip())
        if self.ratio is not None:
            parts.append(f"ratio {self.ratio:.3f}")
        if self.judged == "difference" and self.base is not None:
            parts.append(f"difference {_number(self.value - self.base)} {self.unit}".strip())
        if self.limit is not None:
            unit = "" if self.judged == "ratio" else f" {self.unit}"
            parts.append(f"{self.bound} {_number(self.limit)}{unit}: {'yes' if self.good else 'NO'}")
        if self.note:
            parts.append(self.note)
        return "; ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "good": self.good}


def middle(values: list[float]) -> float:
    return float(median(values))


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
