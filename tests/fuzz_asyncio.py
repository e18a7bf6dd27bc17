"""`python -m tests.fuzz_asyncio [PROGRAMS] [SEED]`: random coroutines, explored and run by the loop that ships.

asyncio leaves nothing open in a program without threads whose timers are due at different times: what the standard
library's own loop does, on a clock that jumps, is the one thing that may happen. With a task that somebody cancels
from outside there is one more run for each moment between two callbacks and each rest, and the stock loop is made
to cancel at each in turn. Explored outcomes have to be these, each as often as it comes.

Times are powers of two, so that no two sums of them are equal and no two timers tie.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import hocket

__all__ = ["differences", "program", "stock_runs"]

Block = list[Any]
_PLAIN = ("yield", "sleep", "set", "clear", "wait", "put", "get", "settle", "future", "meet", "cancel")
_NESTED = ("lock", "semaphore", "notify", "await", "spawn", "shield", "wait_for", "timeout", "gather", "group", "try")


# -- programs ---------------------------------------------------------------------------------------------------------


def program(draw: random.Random) -> list[Block]:
    """What one to three tasks do, as nested lists."""
    times = [2.0 ** power for power in range(40)]
    draw.shuffle(times)
    return [_block(draw, times, 2, 4) for _ in range(draw.randint(1, 3))]


def _block(draw: random.Random, times: list[float], depth: int, most: int) -> Block:
    return [_deed(draw, times, depth) for _ in range(draw.randint(1, most))]


def _deed(draw: random.Random, times: list[float], depth: int) -> tuple[Any, ...]:
    kind = draw.choice(_PLAIN + (_NESTED if depth else ()))
    which = draw.randint(0, 1)
    if kind in ("sleep", "wait_for", "timeout"):
        which = times.pop()  # type: ignore[assignment]  # seconds
    blocks = 2 if kind in ("gather", "group") else 1 if kind in _NESTED else 0
    return kind, which, *(_block(draw, times, depth - 1, 2) for _ in range(blocks))


class Running:
    """What the tasks of one program share, and what has happened."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.events = [asyncio.Event() for _ in range(2)]
        self.locks = [asyncio.Lock() for _ in range(2)]
        self.semaphores = [asyncio.Semaphore(1 + number) for number in range(2)]
        self.queues: list[asyncio.Queue[str]] = [asyncio.Queue(number) for number in range(2)]
        self.conditions = [asyncio.Condition() for _ in range(2)]
        self.futures = [asyncio.get_running_loop().create_future() for _ in range(2)]
        self.barrier = asyncio.Barrier(2)
        self.tasks: list[asyncio.Task[None]] = []
        self.spawned: list[asyncio.Task[None]] = []

    async def run(self, me: str, block: Block) -> None:
        for kind, which, *blocks in block:
            self.log.append((me, kind))
            await getattr(self, f"do_{kind}")(me, which, *blocks)

    async def do_yield(self, me: str, which: int) -> None:
        await asyncio.sleep(0)

    async def do_sleep(self, me: str, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def do_set(self, me: str, which: int) -> None:
        self.events[which].set()

    async def do_clear(self, me: str, which: int) -> None:
        self.events[which].clear()

    async def do_wait(self, me: str, which: int) -> None:
        await self.events[which].wait()

    async def do_put(self, me: str, which: int) -> None:
        await self.queues[which].put(me)

    async def do_get(self, me: str, which: int) -> None:
        self.log.append((me, "got", await self.queues[which].get()))

    async def do_settle(self, me: str, which: int) -> None:
        if not self.futures[which].done():
            self.futures[which].set_result(me)

    async def do_future(self, me: str, which: int) -> None:
        await asyncio.shield(self.futures[which])

    async def do_meet(self, me: str, which: int) -> None:
        await self.barrier.wait()

    async def do_cancel(self, me: str, which: int) -> None:
        self.tasks[which % len(self.tasks)].cancel()

    async def do_lock(self, me: str, which: int, block: Block) -> None:
        async with self.locks[which]:
            await self.run(me, block)

    async def do_semaphore(self, me: str, which: int, block: Block) -> None:
        async with self.semaphores[which]:
            await self.run(me, block)

    async def do_notify(self, me: str, which: int, block: Block) -> None:
        await self.run(me, block)
        async with self.conditions[which] as _:
            self.conditions[which].notify()

    async def do_await(self, me: str, which: int, block: Block) -> None:
        async with self.conditions[which] as _:
            await self.conditions[which].wait()
        await self.run(me, block)

    async def do_spawn(self, me: str, which: int, block: Block) -> None:
        self.spawned.append(asyncio.create_task(self.run(f"{me}s", block)))

    async def do_shield(self, me: str, which: int, block: Block) -> None:
        await asyncio.shield(self.run(f"{me}h", block))

    async def do_wait_for(self, me: str, seconds: float, block: Block) -> None:
        try:
            await asyncio.wait_for(self.run(f"{me}w", block), seconds)
        except TimeoutError:
            self.log.append((me, "late"))

    async def do_timeout(self, me: str, seconds: float, block: Block) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.run(me, block)
        except TimeoutError:
            self.log.append((me, "late"))

    async def do_gather(self, me: str, which: int, *blocks: Block) -> None:
        runs = [self.run(f"{me}{number}", block) for number, block in enumerate(blocks)]
        await asyncio.gather(*runs, return_exceptions=True)

    async def do_group(self, me: str, which: int, *blocks: Block) -> None:
        async with asyncio.TaskGroup() as group:
            for number, block in enumerate(blocks):
                group.create_task(self.run(f"{me}{number}", block))

    async def do_try(self, me: str, which: int, block: Block) -> None:
        try:
            await self.run(me, block)
        finally:
            self.log.append((me, "finally"))
            await asyncio.sleep(0)


def body_of(blocks: list[Block]) -> Callable[[], Any]:
    """A coroutine function that runs `blocks` as tasks a, b, c, ends them, and answers what happened."""

    async def body() -> tuple[Any, ...]:
        here = Running()
        here.tasks += [asyncio.create_task(here.run(name, block), name=name)
                       for name, block in zip("abc", blocks, strict=False)]
        await asyncio.wait(here.tasks, timeout=2.0 ** 60)
        here.log.append(tuple(task.done() for task in here.tasks))
        everybody = [*here.tasks, *here.spawned]
        for task in everybody:
            task.cancel()
        await asyncio.wait(everybody, timeout=2.0 ** 61)
        here.log += [type(task.exception()).__name__ if task.done() and not task.cancelled() else task.done()
                     for task in everybody]
        return tuple(here.log)

    return body


# -- the loop that ships, on a clock that jumps -----------------------------------------------------------------------


class AtRest(BaseException):
    """Nothing is ready and no timer is set: for ever."""


class StockLoop(asyncio.SelectorEventLoop):
    """Its own turn, without a selector; at moment `at` it cancels the task that is called `target`."""

    def __init__(self, target: str = "", at: int = -1) -> None:
        self.now, self.moments, self.target, self.at = 0.0, 0, target, at
        super().__init__()

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        timers, ready = self._scheduled, self._ready  # type: ignore[attr-defined]  # of BaseEventLoop
        self._forget(timers)
        if not ready and not self._stopping:  # type: ignore[attr-defined]
            if not timers:
                raise AtRest
            self.moment()
            if not ready:
                self.now = max(self.now, timers[0].when())
        while timers and (timers[0]._cancelled or timers[0].when() <= self.now):
            handle = heapq.heappop(timers)
            handle._scheduled = False
            if not handle._cancelled:
                ready.append(handle)
        for _ in range(len(ready)):
            self.moment()
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _forget(self, timers: list[Any]) -> None:
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False

    def moment(self) -> None:
        """Between two callbacks, and when the loop rests: whoever is outside may act."""
        task = next((task for task in asyncio.all_tasks(self) if task.get_name() == self.target), None)
        if task is not None and not task.done():
            if self.moments == self.at:
                task.cancel()
            self.moments += 1


def stock_runs(body: Callable[[], Any], target: str = "") -> Iterator[Any]:
    """What `body` answers on the stock loop: undisturbed, and with `target` cancelled at each of its moments."""
    answer, moments = _stock_run(body, target, -1)
    yield answer
    for at in range(moments):
        yield _stock_run(body, target, at)[0]


def _stock_run(body: Callable[[], Any], target: str, at: int) -> tuple[Any, int]:
    loop = StockLoop(target, at)
    loop.set_exception_handler(lambda loop, context: None)
    try:
        return loop.run_until_complete(body()), loop.moments
    finally:
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own field
            with suppress(RuntimeError):  # it waits in a `finally`
                task.get_coro().close()  # type: ignore[union-attr]  # of a pending task it is there
        loop.close()


# -- the comparison ---------------------------------------------------------------------------------------------------


def differences(seed: int) -> tuple[str, int]:
    """What is wrong with program number `seed`, if anything, and how many classes it has with a cancelled task."""
    draw = random.Random(seed)
    blocks = program(draw)
    body, classes = body_of(blocks), 0
    for target in ("", draw.choice("abc"[:len(blocks)])):
        expected = Counter(stock_runs(body, target))
        result = hocket.explore(body, data="off", cancel=target or None)
        classes = result.classes
        if result.verdict != "proved" or Counter(result.outcomes) != expected:
            return f"program {seed}, cancel={target!r}: {result}, expected {expected.total()} classes", classes
    return "", classes


def main(programs: str = "1000", seed: str = "0") -> int:
    classes = 0
    for number in range(int(seed), int(seed) + int(programs)):
        wrong, count = differences(number)
        classes += count
        if wrong:
            print(wrong)
            return 1
    print(f"{programs} programs from seed {seed}: {classes:,} classes, all as the stock loop has it")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
