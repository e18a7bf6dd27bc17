"""The shape of a graph as flat integer arrays: ranks, cycles and reachability in linear time, without recursion.

Each task is two points, its opening and its closing, if anything can happen between
them that somebody else waits for or takes part in (children, waits in the middle of
its work, others that only wait for it to begin); and one point otherwise. An arrow
says "happens before": closing to opening along each edge, a parent's opening to its
children's, their closings to the parent's.

Where a task waits for any one of several (`Join.ANY`) its arrows are *loose*: they
count for cycles, as the platforms count them, but enforce no order.

A cycle is found where Kahn (1962) cannot go on: Tarjan's components (1972, here
with an explicit stack), then a breadth-first search inside one component for a
shortest cycle. `hocket.graph.cycles` asks the same of mappings; this one is for
a hundred thousand tasks at once, and knows which edge each arrow came from.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate, chain, repeat

from hocket.verify.model import Bare, Edge, Graph, Join, Point, Task

__all__ = ["Shape", "components", "cycles", "edge_between", "knots", "ranks", "reaches", "shape", "shortest"]

# edge visits spent on making a cycle shortest; beyond them the best one so far is given
_VISITS = 3_000_000
_CLOSED = Point.CLOSED  # looked up once for each of a million edges


@dataclass(frozen=True)
class Shape:
    """Points are numbers; the arrows of point p are `targets[offsets[p]:offsets[p + 1]]`."""

    names: list[str]  # the task of each point
    opening: dict[str, int]
    closing: dict[str, int]
    offsets: array[int]
    targets: array[int]
    loose: dict[int, int] = field(default_factory=dict)  # point -> the only one whose arrow holds it back (or -1)

    @property
    def size(self) -> int:
        return len(self.names)


def shape(graph: Graph) -> Shape:
    """The points and arrows of a graph; edges from tasks that do not exist are left out (they are findings)."""
    if isinstance(graph.tasks, Bare):
        return _bare(graph.tasks)
    double = _double(graph)
    names = list(graph.tasks)
    opening = dict(zip(names, range(len(names)), strict=True))
    closing = opening
    if double:
        names, opening, closing = _points(graph, double)
    sources, targets = _arrows(graph, opening, closing, double)
    loose = {
        opening[task.name]: opening.get(task.parent, -1)
        for task in graph.tasks.values()
        if task.join is Join.ANY and len(task.edges) > 1
    }
    return Shape(names, opening, closing, *_packed(sources, targets, len(names)), loose)


def _bare(tasks: Bare) -> Shape:
    """Each task is one point, and who comes after what is known in numbers."""
    targets = chain.from_iterable(map(repeat, range(len(tasks)), tasks.counts))
    return Shape(tasks.names, tasks.places, tasks.places, *_packed(tasks.befores, targets, len(tasks)))


def _double(graph: Graph) -> set[str]:
    """The tasks that need two points."""
    found = set(graph.children)
    for task in graph.tasks.values():
        if task.awaits:
            found.add(task.name)
            found.update(edge.before for edge in task.awaits if edge.point is not Point.CLOSED)
    found.update([edge.before for task in graph.tasks.values() for edge in task.edges if edge.point is not _CLOSED])
    return found


def _points(graph: Graph, double: set[str]) -> tuple[list[str], dict[str, int], dict[str, int]]:
    names: list[str] = []
    opening: dict[str, int] = {}
    closing: dict[str, int] = {}
    for name in graph.tasks:
        opening[name] = len(names)
        names.append(name)
        if name in double:
            names.append(name)
        closing[name] = len(names) - 1
    return names, opening, closing


def _arrows(
    graph: Graph, opening: dict[str, int], closing: dict[str, int], double: set[str]
) -> tuple[array[int], array[int]]:
    if not double:
        return _edges_alone(graph, opening)
    sources, targets = array("q"), array("q")
    for name, task in graph.tasks.items():
        here = opening[name]
        for edge in task.edges:
            before = (closing if edge.point is Point.CLOSED else opening).get(edge.before)
            if before is not None:
                sources.append(before)
                targets.append(here)
        if name in double:
            _inside(task, opening, closing, sources, targets)
        if task.parent:
            sources.extend((opening[task.parent], closing[name]))
            targets.extend((here, closing[task.parent]))
    return sources, targets


def _edges_alone(graph: Graph, point: dict[str, int]) -> tuple[array[int], array[int]]:
    """The arrows where each task is one point, so that they are its edges: of these there can be a million."""
    befores = [point.get(edge.before, -1) for task in graph.tasks.values() for edge in task.edges]
    counts = [len(task.edges) for task in graph.tasks.values()]
    targets = chain.from_iterable(map(repeat, range(len(counts)), counts))
    if -1 not in befores:
        return array("q", befores), array("q", targets)
    known = [(source, target) for source, target in zip(befores, targets, strict=True) if source >= 0]
    return array("q", [source for source, _ in known]), array("q", [target for _, target in known])


def _inside(
    task: Task, opening: dict[str, int], closing: dict[str, int], sources: array[int], targets: array[int]
) -> None:
    """The arrows into the closing of a task with two points: from its own opening, and from what it awaits."""
    sources.append(opening[task.name])
    targets.append(closing[task.name])
    for edge in task.awaits:
        before = (closing if edge.point is Point.CLOSED else opening).get(edge.before)
        if before is not None:
            sources.append(before)
            targets.append(closing[task.name])


def _packed(sources: Iterable[int], targets: Iterable[int], size: int) -> tuple[array[int], array[int]]:
    """Arrows sorted by their source: where each point's arrows begin, and where they go."""
    leads: list[list[int]] = [[] for _ in range(size)]
    for source, target in zip(sources, targets, strict=True):
        leads[source].append(target)
    return array("q", accumulate(map(len, leads), initial=0)), array("q", chain.from_iterable(leads))


