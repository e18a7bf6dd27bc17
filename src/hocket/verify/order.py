"""Many questions of order at once: does this point always come before that one?

One search per question would walk the graph ten thousand times. Here every source
that is asked about is one bit; a pass over the points in the order of their ranks
hands the bits on along the arrows, as big integers, so one pass answers thousands of
sources and costs little more than one search (a bit-parallel closure; the same trick
as in the dense reachability of Warren 1975, only for the rows asked). What a point
has handed on is forgotten, if nobody asks about the point itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence, Set

from hocket.verify.structure import Shape

__all__ = ["enforced", "task_pairs"]

_MOST_BITS = 1_000_000_000  # in the integers of a pass, if no point could be forgotten: 125 MB
_AT_ONCE = 16_384  # sources a pass, and at least ...
_AT_LEAST = 512  # ... so many, however large the graph is


def enforced(shape: Shape, rank: array[int], pairs: Sequence[tuple[int, int]]) -> list[bool]:
    """For each (source, goal): whether the arrows that enforce an order lead from the one point to the other."""
    asked: dict[int, list[int]] = {}
    for place, (source, _) in enumerate(pairs):
        asked.setdefault(source, []).append(place)
    answers = [False] * len(pairs)
    sources = sorted(asked, key=rank.__getitem__)
    goals = {goal for _, goal in pairs}
    order = sorted(range(shape.size), key=rank.__getitem__) if sources else []
    step = max(_AT_LEAST, min(_AT_ONCE, _MOST_BITS // (shape.size or 1)))
    for start in range(0, len(sources), step):
        some = sources[start : start + step]
        masks = _spread(shape, order, some, goals)
        for number, source in enumerate(some):
            for place in asked[source]:
                goal = pairs[place][1]
                answers[place] = goal != source and bool(masks[goal] >> number & 1)
    return answers


def _spread(shape: Shape, order: Iterable[int], sources: Sequence[int], goals: Set[int]) -> list[int]:
    """For each goal the bits of the sources that come before it."""
    masks = [0] * shape.size
    for number, source in enumerate(sources):
        masks[source] = 1 << number
    offsets, targets, loose = shape.offsets, shape.targets, shape.loose
    for point in order:
        mask = masks[point]
        if mask:
            for target in targets[offsets[point] : offsets[point + 1]]:
                if not loose or loose.get(target, point) == point:
                    masks[target] |= mask
            if point not in goals:
                masks[point] = 0
    return masks


def task_pairs(shape: Shape, pairs: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
    """The points of "the one has closed when the other opens", for each pair of tasks."""
    return [(shape.closing[one], shape.opening[other]) for one, other in pairs]
