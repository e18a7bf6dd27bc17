"""A graph with each multiplied task written out: as many copies as a question needs, each with all that runs within it.

A copy of a task is a copy of its subtree, and copies within copies multiply. Who waits
for a task of its own copy waits for that one; who stands outside waits for each. The
first copy keeps its names, so that what is found is told in the words of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from hocket.verify.formula import All, Formula, Interrupted, Is, Not, Runs, Some
from hocket.verify.model import Copies, Edge, Graph, Task

__all__ = ["TooMany", "unrolled"]


class TooMany(ValueError):
    """More tasks, each copy written out, than anybody looks at."""


@dataclass(frozen=True)
class _Copy:
    """One copy: its name, its parent's, and which copy of each task around it (and of itself) this is."""

    name: str
    parent: str
    around: Mapping[str, str]

    def stands_with(self, other: _Copy) -> bool:
        """Whether the two are of the same copy of everything that is around both."""
        shared = self.around.keys() & other.around.keys()
        return all(self.around[one] == other.around[one] for one in shared)


def unrolled(graph: Graph, most: int, largest: int) -> Graph:
    """The graph with each multiplied task written out, up to `most` times and with up to `largest` more tasks.

    Raises `TooMany` where they would be more: the number of workers, and of places, is anybody's to say.
    """
    if all(_width(task, most) == 1 for task in graph.tasks.values()):
        return graph
    copies = _copies(graph, most, largest + len(graph.tasks))
    tasks = {copy.name: _copied(graph.tasks[name], copy, copies) for name, rows in copies.items() for copy in rows}
    return replace(graph, tasks=tasks)


def _copies(graph: Graph, most: int, largest: int) -> dict[str, list[_Copy]]:
    """The copies of each task, in the order of the source; those around it are made first."""
    found: dict[str, list[_Copy]] = {}
    count = 0
    waiting = list(graph.tasks)[::-1]
    while waiting:
        name = waiting.pop()
        task = graph.tasks[name]
        if name in found:
            continue
        if task.parent and task.parent not in found:
            waiting += [name, task.parent]
            continue
        around = found[task.parent] if task.parent else [_Copy("", "", {})]
        count += len(around) * max(1, _width(task, most))
        if count > largest:
            raise TooMany(f"more than {largest} tasks, with each copy of them written out")
        found[name] = [copy for parent in around for copy in _within(task, parent, _width(task, most))]
    return found


def _within(task: Task, parent: _Copy, width: int) -> Iterator[_Copy]:
    """The copies of a task within one copy of its parent; the first is always there."""
    inside = f"{task.parent} / "
    first = task.name
    if parent.name != task.parent:
        first = f"{parent.name} / {task.name.removeprefix(inside)}"
    for number in range(1, max(1, width) + 1):
        name = first if number == 1 else f"{first} ({number})"
        yield _Copy(name, parent.name, {**parent.around, task.name: name})


def _width(task: Task, most: int) -> int:
    return most if task.copies.most is None else min(task.copies.most, most)


def _copied(task: Task, copy: _Copy, copies: dict[str, list[_Copy]]) -> Task:
    def each(edges: tuple[Edge, ...]) -> tuple[Edge, ...]:
        return tuple(replace(edge, before=other.name) for edge in edges for other in copies[edge.before]
                     if copy.stands_with(other))  # fmt: skip

    names = {name: other.name for name, rows in copies.items() if len(rows) > 1
             for other in reversed(rows) if copy.stands_with(other)}  # fmt: skip
    return replace(
        task,
        name=copy.name,
        parent=copy.parent,
        edges=each(task.edges),
        awaits=each(task.awaits),
        activation=_renamed(task.activation, names),
        lost=_renamed(task.lost, names),
        copies=Copies(),
    )


def _renamed(formula: Formula, names: Mapping[str, str]) -> Formula:
    """The formula about the tasks of one copy; of several outside it, about the first."""
    match formula:
        case Not(part):
            return Not(_renamed(part, names))
        case All(parts):
            return All(tuple(_renamed(part, names) for part in parts))
        case Some(parts):
            return Some(tuple(_renamed(part, names) for part in parts))
        case Is(task, outcomes):
            return Is(names.get(task, task), outcomes)
        case Runs(task):
            return Runs(names.get(task, task))
        case Interrupted(task):
            return Interrupted(names.get(task, task))
    return formula
