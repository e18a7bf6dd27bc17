"""Starting bodies and learning how they ended: subsystems and the jobs that they spawn.

A spawner says where bodies run; there is one for an event loop and one for
threads, and users may bring their own. It is given a function to call, and how
the call ended is kept here, not by the spawner: an exception reaches whoever
awaits the job, and if nobody does, the orchestra's main loop, with its origin
(in the seed it reached a log, O-B8).
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from inspect import iscoroutine
from typing import Any, Protocol

from hocket.orchestra.waiters import Waiter, deadline_in, finish, wait_among, waiter_here

__all__ = ["LoopSpawner", "Running", "Spawner", "ThreadSpawner"]


Canceller = Callable[[], object]


class Spawner(Protocol):
    """Where bodies run. `name` is for people, `group` the subsystem that a job belongs to."""

    def spawn(self, name: str, group: str, body: Callable[[], Coroutine[Any, Any, None]]) -> Canceller | None:
        """Start a coroutine function; gives a function that cancels it, or None if nothing can."""

    def spawn_blocking(self, name: str, group: str, body: Callable[[], None]) -> None:
        """Start an ordinary function that may hold its thread."""


class LoopSpawner:
    """Coroutines become tasks of the running loop, ordinary functions daemon threads."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()  # a loop keeps tasks weakly

    def spawn(self, name: str, group: str, body: Callable[[], Coroutine[Any, Any, None]]) -> Canceller | None:
        task = asyncio.get_running_loop().create_task(body(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task.cancel

    def spawn_blocking(self, name: str, group: str, body: Callable[[], None]) -> None:
        _start_thread(name, body)


class ThreadSpawner:
    """Everything gets a daemon thread; coroutines may await nothing but ours. Nothing can be cancelled."""

    def spawn(self, name: str, group: str, body: Callable[[], Coroutine[Any, Any, None]]) -> Canceller | None:
        _start_thread(name, lambda: finish(body()))
        return None

    def spawn_blocking(self, name: str, group: str, body: Callable[[], None]) -> None:
        _start_thread(name, body)


def _start_thread(name: str, body: Callable[[], None]) -> None:
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(body,), name=name, daemon=True).start()


class Running:
    """A body that was started, and how it ended; `origin` says whose it is."""

    def __init__(self, origin: str, name: str, on_end: Callable[[Running], None]) -> None:
        self.origin, self.name = origin, name
        self.ended = False
        self.cancelled = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.begun = False
        self.awaited = False  # somebody takes what it raised
        self.canceller: Canceller | None = None  # as the spawner gave it
        self._on_end = on_end
        self._lock = threading.Lock()
        self._waiters: list[Waiter] = []

    def __repr__(self) -> str:
        state = "runs" if not self.ended else "cancelled" if self.cancelled else "failed" if self.error else "ended"
        return f"<{self.name} {state}>"

    async def call(self, body: Callable[[], Any]) -> None:
        """Run a body, a coroutine function or not, and keep how it ended."""
        self.begun = True
        try:
            made = body()
            value = await made if iscoroutine(made) else made
        except asyncio.CancelledError:
            self._end(cancelled=True)
            raise
        except BaseException as error:
            self._end(error=error)
            if not isinstance(error, Exception):
                raise
        else:
            self._end(value=value)

    def call_blocking(self, body: Callable[[], Any]) -> None:
        """The same, in a thread."""
        finish(self.call(body))

    def cancel(self) -> bool:
        """Ask it to stop, if it can be asked; what has not begun has ended with that (a loop never enters it)."""
        if self.canceller is None or self.ended:
            return False
        self.canceller()
        if not self.begun:
            self._end(cancelled=True)
        return True

    def _end(self, value: Any = None, error: BaseException | None = None, cancelled: bool = False) -> None:
        self.value, self.error, self.cancelled = value, error, cancelled
        self._on_end(self)
        with self._lock:
            self.ended = True
            for waiter in self._waiters:
                waiter.wake()
            self._waiters.clear()

    async def done(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; whether it has, within `timeout` seconds."""
        deadline = deadline_in(timeout)
        while True:
            with self._lock:
                if self.ended:
                    return True
                waiter = waiter_here()
                self._waiters.append(waiter)
            if not await wait_among(waiter, self._waiters, self._lock, deadline):
                return self.ended

    async def result(self, timeout: float | None = None) -> Any:
        """What it returned; raises what it raised, or TimeoutError."""
        self.awaited = True
        if not await self.done(timeout):
            raise TimeoutError(f"{self.name!r} did not end within {timeout} s")
        if self.error is not None:
            raise self.error
        if self.cancelled:
            raise asyncio.CancelledError(f"{self.name!r} was cancelled")
        return self.value
