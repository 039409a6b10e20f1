"""How many bars become sections to write and an order to play them in: A B, A A B B; an odd four is a short coda."""

from __future__ import annotations

from dataclasses import dataclass

MIN_BARS, MAX_BARS, BARS_STEP = 8, 64, 4
_ORDERS = {8: "A", 16: "AB", 24: "AAB", 32: "AABB", 40: "AABBA", 48: "AABBCC", 56: "AABBCCA", 64: "AABBCCDD"}
SECTION_BARS, CODA_BARS, CODA = 8, 4, "Z"


@dataclass(frozen=True)
class Form:
    """`lengths` are the bars of each section to write, by its letter in order; `order` the letters as played."""

    lengths: dict[str, int]
    order: str

    @property
    def written_bars(self) -> int:
        """Bars that the model writes; repeats are not written twice."""
        return sum(self.lengths.values())

    @property
    def bars(self) -> int:
        """Bars that sound."""
        return sum(self.lengths[letter] for letter in self.order)

    @property
    def closing(self) -> str:
        """The section that the piece ends with, and that therefore has to come home."""
        return self.order[-1]


def form_of(bars: int) -> Form:
    """The form of a piece of `bars` bars, 8 to 64 in fours. Raises ValueError for any other number."""
    if not MIN_BARS <= bars <= MAX_BARS or bars % BARS_STEP:
        raise ValueError(f"A tune has {MIN_BARS} to {MAX_BARS} bars, in fours.")
    order = _ORDERS[bars - bars % SECTION_BARS]
    lengths = dict.fromkeys(sorted(set(order)), SECTION_BARS)
    if bars % SECTION_BARS:
        order, lengths[CODA] = order + CODA, CODA_BARS
    return Form(lengths, order)
