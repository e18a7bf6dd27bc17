"""What order a graph induces: `after`, `inside` and `hold`, between tasks and forks alike.

Entities store two kinds of edge; the rest is meaning, and is said here, once:

- an entity comes *after* its single predecessor;
- a fork *holds* its prongs: it closes when they have;
- a prong opens *inside* its fork, and so does all that it comes after, back to the head of its chain. In the
  original the barrier lived in a traversal, and a prong that was finalised by itself ran in front of it.

The result is the graph that the kernel runs, the models execute and the verifier
judges. `event_order` spells it out as one relation over opens and closes; a cycle
in that relation is a deadlock by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hocket.errors import CycleError, GraphError
from hocket.graph.algebra import Expression
from hocket.graph.assemble import Entities, assemble
from hocket.graph.cycles import Cyclic, rank_or_cycle

__all__ = ["Graph", "Task", "event_order", "from_edges", "graph_of", "induced", "ranks"]


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a graph by name; `body` is None for a fork or a join point, which opens and runs nothing."""

    name: str
    body: Callable[..., Any] | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks, and the three relations between them as pairs of indices.

    after: (b, a), b opens after a has closed. inside: (c, p), c opens after p has opened. hold: (p, c), p closes
    after c has closed.
    """

    tasks: tuple[Task, ...]
    after: tuple[tuple[int, int], ...] = ()
    inside: tuple[tuple[int, int], ...] = ()
    hold: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        size = len(self.tasks)
        for relation in ("after", "inside", "hold"):
            for one, other in getattr(self, relation):
                if not (0 <= one < size and 0 <= other < size):
                    raise GraphError(f"{relation} {(one, other)} names a task that is not there; there are {size}")


def graph_of(expression: Expression) -> Graph:
    """The graph that a `seq` / `fork` expression means."""
    entities, _ = assemble(expression)
    return induced(entities)


def induced(entities: Entities) -> Graph:
    """The order that stored edges induce. Raises CycleError where a chain of single edges closes."""
    tasks = tuple(
        Task(entities.name(entity), None if leaf is None else leaf.body) for entity, leaf in enumerate(entities.tasks)
    )
    hold = tuple((fork, prong) for fork, prongs in entities.multi.items() for prong in prongs)
    inside = tuple((_head(entities, prong), fork) for fork, prong in hold)
    return Graph(tasks, tuple(entities.single.items()), inside, hold)


def from_edges(names: Iterable[str], after: Iterable[tuple[str, str]] = ()) -> Graph:
    """A graph by names: `after` holds pairs (later, earlier). Raises GraphError for a duplicate or an unknown name."""
    tasks = tuple(Task(name) for name in names)
    index = {task.name: number for number, task in enumerate(tasks)}
    if len(index) < len(tasks):
        doubled = sorted({task.name for task in tasks if sum(task.name == other.name for other in tasks) > 1})
        raise GraphError(f"two tasks are called {', '.join(map(repr, doubled))}: give each its own name")
    pairs = list(after)
    for name in (name for pair in pairs for name in pair):
        if name not in index:
            raise GraphError(f"an edge names {name!r}, and no task is called so; there are: {', '.join(index)}")
    return Graph(tasks, tuple((index[later], index[earlier]) for later, earlier in pairs))


def event_order(graph: Graph) -> dict[int, list[int]]:
    """The relation over events that must hold in every run: event 2t is the opening of task t, 2t + 1 its close."""
    following: dict[int, list[int]] = {2 * task: [2 * task + 1] for task in range(len(graph.tasks))}
    following.update((2 * task + 1, []) for task in range(len(graph.tasks)))
    for first, second in _constraints(graph):
        following[first].append(second)
    return following


def ranks(graph: Graph) -> dict[int, int]:
    """A rank for every event of the graph, the certificate that it can run; raises CycleError with the tasks."""
    answer = rank_or_cycle(event_order(graph))
    if isinstance(answer, Cyclic):
        tasks = list(dict.fromkeys(graph.tasks[event // 2].name for event in answer.nodes))
        raise CycleError(tuple(reversed(tasks)))
    return answer.rank


def _constraints(graph: Graph) -> Iterator[tuple[int, int]]:
    for later, earlier in graph.after:
        yield 2 * earlier + 1, 2 * later
    for inner, outer in graph.inside:
        yield 2 * outer, 2 * inner
    for parent, child in graph.hold:
        yield 2 * child + 1, 2 * parent + 1


def _head(entities: Entities, entity: int) -> int:
    """The entity that a chain of single edges begins with. Raises CycleError where it has no beginning."""
    seen = {entity: None}
    while entity in entities.single:
        entity = entities.single[entity]
        if entity in seen:
            raise CycleError(tuple(entities.name(member) for member in list(seen)[list(seen).index(entity) :]))
        seen[entity] = None
    return entity
