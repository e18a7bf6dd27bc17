"""Graphs that are Python values: a mapping as `graphlib` takes it, or objects that know their predecessors.

`{task: predecessors}` as in `graphlib.TopologicalSorter` (a task that only occurs
as a predecessor counts as well), or any iterable of objects with `.predecessors`
(an iterable of such objects or of their names) and, if they like, `.name`. A task
runs once its predecessors have succeeded. There is no source to quote, so places
are empty. Refused: importing networkx or dask; their mappings are read as they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from hocket.errors import SourceError
from hocket.verify.formula import Outcome
from hocket.verify.model import NOWHERE, Edge, Graph, Task
from hocket.verify.readers import Reading
from hocket.verify.source import Source

__all__ = ["PythonGraph"]

_SUCCEEDED = frozenset({Outcome.SUCCEEDED})
_MAY = frozenset({Outcome.SUCCEEDED, Outcome.FAILED})


class PythonGraph:
    """The reader of mappings and of objects with predecessors."""

    def sniff(self, source: object) -> bool:
        if isinstance(source, Source | str | bytes):
            return False
        return isinstance(source, Mapping) or hasattr(source, "predecessors") or hasattr(source, "__iter__")

    def read(self, source: Any) -> Reading:
        befores = _mapping(source) if isinstance(source, Mapping) else _objects(source)
        edges: dict[str, Edge] = {}
        tasks: dict[str, Task] = {}
        for name, before in befores.items():
            listed = []
            for one in before:
                edge = edges.get(one)
                if edge is None:
                    edge = edges[one] = Edge(one, NOWHERE, _SUCCEEDED)
                listed.append(edge)
            tasks[name] = Task(name, NOWHERE, tuple(listed), may=_MAY)
        for one in edges:
            if one not in tasks:
                tasks[one] = Task(one, NOWHERE, may=_MAY)
        return Reading(Graph("", "python", tasks))


def _mapping(source: Mapping[Any, Any]) -> dict[str, list[str]]:
    names = _Names()
    found: dict[str, list[str]] = {}
    for task, before in source.items():
        if isinstance(before, str) or not isinstance(before, Iterable):
            cure = "give {task: [predecessors]}, as for graphlib.TopologicalSorter"
            raise SourceError(f"the predecessors of {task!r} should be a list of tasks but are {before!r}", cure=cure)
        found[names.of(task)] = list(dict.fromkeys(names.of(one) for one in before))
    return found


def _objects(source: Any) -> dict[str, list[str]]:
    names = _Names()
    waiting = deque([source] if hasattr(source, "predecessors") else source)
    found: dict[str, list[str]] = {}
    while waiting:
        task = waiting.popleft()
        name = names.of(task)
        if name in found:
            continue
        if not hasattr(task, "predecessors"):
            raise SourceError(f"{task!r} has no 'predecessors'", cure="give a mapping, or objects with .predecessors")
        before = list(task.predecessors() if callable(task.predecessors) else task.predecessors)
        found[name] = list(dict.fromkeys(names.of(one) for one in before))
        waiting.extend(one for one in before if hasattr(one, "predecessors"))
    return found


class _Names:
    """A name for every task: its own text, made unique where two different tasks have the same."""

    def __init__(self) -> None:
        self.known: dict[Any, str] = {}
        self.taken: dict[str, int] = {}

    def of(self, task: Any) -> str:
        try:
            if task in self.known:
                return self.known[task]
        except TypeError:
            raise SourceError(
                f"{task!r} cannot be a task: it is not hashable", cure="use names, or hashable objects"
            ) from None
        text = task if isinstance(task, str) else str(getattr(task, "name", task))
        count = self.taken[text] = self.taken.get(text, 0) + 1
        self.known[task] = text if count == 1 else f"{text}#{count}"
        return self.known[task]
