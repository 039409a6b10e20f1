"""The order in which bars are played: repeats and their endings, written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 4096
"""Bars after which a chain of repeats is cut off."""


@dataclass(frozen=True)
class Signs:
    """The repeat signs of one bar: whether a repeat begins before it, how often one that ends after it is played
    (0: none ends), and in which rounds it is played (empty: all)."""

    opens: bool = False
    times: int = 0
    rounds: tuple[int, ...] = ()


def played(signs: Sequence[Signs]) -> list[tuple[int, int]]:
    """For each bar that sounds, its place and the place where its repeated stretch begins."""
    order: list[tuple[int, int]] = []
    at, start, turn = 0, 0, 1
    while at < len(signs) and len(order) < LONGEST:
        sign = signs[at]
        left_endings = at > 0 and bool(signs[at - 1].rounds) and not sign.rounds
        if (sign.opens or left_endings) and at > start:
            start, turn = at, 1
        if sign.rounds and turn not in sign.rounds:
            at += 1
            continue
        order.append((at, start))
        if sign.times > turn:
            at, turn = start, turn + 1
            continue
        at += 1
        if sign.times and not sign.rounds:
            start, turn = at, 1
    return order
