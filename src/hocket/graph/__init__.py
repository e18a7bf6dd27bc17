"""Words for graphs: tasks, edges, forks, the algebra that writes them, the order they induce, and their cycles."""

from hocket.graph.algebra import Empty, Expression, Fork, Leaf, Seq, empty, fork, leaves, seq, task
from hocket.graph.assemble import Entities, Entity, assemble
from hocket.graph.cycles import Cyclic, Ranked, cycle, rank_or_cycle, ranks_are_valid
from hocket.graph.order import Graph, Task, event_order, from_edges, graph_of, induced, ranks

__all__ = [
    "Cyclic",
    "Empty",
    "Entities",
    "Entity",
    "Expression",
    "Fork",
    "Graph",
    "Leaf",
    "Ranked",
    "Seq",
    "Task",
    "assemble",
    "cycle",
    "empty",
    "event_order",
    "fork",
    "from_edges",
    "graph_of",
    "induced",
    "leaves",
    "rank_or_cycle",
    "ranks",
    "ranks_are_valid",
    "seq",
    "task",
]
