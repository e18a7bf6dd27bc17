"""What a task on an event loop costs, beside a task group: `python -m tests.benchmarks.runtime.loop_costs [scale]`.

The shapes are those of `shapes.py`, with empty `async def` bodies. A contender of asyncio's own is written as one would
by hand: a task awaits those that it comes after. Times are CPU time of the process, the best of some rounds that are
interleaved, because machines are shared; what to read is the ratio. Nothing here is a timed test.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from hocket.graph import Graph, Task
from hocket.runtime.aio import AsyncScheduler
from tests.benchmarks.runtime.shapes import SHAPES, Edges

Body = Callable[[], Coroutine[Any, Any, None]]
Contender = Callable[[int, Edges, Body], Coroutine[Any, Any, None]]


def _earlier(edges: Edges) -> dict[int, list[int]]:
    before: dict[int, list[int]] = {}
    for later, earlier in edges:
        before.setdefault(later, []).append(earlier)
    return before


async def task_group(size: int, edges: Edges, body: Body) -> None:
    """A task for each, which awaits those before it and then the body."""
    before = _earlier(edges)
    tasks: list[asyncio.Task[None]] = []

    async def after(earlier: list[int]) -> None:
        for number in earlier:
            await tasks[number]
        await body()

    async with asyncio.TaskGroup() as group:
        for number in range(size):
            tasks.append(group.create_task(after(before[number]) if number in before else body()))


async def spawned(size: int, edges: Edges, body: Body) -> None:
    before = _earlier(edges)
    async with AsyncScheduler() as scheduler:
        tasks: list[Any] = []
        for number in range(size):
            tasks.append(scheduler.spawn("t", body, after=[tasks[n] for n in before.get(number, ())]))


async def graph(size: int, edges: Edges, body: Body) -> None:
    async with AsyncScheduler() as scheduler:
        scheduler.add_graph(Graph((Task("t", body),) * size, tuple(edges)))


async def ten_places(size: int, edges: Edges, body: Body) -> None:
    async with AsyncScheduler(workers=10) as scheduler:
        scheduler.add_graph(Graph((Task("t", body),) * size, tuple(edges)))


async def one_multi(size: int, edges: Edges, body: Body) -> None:
    """Only for the shape without edges: all bodies as one task of many."""

    async def indexed(_: int) -> None:
        await body()

    async with AsyncScheduler() as scheduler:
        scheduler.multi("m", size, indexed)


CONTENDERS: dict[str, Contender] = {
    contender.__name__: contender for contender in (task_group, spawned, graph, ten_places)
}


async def nothing() -> None:
    """The body of every task."""


def _seconds(contender: Contender, size: int, edges: Edges) -> float:
    gc.collect()
    began = time.process_time()
    asyncio.run(contender(size, edges, nothing))
    return time.process_time() - began


def table(scale: int, rounds: int) -> Iterable[str]:
    for name, shape in SHAPES.items():
        size, edges = shape(scale)
        contenders = {**CONTENDERS, **({} if edges else {"one_multi": one_multi})}
        best = dict.fromkeys(contenders, float("inf"))
        for _ in range(rounds):
            for contender, run in contenders.items():
                best[contender] = min(best[contender], _seconds(run, size, edges))
        yield f"{name}: {size:,} tasks, {len(edges):,} edges"
        for contender, seconds in best.items():
            ratio = seconds / best["task_group"]
            yield f"  {contender:14}{seconds / size * 1e6:9.2f} µs/task {ratio:9.2f}× a task group"


def main() -> None:
    scale, rounds = (int(said) for said in (*sys.argv[1:], *("100000", "3")[len(sys.argv) - 1 :]))
    for line in table(scale, rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
