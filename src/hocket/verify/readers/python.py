"""Graphs that are Python values, whoever made them: mappings, sorters, networkx, rustworkx, Dask, and our own.

Each kind is a row: how it is known by what it can do (never by importing it), and
how it gives a mapping of tasks to predecessors. A task runs once its predecessors
have succeeded. There is no source to quote, so places are empty.

`package.module:name` names a value to be imported, or a function that makes it.
Refused: importing networkx or Dask, and guessing at objects that only look iterable.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from hocket.errors import SourceError
from hocket.graph.algebra import Empty, Fork, Leaf, Seq
from hocket.graph.order import Graph as OwnGraph
from hocket.graph.order import graph_of
from hocket.verify.formula import Outcome
from hocket.verify.model import NOWHERE, Edge, Graph, Task
from hocket.verify.readers import Reading
from hocket.verify.source import Source

__all__ = ["PythonGraph", "imported", "is_name"]

_SUCCEEDED = frozenset({Outcome.SUCCEEDED})
_MAY = frozenset({Outcome.SUCCEEDED, Outcome.FAILED})
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_DEEPEST = 50

Befores = dict[Any, Iterable[Any]]


class PythonGraph:
    """The reader of Python values."""

    def sniff(self, source: object) -> bool:
        if isinstance(source, Source | str | bytes):
            return False
        return _kind(source) is not None or hasattr(source, "predecessors") or hasattr(source, "__iter__")

    def read(self, source: Any) -> Reading:
        if isinstance(source, Source):
            cure = "give a path, or the name of a value as package.module:name"
            raise SourceError("this is text, and no Python value", source.path, cure=cure)
        if isinstance(source, Empty | Leaf | Seq | Fork):
            source = graph_of(source)
        if isinstance(source, OwnGraph):
            return Reading(_own(source))
        kind = _kind(source)
        befores = kind(source) if kind is not None else _objects(source)
        return Reading(Graph("", "python", _tasks(befores)))


def is_name(text: str) -> bool:
    """Whether a text has the form `package.module:name`."""
    return _NAME.fullmatch(text) is not None


def imported(name: str) -> Any:
    """The value that `package.module:name` names; a function without arguments is called. Raises SourceError."""
    module, _, path = name.partition(":")
    sys.path.insert(0, "")  # what lies in the current folder can be named, as with `python -m`
    try:
        value: Any = import_module(module)
        for step in path.split("."):
            value = getattr(value, step)
        if callable(value) and not hasattr(value, "predecessors") and not isinstance(value, Mapping):
            value = value()
    except (Exception, SystemExit) as error:  # a module that ends the program has shown no graph
        cure = "check that it can be imported from here"
        raise SourceError(f"it cannot be had: {type(error).__name__}: {error}", name, cure=cure) from error
    finally:
        sys.path.remove("")
    return value


def _tasks(befores: Befores) -> dict[str, Task]:
    names = _Names()
    edges: dict[str, Edge] = {}
    tasks: dict[str, Task] = {}
    for one, before in befores.items():
        name = names.of(one)
        if isinstance(before, str) or not isinstance(before, Iterable):
            cure = "give {task: [predecessors]}, as for graphlib.TopologicalSorter"
            raise SourceError(f"the predecessors of {one!r} should be a list of tasks but are {before!r}", cure=cure)
        listed: dict[str, Edge] = {}
        for later in before:
            other = names.of(later)
            edge = edges.get(other)
            if edge is None:
                edge = edges[other] = Edge(other, NOWHERE, _SUCCEEDED)
            listed[other] = edge
        tasks[name] = Task(name, NOWHERE, tuple(listed.values()), may=_MAY)
    for other in edges:
        if other not in tasks:
            tasks[other] = Task(other, NOWHERE, may=_MAY)
    return tasks


# -- kinds ------------------------------------------------------------------------------------------------------------


def _kind(source: Any) -> Callable[[Any], Befores] | None:
    """How to read this kind of value; None if it is of no kind that we know."""
    for known, befores in _KINDS:
        if known(source):
            return befores
    return None


def _sorter(source: Any) -> Befores:
    """`graphlib.TopologicalSorter`: prepared or not, its successors are all there."""
    nodes = source._node2info
    found: dict[Any, list[Any]] = {node: [] for node in nodes}
    for node, info in nodes.items():
        for after in info.successors:
            found[after].append(node)
    return dict(found)


def _networkx(source: Any) -> Befores:
    if not source.is_directed():
        raise SourceError("an undirected graph orders nothing", cure="give a DiGraph")
    return {node: list(source.pred[node]) for node in source.nodes}


def _rustworkx(source: Any) -> Befores:
    """Nodes are numbered; what hangs at them names them where it is a text, and all texts differ."""
    held = {place: source[place] for place in source.node_indices()}
    plain = len({text for text in held.values() if isinstance(text, str)}) == len(held)
    names = held if plain else {place: place for place in held}
    found: dict[Any, list[Any]] = {name: [] for name in names.values()}
    for before, after in source.edge_list():
        found[names[after]].append(names[before])
    return dict(found)


def _dask(source: Any) -> Befores:
    """A Dask graph: keys by the keys that their tasks name, in tuples and lists or in new task objects."""
    graph = source.__dask_graph__() if hasattr(type(source), "__dask_graph__") else source
    graph = dict(graph)
    return {key: _named_in(key, task, graph) for key, task in graph.items()}


def _named_in(key: Any, task: Any, graph: Mapping[Any, Any]) -> list[Any]:
    if isinstance(getattr(task, "dependencies", None), frozenset | set):
        return sorted(task.dependencies, key=str)
    found: dict[Any, None] = {}
    waiting = [(task, 0)]
    while waiting:
        one, depth = waiting.pop()
        if _is_key(one, graph) and one != key:
            found[one] = None
        elif isinstance(one, tuple | list) and depth < _DEEPEST:
            waiting.extend((part, depth + 1) for part in reversed(one))
        elif isinstance(one, dict) and depth < _DEEPEST:
            waiting.extend((part, depth + 1) for part in one.values())
    return list(found)


def _is_key(one: Any, graph: Mapping[Any, Any]) -> bool:
    try:
        return isinstance(one, str | bytes | int | float | tuple) and one in graph
    except TypeError:
        return False


def _looks_like_dask(source: Any) -> bool:
    if isinstance(source, Mapping) and hasattr(source, "layers"):
        return True
    return isinstance(source, Mapping) and any(
        (isinstance(task, tuple) and task and callable(task[0]) and not hasattr(task[0], "predecessors"))
        or (hasattr(task, "dependencies") and hasattr(task, "key"))
        for task in source.values()
    )


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Befores]], ...] = (
    (lambda source: isinstance(source, Empty | Leaf | Seq | Fork | OwnGraph), dict),
    (lambda source: hasattr(type(source), "__dask_graph__"), _dask),
    (lambda source: isinstance(getattr(source, "_node2info", None), dict), _sorter),
    (lambda source: hasattr(source, "is_directed") and hasattr(source, "nodes"), _networkx),
    (lambda source: hasattr(source, "node_indices") and hasattr(source, "edge_list"), _rustworkx),
    (_looks_like_dask, _dask),
    (lambda source: isinstance(source, Mapping), dict),
)


def _objects(source: Any) -> Befores:
    """Objects with `.predecessors`, a list or a function that gives one."""
    waiting = deque([source] if hasattr(source, "predecessors") else source)
    found: Befores = {}
    while waiting:
        task = waiting.popleft()
        if _known(task, found):
            continue
        if not hasattr(task, "predecessors"):
            raise SourceError(f"{task!r} has no 'predecessors'", cure="give a mapping, or objects with .predecessors")
        before = list(task.predecessors() if callable(task.predecessors) else task.predecessors)
        found[task] = before
        waiting.extend(one for one in before if hasattr(one, "predecessors"))
    return found


def _known(task: Any, found: Mapping[Any, Any]) -> bool:
    try:
        return task in found
    except TypeError:
        raise _unhashable(task) from None


def _unhashable(task: Any) -> SourceError:
    return SourceError(f"{task!r} cannot be a task: it is not hashable", cure="use names, or hashable objects")


# -- our own ----------------------------------------------------------------------------------------------------------


def _own(source: OwnGraph) -> Graph:
    """`after` is an edge, `inside` a wait for the other to open, and `hold` a point that waits for what is held.

    A fork that holds prongs closes after them: whoever comes after the fork comes after its prongs.
    """
    names = _Names()
    named = [names.of(_Numbered(place, task.name)) for place, task in enumerate(source.tasks)]
    held: dict[int, list[int]] = {}
    for parent, child in source.hold:
        held.setdefault(parent, []).append(child)
    befores: dict[int, dict[int, None]] = {place: {} for place in range(len(source.tasks))}
    opened: dict[int, dict[int, None]] = {place: {} for place in range(len(source.tasks))}
    for after, before in source.after:
        befores[after][before] = None
    for child, parent in source.inside:
        opened[child][parent] = None
    return Graph("", "hocket", _closings(source, named, befores, opened, held))


def _closings(
    source: OwnGraph,
    named: list[str],
    befores: dict[int, dict[int, None]],
    opened: dict[int, dict[int, None]],
    held: dict[int, list[int]],
) -> dict[str, Task]:
    """A task that holds others is two: its own work, and its closing, which waits for them."""
    closing = {place: f"{named[place]} (closed)" if place in held else named[place] for place in befores}
    tasks: dict[str, Task] = {}
    for place, task in enumerate(source.tasks):
        waits = [closing[before] for before in befores[place]] + [named[parent] for parent in opened[place]]
        edges = tuple(Edge(one, NOWHERE, _SUCCEEDED) for one in dict.fromkeys(waits))
        tasks[named[place]] = Task(named[place], NOWHERE, edges, may=_MAY, works=task.body is not None)
        if place in held:
            inner = dict.fromkeys([named[place], *(closing[child] for child in held[place])])
            edges = tuple(Edge(one, NOWHERE, _SUCCEEDED) for one in inner)
            tasks[closing[place]] = Task(closing[place], NOWHERE, edges, may=_MAY, works=False)
    return tasks


class _Numbered:
    """A task of a graph in which two may have one name."""

    def __init__(self, place: int, name: str) -> None:
        self.place, self.name = place, name


class _Names:
    """A name for every task: its own text, made unique where two different tasks have the same."""

    def __init__(self) -> None:
        self.known: dict[Any, str] = {}
        self.taken: dict[str, int] = {}

    def of(self, task: Any) -> str:
        try:
            known = self.known.get(task)
        except TypeError:
            raise _unhashable(task) from None
        if known is not None:
            return known
        text = task if isinstance(task, str) else str(getattr(task, "name", task))
        count = self.taken[text] = self.taken.get(text, 0) + 1
        self.known[task] = text if count == 1 else f"{text}#{count}"
        return self.known[task]
