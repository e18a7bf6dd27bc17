"""What of asyncio belongs to one thread: locks, events, conditions, semaphores, barriers and queues.

None of them may be used by two threads, and nothing in them says so: `queue.put_nowait` in a thread works, until it
does not. Their code is the standard library's and not tracked. So, while other threads are about, whoever calls one of
their methods takes a step, by which either order of two calls is explored; and that a second thread calls is reported:
what could come in the middle of a call is not explored, and nothing is proved. Coroutine methods are left as they
are, for whoever asks whether they are some; they come to one of the others.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from hocket.explore.threads.control import Actor, Control, current
from hocket.explore.threads.patch import set_all

__all__ = ["kept_to_one_thread"]

_KINDS = {"asyncio.locks": ("Lock", "Event", "Condition", "Semaphore", "Barrier"), "asyncio.queues": ("Queue",)}


@contextmanager
def kept_to_one_thread() -> Iterator[None]:
    """For the time of an exploration each public method of these classes says who asks."""
    kinds = [getattr(sys.modules[home], name) for home, names in _KINDS.items() for name in names]
    replaced = [(kind, name, method) for kind in kinds for name, method in list(vars(kind).items())
                if type(method) is FunctionType and name[0] != "_" and not _is_coroutine(method)]
    set_all((kind, name, _announced(method)) for kind, name, method in replaced)
    try:
        yield
    finally:
        set_all(replaced)
        _USERS.forget()


_is_coroutine = functools.cache(inspect.iscoroutinefunction)  # both are asked in each exploration of a process


@functools.cache
def _announced(method: FunctionType) -> Callable[..., Any]:
    @functools.wraps(method)
    def announced(self: Any, *args: Any, **kwargs: Any) -> Any:
        actor = current()
        if actor is not None and len(actor.control.actors) > 1 and not actor.control.over:
            _USERS.called(self, actor)
        return method(self, *args, **kwargs)

    return announced


class _Users:
    """Who was the first to use which of them, in the execution that is going on."""

    def __init__(self) -> None:
        self._control: Control | None = None
        self._first: dict[int, tuple[Any, int, Actor]] = {}  # by id: itself, its number, and who

    def forget(self) -> None:
        self._control = None
        self._first.clear()

    def called(self, primitive: Any, actor: Actor) -> None:
        control = actor.control
        if control is not self._control:
            self.forget()
            self._control = control
        kind = type(primitive).__name__
        if id(primitive) not in self._first:
            number = control.execution.new_object(actor.number, f"asyncio.{kind}", 0)
            self._first[id(primitive)] = primitive, number, actor
        _, number, first = self._first[id(primitive)]
        control.plain(actor, "loop.hand_in", number)  # a change of this object, whatever it is
        observer: Any = control.session.observer
        if first is not actor and observer is not None:
            observer.met(f"asyncio.{kind}, which is for one thread, is used by several")


_USERS = _Users()
