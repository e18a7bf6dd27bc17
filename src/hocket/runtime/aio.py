"""An event loop over one kernel: the scheduler for `async def` bodies, and for sync ones beside them.

The crew begins bodies and hears how they end; `building.py` makes tasks; here are
the joins and the end. It has no rules of its own: what may run, what a failure does
and when a task closes are the kernel's to say.

Leaving the `async with` block waits for everything, as `asyncio.TaskGroup` does.
Whoever waits there may be cancelled: then what runs is interrupted and awaited, what
has not started is cancelled, and the cancellation goes on when all has closed.
"""

from __future__ import annotations

import asyncio
import os
from asyncio import CancelledError, Future
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import Any, Self

from hocket.errors import Refused
from hocket.graph import Expression, Graph, graph_of
from hocket.kernel import Kernel, Phase, Policy, Stimulus
from hocket.kernel.kernel import Watch
from hocket.runtime.aio_crew import wake
from hocket.runtime.aio_handle import AsyncHandle
from hocket.runtime.aio_workers import AsyncWorkers
from hocket.runtime.pickers import Picker
from hocket.runtime.run import How, Run
from hocket.runtime.task import Task

__all__ = ["AsyncScheduler", "run_async", "run_in_new_loop"]


class AsyncScheduler(AsyncWorkers):
    """Tasks with dependencies on an event loop; their handles are awaited.

    `workers`: how many bodies are in flight at most, or a name for each; they may be added and removed at any time.
    None for any number. `threads`: how many sync bodies run at once,
    in threads that are the scheduler's own. `policy`: what a failure does to the other tasks, "isolate" (dependents
    are skipped), "fail_fast" (nothing else starts) or "branch" (parents do not fail). `picker`: which ready task is
    taken next. Leaving the `async with` block arms what is idle, waits for everything, and raises the failures that
    nobody asked for, one as itself, several as a group. If the block raises or is cancelled, what runs on the loop is
    interrupted, what runs in threads is awaited, and what has not started is cancelled.

    >>> import asyncio
    >>> async def forty():
    ...     return 40
    >>> async def main():
    ...     async with AsyncScheduler(workers=10) as s:
    ...         a = s.spawn("a", forty)
    ...         b = s.spawn("b", lambda x: x + 2, after={"x": a})
    ...         return await b
    >>> asyncio.run(main())
    42

    Source: Choir's scenarios (CH-01 to CH-X7) on asyncio; structured as `asyncio.TaskGroup` and trio's nurseries are.
    """

    def __init__(
        self,
        workers: int | Iterable[str] | None = None,
        *,
        threads: int | None = None,
        policy: Policy | str = Policy.ISOLATE,
        picker: str | Picker[AsyncHandle] = "fifo",
        seed: int = 0,
        watch: Watch | None = None,
    ) -> None:
        threads = min(32, (os.cpu_count() or 1) + 4) if threads is None else threads
        _refuse_no_threads(threads)
        super().__init__(Kernel(Policy(policy), watch), workers, threads, picker, seed)
        self._closers: list[Future[bool]] = []  # who waits for the end
        self._telling = False  # the idle, at the end

    # -- building -----------------------------------------------------------------------------------------------------

    def iter(
        self,
        name: str,
        items: Iterable[Any] | AsyncIterable[Any],
        body: Callable[..., Any],
        *,
        lazy: bool = False,
        **options: Any,
    ) -> AsyncHandle:
        """One task that calls `body(item)` for each of `items`, each once (CH-05); `options` as for `multi`.

        Plain items are taken now; with `lazy`, each when there is a place for its body, and on the loop. Those of an
        async iterator are always taken so, one after the other. What an iterator raises later fails the task.
        """
        if isinstance(items, AsyncIterable):
            return self._many(name, aiter(items), body, **options)
        return super().iter(name, items, body, lazy=lazy, **options)

    def _refuse_when_closed(self, name: str) -> None:
        if self._closed:
            super()._refuse_when_closed(name)
        if self._alone and (self._loop is None or asyncio._get_running_loop() is not self._loop):
            self._refuse_strangers(name, "added")

    def _mine(self, task: Task) -> Any:
        mine = super()._mine(task)
        self._refuse_strangers(task.name, "used")
        return mine

    def _refuse_strangers(self, thing: str, did: str) -> None:
        """Who may build: the loop, and bodies in threads, which there are from when there is a pool for them."""
        if self._alone and asyncio._get_running_loop() is not self._loop:
            raise Refused(thing, did, "of an event loop that does not run here", "a call in its loop", _STRANGER)
        if self._loop is None:
            raise Refused(thing, did, "too early: nobody has entered the scheduler", "an open scheduler", _ENTER)

    def interrupt(self, task: AsyncHandle) -> None:
        node = self._mine(task).node
        lives = [life for life, of in list(self._lives.items()) if of is task]
        if not lives:
            where = " in a thread" if node.phase is Phase.RUNNING else ""
            cure = "cancel() keeps a task from starting." if node.phase < Phase.RUNNING else ""
            raise Refused(task.name, "interrupted", f"{node.phase}{where}", "running on the loop", cure)
        for life in lives:
            self._loop.call_soon_threadsafe(life.cancel)

    # -- joining ------------------------------------------------------------------------------------------------------

    async def join(self, task: AsyncHandle, timeout: float | None, help: bool = False) -> None:
        self._refuse_elsewhere(task.name, "awaited")
        if task.outcome is not None:
            return
        life = self._life_here()
        with self._joining(task, life), self._helped(help or life is not None):
            self._step_aside(life)
            in_time = False
            try:
                in_time = await self._close_of(task, timeout)
            finally:
                await self._step_back(life, at_once=not in_time)
        if not in_time and task.outcome is None:
            raise TimeoutError(f"after {timeout} s, {self.story(task)}")

    def _refuse_elsewhere(self, thing: str, did: str) -> None:
        if asyncio._get_running_loop() is not self._loop:
            raise Refused(thing, did, "of another event loop", "a call in the loop of its scheduler", _ELSEWHERE)

    def _joining(self, task: AsyncHandle, life: Any) -> AbstractContextManager[None]:
        """For as long as it lasts, the body that joins closes after the task; whoever is in none holds nobody up."""
        return nullcontext() if life is None else self._held_up(task, self._lives[life])

    @contextmanager
    def _held_up(self, task: AsyncHandle, body: AsyncHandle) -> Iterator[None]:
        """The body closes after the task; refused if that would be a circle."""
        with self._lock:  # others may build from threads; it is not held while this one waits
            self._refuse_to_wait_for_oneself([body], task)
            waiting = self._joins.waiting(task.entered(), [body.entered()])
            waiting.__enter__()
        try:
            yield
        finally:
            with self._lock:
                waiting.__exit__(None, None, None)

    async def _close_of(self, task: AsyncHandle, timeout: float | None) -> bool:
        """Whether it closed in time."""
        waiter: Future[bool] = self._loop.create_future()
        alarm = None if timeout is None else self._loop.call_later(max(0, timeout), _expire, waiter)
        if not task.waiters:
            task.waiters = {}
        task.waiters[waiter] = None
        self._joiners[waiter] = task
        if not self._places and not self._in_flight:
            self._nobody_is_left()
        try:
            return await waiter
        finally:
            del task.waiters[waiter], self._joiners[waiter]
            if alarm is not None:
                alarm.cancel()

    # -- the end ------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._loop is not None:
            raise Refused("the scheduler", "entered", "entered already", "a new one", "Make one for each block.")
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(cancel=error is not None)
        if error is None:
            self._raise_what_nobody_asked_for()
        else:
            self._note_what_nobody_asked_for(error)

    async def close(self, cancel: bool = False) -> None:
        """Run what is left and wait for it; with `cancel`, only what has started, which is interrupted.

        Whoever is cancelled here passes it on in the same way, and is cancelled when everything has closed.
        """
        self._refuse_elsewhere("the scheduler", "closed")
        if self._life_here() is not None:
            raise Refused("the scheduler", "closed", "running the body that closes it", "a call from outside")
        if self._closed:
            return
        if cancel:
            self._stop()
        else:
            self._closing = self._closing or Stimulus.ARMED
            if not self._places:
                self._count_places()
            with self._lock:
                self._tell_the_idle(self._is_at_rest())
        cancelled = await self._all_closed()
        self._closed = True
        self._threads.end()
        if cancelled is not None:
            raise cancelled

    async def _all_closed(self) -> CancelledError | None:
        """Wait until nothing is open and nobody at work; with what the caller was cancelled meanwhile, if it was."""
        cancelled = None
        while self._in_flight or self._light or not self._kernel.idle:
            closer: Future[bool] = self._loop.create_future()
            self._closers.append(closer)
            try:
                await closer
            except CancelledError as error:
                cancelled = error
                self._stop()
        return cancelled

    def _look_after_the_end(self) -> None:
        if self._kernel.idle and not self._light:
            while self._closers:
                wake(self._closers.pop())
        elif self._is_at_rest() and not self._telling:
            self._telling = True
            with self._lock:
                self._tell_the_idle(at_rest=True)
            self._telling = False

    def _note_what_nobody_asked_for(self, error: BaseException) -> None:
        """The block raises its own error; what failed beside it is told with that."""
        for task in self._failed:
            if not task.taken_note_of() and task._error is not error:
                error.add_note(f"hocket: meanwhile, {self.story(task)}: {task._error!r}")


