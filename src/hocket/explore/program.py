"""A pure model: the objects and actors with which every execution begins, what is asserted and what is counted.

It is a description, and nothing runs here; `model.py` runs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from hocket.errors import Refused
from hocket.explore.handles import (
    Barrier,
    Body,
    Cell,
    Condition,
    Data,
    Event,
    Handle,
    Lock,
    Queue,
    RLock,
    Semaphore,
)
from hocket.trace.operation import Actor

__all__ = ["Final", "Program"]

_H = TypeVar("_H", bound=Handle)


def _check_number(what: str, given: Any, least: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        raise Refused(what, f"given as {given!r}", "a count", f"a whole number of at least {least}",
                      "A name goes by its keyword: name=...")


class Final(NamedTuple):
    """How an execution ended: the states of the objects, and what the actors returned (by actor)."""

    states: dict[int, Any]
    results: dict[Actor, Any]

    def __getitem__(self, handle: Handle) -> Any:  # type: ignore[override]  # a final state is asked for an object
        return self.states[handle.index]


class Program:
    """Objects and actors, from which every execution starts afresh."""

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.initial: list[tuple[str, Any, str]] = []
        self.bodies: list[tuple[Body, tuple[Any, ...]]] = []
        self.main: tuple[Body, tuple[Any, ...]] | None = None
        self.checks: list[Callable[[Final], None]] = []
        self.outcome: Callable[[Final], Any] = self._cells

    def cell(self, value: Any = 0, name: str = "") -> Cell: return self._add("cell", value, name, Cell)
    def data(self, name: str = "") -> Data: return self._add("data", None, name, Data)
    def lock(self, name: str = "") -> Lock: return self._add("lock", None, name, Lock)
    def rlock(self, name: str = "") -> RLock: return self._add("rlock", None, name, RLock)
    def event(self, name: str = "") -> Event: return self._add("event", False, name, Event)

    def semaphore(self, value: int = 1, bound: int | None = None, name: str = "") -> Semaphore:
        _check_number("a semaphore's value", value, 0)
        if bound is not None:
            _check_number("a semaphore's bound", bound, value)
        return self._add("semaphore", (value, bound), name, Semaphore)

    def queue(self, capacity: int = 0, name: str = "") -> Queue:
        _check_number("a queue's capacity", capacity, 0)
        return self._add("queue", ((), capacity), name, Queue)

    def condition(self, lock: Lock, name: str = "") -> Condition:
        return self._add("condition", ((), frozenset()), name, lambda _, index, name: Condition(index, name, lock))

    def barrier(self, parties: int, name: str = "") -> Barrier:
        _check_number("a barrier's parties", parties, 1)
        return self._add("barrier", (parties, (), 0), name, lambda _, index, name: Barrier(index, name, parties))

    def actor(self, body: Body, *arguments: Any) -> None:
        """An actor that runs from the start."""
        self.bodies.append((body, arguments))

    def body(self, body: Body, *arguments: Any) -> None:
        """What the main actor does; without it, main does nothing."""
        self.main = (body, arguments)

    def check(self, holds: Callable[[Final], None]) -> None:
        """Assert something of every final state."""
        self.checks.append(holds)

    def _add(self, family: str, state: Any, name: str, make: Callable[[str, int, str], _H]) -> _H:
        index = len(self.handles)
        handle = make(family, index, name or f"{family}{index}")
        self.handles.append(handle)
        self.initial.append((family, state, handle.name))
        return handle

    def _cells(self, final: Final) -> Any:
        return tuple([(handle.name, final.states[handle.index]) for handle in self.handles if handle.family == "cell"])
