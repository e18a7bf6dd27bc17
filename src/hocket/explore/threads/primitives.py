"""Stand-ins for what `_thread` and `_queue` make in C: Lock, RLock, SimpleQueue; and the seam of the runtimes.

Only what the standard library cannot write in Python is replaced. Condition,
Event, Semaphore, Barrier, queue.Queue and the executors are the standard
library's own code, running on these locks: what is explored is what ships,
its mistakes included, and the classes are the same as those of rows made for
them, because every field of theirs is touched under their lock only (where they
look without it, `Event.is_set` and the properties of Barrier, patch.py makes the
look a visible operation). The price is a few more steps per wait.

A lock that is made by a thread that is no actor is the real thing.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable
from types import GenericAlias
from typing import Any

from hocket.explore.threads.atomic import Controlled, check_outsider, number_of
from hocket.explore.threads.control import ACTORS, Actor, current
from hocket.explore.threads.pool import _get_ident
from hocket.trace.operation import Operation

__all__ = ["ExploredLock", "ExploredPrimitives", "ExploredRLock", "ExploredSimpleQueue"]

_Empty: type[Exception] = __import__("_queue").Empty
_CONDITION_WAIT = threading.Condition.wait.__code__
_EVENT_INIT = threading.Event.__init__.__code__
_THREAD_INIT = threading.Thread.__init__.__code__


def _checked_timeout(blocking: bool, timeout: float) -> float | None:
    """The time-out of an acquire; None for ever. Raises what `_thread.lock` raises."""
    if not blocking and timeout != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0 and timeout != -1:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return None if timeout == -1 else timeout


class _Gate(Controlled):
    """What Lock and RLock share: taking it in three ways, and saying who holds it."""

    _verbs: tuple[str, str, str]
    __slots__ = ("depth", "found_as", "owner", "real", "sign")

    def __init__(self) -> None:
        self.owner: Actor | None = None
        self.depth = 0
        self.real: Any = None  # for threads that are no actors, if this stands in for a lock that they may know
        self.sign = False  # a signal rather than a lock: whoever holds it at the end has forgotten nothing
        super().__init__()

    def _initial(self) -> Any:
        return None

    def _take(self, actor: Actor, blocking: bool, timeout: float) -> bool:
        control, verbs = actor.control, self._verbs
        number = self._number if self._home is control else number_of(self, actor)
        if blocking and timeout == -1:
            control.plain(actor, verbs[0], number)
        else:
            limit = _checked_timeout(blocking, timeout)
            if not control.plain(actor, verbs[1] if blocking and limit else verbs[2], number):
                if limit and limit < threading.TIMEOUT_MAX:  # else a whim (see patch.py): nobody waits for centuries
                    control.pass_time(actor, limit)
                return False
        self.owner, self.depth = actor, 1
        if not self.sign:
            control.held[number] = self
        return True

    def _now_free(self, actor: Actor) -> None:
        self.owner, self.depth = None, 0
        actor.control.held.pop(self._number, None)

    def _take_as_outsider(self, blocking: bool, timeout: float) -> bool:
        """For a thread that is no actor: the real lock; without one, whoever comes after the end finds it free."""
        if self.real is not None:
            return bool(self.real.acquire(blocking, timeout))
        check_outsider(self)
        return self.owner is None

    def _free_as_outsider(self) -> None:
        if self.real is not None:
            self.real.release()
        else:
            check_outsider(self)
        self.owner, self.depth = None, 0

    def _is_taken(self) -> bool:
        actor = current()
        if actor is None:
            return self.owner is not None
        return bool(actor.control.plain(actor, f"{self._family}.locked", number_of(self, actor)))

    def _at_fork_reinit(self) -> None:
        """It is free, whoever held it."""
        actor = current()
        if self.owner is not None and actor is not None:
            actor.control.plain(actor, f"{self._family}.release", number_of(self, actor))
            self._now_free(actor)
        self.owner, self.depth = None, 0

    def __repr__(self) -> str:
        """As that of a real lock, but for the address, which is its number: the same in every execution."""
        state = "locked" if self.owner is not None else "unlocked"
        return f"<{state} _thread.{self._told()} at {max(self._number, 0):#014x}>"

    def _told(self) -> str:
        return "lock object"


class ExploredLock(_Gate):
    """`_thread.lock`: anybody may release it."""

    __slots__ = ()
    _family = "lock"
    _verbs = ("lock.acquire", "lock.timed", "lock.try")

    def __new__(cls) -> Any:
        code = sys._getframe(1).f_code
        if code is _EVENT_INIT and sys._getframe(2).f_code is _THREAD_INIT:
            return _real_lock()  # of a thread's own `_started`
        actor = ACTORS.get(_get_ident())
        if actor is None or actor.control.over:
            return _real_lock()
        if code is _CONDITION_WAIT:
            return super().__new__(Waiter)
        if code.co_filename.startswith("<frozen"):
            return _real_lock()  # of an import
        return super().__new__(cls)

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        actor = ACTORS.get(_get_ident())
        if actor is None:
            return self._take_as_outsider(blocking, timeout)
        return self._take(actor, blocking, timeout)

    def release(self) -> None:
        actor = ACTORS.get(_get_ident())
        if actor is None:
            self._free_as_outsider()
            return
        if self.owner is not actor:
            self.sign = True  # acquired here and released there: not a lock of somebody, but a signal
        control = actor.control
        control.plain(actor, "lock.release", self._number if self._home is control else number_of(self, actor))
        self.owner, self.depth = None, 0
        control.held.pop(self._number, None)

    def locked(self) -> bool:
        return self._is_taken()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    acquire_lock, release_lock, locked_lock = acquire, release, locked  # the old names of `_thread`

    def _is_owned(self) -> bool:
        """For Condition, which would else try the lock to find out, and so add an operation that nobody wrote."""
        actor = current()
        if actor is None or self.owner is actor:
            return self.owner is not None
        if self._take(actor, False, -1):
            self.release()
            return False
        return True



class Waiter(ExploredLock):
    """The lock on which a Condition lets one thread wait: made held, so that the first acquire is no step."""

    __slots__ = ("fresh",)

    def __init__(self) -> None:
        super().__init__()
        self.sign = self.fresh = True
        actor = current()
        if actor is not None:
            actor.control.signals[self._number] = sys._getframe(1).f_locals.get("self")

    def _initial(self) -> Any:
        actor = current()
        return (actor.number, 1) if actor is not None else None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self.fresh:
            self.fresh = False
            return True
        return super().acquire(blocking, timeout)


class ExploredRLock(_Gate):
    """`_thread.RLock`: the inner acquires and releases of its owner can be seen by nobody, and are no steps."""

    __slots__ = ()
    _family = "rlock"
    _verbs = ("rlock.acquire", "rlock.timed", "rlock.try")

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        actor = current()
        if actor is None or actor.control.over or sys._getframe(1).f_code.co_filename.startswith("<frozen"):
            return _real_rlock()
        return super().__new__(cls)

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        actor = current()
        if actor is None:
            return self._take_as_outsider(blocking, timeout)
        if self.owner is actor:
            _checked_timeout(blocking, timeout)
            self.depth += 1
            return True
        return self._take(actor, blocking, timeout)

    def release(self) -> None:
        actor = current()
        if actor is None:
            self._free_as_outsider()
            return
        if self.owner is actor and self.depth > 1:
            self.depth -= 1
            return
        actor.control.plain(actor, "rlock.release", number_of(self, actor))
        self._now_free(actor)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def locked(self) -> bool:
        return self._is_taken()

    def _told(self) -> str:
        owner = self.owner.number + 1 if self.owner is not None else 0  # as get_ident says
        return f"RLock object owner={owner} count={self.depth}"

    def _is_owned(self) -> bool:
        actor = current()
        return actor is not None and self.owner is actor

    def _recursion_count(self) -> int:
        return self.depth if self._is_owned() else 0

    def _release_save(self) -> tuple[int, Any]:
        depth = self.depth
        self.depth = min(depth, 1)
        self.release()
        return depth, None

    def _acquire_restore(self, state: tuple[int, Any]) -> None:
        self.acquire()
        self.depth = state[0]


class ExploredSimpleQueue(Controlled):
    """`_queue.SimpleQueue`: unbounded, first in first out."""

    __slots__ = ("found_as", "real")
    _family = "queue"
    __class_getitem__: Any = classmethod(GenericAlias)

    def __new__(cls) -> Any:
        return super().__new__(cls) if current() is not None else _real_simple_queue()

    def _initial(self) -> Any:
        return (), 0

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        real = self._for_outsiders()
        if real is None:
            self._step("put", item)
        else:
            real.put(item)

    def put_nowait(self, item: Any) -> None:
        self.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        real = self._for_outsiders()
        if real is not None:
            return real.get(block, timeout)
        if block and timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        verb = "get" if block and timeout is None else "timed_get" if block and timeout else "try_get"
        taken = self._step(verb)
        if taken is False:
            actor = current()
            if actor is not None and block and timeout:
                actor.control.pass_time(actor, timeout)
            raise _Empty
        return taken[0]

    def get_nowait(self) -> Any:
        return self.get(False)

    def qsize(self) -> int:
        real = self._for_outsiders()
        size: int = self._step("length") if real is None else real.qsize()
        return size

    def empty(self) -> bool:
        return self.qsize() == 0

    def _for_outsiders(self) -> Any:
        """The real queue, if there is one and a thread asks that is no actor."""
        return getattr(self, "real", None) if current() is None else None

    def _step(self, verb: str, argument: Any = None) -> Any:
        actor = current()
        if actor is None or (verb == "put" and actor.control.over):  # a finaliser, perhaps: nobody is left to get it
            check_outsider(self)
            return False if verb.endswith("get") else 0
        return actor.control.step(actor, Operation(f"queue.{verb}", (number_of(self, actor),), argument))


_real_lock: Callable[[], Any] = _thread.allocate_lock
_real_rlock: Callable[[], Any] = _thread.RLock
_real_simple_queue: Callable[[], Any] = __import__("_queue").SimpleQueue


def made_outside(value: Any, name: str = "") -> Any:
    """The stand-in for a real lock that was made before the exploration; it starts each execution free.

    `name`: of the attribute, global or key by which it was found. If an actor finds it, it is none of its objects.
    """
    made: Any = object.__new__(_STANDS_FOR[type(value)])
    finder = ACTORS.pop(_get_ident(), None)
    made.__init__()
    if finder is not None:
        ACTORS[_get_ident()] = finder
    made.real, made.found_as = value, name
    return made


def is_real_lock(value: Any) -> bool:
    """Whether `value` is a lock of `_thread` that nobody holds, or a SimpleQueue with nothing in it."""
    return type(value) in LOCKS and not (bool(value.qsize()) if type(value) is _QUEUE else _is_held(value))


def _is_held(value: Any) -> bool:
    return bool(value.locked()) if type(value) is _LOCK else "owner=0" not in repr(value)


_LOCK, _RLOCK = type(_real_lock()), type(_real_rlock())
_QUEUE = _real_simple_queue
_STANDS_FOR: dict[Any, type] = {_LOCK: ExploredLock, _RLOCK: ExploredRLock, _QUEUE: ExploredSimpleQueue}
LOCKS = frozenset(_STANDS_FOR)
"""What blocks in C, and is exchanged where it was made before."""
"""The types of real locks."""


class ExploredPrimitives:
    """The seam of the runtimes (`Primitives`): lock, condition, thread and get_ident of the program under exploration.

    While an exploration goes on, `threading` itself is controlled; so these are the standard library's, and the
    runtime that is explored is the one that ships.
    """

    def lock(self) -> Any:
        return ExploredLock()

    def condition(self, lock: Any) -> threading.Condition:
        return threading.Condition(lock)

    def thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        return threading.Thread(target=target, name=name, daemon=True)

    def get_ident(self) -> int:
        actor = current()
        return actor.number + 1 if actor is not None else _get_ident()

    def longest_sleep(self) -> float | None:
        return None  # to look up now and then would be a choice at every wait
