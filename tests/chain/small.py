"""Every small graph, once for all its names; and the names that many alike share.

A graph of n tasks is made from one of n - 1 by adding a task that nobody waits for to open: whoever comes last in an
order of openings can be taken away, so none is left out. Of all names that a graph can be given, `least` finds the
smallest: tasks are told apart by what is next to them first, so that only those that look alike are tried in every
order. Refused: trying every renaming of every choice of edges, which for five tasks is two hundred million of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product

from hocket.graph import Cyclic, Graph, Task, event_order, rank_or_cycle

Edge = tuple[str, int, int]
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


def _renamed(bodies: tuple[bool, ...], edges: Sequence[Edge]) -> Shape:
    order = least(bodies, [(_BITS[kind], a, b) for kind, a, b in edges])
    new = {task: place for place, task in enumerate(order)}
    return tuple(bodies[task] for task in order), tuple(sorted((kind, new[a], new[b]) for kind, a, b in edges))


def least(colours: Sequence[int], edges: Sequence[tuple[int, int, int]]) -> tuple[int, ...]:
    """An order of nodes that does not depend on their names: of all orders by what is next to them, the least form.

    `edges`: (kind, a, b), kinds are powers of two. Nodes of one colour with the same neighbours, and these with the
    same neighbours, are tried in every order.
    """
    size = len(colours)
    matrix = [[0] * size for _ in range(size)]
    for kind, a, b in edges:
        matrix[a][b] |= kind
    marks: list[object] = list(colours)
    for _ in range(2):
        ranked = {mark: n for n, mark in enumerate(sorted(set(marks)))}  # type: ignore[type-var]  # of one kind
        ranks = [ranked[mark] for mark in marks]
        if len(ranked) == size:
            return tuple(sorted(range(size), key=ranks.__getitem__))
        marks = [
            (
                ranks[a],
                sorted((matrix[a][b], matrix[b][a], ranks[b]) for b in range(size) if matrix[a][b] or matrix[b][a]),
            )
            for a in range(size)
        ]
        marks = [(rank, tuple(near)) for rank, near in marks]  # type: ignore[misc]
    groups: dict[object, list[int]] = {}
    for node in sorted(range(size), key=marks.__getitem__):  # type: ignore[arg-type]
        groups.setdefault(marks[node], []).append(node)
    orders = (tuple(node for group in way for node in group) for way in product(*map(permutations, groups.values())))
    return min(orders, key=lambda order: [matrix[a][b] for a in order for b in order])


def _graph(edges: Sequence[Edge], bodies: Sequence[bool]) -> Graph:
    pairs = {kind: tuple((a, b) for k, a, b in edges if k == kind) for kind in ("after", "inside", "hold")}
    tasks = tuple(Task(str(number), body if bodied else None) for number, bodied in enumerate(bodies))
    return Graph(tasks, pairs["after"], pairs["inside"], pairs["hold"])
