"""The sets of tasks that asyncio hands out, whose order is open: tasks are hashed by their addresses.

`done, pending = await asyncio.wait(tasks)` are sets, and `asyncio.as_completed` starts coroutines in the order of one.
For the time of an exploration `asyncio.tasks` makes sets of this kind instead, by a name of its own before that of the
builtin. Whoever goes through one takes its members in any order, one choice after the other, so that who looks at
the first only does not pay for the rest. Asyncio itself goes through them to ask or to be told, which comes to
the same in each order, unless it makes tasks of coroutines.

Of a larger set only one order is tried, in which its members were made, and that is reported: nothing is
proved then. Refused: two orders of each set, as made and the other way round, which would prove as little.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import factorial
from types import FrameType
from typing import Any

from hocket.explore.threads.control import Actor, current
from hocket.trace.operation import Operation

__all__ = ["MANY", "Members", "sets_in_any_order"]

MANY = 3
"""Members of which all orders are tried."""


class Members(set[Any]):
    """A set that is gone through in any order by an explored program."""

    def __init__(self, members: Iterable[Any] = ()) -> None:
        came = members._as_made() if isinstance(members, Members) else list(members)
        super().__init__(came)
        self._came = {id(member): place for place, member in enumerate(came)}  # where no hash says so
        actor = current()
        if actor is not None and type(members) in (set, frozenset) and len(came) > 1 and not _are_futures(came):
            _report(actor, len(came))  # in the order of the addresses of coroutines

    def _as_made(self) -> list[Any]:
        return sorted(set.__iter__(self), key=lambda member: hash(member) if asyncio.isfuture(member)
                      else self._came.get(id(member), 0))

    def __iter__(self) -> Iterator[Any]:
        members, size = self._as_made(), len(self)
        actor = _chooser(sys._getframe(1), members)
        if actor is not None and size > MANY:
            _report(actor, size)
            actor = None
        while members:
            yield members.pop(_one_of(len(members), actor))
            if len(self) != size:
                raise RuntimeError("Set changed size during iteration")

    def pop(self) -> Any:
        members = self._as_made()
        if not members:
            raise KeyError("pop from an empty set")
        taken = members[_one_of(len(members), _chooser(sys._getframe(1), members))]
        self.remove(taken)
        return taken


def _still_unordered(method: Callable[..., Any]) -> Callable[..., Any]:
    def combined(self: Members, *others: Any) -> Any:
        return Members(list(set.__iter__(method(self, *others))))

    combined.__name__ = combined.__qualname__ = method.__name__
    return combined


for _name in ("__and__", "__or__", "__sub__", "__xor__", "__rand__", "__ror__", "__rsub__", "__rxor__", "copy",
              "difference", "intersection", "symmetric_difference", "union"):
    setattr(Members, _name, _still_unordered(getattr(set, _name)))
Members.__name__ = Members.__qualname__ = "set"  # what it is for everybody else
Members.__module__ = "builtins"


def _chooser(asker: FrameType, members: list[Any]) -> Actor | None:
    """Who may find these in any order, if anybody."""
    actor = current()
    if actor is None or actor.control.over:
        return None
    by_asyncio = asker.f_globals.get("__name__") == "asyncio.tasks"
    return None if by_asyncio and _are_futures(members) else actor


def _are_futures(members: list[Any]) -> bool:
    return all(map(asyncio.isfuture, members))


def _one_of(count: int, actor: Actor | None) -> int:
    if actor is None or count == 1:
        return 0
    chosen: int = actor.control.step(actor, Operation("choose", (), count))
    return chosen


def _report(actor: Actor, size: int) -> None:
    observer: Any = actor.control.session.observer
    if observer is not None:
        observer.met(f"a set of {size} tasks or coroutines is gone through in one of its {factorial(size):,} orders")


@contextmanager
def sets_in_any_order() -> Iterator[None]:
    """For the time of an exploration `asyncio.tasks` makes sets that are."""
    namespace = vars(asyncio.tasks)
    before = {name: namespace[name] for name in ("set",) if name in namespace}  # of an exploration around this one
    namespace["set"] = Members
    try:
        yield
    finally:
        del namespace["set"]
        namespace.update(before)
