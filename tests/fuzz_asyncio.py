"""`python -m tests.fuzz_asyncio [PROGRAMS] [SEED]`: random coroutines, explored and run by the loop that ships.

The standard library's own loop (tests/stock_loop.py) goes every way that asyncio leaves open: tasks that somebody
cancels from outside, timers that are due at one time, work of threads that ends at any moment. What may come out there
has to come out of the exploration, and nothing else; without threads, in no more classes than the stock loop has runs.

Half of the programs draw their times from powers of two, so that no two sums of them are equal and no two timers tie;
the others from three times that tie all the time.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import islice
from typing import Any

import hocket
from tests.stock_loop import stock_runs

__all__ = ["Program", "differences"]

Block = list[Any]
_PLAIN = ("yield", "sleep", "set", "clear", "wait", "put", "get", "settle", "future", "meet", "cancel", "later",
          "until", "variable")
_NESTED = ("lock", "semaphore", "notify", "await", "spawn", "shield", "wait_for", "timeout", "extended", "gather",
           "group", "try", "swallow", "first", "completed", "generator", "stack")
_BLOCKS = {"gather": 2, "group": 2, "first": 2, "completed": 2}
_TIMED = ("sleep", "wait_for", "timeout", "extended", "later")
_RUNS = 1_000
"""How many runs of the stock loop a program may have; what has more, and is not reduced there, is passed over.

Of a program with threads, so many classes are run: there are up to ten thousand of them for three outcomes, which then
may be fewer than the stock loop has.
"""

_LAST: contextvars.ContextVar[str] = contextvars.ContextVar("last", default="")


# -- programs ---------------------------------------------------------------------------------------------------------


class Program:
    """What one to three tasks do, as nested lists; with `ties` times are few, with `threads` some of it is theirs."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.ties, self.threads = seed % 2 == 1, seed % 6 == 3
        self.eager = seed % 5 == 4 and hasattr(asyncio, "eager_task_factory")
        self.times = [float(draw.randint(1, 3)) if self.ties else 2.0 ** power for power in range(40)]
        draw.shuffle(self.times)
        self.plain = (*_PLAIN, *("thread",) * (2 * self.threads))
        most = 2 if self.ties or self.threads else 4
        self.blocks = [self._block(draw, 2, most) for _ in range(draw.randint(1, 3))]
        self.target = draw.choice("abc"[:len(self.blocks)])

    def _block(self, draw: random.Random, depth: int, most: int) -> Block:
        return [self._deed(draw, depth) for _ in range(draw.randint(1, most))]

    def _deed(self, draw: random.Random, depth: int) -> tuple[Any, ...]:
        kind = draw.choice(self.plain + (_NESTED if depth else ()))
        which = self.times.pop() if kind in _TIMED else draw.randint(0, 1)
        blocks = _BLOCKS.get(kind, 1) if kind in _NESTED else 0
        return kind, which, *(self._block(draw, depth - 1, 2) for _ in range(blocks))


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

    async def do_thread(self, me: str, which: int) -> None:
        self.log.append((me, await asyncio.to_thread(str, which)))

    async def do_later(self, me: str, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self.log.append, (me, "later"))

    async def do_variable(self, me: str, which: int) -> None:
        self.log.append((me, _LAST.get()))
        _LAST.set(me)

    async def do_until(self, me: str, which: int) -> None:
        async with self.conditions[which] as _:
            await self.conditions[which].wait_for(lambda: self.futures[which].done())

    async def do_extended(self, me: str, seconds: float, block: Block) -> None:
        try:
            async with asyncio.timeout(seconds) as limit:
                await asyncio.sleep(0)
                limit.reschedule(limit.when() + seconds)
                await self.run(me, block)
        except TimeoutError:
            self.log.append((me, "late", limit.expired()))

    async def do_swallow(self, me: str, which: int, block: Block) -> None:
        try:
            await self.run(me, block)
        except asyncio.CancelledError:
            self.log.append((me, "swallowed", asyncio.current_task().uncancel()))  # type: ignore[union-attr]

    async def do_first(self, me: str, which: int, *blocks: Block) -> None:
        tasks = [asyncio.create_task(self.run(f"{me}{number}", block)) for number, block in enumerate(blocks)]
        self.spawned += tasks
        how = (asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION)[which]
        done, pending = await asyncio.wait(tasks, return_when=how)
        self.log.append((me, [task in done for task in tasks]))
        for task in tasks:
            if task in pending:
                task.cancel()

    async def do_completed(self, me: str, which: int, *blocks: Block) -> None:
        tasks = [asyncio.create_task(self.run(f"{me}{number}", block)) for number, block in enumerate(blocks)]
        self.spawned += tasks
        for each in asyncio.as_completed(tasks):
            await each
            self.log.append((me, "completed"))

    async def do_generator(self, me: str, which: int, block: Block) -> None:
        async with aclosing(self._generated(me, block)) as numbers:
            async for number in numbers:
                self.log.append((me, "number", number))
                if number == which:
                    break

    async def _generated(self, me: str, block: Block) -> AsyncIterator[int]:
        try:
            yield 0
            await self.run(me, block)
            yield 1
        finally:
            await asyncio.sleep(0)
            self.log.append((me, "closed"))

    async def do_stack(self, me: str, which: int, block: Block) -> None:
        async with AsyncExitStack() as stack:
            for number in range(which + 1):
                await stack.enter_async_context(self._entered(me, number))
            await self.run(me, block)

    @asynccontextmanager
    async def _entered(self, me: str, number: int) -> AsyncIterator[None]:
        await asyncio.sleep(0)
        try:
            yield
        finally:
            self.log.append((me, "left", number))
            await asyncio.sleep(0)

    async def do_try(self, me: str, which: int, block: Block) -> None:
        try:
            await self.run(me, block)
        finally:
            self.log.append((me, "finally"))
            await asyncio.sleep(0)


def body_of(program: Program) -> Callable[[], Any]:
    """A coroutine function that runs the blocks as tasks a, b, c, ends them, and answers what happened."""

    async def body() -> tuple[Any, ...]:
        if program.eager:
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
        here = Running()
        for name, block in zip("abc", program.blocks, strict=False):
            here.tasks.append(asyncio.create_task(here.run(name, block), name=name))
        await asyncio.wait(here.tasks, timeout=2.0 ** 60)
        here.log.append(tuple(task.done() for task in here.tasks))
        everybody = [*here.tasks, *here.spawned]
        for task in everybody:
            task.cancel()
        await asyncio.wait(everybody, timeout=2.0 ** 61)
        here.log += [type(task.exception()).__name__ if task.done() and not task.cancelled() else task.done()
                     for task in everybody]
        return tuple(map(str, here.log))

    return body


# -- the comparison ---------------------------------------------------------------------------------------------------


def differences(seed: int) -> tuple[str, int]:
    """What is wrong with program number `seed`, if anything, and how many classes it has with a cancelled task."""
    program = Program(seed)
    body, classes = body_of(program), 0
    for target in ("", program.target):
        wanted = list(islice(stock_runs(body, target), _RUNS))
        if len(wanted) == _RUNS:
            continue
        limit = _RUNS if program.threads else None
        result = hocket.explore(body, data="off", cancel=target or None, executions=limit)
        classes = result.classes
        if classes == limit and set(result.outcomes) <= set(wanted):
            continue
        too_many = classes > len(wanted) and not program.threads
        if result.verdict != "proved" or set(result.outcomes) != set(wanted) or too_many:
            return f"program {seed}, cancel={target!r}: {result}, expected {len(set(wanted))} outcomes", classes
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
