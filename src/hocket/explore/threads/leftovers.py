"""Each execution finds the Conditions, events, queues and futures of before the exploration as the first one did.

An event at the top of a module is set by the first execution, and nobody who waits for it would ever wait
again: what the first execution could have done in another order would be lost. The code of these
objects is the standard library's, which nobody tracks, so that a change of theirs is not noticed either; they are few,
and put back always. A queue of before that gathers something from all executions is empty after each.

Refused: noticing a change first, as for tracked data (shared/afresh.py), where it tells apart the program's state from
what its author keeps about the executions: nobody keeps that in an event.
"""

from __future__ import annotations

import collections
import queue
import sys
import threading
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

__all__ = ["Leftovers", "is_awaited", "is_pool", "is_primitive"]

_PRIMITIVES = (threading.Condition, threading.Event, threading.Semaphore, threading.Barrier, queue.Queue)
_POOL = ("concurrent.futures.thread", "ThreadPoolExecutor")
_ELSEWHERE = (("concurrent.futures", "Future"), _POOL, ("asyncio.mixins", "_LoopBoundMixin"))  # if it is imported
_CONTAINERS = (list, dict, set, collections.deque)


def is_primitive(value: Any) -> bool:
    """Whether it is an object of the standard library with which threads or tasks wait for each other, by itself."""
    own: Any = type(value)
    kind = _kind_of(own)
    return kind is not None and (kind is not threading.Thread or value.ident is None)  # one that runs is its own master


def is_awaited(kind: Any) -> bool:
    """Whether instances of a class are such objects."""
    return _kind_of(kind) is not None


@lru_cache(maxsize=1024)
def _kind_of(kind: type) -> Any:
    """Which of them it inherits from, if any; that stays so, since each is there before a class can inherit from it."""
    others = [getattr(sys.modules.get(module), name, None) for module, name in _ELSEWHERE]
    known = (threading.Thread, *_PRIMITIVES, *(other for other in others if other is not None))
    return next((each for each in known if issubclass(kind, each)), None)


def is_pool(value: Any) -> bool:
    """Whether it hands jobs to threads of its own."""
    module, name = _POOL
    return isinstance(value, getattr(sys.modules.get(module), name, ()))


class Leftovers:
    """What some objects held when this was made, each with its attributes and the containers among these."""

    def __init__(self, values: Iterable[Any]) -> None:
        spaces = [vars(value) for value in values]
        parts = [part for space in spaces for part in space.values() if type(part) in _CONTAINERS]
        self._contents: list[tuple[Any, Any]] = [(part, part.copy()) for part in (*spaces, *parts)]

    def put_back(self) -> None:
        """They hold it again."""
        for container, then in self._contents:
            if not _are_same(container, then):
                container.clear()
                (container.extend if isinstance(container, (list, collections.deque)) else container.update)(then)


def _are_same(now: Any, then: Any) -> bool:
    """Whether these are the very same objects: no class of the program is asked what is equal to what."""
    if len(now) != len(then):
        return False
    pairs = zip(now.items(), then.items(), strict=True) if type(now) is dict else ()
    members = () if type(now) is dict else zip(now, then, strict=True)
    return all(a[0] is b[0] and a[1] is b[1] for a, b in pairs) and all(a is b for a, b in members)
