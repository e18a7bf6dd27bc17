"""A large plain graph file, read without places: what takes a parser with places seconds takes `json` a fraction.

A graph of a hundred thousand tasks is a large JSON text, and nobody looks at its
places as long as nothing is wrong with it. So it is read by the parser of the
standard library into numbers (`model.Bare`), and where a task stands is looked up
once somebody asks for that task. Read so is a text of our own format in which tasks
have names and what they come after, and nothing else; anything more, a key twice or
an unknown name, and the answer is None: then the reader that keeps all places decides.

Refused: a hook of the parser that looks for keys which stand twice, since it is called
for each of a hundred thousand objects. Where every colon of a text follows a quote,
and no quote is escaped, there are at most as many keys as colons; if as many were
read, none stands twice.
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable
from functools import cached_property
from itertools import chain, islice
from operator import contains
from typing import Any

from hocket.verify.model import NOWHERE, Bare, Graph, Span
from hocket.verify.source import Source

__all__ = ["quick_graph"]

_LARGE = 1 << 18  # characters; below, the other reader takes no time that anybody would notice
_KEY = re.compile(r'"([^"]*)"\s*:')
_STRING = re.compile(r'"([^"]*)"')
_OURS = frozenset({"hocket", "tasks", "after"})


class _NotPlain(Exception):
    """Something that has to be read with its place."""


def quick_graph(source: Source) -> Graph | None:
    """The graph, exactly as the other reader would give it; None if this is for the other reader.

    In a text with escapes, or with tasks that are called as keys are, no place is found: all are `NOWHERE`.
    """
    text = source.text
    if len(text) < _LARGE or not text.lstrip().startswith("{"):
        return None
    try:
        return Graph(source.path, "hocket", _tasks(source, _parsed(text)))
    except (_NotPlain, ValueError, RecursionError):
        return None


def _parsed(text: str) -> Any:
    """The document, if no key stands twice in it."""
    keys = text.count('":')
    if "\\" not in text and keys == text.count(":"):
        document = json.loads(text, parse_constant=_refuse)
        if _keys(document) == keys:
            return document
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)


def _keys(document: Any) -> int:
    """How many keys there are on the three levels that a plain file has."""
    tasks = document.get("tasks") if type(document) is dict else None
    if type(tasks) is not dict:
        raise _NotPlain
    return len(document) + len(tasks) + sum(len(body) for body in tasks.values() if type(body) is dict)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotPlain
    return found


def _refuse(word: str) -> Any:
    raise _NotPlain


def _tasks(source: Source, document: Any) -> Bare:
    if type(document) is not dict or document.keys() != {"hocket", "tasks"} or document["hocket"] != 1:
        raise _NotPlain
    bodies = document["tasks"]
    if type(bodies) is not dict or not bodies or type(document["hocket"]) is not int:
        raise _NotPlain
    places = dict(zip(bodies, range(len(bodies)), strict=True))
    listed = list(map(_after, bodies.values()))
    if not set(map(type, chain.from_iterable(listed))) <= {str}:
        raise _NotPlain
    try:
        befores = array("q", map(places.__getitem__, chain.from_iterable(listed)))
    except KeyError:
        raise _NotPlain from None
    if any(map(contains, listed, bodies)) or _repeats(listed):
        raise _NotPlain
    counts = array("q", map(len, listed))
    return Bare(places, befores, counts, _Places(source, places, counts).of)


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


class _Places:
    """Where the tasks of a text stand, and what they come after: looked for when the first of them is asked for."""

    def __init__(self, source: Source, places: Iterable[str], counts: array[int]) -> None:
        self.source, self.places, self.counts = source, places, counts

    def of(self, place: int) -> list[Span]:
        """The span of a task's name, then of each task that it comes after."""
        count = self.counts[place]
        if not self._keys:
            return [NOWHERE] * (count + 1)
        begin = self._keys[place]
        key = _STRING.match(self.source.text, begin)
        assert key is not None, "a key is a string"
        words = islice(_STRING.finditer(self.source.text, key.end()), 1, 1 + count)  # the first is "after"
        return [self._span(one) for one in (key, *words)]

    @cached_property
    def _keys(self) -> array[int]:
        """Where each name begins, in the order of the tasks; none if a look at the text does not tell."""
        names = list(self.places)
        if "\\" in self.source.text or not _OURS.isdisjoint(names):
            return array("q")
        found = [key for key in _KEY.finditer(self.source.text) if key[1] not in _OURS]
        return array("q", [key.start() for key in found] if [key[1] for key in found] == names else ())

    @cached_property
    def _lines(self) -> list[int]:
        """Where each line begins."""
        return [0, *(found.end() for found in re.finditer("\n", self.source.text))]

    def _span(self, found: re.Match[str]) -> Span:
        line = bisect_right(self._lines, found.start())
        start = self._lines[line - 1]
        return Span(self.source.path, line, found.start() - start + 1, line, found.end() - start + 1)
