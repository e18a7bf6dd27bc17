"""From a graph to nodes of a kernel: the one translation that all runtimes share."""

from __future__ import annotations

from hocket.graph import Graph
from hocket.kernel import Edge, Kernel, Node

__all__ = ["build"]


def build(kernel: Kernel, graph: Graph) -> list[Node]:
    """Idle nodes for all tasks of a graph, linked, in the graph's order. Raises CycleError."""
    nodes = [kernel.add(task.name, task.body is not None) for task in graph.tasks]
    for later, earlier in graph.after:
        kernel.link(Edge.AFTER, nodes[earlier], nodes[later])
    for inner, outer in graph.inside:
        kernel.link(Edge.INSIDE, nodes[outer], nodes[inner])
    for parent, child in graph.hold:
        kernel.link(Edge.HOLD, nodes[child], nodes[parent])
    return nodes
