"""Every runtime behind the calls of one, for scenarios that each must pass: `with scheduler(2) as s: s.spawn(...)`.

`Inline` is the scheduler without workers, whose joins run what is ready in the caller's thread. `OnLoop` is the
scheduler of an event loop that runs in a thread of its own; the test calls it from outside, and a join is an await in
that loop. Bodies are plain functions here, so on asyncio they run in its pool of threads and build from there.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from hocket.runtime import Handle, Scheduler
from hocket.runtime.aio import AsyncScheduler
from hocket.runtime.aio_handle import AsyncHandle

__all__ = ["Inline", "OnLoop", "concurrent", "every"]

GUARD = 30.0
"""Seconds that a broken scheduler may hang."""


class _Helping(Handle):
    __slots__ = ()

    def join(self, help: bool = True, timeout: float | None = None) -> Any:
        return super().join(help=True)


class Inline(Scheduler):
    """No workers: joining is running."""

    _handle = _Helping

    def __init__(self, workers: int = 1, **options: Any) -> None:
        super().__init__(0, **options)


class _Outside(AsyncHandle):
    __slots__ = ()

    def join(self, help: bool = False, timeout: float | None = None) -> Any:  # type: ignore[override]
        return self.value() if self.scheduler._closed else self.scheduler.there(super().join(timeout, help=help))

    def run_attached(self) -> Any:  # type: ignore[override]
        return self.scheduler.there(self.attached())

    async def attached(self) -> Any:
        self.scheduler.arm_if_idle(self)
        return await super().join(help=True)

    @property
    def result(self) -> Any:
        return self.join()


def _in_the_loop(name: str) -> Any:
    """That call, handed to the loop unless a body makes it."""
    plain = getattr(AsyncScheduler, name)

    def call(self: Any, *args: Any, **options: Any) -> Any:
        if asyncio._get_running_loop() is not None or threading.current_thread().name.startswith("hocket_"):
            return plain(self, *args, **options)

        async def called() -> Any:
            return plain(self, *args, **options)

        return self.there(called())

    return call


class OnLoop(AsyncScheduler):
    """An event loop in a thread of its own, and its scheduler, called from outside."""

    _handle = _Outside
    _spawn, _spawn_armed, add_graph, _tell, _link = map(
        _in_the_loop, ("_spawn", "_spawn_armed", "add_graph", "_tell", "_link")
    )
    story, check, add_worker, remove_worker = map(_in_the_loop, ("story", "check", "add_worker", "remove_worker"))

    def there(self, awaitable: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(awaitable, self._loop).result(GUARD)

    def __enter__(self) -> OnLoop:
        loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=loop.run_forever, name="the loop")
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.__aenter__(), loop).result(GUARD)
        return self

    def __exit__(self, *what: Any) -> None:
        try:
            self.there(self.__aexit__(*what))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self.thread.join(GUARD)
            self._loop.close()


every = pytest.mark.parametrize("scheduler", [Inline, Scheduler, OnLoop], ids=["inline", "threads", "asyncio"])
concurrent = pytest.mark.parametrize("scheduler", [Scheduler, OnLoop], ids=["threads", "asyncio"])
"""For scenarios in which a body waits for something that the test does meanwhile."""
