"""From a graph to nodes of a kernel: the one translation that all runtimes share."""

from __future__ import annotations

from hocket.graph import Graph, ranks
from hocket.kernel import Edge, Kernel, Node

__all__ = ["build", "refuse_cycles"]


def build(kernel: Kernel, graph: Graph) -> list[Node]:
    """Idle nodes for all tasks of a graph, linked, in the graph's order.

    Raises CycleError, and adds nothing, when tasks wait for each other. That is asked once of the whole graph, not of
    every edge: edges come in any order here, and a search at each could walk all that was linked before.
    """
    refuse_cycles(graph)
    nodes = [kernel.add(task.name, task.body is not None) for task in graph.tasks]
    hold, after, inside = kernel.hold, Edge.AFTER, Edge.INSIDE
    for later, earlier in graph.after:
        hold(after, nodes[earlier], nodes[later])
    for inner, outer in graph.inside:
        hold(inside, nodes[outer], nodes[inner])
    for parent, child in graph.hold:
        hold(Edge.HOLD, nodes[child], nodes[parent])
    return nodes


def refuse_cycles(graph: Graph) -> None:
    """Raise CycleError when tasks wait for each other."""
    if not _goes_up(graph):
        ranks(graph)


def _goes_up(graph: Graph) -> bool:
    """Whether a look at each edge shows that there is no cycle: nobody is held, and each edge leads on in the list."""
    return not graph.hold and all(one > other for pairs in (graph.after, graph.inside) for one, other in pairs)
