"""How many bars become sections to write and an order to play them in: A B, A A B B, a rondo; an odd four is a coda."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

MIN_BARS, MAX_BARS, BARS_STEP = 8, 128, 4
AUTO = "auto"
ORDERS = {
    "A": "A",
    "AB": "AB",
    "ABA": "ABA",
    "AABA": "AABA",
    "AABB": "AABB",
    "ABAC": "ABAC",
    "AABBCC": "AABBCC",
    "rondo": "ABACA",
}
"""A form's name to the order of its sections."""
FORMS = (AUTO, *ORDERS)
SECTION_BARS, CODA_BARS, CODA = 8, 4, "Z"
_LENGTHS = {8: 0, 16: 1, 12: 3, 4: 4}
"""Bars that a section may have, and how much rather another length is taken: old tunes have parts of eight."""
_AUTO_ORDERS = {8: "A", 16: "AB", 24: "AAB", 32: "AABB", 40: "AABBA", 48: "AABBCC", 56: "AABBCCA", 64: "AABBCCDD"}
_ROUNDS = 8
"""How often a form is played through at most, where its sections would grow too long."""


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


def form_of(bars: int, form: str = AUTO, introduction: int = 0, tag: int = 0) -> Form:
    """The form of a piece of `bars` bars, 8 to 128 in fours, `introduction` and `tag` bars among them and not in it.

    "auto" fits any number; the others fit where their sections come out at 4, 8, 12 or 16 bars. A form that would need
    longer sections is played through several times. Raises ValueError, with what fits, for everything else.
    """
    if not MIN_BARS <= bars <= MAX_BARS or bars % BARS_STEP:
        raise ValueError(f"A tune has {MIN_BARS} to {MAX_BARS} bars, in fours.")
    if form not in FORMS:
        raise ValueError(f"A form is one of {', '.join(FORMS)}, not {form}.")
    body = bars - introduction - tag
    if body < BARS_STEP or body % BARS_STEP:
        raise ValueError(f"An introduction and a tag of {introduction + tag} bars leave no tune in {bars}.")
    if form == AUTO:
        return _auto(body)
    lengths = _fitting(ORDERS[form]).get(body)
    if lengths is None:
        fits = [count + introduction + tag for count in _fitting(ORDERS[form])]
        near = sorted(sorted(fits, key=lambda count: abs(count - bars))[:3])
        raise ValueError(f"The form {form} does not come out at {bars} bars, but at {_either(near)}.")
    rounds, sections = lengths
    return Form(dict(zip(sorted(set(ORDERS[form])), sections, strict=True)), ORDERS[form] * rounds)


def fitting_bars(form: str, introduction: int = 0, tag: int = 0) -> tuple[int, ...]:
    """The numbers of bars at which `form` comes out, with its introduction and tag."""
    bodies = range(BARS_STEP, MAX_BARS + 1, BARS_STEP) if form == AUTO else sorted(_fitting(ORDERS[form]))
    return tuple(bars for body in bodies if MIN_BARS <= (bars := body + introduction + tag) <= MAX_BARS)


def _auto(bars: int) -> Form:
    """Sections of eight bars; above 64 the tune starts again from its opening; an odd four is a coda."""
    if bars < SECTION_BARS:
        return Form({"A": bars}, "A")
    whole = bars - bars % SECTION_BARS
    if whole > 64:
        half = whole // 2 // SECTION_BARS * SECTION_BARS
        halves = (_AUTO_ORDERS[half], _AUTO_ORDERS[whole - half])
        order = "".join(sorted(halves, key=lambda order: order.endswith("A")))
    else:
        order = _AUTO_ORDERS[whole]
    lengths = dict.fromkeys(sorted(set(order)), SECTION_BARS)
    if bars % SECTION_BARS:
        order, lengths[CODA] = order + CODA, CODA_BARS
    return Form(lengths, order)


@cache
def _fitting(order: str) -> dict[int, tuple[int, tuple[int, ...]]]:
    """By the number of bars: how often the order is played, and the bars of each section, as plain as can be."""
    letters = sorted(set(order))
    found: dict[int, tuple[int, tuple[int, ...]]] = {}
    costs: dict[int, tuple[int, int]] = {}
    for rounds in range(1, _ROUNDS + 1):
        for lengths in product(_LENGTHS, repeat=len(letters)):
            bars = rounds * sum(lengths[letters.index(letter)] for letter in order)
            cost = (rounds, sum(_LENGTHS[length] for length in lengths) + 2 * (len(set(lengths)) - 1))
            if bars <= MAX_BARS and cost < costs.get(bars, (_ROUNDS + 1, 0)):
                found[bars], costs[bars] = (rounds, lengths), cost
    return dict(sorted(found.items()))


def _either(numbers: list[int]) -> str:
    words = [str(number) for number in numbers]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
