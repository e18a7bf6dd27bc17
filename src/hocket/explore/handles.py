"""The objects of a pure model, and the operations that its actors may yield on them.

Each method makes an operation; nothing happens until a host performs it. What
takes several steps is a generator, for `yield from`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, NamedTuple

from hocket.trace.operation import Actor, Operation

__all__ = ["Barrier", "Body", "Cell", "Condition", "Data", "Event", "Handle", "Lock", "Queue", "RLock", "Semaphore",
           "Spawn", "Steps", "Thread"]

Steps = Generator[Any, Any, Any]
Body = Callable[..., Steps]

_operation: Callable[[tuple[str, tuple[int, ...], Any]], Operation] = partial(tuple.__new__, Operation)
# (Operation(...) takes three times as long, and actors make one for almost every event)


class Thread(NamedTuple):
    """An actor that was spawned, and the object that stands for its life.

    Of one that is not `watched` the end is no step, and whether it has ended must not be asked: the answer could
    change where nothing happens, and executions would be missed. ValueError then.
    """

    actor: Actor
    object: int
    watched: bool = False

    def join(self) -> Operation: return Operation("thread.join", (self.object,), self.actor)
    def timed_join(self) -> Operation: return self._asks("thread.join_timed", self.actor)
    def is_alive(self) -> Operation: return self._asks("thread.alive")

    def _asks(self, kind: str, argument: Any = None) -> Operation:
        if not self.watched:
            raise ValueError(f"{kind} of a thread whose end is no step: spawn it with Spawn(body, watched=True)")
        return Operation(kind, (self.object,), argument)


class Spawn(NamedTuple):
    """A request, yielded: start `body(*arguments)` as a new actor; the answer is its `Thread`.

    `watched`: its end is a step of its own, so that `timed_join` and `is_alive` may be asked of it.
    """

    body: Body
    arguments: tuple[Any, ...] = ()
    watched: bool = False


class Handle:
    """An object of a program: its number, its name, and its operations by kind."""

    __slots__ = ("family", "index", "name", "on")

    def __init__(self, family: str, index: int, name: str) -> None:
        self.family, self.index, self.name, self.on = family, index, name, (index,)

    def __repr__(self) -> str:
        return self.name

    def _(self, verb: str, argument: Any = None) -> Operation:
        return _operation((f"{self.family}.{verb}", self.on, argument))


class Cell(Handle):
    """A memory cell with atomic operations."""

    __slots__ = ("_load",)

    def __init__(self, family: str, index: int, name: str) -> None:
        super().__init__(family, index, name)
        self._load = self._("load")

    def load(self) -> Operation: return self._load
    def store(self, value: Any) -> Operation: return _operation(("cell.store", self.on, value))
    def swap(self, value: Any) -> Operation: return self._("swap", value)
    def add(self, amount: Any) -> Operation: return self._("add", amount)
    def increment(self, amount: int = 1) -> Operation: return self._("increment", amount)
    def compare_exchange(self, old: Any, new: Any) -> Operation: return self._("compare_exchange", (old, new))
    def update(self, function: Callable[[Any], Any]) -> Operation: return self._("update", function)
    def wait_until(self, holds: Callable[[Any], Any]) -> Operation: return self._("await", holds)
    def block_until(self, holds: Callable[[Any], Any]) -> Operation: return self._("until", holds)


class Data(Handle):
    """Shared data of which only the accesses are known."""

    __slots__ = ()

    def read(self) -> Operation: return self._("read")
    def write(self) -> Operation: return self._("write")


class Lock(Handle):
    """A lock; anybody may release it."""

    __slots__ = ()

    def acquire(self) -> Operation: return self._("acquire")
    def try_acquire(self) -> Operation: return self._("try")
    def timed_acquire(self) -> Operation: return self._("timed")
    def release(self) -> Operation: return self._("release")
    def locked(self) -> Operation: return self._("locked")


class RLock(Lock):
    """A re-entrant lock; the host keeps its inner steps to itself."""

    __slots__ = ()


class Semaphore(Handle):
    """A semaphore, bounded or not."""

    __slots__ = ()

    def acquire(self) -> Operation: return self._("acquire")
    def try_acquire(self) -> Operation: return self._("try")
    def timed_acquire(self) -> Operation: return self._("timed")
    def release(self, units: int = 1) -> Operation: return self._("release", units)


class Condition(Handle):
    """A condition variable on a lock of the same program."""

    __slots__ = ("_both", "lock")

    def __init__(self, index: int, name: str, lock: Lock) -> None:
        super().__init__("condition", index, name)
        self.lock, self._both = lock, (index, lock.index)

    def wait(self, *, spurious: bool = False) -> Steps:
        """Release the lock and wait to be notified; `spurious`: it may also wake up for no reason."""
        yield Operation("condition.wait", self._both)
        notified, depth = yield Operation(f"condition.resume{'_timed' if spurious else ''}", self._both)
        if not notified:
            yield Operation("condition.reacquire", self.lock.on, depth)
        return True

    def timed_wait(self) -> Steps:
        """As `wait`, or give up; returns whether it was notified."""
        yield Operation("condition.wait", self._both)
        notified, depth = yield Operation("condition.resume_timed", self._both)
        if not notified:
            yield Operation("condition.reacquire", self.lock.on, depth)
        return notified

    def notify(self, count: int = 1) -> Operation: return Operation("condition.notify", self._both, count)
    def notify_any(self, among: int = 8) -> Operation:
        """Wake one of those that wait, any of them; at most `among` may wait, else this raises RuntimeError."""
        return Operation("condition.notify_any", self._both, among)

    def notify_all(self) -> Operation: return Operation("condition.notify", self._both)


class Event(Handle):
    """A flag that can be waited for."""

    __slots__ = ()

    def set(self) -> Operation: return self._("set")
    def clear(self) -> Operation: return self._("clear")
    def is_set(self) -> Operation: return self._("is_set")
    def wait(self) -> Operation: return self._("wait")
    def timed_wait(self) -> Operation: return self._("timed")


class Barrier(Handle):
    """A meeting point of a fixed number of actors."""

    __slots__ = ("parties",)

    def __init__(self, index: int, name: str, parties: int) -> None:
        super().__init__("barrier", index, name)
        self.parties = parties

    def wait(self) -> Steps:
        """Wait for the others; returns this actor's position in the order of arrival."""
        position, generation, _ = yield self._("arrive")
        if position + 1 < self.parties:
            yield self._("pass", generation)
        return position


class Queue(Handle):
    """A queue, first in first out; getters answer (item,) or False."""

    __slots__ = ()

    def put(self, item: Any) -> Operation: return self._("put", item)
    def try_put(self, item: Any) -> Operation: return self._("try_put", item)
    def timed_put(self, item: Any) -> Operation: return self._("timed_put", item)
    def get(self) -> Operation: return self._("get")
    def try_get(self) -> Operation: return self._("try_get")
    def timed_get(self) -> Operation: return self._("timed_get")
    def length(self) -> Operation: return self._("length")
