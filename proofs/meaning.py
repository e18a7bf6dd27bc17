"""What an expression means, read off the code: its tasks, and which of them closes before which other opens."""

from __future__ import annotations

from collections.abc import Mapping

from hocket.graph.algebra import Expression
from hocket.graph.order import event_order, graph_of

__all__ = ["Meaning", "meaning", "reachable"]

Meaning = tuple[frozenset[str], frozenset[tuple[str, str]]]


def meaning(expression: Expression) -> Meaning:
    """Tasks by name, and every pair of which the first has closed before the second opens, forks left out."""
    graph = graph_of(expression)
    beyond = reachable(event_order(graph))
    tasks = {number: task.name for number, task in enumerate(graph.tasks) if not task.name.startswith("fork")}
    pairs = ((a, b) for a in tasks for b in tasks if 2 * b in beyond[2 * a + 1])
    return frozenset(tasks.values()), frozenset((tasks[a], tasks[b]) for a, b in pairs)


def reachable(following: Mapping[int, list[int]]) -> dict[int, set[int]]:
    """What can be reached from each node, the node itself included."""
    found = {}
    for start in following:
        seen, agenda = {start}, [start]
        while agenda:
            fresh = [node for node in following[agenda.pop()] if node not in seen]
            seen.update(fresh)
            agenda += fresh
        found[start] = seen
    return found
