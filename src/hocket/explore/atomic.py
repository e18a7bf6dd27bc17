"""What a test says to the explorer in its own words: shared values, data choices, and what must be reachable.

An `Atomic` is a shared value of which every access is one visible operation, so
its interleavings are explored exactly. Outside of an exploration all of this
does the plain thing: an Atomic is a value behind a lock, `choose` takes 0.
"""

from __future__ import annotations

import _thread
from typing import Any, Generic, TypeVar

from hocket.errors import Refused
from hocket.explore.control import Actor, Control, current
from hocket.explore.naming import name_newcomer
from hocket.trace.operation import Operation

__all__ = ["Atomic", "choose", "number_of", "sometimes"]

T = TypeVar("T")
_guard = _thread.allocate_lock()  # makes an Atomic atomic where nothing is explored


class Controlled:
    """An object whose operations are visible: it has a number in the execution that uses it."""

    __slots__ = ("__weakref__", "_home", "_number")
    _family = "object"

    def _initial(self) -> Any:
        """The state in which an execution meets it first."""
        raise NotImplementedError

    def __init__(self) -> None:
        actor = current()
        self._home: Control | None = None
        self._number = -1
        if actor is not None and not actor.control.over:
            self._home = actor.control
            self._number = actor.control.execution.new_object(actor.number, self._family, self._initial())
            session = actor.control.session
            if self._number >= session.named:
                name_newcomer(session, self._number)


def number_of(thing: Controlled, actor: Actor) -> int:
    """The number of `thing` in the execution of `actor`; an object from before the execution starts in it afresh."""
    control = actor.control
    if thing._home is control:
        return thing._number
    session = control.session
    known = session.outside.get(id(thing))
    if known is None:
        serial = len(session.outside) + 1
        number = session.cast.object(-1, serial, thing._family, f"{thing._family}{serial}@outside")
        session.named = max(session.named, len(session.cast.objects))
        known = session.outside[id(thing)] = (thing, number)
    control.execution.states[known[1]] = thing._initial()
    thing._home, thing._number = control, known[1]
    return known[1]


class Atomic(Controlled, Generic[T]):
    """A shared value whose every access is atomic and, in an exploration, one visible operation.

    An Atomic that was made before the exploration has in each execution the value that it had then.
    """

    __slots__ = ("_value",)
    _family = "cell"

    def __init__(self, value: T) -> None:
        self._value = value
        super().__init__()

    def _initial(self) -> T:
        return self._value

    def load(self) -> T:
        """The present value."""
        actor = current()
        if actor is None:
            return self._value
        control = actor.control
        value: T = control.plain(actor, "cell.load", self._number if self._home is control else number_of(self, actor))
        return value

    def store(self, value: T) -> None:
        """Replace the value."""
        actor = current()
        if actor is None:
            self._value = value
            return
        actor.control.step(actor, Operation("cell.store", (number_of(self, actor),), value))

    def swap(self, value: T) -> T:
        """Replace the value; returns the one before."""
        actor = current()
        if actor is not None:
            old: T = actor.control.step(actor, Operation("cell.swap", (number_of(self, actor),), value))
            return old
        with _guard:
            old, self._value = self._value, value
            return old

    def add(self, number: Any) -> T:
        """Add `number`; returns the value before."""
        actor = current()
        if actor is not None:
            old: T = actor.control.step(actor, Operation("cell.add", (number_of(self, actor),), number))
            return old
        with _guard:
            old, self._value = self._value, self._value + number
            return old

    def compare_exchange(self, old: T, new: T) -> bool:
        """Replace the value by `new` if it equals `old`; returns whether it did."""
        actor = current()
        if actor is not None:
            operation = Operation("cell.compare_exchange", (number_of(self, actor),), (old, new))
            return bool(actor.control.step(actor, operation))
        with _guard:
            if self._value != old:
                return False
            self._value = new
            return True

    def __repr__(self) -> str:
        return f"Atomic({self._value!r})" if current() is None else "Atomic(…)"


def choose(count: int) -> int:
    """Any number in `range(count)`: every one of them is explored. Outside of an exploration: 0."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise Refused("choose", f"asked for one of {count!r}", "no set to choose from", "a whole number of at least 1")
    actor = current()
    if actor is None:
        return 0
    chosen: int = actor.control.step(actor, Operation("choose", (), count))
    return chosen


def sometimes(condition: object, label: str) -> None:
    """Say that `condition` must hold here in at least one class; an exploration in which it never does fails."""
    actor = current()
    if actor is None or actor.control.over:
        return
    seen = actor.control.session.sometimes
    seen[label] = seen.get(label, False) or bool(condition)
