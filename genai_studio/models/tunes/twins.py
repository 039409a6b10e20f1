"""Which printed tunes are settings of one tune: kept on one side of the split, and dropped where they are copies."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from genai_studio.models.tunes.tokens import Tune

if TYPE_CHECKING:
    from genai_studio.models.tunes.data import SourceTune


def _grams(tune: Tune, size: int = 8) -> set[tuple[int, ...]]:
    """Runs of `size` steps, blind to rhythm and octave: what two settings of one tune share."""
    steps = [note.step % 12 for note in tune.notes]
    return {tuple(steps[index : index + size]) for index in range(len(steps) - size + 1)}


def _likeness(first: set[tuple[int, ...]], second: set[tuple[int, ...]]) -> float:
    return len(first & second) / max(1, min(len(first), len(second)))


def clusters_of(sources: Sequence[SourceTune]) -> list[list[int]]:
    """Indices grouped so that tunes of one title, or that share a fifth of their eight-note runs, stay together."""
    parent = list(range(len(sources)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    titles: dict[str, int] = {}
    holders: dict[tuple[int, ...], list[int]] = defaultdict(list)
    grams = [_grams(source.tune) for source in sources]
    for index, source in enumerate(sources):
        title = re.sub(r"[^a-z]", "", source.title.lower().split("--")[0].removeprefix("the "))
        if len(title) > 5:
            parent[root(index)] = root(titles.setdefault(title, index))
        shared: Counter[int] = Counter(other for gram in grams[index] for other in holders[gram])
        for other, count in shared.items():
            if count / max(1, min(len(grams[index]), len(grams[other]))) > 0.2:
                parent[root(index)] = root(other)
        for gram in grams[index]:
            holders[gram].append(index)
    clusters: dict[int, list[int]] = defaultdict(list)
    for index in range(len(sources)):
        clusters[root(index)].append(index)
    return list(clusters.values())


def without_copies(sources: Iterable[SourceTune]) -> list[SourceTune]:
    """The sources less those that repeat an earlier one almost note for note; variants stay."""
    kept: list[tuple[SourceTune, set[tuple[int, ...]]]] = []
    for source in sources:
        grams = _grams(source.tune)
        if all(_likeness(grams, other) < 0.9 for _, other in kept):
            kept.append((source, grams))
    return [source for source, _ in kept]
