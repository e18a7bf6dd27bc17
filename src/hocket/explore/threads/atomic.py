"""What a test says to the explorer in its own words: shared values, data choices, and what must be reachable.

An `Atomic` is a shared value of which every access is one visible operation, so
its interleavings are explored exactly. Outside of an exploration all of this
does the plain thing: an Atomic is a value behind a lock, `choose` takes 0.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from hocket.errors import Refused
from hocket.explore.semantics import ROWS, Raise
from hocket.explore.threads.control import ACTORS, Actor, Control, current
from hocket.explore.threads.naming import name_newcomer
from hocket.explore.threads.pool import _get_ident
from hocket.explore.threads.question import Asked
from hocket.trace.operation import Operation

__all__ = ["ATOMIC_OPERATIONS", "Atomic", "check_outsider", "choose", "number_of", "sometimes"]

T = TypeVar("T")
_operation: Callable[[tuple[Any, ...]], Operation] = partial(tuple.__new__, Operation)  # in a third of the time
_changed = threading.Condition(_thread.RLock())  # where nothing is explored: makes an Atomic atomic, wakes who waits


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


def check_outsider(thing: Controlled) -> None:
    """A thread that is no actor may use what is of no execution that goes on; raises `Refused` otherwise.

    One that was stopped goes on no more, even if an actor of it blocks for real and will never know.
    """
    home = thing._home
    if home is not None and not (home.over or home.session.stop) and id(thing) not in home.session.outside:
        home.used_by_outsider(home.session.cast.objects[thing._number])


def number_of(thing: Controlled, actor: Actor) -> int:
    """The number of `thing` in the execution of `actor`; an object from before the execution starts in it afresh."""
    control = actor.control
    if thing._home is control:
        return thing._number
    session = control.session
    known = session.outside.get(id(thing))
    if known is None:
        serial = len(session.outside) + 1
        name = getattr(thing, "found_as", "") or f"{thing._family}{serial}@outside"
        name = name if name not in session.cast.objects else f"{name}#{serial}"
        number = session.cast.object(-1, serial, thing._family, name)
        session.named = max(session.named, len(session.cast.objects))
        known = session.outside[id(thing)] = (thing, number)
    control.execution.meet(known[1], thing._initial())
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
        actor = ACTORS.get(_get_ident())
        if actor is None:
            check_outsider(self)
            return self._value
        control = actor.control
        value: T = control.plain(actor, "cell.load", self._number if self._home is control else number_of(self, actor))
        return value

    def store(self, value: T) -> None:
        """Replace the value."""
        actor = ACTORS.get(_get_ident())
        if actor is None:
            check_outsider(self)
            with _changed:
                self._value = value
                _changed.notify_all()
            return
        control = actor.control
        number = self._number if self._home is control else number_of(self, actor)
        control.step(actor, _operation(("cell.store", (number,), value)))

    def swap(self, value: T) -> T:
        """Replace the value; returns the one before."""
        actor = current()
        if actor is not None:
            old: T = actor.control.step(actor, _operation(("cell.swap", (number_of(self, actor),), value)))
            return old
        check_outsider(self)
        with _changed:
            old, self._value = self._value, value
            _changed.notify_all()
            return old

    def add(self, number: Any) -> T:
        """Add `number`; returns the value before."""
        actor = current()
        if actor is not None:
            old: T = actor.control.step(actor, _operation(("cell.add", (number_of(self, actor),), number)))
            return old
        check_outsider(self)
        with _changed:
            old, self._value = self._value, self._value + number
            _changed.notify_all()
            return old

    def increment(self, number: int = 1) -> None:
        """Add `number`, and answer nothing: two increments commute, so under `commuting-adds` their order is not tried.

        Raises TypeError unless both are whole numbers (0.1 + 0.2 + 0.3 depends on the order).
        """
        actor = current()
        if actor is not None:
            actor.control.step(actor, Operation("cell.increment", (number_of(self, actor),), number))
            return
        check_outsider(self)
        with _changed:
            self._value, said = ROWS["cell.increment"].perform(self._value, 0, number, 0)
            if type(said) is Raise:
                raise said.type(said.message)
            _changed.notify_all()

    def compare_exchange(self, old: T, new: T) -> bool:
        """Replace the value by `new` if it equals `old`; returns whether it did."""
        actor = current()
        if actor is not None:
            operation = _operation(("cell.compare_exchange", (number_of(self, actor),), (old, new)))
            return bool(actor.control.step(actor, operation))
        check_outsider(self)
        with _changed:
            if self._value != old:
                return False
            self._value = new
            _changed.notify_all()
            return True

    def wait_until(self, holds: Callable[[T], Any]) -> T:
        """Wait until `holds(value)` is true; returns the value of which it was.

        One operation that blocks, where a loop of loads would be one for each look; waiting for ever is a deadlock.
        `holds` must depend on the value alone: it is asked at any time, by anybody. What it raises is raised here.
        Raises `Refused` if it does something visible itself.
        """
        actor = current()
        if actor is None:
            return self._wait(holds)
        value: T = Asked(holds).step(actor, "cell.await", number_of(self, actor))
        return value

    def block_until(self, holds: Callable[[T], Any]) -> None:
        """As `wait_until`, but answers nothing: under `await-truth` a store that keeps the answer commutes with it."""
        actor = current()
        if actor is None:
            self._wait(holds)
        else:
            Asked(holds).step(actor, "cell.until", number_of(self, actor))

    def _wait(self, holds: Callable[[T], Any]) -> T:
        check_outsider(self)
        with _changed:
            while not holds(self._value):
                _changed.wait()
            return self._value

    def __repr__(self) -> str:
        return f"Atomic({self._value!r})" if current() is None else "Atomic(…)"


ATOMIC_OPERATIONS: frozenset[Any] = frozenset({
    Atomic.load, Atomic.store, Atomic.swap, Atomic.add, Atomic.increment, Atomic.compare_exchange})
"""Its methods that run nobody else's code."""


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
