"""The fewest waits that have to go so that no cycle is left in a knot of tasks: a minimum feedback arc set.

The problem is NP-hard and the knots that people write are small, so it is decided
exactly within a budget: by iterative deepening over how many waits go, branching on
the waits of one cycle that is not cut yet (at least one of them has to go). Cycles
that were found once are looked at first, so most branches cost no search. Where the
budget ends the answer is a lower bound, and says so; a heuristic's answer would have
to be called "enough", which is what any back edge is.

Refused: MaxSAT, which is as fast on these, and needs z3 for a question without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hocket.verify.model import Graph, Point
from hocket.verify.structure import Shape

__all__ = ["Cut", "smallest_cut"]

_VISITS = 1_000_000  # arrows looked at, all searches of one knot together

Arrow = tuple[int, int]


@dataclass(frozen=True)
class Cut:
    """(who waits, for whom) of a smallest set of waits; `exact` False: at least `least` of them, and which is open.

    `any_one`: the knot is a single cycle, and any of its waits will do.
    """

    waits: tuple[tuple[str, str], ...]
    least: int
    exact: bool = True
    any_one: bool = False


def smallest_cut(graph: Graph, shape: Shape, part: Iterable[int]) -> Cut:
    """The fewest waits whose removal leaves no cycle among these points, a strongly connected component."""
    knot = _Knot(shape, list(part))
    ring = all(len(ends) == 1 for ends in knot.arrows.values())
    waits = _waits(graph, shape, knot.inside)
    knot.fixed = {(source, end) for source, ends in knot.arrows.items() for end in ends} - set(waits)
    least = 1
    try:
        while (found := knot.within(least)) is None:
            least += 1
    except _Spent:
        return Cut((), least, exact=False)
    return Cut(tuple(waits[arrow] for arrow in found), least, any_one=ring and not knot.fixed)


def _waits(graph: Graph, shape: Shape, inside: set[int]) -> dict[Arrow, tuple[str, str]]:
    """The arrows between these points that somebody wrote as a wait."""
    found: dict[Arrow, tuple[str, str]] = {}
    for name in dict.fromkeys(shape.names[point] for point in sorted(inside)):
        task = graph.tasks[name]
        for edges, end in ((task.edges, shape.opening[name]), (task.awaits, shape.closing[name])):
            for edge in edges:
                ends = shape.closing if edge.point is Point.CLOSED else shape.opening
                arrow = (ends.get(edge.before, -1), end)
                if arrow[0] in inside and arrow[1] in inside:
                    found.setdefault(arrow, (name, edge.before))
    return found


class _Spent(Exception):
    """The budget is used up."""


@dataclass
class _Knot:
    """A component, what cannot be cut in it, and the cycles that were found so far."""

    shape: Shape
    part: list[int]
    fixed: set[Arrow] = field(default_factory=set)
    cycles: list[tuple[Arrow, ...]] = field(default_factory=list)
    budget: int = _VISITS

    def __post_init__(self) -> None:
        self.inside = set(self.part)
        self.arrows = {
            point: [end for end in self.shape.targets[self.shape.offsets[point] : self.shape.offsets[point + 1]]
                    if end in self.inside]
            for point in self.part
        }  # fmt: skip

    def within(self, most: int) -> tuple[Arrow, ...] | None:
        """At most so many arrows that cut every cycle, or None."""
        waiting: list[tuple[Arrow, ...]] = [()]
        while waiting:
            cut = waiting.pop()
            cycle = self._uncut(set(cut))
            if not cycle:
                return cut
            if len(cut) < most:
                waiting.extend((*cut, arrow) for arrow in cycle if arrow not in self.fixed)
        return None

    def _uncut(self, cut: set[Arrow]) -> tuple[Arrow, ...]:
        for cycle in self.cycles:
            self.budget -= 1
            if cut.isdisjoint(cycle):
                return cycle
        found = self._search(cut)
        if found:
            self.cycles.append(found)
        return found

    def _search(self, cut: set[Arrow]) -> tuple[Arrow, ...]:
        """A cycle without these arrows, as short as one through its first point can be; or ()."""
        left = self._peeled(cut)
        if not left:
            return ()
        start = next(iter(left))
        for _ in left:  # what is left has a predecessor each: walking back far enough ends in a cycle
            start = left[start]
        came: dict[int, int] = {}
        layer = [start]
        while layer:
            following = []
            for point in layer:
                for end in self.arrows[point]:
                    self._spend()
                    if end in left and (point, end) not in cut and end not in came:
                        came[end] = point
                        following.append(end)
            if start in came:
                return _around(came, start)
            layer = following
        raise AssertionError("the point lies on a cycle")

    def _peeled(self, cut: set[Arrow]) -> dict[int, int]:
        """What is left when points without predecessor are taken away, again and again; each with a predecessor."""
        waits = dict.fromkeys(self.part, 0)
        for point, ends in self.arrows.items():
            for end in ends:
                self._spend()
                waits[end] += (point, end) not in cut
        free = [point for point, count in waits.items() if not count]
        gone = set(free)
        while free:
            point = free.pop()
            for end in self.arrows[point]:
                if (point, end) not in cut:
                    waits[end] -= 1
                    if not waits[end]:
                        free.append(end)
                        gone.add(end)
        return {
            end: point
            for point, ends in self.arrows.items() if point not in gone
            for end in ends if end not in gone and (point, end) not in cut
        }  # fmt: skip

    def _spend(self) -> None:
        self.budget -= 1
        if self.budget < 0:
            raise _Spent


def _around(came: dict[int, int], start: int) -> tuple[Arrow, ...]:
    point = start
    found: list[Arrow] = []
    while not found or point != start:
        found.append((came[point], point))
        point = came[point]
    return tuple(reversed(found))
