"""Every small graph, once for all its names; and the names that many alike share.

A graph of n tasks is made from one of n - 1 by adding a task that nobody waits for to open: whoever comes last in an
order of openings can be taken away, so none is left out. Of all names that a graph can be given, `least` finds the
smallest: tasks are told apart by what is next to them first, so that only those that look alike are tried in every
order. Refused: trying every renaming of every choice of edges, which for five tasks is two hundred million of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Any

from hocket.graph import Cyclic, Graph, Task, event_order, rank_or_cycle

Edge = tuple[str, int, int]
Numbered = tuple[int, int, int]  # its kind as a number, and its ends
Shape = tuple[tuple[bool, ...], tuple[Edge, ...]]  # who has a body, and the edges

RELATIONS = ("none", "after", "inside", "hold", "held", "prong")
"""How task j may relate to task i: nothing; j after i; j inside i; i holds j; j holds i; j is a prong or child of i."""

SEEDS = ("none", "after", "prong")
"""What the seed systems' static graphs are made of."""

AFTER = ("none", "after")
"""Dependencies alone."""

_ROWS = {
    "none": lambda i, j: (),
    "after": lambda i, j: (("after", j, i),),
    "inside": lambda i, j: (("inside", j, i),),
    "hold": lambda i, j: (("hold", i, j),),
    "held": lambda i, j: (("hold", j, i),),
    "prong": lambda i, j: (("inside", j, i), ("hold", i, j)),
}


def body() -> None:
    """What a task of these graphs runs: nothing, and whether it fails is for the driver to say."""


def edges_of(relation: str, i: int, j: int) -> tuple[Edge, ...]:
    """The edges that a relation of j to i is."""
    return _ROWS[relation](i, j)


def small_graphs(size: int, relations: tuple[str, ...] = RELATIONS, bodiless: bool = True) -> Iterator[Graph]:
    """Every graph of `size` tasks up to renaming; those with a cycle are left out. Without `bodiless`, all have one."""
    for bodies, edges in _shapes(size, relations, (True, False) if bodiless else (True,)):
        graph = _graph(edges, bodies)
        if not isinstance(rank_or_cycle(event_order(graph)), Cyclic):
            yield graph


def _shapes(size: int, relations: tuple[str, ...], kinds: tuple[bool, ...]) -> dict[Shape, None]:
    if size == 0:
        return {((), ()): None}
    found: dict[Shape, None] = {}
    last = size - 1
    for bodies, edges in _shapes(last, relations, kinds):
        for chosen in product(relations, repeat=last):
            added = [edge for i, relation in enumerate(chosen) for edge in edges_of(relation, i, last)]
            for bodied in kinds:
                found[_renamed((*bodies, bodied), (*edges, *added))] = None
    return found


_BITS = {"after": 1, "inside": 2, "hold": 4}
_KINDS = {bit: kind for kind, bit in _BITS.items()}


def _renamed(bodies: tuple[bool, ...], edges: Sequence[Edge]) -> Shape:
    order, told = least(bodies, [(_BITS[kind], a, b) for kind, a, b in edges])
    named = [(_KINDS[edge & 15], edge >> 8, edge >> 4 & 15) for edge in told]
    return tuple(bodies[task] for task in order), tuple(sorted(named))


def least(colours: Sequence[int], edges: Sequence[Numbered]) -> tuple[tuple[int, ...], list[int]]:
    """An order of nodes that does not depend on their names, and the edges under their places in it.

    Of all orders by what is next to them, the least form. `edges`: (kind, a, b), no more than 16 nodes; an edge is told
    as a << 8 | b << 4 | kind. Nodes of one colour with the same neighbours, and these with the same neighbours, are
    tried in every order; those with the very same neighbours in one, since it makes no difference.
    """
    size = len(colours)
    ranks = _ranks(colours)
    if max(ranks, default=0) < size - 1:  # two are alike
        near: list[list[tuple[int, int]]] = [[] for _ in colours]
        for kind, a, b in edges:
            near[a].append((kind, b))
            near[b].append((kind << 4, a))
        for _ in range(2):
            ranks = _ranks([(rank, *sorted([(kind, ranks[b]) for kind, b in near[a]])) for a, rank in enumerate(ranks)])
        if max(ranks) < size - 1:
            return min(((way, _told(way, edges)) for way in _ways(ranks, near)), key=lambda found: found[1])
    way = tuple(sorted(range(size), key=ranks.__getitem__))
    return way, _told(way, edges)


def _ranks(marks: Sequence[Any]) -> list[int]:
    """The place of each mark among those that there are."""
    return list(map({mark: n for n, mark in enumerate(sorted(set(marks)))}.__getitem__, marks))


def _told(way: Sequence[int], edges: Sequence[Numbered]) -> list[int]:
    place = [0] * len(way)
    for new, old in enumerate(way):
        place[old] = new
    return sorted([place[a] << 8 | place[b] << 4 | kind for kind, a, b in edges])


def _ways(ranks: Sequence[int], near: Sequence[list[tuple[int, int]]]) -> Iterator[tuple[int, ...]]:
    """All orders by rank, but for those that only exchange nodes with the same neighbours."""
    groups: dict[int, list[int]] = {}
    for node in sorted(range(len(ranks)), key=ranks.__getitem__):
        groups.setdefault(ranks[node], []).append(node)
    orders = []
    for group in groups.values():
        alike = len({frozenset(near[node]) for node in group}) == 1
        orders.append([tuple(group)] if alike else list(permutations(group)))
    for way in product(*orders):
        yield tuple([node for group in way for node in group])


def _graph(edges: Sequence[Edge], bodies: Sequence[bool]) -> Graph:
    pairs = {kind: tuple((a, b) for k, a, b in edges if k == kind) for kind in ("after", "inside", "hold")}
    tasks = tuple(Task(str(number), body if bodied else None) for number, bodied in enumerate(bodies))
    return Graph(tasks, pairs["after"], pairs["inside"], pairs["hold"])
