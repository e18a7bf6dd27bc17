"""`functools.lru_cache`, whose C code asks and fills its cache unseen: in an execution, this does it in its place.

An execution begins with what the cache held before the exploration, and what it adds
is forgotten when it ends, so that every execution begins alike. Asking and filling
are operations, and the function is called between them, as C calls it: several
threads that miss at once all call it. Where they differ is also as in C: without a
limit the last one to come back is remembered, with one the first.

What the cache holds is read from what the collector can reach from it, in the order in which it is there: no
function of the program is called. Refused: taking a call for one step (the bug that people
have is that two of them overlap), and caching once for all executions.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any

__all__ = ["CACHED", "Memo", "key_of"]

CACHED: Any = type(lru_cache(abs))
_missing = object()


class Memo:
    """The cache of `wrapper` during one execution; `limit` is None for none."""

    __slots__ = ("_mark", "hits", "limit", "misses", "typed", "values", "wrapper")

    def __init__(self, wrapper: Any) -> None:
        self.wrapper = wrapper  # kept, so that its identity stays its own
        asked = wrapper.cache_parameters()
        self.limit, self.typed = asked["maxsize"], asked["typed"]
        self.hits, self.misses, _, _ = wrapper.cache_info()
        self.values, self._mark = _held(wrapper, self.limit)

    def key(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """What C takes for the same call."""
        return key_of(args, named, self._mark, self.typed)

    def found(self, key: Any) -> tuple[Any, bool]:
        """The value that is remembered, and whether there is one."""
        value = self.values.get(key, _missing)
        if value is _missing:
            self.misses += 1
            return None, False
        self.hits += 1
        if self.limit is not None:
            self.values.move_to_end(key)
        return value, True

    def remember(self, key: Any, value: Any) -> None:
        if self.limit == 0 or (self.limit is not None and key in self.values):
            return
        if self.limit is not None and len(self.values) >= self.limit:
            self.values.popitem(last=False)
        self.values[key] = value

    def clear(self) -> None:
        self.values.clear()
        self.hits = self.misses = 0

    def info(self) -> Any:
        kind: Callable[..., Any] = type(self.wrapper.cache_info())
        return kind(self.hits, self.misses, self.limit, len(self.values))


def key_of(args: tuple[Any, ...], named: dict[str, Any], mark: Any, typed: bool) -> Any:
    """The key of a call, as `lru_cache_make_key` of CPython makes it."""
    if not typed and not named and len(args) == 1 and type(args[0]) in (int, str):
        return args[0]
    key = args
    if named:
        key = (*key, mark, *(part for item in named.items() for part in item))
    if typed:
        key = (*key, *(type(value) for value in (*args, *named.values())))
    return key


def _held(wrapper: Any, limit: int | None) -> tuple[OrderedDict[Any, Any], Any]:
    """What a cache holds, oldest first, and its mark between arguments by place and by name."""
    parts = gc.get_referents(wrapper)  # its type; each link of a limited cache as key, value and type; the cache; ...
    links = 3 * wrapper.cache_info().currsize if limit is not None else 0
    cache, *others = parts[1 + links:]
    mark = next((part for part in others if type(part) is object), None)
    if limit is None:
        return OrderedDict(cache), mark
    values = OrderedDict(zip(parts[1:1 + links:3], parts[2:1 + links:3], strict=True))
    assert values.keys() == cache.keys(), "a limited lru_cache is laid out in another way in this Python"
    return values, mark