def ranks(shape: Shape) -> array[int]:
    """For every point the length of the longest way to it, or -1 where a cycle comes before it (Kahn)."""
    offsets, targets = shape.offsets.tolist(), shape.targets.tolist()  # numbers are taken from a list in less time
    waiting = [0] * shape.size
    for target in targets:
        waiting[target] += 1
    rank = [-1] * shape.size
    layer = [point for point in range(shape.size) if not waiting[point]]
    height = 0
    while layer:
        following = []
        for point in layer:
            rank[point] = height
            for target in targets[offsets[point] : offsets[point + 1]]:
                waiting[target] -= 1
                if not waiting[target]:
                    following.append(target)
        layer, height = following, height + 1
    return array("q", rank)


def components(shape: Shape, within: list[int]) -> list[list[int]]:
    """The strongly connected components among these points that hold a cycle (Tarjan, with its stack made explicit)."""
    inside = set(within)
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    stacked: set[int] = set()
    found: list[list[int]] = []
    for start in within:
        if start in number:
            continue
        walk = [(start, shape.offsets[start])]
        while walk:
            point, at = walk.pop()
            if point not in number:
                number[point] = low[point] = len(number)
                stack.append(point)
                stacked.add(point)
            end = shape.offsets[point + 1]
            while at < end:
                target = shape.targets[at]
                at += 1
                if target not in inside:
                    continue
                if target not in number:
                    walk.extend(((point, at - 1), (target, shape.offsets[target])))
                    break
                if target in stacked:
                    low[point] = min(low[point], low[target])
            else:
                if low[point] == number[point]:
                    found.append(_component(point, stack, stacked))
    return [sorted(part) for part in found if len(part) > 1 or _loops(shape, part[0])]


def _component(root: int, stack: list[int], stacked: set[int]) -> list[int]:
    part: list[int] = []
    while not part or part[-1] != root:
        part.append(stack.pop())
        stacked.discard(part[-1])
    return part


def _loops(shape: Shape, point: int) -> bool:
    return point in shape.targets[shape.offsets[point] : shape.offsets[point + 1]]


def knots(shape: Shape, rank: array[int]) -> list[list[int]]:
    """The components that hold a cycle: what Kahn could not rank, without what only comes after it."""
    stuck = [point for point in range(shape.size) if rank[point] < 0]
    return components(shape, stuck) if stuck else []


def cycles(shape: Shape, rank: array[int]) -> list[tuple[int, ...]]:
    """A shortest cycle of each component that has one: each point has an arrow to the next, the last to the first."""
    return [shortest(shape, part) for part in knots(shape, rank)]


def shortest(shape: Shape, part: list[int]) -> tuple[int, ...]:
    """A shortest cycle within a component; within a budget of visits, or else the shortest one found."""
    inside = set(part)
    arrows = (target for point in part for target in shape.targets[shape.offsets[point] : shape.offsets[point + 1]])
    ring = sum(target in inside for target in arrows) == len(part)  # one cycle and nothing else
    best: tuple[int, ...] = ()
    budget = _VISITS
    for start in part:
        came, spent = _around(shape, inside, start, len(best) or len(part) + 1)
        budget -= spent
        if came:
            best = came
        if best and (len(best) == 1 or budget < 0 or ring):
            break
    assert best, "a strongly connected component holds a cycle"
    return best


def _around(shape: Shape, inside: set[int], start: int, limit: int) -> tuple[tuple[int, ...], int]:
    """A shortest cycle through `start` with fewer than `limit` points, or (); and how many arrows were looked at."""
    came: dict[int, int] = {}
    layer, length, spent = [start], 1, 0
    while layer and length < limit:
        following = []
        for point in layer:
            for target in shape.targets[shape.offsets[point] : shape.offsets[point + 1]]:
                spent += 1
                if target == start:
                    return _back(came, start, point), spent
                if target in inside and target not in came:
                    came[target] = point
                    following.append(target)
        layer, length = following, length + 1
    return (), spent


def _back(came: dict[int, int], start: int, point: int) -> tuple[int, ...]:
    path = [point]
    while path[-1] != start:
        path.append(came[path[-1]])
    return tuple(reversed(path))


def reaches(shape: Shape, start: int, goal: int) -> tuple[int, ...]:
    """A shortest way along the arrows that enforce an order, from one point to another, both included; or ()."""
    came = {start: start}
    layer = [start]
    while layer and goal not in came:
        following = []
        for point in layer:
            for target in shape.targets[shape.offsets[point] : shape.offsets[point + 1]]:
                if target not in came and shape.loose.get(target, point) == point:
                    came[target] = point
                    following.append(target)
        layer = following
    return _back(came, start, goal) if goal in came else ()


def edge_between(graph: Graph, before: str, after: str) -> Edge | None:
    """The edge by which one task waits for another, if there is one."""
    task = graph.tasks[after]
    return next((edge for edge in (*task.edges, *task.awaits) if edge.before == before), None)
