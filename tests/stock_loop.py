"""asyncio's own loop, without a selector, on a clock that jumps, and with everything that a real one leaves open as a
choice: run again and again until there is none left. What the explorer is compared with (tests/fuzz_asyncio.py).

Open are, at each turn, which of the timers that are due come, in which order, unless they have to (they are overdue, or
were due when they were made); at each moment between two callbacks, and when the loop rests, whether somebody outside
cancels; and, also between two callbacks that one callback schedules, whether work of a thread comes to its end. What
comes from outside may come right before the next timer. Nothing is reduced, so the same outcome comes many times.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import heapq
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

__all__ = ["stock_runs"]


class AtRest(BaseException):
    """Nothing is ready, no timer is set and no thread is at work: for ever."""


class Chooser:
    """Every sequence of choices, one after the other."""

    def __init__(self) -> None:
        self._path: list[list[int]] = []  # what was chosen, of how many
        self._depth = 0

    def choose(self, count: int) -> int:
        if count == 1:
            return 0
        if self._depth == len(self._path):
            self._path.append([0, count])
        assert self._path[self._depth][1] == count, "the program does something else when it is run again"
        self._depth += 1
        return self._path[self._depth - 1][0]

    def go_on(self) -> bool:
        """Whether there is another sequence; it comes next."""
        self._depth = 0
        while self._path and self._path[-1][0] == self._path[-1][1] - 1:
            self._path.pop()
        if not self._path:
            return False
        self._path[-1][0] += 1
        return True


class Numbered(asyncio.Task):  # type: ignore[type-arg]  # of whatever
    """In a set tasks stand in the order in which they were made; of all orders this one is explored."""

    def __init__(self, coro: Any, *, number: int, **named: Any) -> None:
        self.number = number
        super().__init__(coro, **named)

    def __hash__(self) -> int:
        return self.number


class StockLoop(asyncio.SelectorEventLoop):
    """Its own turn; `target` is the name of the task that may be cancelled from outside, once."""

    def __init__(self, chooser: Chooser, target: str = "") -> None:
        self.now, self.chooser, self.target = 0.0, chooser, target
        self.at_work: list[concurrent.futures.Future[Any]] = []  # what threads have still to do
        self.results: dict[Any, Any] = {}
        self.certain: list[Any] = []
        self.heels = False  # whether something has come from outside while the loop was at rest
        self.made = 0
        super().__init__()
        self.set_task_factory(StockLoop.numbered)

    def numbered(self, coro: Any, **named: Any) -> Numbered:
        self.made += 1
        return Numbered(coro, loop=self, number=self.made, **named)

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        handle = super().call_at(when, callback, *args, context=context)
        if when <= self.now:
            self.certain.append(handle)
        return handle

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
        self.threads_end()
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        return super().call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        work: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self.at_work.append(work)
        self.results[work] = func(*args)
        self.threads_end()
        return asyncio.wrap_future(work, loop=self)

    def threads_end(self) -> None:
        """Any of the threads may be done now."""
        while self.at_work:
            which = self.chooser.choose(len(self.at_work) + 1)
            if which == len(self.at_work):
                return
            self._end(which)

    def _end(self, which: int) -> None:
        work = self.at_work.pop(which)
        if not work.cancelled():
            work.set_result(self.results[work])

    # -- a turn -------------------------------------------------------------------------------------------------------

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]  # of BaseEventLoop
        self._rest()
        if self.heels and (timer := self._first()) and self.now < timer.when() and self.chooser.choose(2):
            self.now = timer.when()
        self.heels = False
        for handle in self._due():
            ready.append(handle)
        for _ in range(len(ready)):
            self.moment()
            self.threads_end()
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()
        self.threads_end()

    def _rest(self) -> None:
        """With nothing to do: somebody cancels, a thread ends, or time passes."""
        if self._ready or self._stopping:  # type: ignore[attr-defined]
            return
        timer = self._first()
        if self.moment():
            self.heels = True
            return
        if timer is None and not self.at_work:
            raise AtRest
        way = self.chooser.choose(len(self.at_work) + (timer is not None))
        if way < len(self.at_work):
            self._end(way)
            self.heels = True
        else:
            self.now = max(self.now, timer.when())  # type: ignore[union-attr]  # or there was no such way

    def _first(self) -> Any:
        timers: Any = self._scheduled  # type: ignore[attr-defined]
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        return timers[0] if timers else None

    def _due(self) -> Iterator[Any]:
        """Those that come in this turn: of the earliest time all that have to, and any of those that may."""
        came = bool(self._ready)  # type: ignore[attr-defined]
        while (first := self._first()) is not None and first.when() <= self.now:
            group = sorted((handle for handle in self._scheduled  # type: ignore[attr-defined]
                            if not handle._cancelled and handle.when() == first.when()), key=self._is_optional)
            needed = sum(not self._is_optional(handle) for handle in group)
            which = self.chooser.choose(needed or len(group) + came)
            if which == len(group):
                return
            self._scheduled.remove(group[which])  # type: ignore[attr-defined]
            heapq.heapify(self._scheduled)  # type: ignore[attr-defined]
            group[which]._scheduled = False
            came = True
            yield group[which]

    def _is_optional(self, handle: Any) -> bool:
        return handle.when() == self.now and not any(handle is sure for sure in self.certain)

    def moment(self) -> bool:
        """Between two callbacks, and when the loop rests: whoever is outside may act. Answers whether they did."""
        task = next((task for task in asyncio.all_tasks(self) if task.get_name() == self.target), None)
        if task is None or task.done() or not self.chooser.choose(2):
            return False
        self.target = ""
        task.cancel()
        return True


def stock_runs(body: Callable[[], Any], target: str = "") -> Iterator[Any]:
    """What `body` answers on the stock loop, in every way in which what is open can go."""
    chooser = Chooser()
    while True:
        yield _stock_run(body, chooser, target)
        if not chooser.go_on():
            return


def _stock_run(body: Callable[[], Any], chooser: Chooser, target: str) -> Any:
    loop = StockLoop(chooser, target)
    loop.set_exception_handler(lambda loop, context: None)
    try:
        return loop.run_until_complete(body())
    finally:
        chooser.choose = lambda count: 0  # type: ignore[method-assign]  # what is closed now, is no part of the run
        loop.at_work.clear()
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own field
            with suppress(RuntimeError):  # it waits in a `finally`
                task.get_coro().close()  # type: ignore[union-attr]  # of a pending task it is there
        loop.close()
        del chooser.choose