_ENTER = "Say async with AsyncScheduler() as s."
_STRANGER = "From another thread: loop.call_soon_threadsafe(scheduler.spawn, ...)."
_ELSEWHERE = "From a thread or another loop: asyncio.run_coroutine_threadsafe(handle.join(), loop)."


def _refuse_no_threads(threads: object) -> None:
    if not isinstance(threads, int):
        raise TypeError(f"threads is a number, not {threads!r}: how many sync bodies run at once")
    if threads < 1:
        raise ValueError(f"there cannot be {threads} threads, for no sync body would run; their number is 1 or more")


def _expire(waiter: Future[bool]) -> None:
    if not waiter.done():
        waiter.set_result(False)


# -- whole graphs ------------------------------------------------------------------------------------------------------


async def run_async(
    graph: Expression | Graph, *, workers: int | None = None, check: bool = True, **options: Any
) -> Run:
    """Run every task of a graph once, each after what it waits for, in the running event loop: `hocket.run`, awaited.

    `workers` and `options` are those of `AsyncScheduler`. With `check`, what the bodies raised is raised here; without,
    the `Run` says it. If the caller is cancelled, everything is, before that goes on.

    >>> import asyncio
    >>> from hocket.graph import fork, seq, task
    >>> asyncio.run(run_async(seq(task(int), fork(task(str), task(list))))).results
    {'int': 0, 'str': '', 'list': []}

    Raises CycleError, before anything has run, when tasks wait for each other.
    """
    flat = graph if isinstance(graph, Graph) else graph_of(graph)
    async with AsyncScheduler(workers, **options) as scheduler:
        handles: list[Task] = list(scheduler.add_graph(flat))
        await scheduler.close()
        for handle in handles:
            handle.exception  # noqa: B018  # it is ours to report
    result = Run(tuple(handles))
    if check:
        result.raise_if_failed()
    return result


def run_in_new_loop(graph: Graph, how: How) -> list[Task]:
    """The runtime "asyncio" of `hocket.run`. Raises Refused where a loop runs already."""
    if asyncio._get_running_loop() is not None:
        raise Refused(
            "hocket.run", "called", "in a running event loop", "a thread without one", "Say await hocket.run_async()."
        )
    options = {"policy": how.policy, "watch": how.watch, "picker": how.picker, "seed": how.seed}
    ran = asyncio.run(run_async(graph, workers=how.workers, check=False, **options))
    return list(ran.tasks)
