"""A large plain graph file, read without places: what takes a parser with places seconds takes `json` a fraction.

A graph of a hundred thousand tasks is a large JSON text, and nobody looks at its
places as long as nothing is wrong with it. So it is read by the parser of the
standard library, and if something is found the places of those tasks alone are looked
up (`located`); where that is not enough it is read once more, by the reader that
knows where everything stands. Read so is a text of our own format in
which tasks have names and what they come after, and nothing else; anything more, a
key twice or an unknown name, and the answer is None: then the other reader decides.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import replace
from itertools import chain, islice
from operator import contains
from typing import Any

from hocket.verify.formula import Outcome
from hocket.verify.model import NOWHERE, RAN, Edge, Graph, Span, Task
from hocket.verify.source import Source

__all__ = ["located", "quick_graph"]

_LARGE = 1 << 18  # characters; below, the other reader takes no time that anybody would notice
_SUCCEEDED = frozenset({Outcome.SUCCEEDED})


_KEY = re.compile(r'"([^"]*)"\s*:')
_STRING = re.compile(r'"([^"]*)"')


class _NotPlain(Exception):
    """Something that has to be read with its place."""


def quick_graph(source: Source) -> Graph | None:
    """The graph without places, exactly as the other reader would give it; None if this is for the other reader."""
    text = source.text
    if len(text) < _LARGE or not text.lstrip().startswith("{"):
        return None
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
        return Graph(source.path, "hocket", _tasks(document))
    except (_NotPlain, ValueError, RecursionError):
        return None


def located(source: Source, graph: Graph, names: Collection[str]) -> Graph | None:
    """The graph of `quick_graph` with the places of these tasks and of their waits; None where a look is not enough."""
    text, wanted = source.text, set(names)
    if "\\" in text or wanted & {"hocket", "tasks", "after"}:
        return None
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def span(found: re.Match[str]) -> Span:
        begin, end = found.start(1) - 1, found.end(1) + 1
        line = bisect_right(starts, begin)
        start = starts[line - 1]
        return Span(source.path, line, begin - start + 1, line, end - start + 1)

    tasks = dict(graph.tasks)
    for key in _KEY.finditer(text):
        task = tasks.get(key[1]) if key[1] in wanted else None
        if task is not None:
            words = islice(_STRING.finditer(text, key.end()), 1, 1 + len(task.edges))  # the first is "after"
            edges = tuple(replace(edge, span=span(word)) for edge, word in zip(task.edges, words, strict=True))
            tasks[key[1]] = replace(task, span=span(key), edges=edges)
    return replace(graph, tasks=tasks)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotPlain
    return found


def _refuse(word: str) -> Any:
    raise _NotPlain


def _tasks(document: Any) -> dict[str, Task]:
    if type(document) is not dict or document.keys() != {"hocket", "tasks"} or document["hocket"] != 1:
        raise _NotPlain
    bodies = document["tasks"]
    if type(bodies) is not dict or not bodies or type(document["hocket"]) is not int:
        raise _NotPlain
    edges = {name: Edge(name, NOWHERE, _SUCCEEDED) for name in bodies}
    listed = {name: _after(body) for name, body in bodies.items()}
    if not set(map(type, chain.from_iterable(listed.values()))) <= {str}:
        raise _NotPlain
    try:
        found = {name: tuple([edges[one] for one in after]) for name, after in listed.items()}
    except KeyError:
        raise _NotPlain from None
    if any(map(contains, found.values(), map(edges.get, found))) or _repeats(listed.values()):
        raise _NotPlain
    return {name: Task(name, NOWHERE, found[name], may=RAN) for name in bodies}


def _repeats(lists: Collection[list[Any]]) -> bool:
    """Whether one of these lists has something twice."""
    return sum(map(len, map(set, lists))) < sum(map(len, lists))


def _after(body: Any) -> list[Any]:
    """What a task comes after, as a list."""
    if not body and (body is None or type(body) is dict):
        return []
    if type(body) is not dict or len(body) > 1 or "after" not in body:
        raise _NotPlain
    after = body["after"]
    return after if type(after) is list else [after]
