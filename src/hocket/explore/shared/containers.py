"""What the methods of built-in containers, and functions of C that are given one, do to it.

One row a method: how it touches the container, from intent, before it runs.

    key       one key or element (a dict's, a set's), its first argument:
              `read` looks, `put` brings or replaces, `ensure` brings if it is not there, `drop` removes
    place     one index of a list
    size      how many there are, and in which order
    all       everything: `look` reads each entry, `shape` may change which are there, `fill` may change each

A method that is not listed does `shape`: too much, so that nothing is missed. `several` is a method written in Python
that is more than one step: the module of its class has to be tracked.
"""

from __future__ import annotations

import array
import bisect
import builtins
import collections
import functools
import heapq
import io
import itertools
import math
import operator
import typing
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

__all__ = ["CALLING", "DEEP", "LAZY", "LOOKS", "PURE", "SHAPES", "TELLING", "TOLD", "base_of", "touch_of"]

_DICT = {
    "get": "read", "__getitem__": "read", "__contains__": "read",
    "__setitem__": "put", "setdefault": "ensure", "__delitem__": "drop", "pop": "drop",
    "__len__": "size", "__bool__": "size",
    "keys": "view", "values": "view", "items": "view",
    "copy": "look", "__iter__": "iterate", "__eq__": "look", "__ne__": "look", "__repr__": "look", "__or__": "look",
    "__ror__": "look", "__reversed__": "look", "__sizeof__": "size",
}
_SET = {
    "__contains__": "read", "add": "ensure", "discard": "drop", "remove": "drop", "__len__": "size",
    **dict.fromkeys((
        "copy", "union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset", "isdisjoint",
        "__eq__", "__ne__", "__le__", "__lt__", "__ge__", "__gt__", "__or__", "__and__", "__sub__", "__xor__",
        "__repr__", "__ror__", "__rand__", "__rsub__", "__rxor__", "__reduce__"), "look"),
    "__iter__": "iterate",
}
_LIST = {
    "__len__": "size", "__iter__": "iterate", "__getitem__": "place", "__setitem__": "replace",
    **dict.fromkeys((
        "index", "count", "copy", "__contains__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__add__",
        "__mul__", "__rmul__", "__repr__", "__reversed__", "find", "decode", "hex", "startswith", "endswith"), "look"),
}
_BASES: tuple[tuple[type, dict[str, str]], ...] = (
    (OrderedDict, _DICT), (defaultdict, {**_DICT, "__getitem__": "ensure"}),
    (dict, _DICT), (set, _SET), (list, _LIST), (deque, _LIST), (bytearray, _LIST), (array.array, _LIST),
    # not of C: what is listed touches their one dict or set once, all else does so several times
    (WeakValueDictionary, {**_DICT, "setdefault": "several", "": "several"}),
    (WeakKeyDictionary, {**_DICT, "": "several"}), (WeakSet, {**_SET, "": "several"}),
)


def base_of(kind: type) -> type | None:
    """The built-in container that `kind` is, or inherits from."""
    return next((base for base, _ in _BASES if issubclass(kind, base)), None)


def touch_of(base: type, method: str) -> str:
    """How `method` of the built-in container `base` touches it."""
    rows = next(rows for known, rows in _BASES if known is base)
    return rows.get(method) or rows.get("", "shape")


def _those_there(module: ModuleType, *names: str) -> list[Any]:
    """What a module has under these names: later Pythons have more."""
    return [getattr(module, name) for name in names if hasattr(module, name)]


# functions that read everything they are given, and keep nothing of it
LOOKS: set[Callable[..., Any]] = {
    list, tuple, dict, set, frozenset, sorted, sum, max, min, any, all, str, repr, bytes, bytearray, deque, OrderedDict,
    print, format, divmod, ascii, operator.eq, operator.ne, operator.contains, operator.add, operator.concat,
    operator.countOf, operator.indexOf, heapq.nlargest, heapq.nsmallest, "".join, bool, len, operator.itemgetter,
    iter, reversed, hash, abs, round, int, float, bisect.bisect_left, bisect.bisect_right, array.array, io.BytesIO,
    itertools.combinations_with_replacement, memoryview,
    str.maketrans, dict.fromkeys, OrderedDict.fromkeys, int.from_bytes,
    math.fsum, math.prod, math.dist, *_those_there(math, "sumprod"),  # 3.12
}
# those of them that are for people, and go through no iterator
TELLING: set[Callable[..., Any]] = {
    str, repr, ascii, print, format, hash, len, bool, iter, reversed, operator.eq, operator.ne}
# those of them that read what their arguments hold as well, however deep: a text shows it all, an order compares it, a
# sum adds it
DEEP: set[Callable[..., Any]] = LOOKS - {
    list, tuple, set, frozenset, deque, len, bool, iter, reversed, bytes, bytearray, operator.itemgetter,
    memoryview}
# functions that take what they are given one by one, later: a follower goes with it
LAZY: set[Callable[..., Any]] = {
    enumerate, zip, map, filter, iter, itertools.chain, itertools.islice, itertools.accumulate, itertools.takewhile,
    itertools.dropwhile, itertools.zip_longest, itertools.groupby, itertools.compress, itertools.filterfalse,
    itertools.cycle, itertools.starmap, itertools.tee, itertools.product, itertools.permutations,
    itertools.combinations, itertools.pairwise, *_those_there(itertools, "batched"),  # 3.12
}
# those of them that call the program between two looks
CALLING: set[Callable[..., Any]] = {
    map, filter, itertools.takewhile, itertools.dropwhile, itertools.starmap, itertools.accumulate, itertools.groupby,
    itertools.filterfalse}
# functions that change their first argument
SHAPES: set[Callable[..., Any]] = {
    heapq.heappush, heapq.heappop, heapq.heapify, heapq.heapreplace, heapq.heappushpop, next, operator.setitem,
    operator.delitem, collections._count_elements,  # type: ignore[attr-defined]  # what Counter counts with
    bisect.insort_left, bisect.insort_right, *_those_there(  # 3.14
        heapq, "heappush_max", "heappop_max", "heapify_max", "heapreplace_max", "heappushpop_max"),
}
# functions in Python, by name, that read all of what they are given and keep nothing of it; what they do to their own
# lists and dicts is nobody's business, as long as no code of the program can be called by them
TOLD = {"copy.copy", "json.dumps", "json.loads", "inspect.signature", "pprint.pformat",
        "textwrap.dedent", "traceback.format_exception_only"}
# functions that see at most who an object is, or ask its class
PURE: set[Callable[..., Any]] = {
    isinstance, issubclass, id, callable, type, object, super, property, staticmethod, classmethod, range, slice, chr,
    ord, bin, hex, oct, pow, complex, builtins.__build_class__, builtins.__import__, breakpoint, hasattr,
    getattr, setattr, delattr, vars, dir, open, input, compile, operator.is_, operator.is_not, typing.cast,
    functools.partial, typing.assert_type, typing.reveal_type,
}
