"""Where somebody who cannot go on waits: a coroutine of an event loop, or a thread.

Everything in this room is written once, as coroutines, and serves both. What
differs is only how one sleeps: in a running event loop a waiter is a future of
that loop; in a thread without one it is a lock, and `await` holds the thread
instead of yielding. So a coroutine that awaits nothing but ours runs from
beginning to end in `finish`, without any loop. Refused: two copies of each
method (they drift apart), and a loop in every thread (a subsystem that computes
needs none).

A waiter may be woken from any thread, and more than once.
"""

from __future__ import annotations

import threading
from asyncio import AbstractEventLoop, Future
from asyncio.events import _get_running_loop
from collections.abc import Coroutine
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol, TypeVar

from hocket.errors import Refused

__all__ = ["Waiter", "deadline_in", "finish", "now", "until", "wait_among", "waiter_here"]

T = TypeVar("T")


class Waiter(Protocol):
    """Awaited once, by whoever made it; woken under the lock of what it waits for, more than once if need be."""

    def wake(self) -> None: ...

    async def wait(self, timeout: float | None) -> bool:
        """Whether it was woken, and did not run out of time (seconds)."""


def waiter_here() -> Waiter:
    """A waiter for whoever asks: of the running loop, or of the thread if it has none."""
    loop = _get_running_loop()
    return ThreadWaiter() if loop is None else LoopWaiter(loop)


def now() -> float:
    """The time (seconds) by which waiters here measure: the loop's, or the thread's monotonic clock."""
    loop = _get_running_loop()
    return monotonic() if loop is None else loop.time()


def until(deadline: float | None) -> float | None:
    """The seconds that are left until a time, for `Waiter.wait`."""
    return None if deadline is None else deadline - now()


def deadline_in(timeout: float | None) -> float | None:
    """The time at which so many seconds are over."""
    return None if timeout is None else now() + timeout


class Lock(Protocol):
    """A lock for a `with` statement."""

    def __enter__(self) -> bool: ...

    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> None: ...


class ThreadWaiter:
    """A thread sleeps on a lock that is taken; waking releases it."""

    __slots__ = ("_asleep", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._asleep = True

    def wake(self) -> None:
        if self._asleep:
            self._asleep = False
            self._lock.release()

    async def wait(self, timeout: float | None) -> bool:
        return self._lock.acquire(timeout=-1 if timeout is None else max(timeout, 0.0))


class LoopWaiter:
    """A coroutine sleeps on a future; from another thread its loop is told to wake it."""

    __slots__ = ("_future", "_loop", "_thread", "_woken")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._future: Future[None] = loop.create_future()
        self._woken = False

    def wake(self) -> None:
        self._woken = True
        if threading.get_ident() == self._thread:
            self._go_on()
        else:
            with suppress(RuntimeError):  # the loop was closed: nobody waits in it any more
                self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, timeout: float | None) -> bool:
        if timeout is None:
            await self._future
            return True
        timer = self._loop.call_later(max(timeout, 0.0), self._go_on)
        try:
            await self._future
        finally:
            timer.cancel()
        return self._woken


async def wait_among(waiter: Waiter, waiters: list[Waiter], guard: Lock, deadline: float | None) -> bool:
    """Wait as one of `waiters`, which `guard` guards, and be none of them afterwards; whether it was woken in time.

    Whoever wakes takes the woken off the list, so only who was not woken must look there. It is woken then as well: a
    thread's waiter is a lock, and would be held for ever.
    """
    woken = False
    try:
        woken = await waiter.wait(until(deadline))
    finally:
        if not woken:
            with guard:
                if waiter in waiters:
                    waiters.remove(waiter)
                waiter.wake()
    return woken


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of ours to its end in this thread, which has no event loop; its result.

    Raises Refused if it awaits something that only an event loop can serve.
    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise Refused(
        getattr(coroutine, "__qualname__", "a coroutine"),
        "run in a thread",
        "awaiting what only an event loop can serve",
        "awaits of hocket.orchestra only",
        "In a running loop await it; in a subsystem of your own use runtime='asyncio'",
    )
