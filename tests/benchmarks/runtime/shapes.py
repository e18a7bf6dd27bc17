"""What a task costs, as ratios in one run: `python -m tests.benchmarks.runtime.shapes [scale] [rounds]`.

Each shape is a graph of empty bodies; each contender runs it whole, from edges to
the last close. Times are the best of some rounds that are interleaved, because
machines are shared; what to read is the ratio to the bare loop, which calls the
same bodies in an order that is known beforehand. Nothing here is a timed test.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from hocket.graph import Graph, Task
from hocket.runtime import Scheduler, run_inline
from hocket.runtime.ticks import run_ticks

Edges = list[tuple[int, int]]  # (later, earlier), earlier < later
Body = Callable[[], object]
Contender = Callable[[int, Edges, Body], object]


# -- shapes: how many tasks, and which comes after which ---------------------------------------------------------------


def empty(size: int) -> tuple[int, Edges]:
    return size, []


def chain(size: int) -> tuple[int, Edges]:
    return size, [(n, n - 1) for n in range(1, size)]


def fork_join(size: int) -> tuple[int, Edges]:
    """100 stages, each of which forks and joins: by full size, 1,000 tasks a stage."""
    width = max(1, size // 100)
    edges: Edges = []
    for stage in range(100):
        first = stage * (width + 1)
        edges += [(first + n, first - 1) for n in range(width) if first]
        edges += [(first + width, first + n) for n in range(width)]
    return 100 * (width + 1), edges


def random_dag(size: int) -> tuple[int, Edges]:
    """A fifth of the tasks of the other shapes, and three times as many edges."""
    size, chance = max(2, size // 5), random.Random(7)
    edges = {tuple(sorted(chance.sample(range(size), 2), reverse=True)) for _ in range(3 * size)}
    return size, sorted(edges)  # type: ignore[arg-type]  # pairs


SHAPES = {shape.__name__: shape for shape in (empty, chain, fork_join, random_dag)}


# -- contenders --------------------------------------------------------------------------------------------------------


def bare_loop(size: int, edges: Edges, body: Body) -> None:
    for work in [body] * size:
        work()


def counter_loop(size: int, edges: Edges, body: Body) -> None:
    """The least that respects the edges: a counter for each task, no names, no outcomes, no failures."""
    following: list[list[int]] = [[] for _ in range(size)]
    waits = [0] * size
    for later, earlier in edges:
        following[earlier].append(later)
        waits[later] += 1
    ready = [n for n in range(size) if not waits[n]]
    for n in ready:
        body()
        for later in following[n]:
            waits[later] -= 1
            if not waits[later]:
                ready.append(later)


def _sorter(size: int, edges: Edges) -> TopologicalSorter[int]:
    before: dict[int, list[int]] = {n: [] for n in range(size)}
    for later, earlier in edges:
        before[later].append(earlier)
    sorter = TopologicalSorter(before)
    sorter.prepare()
    return sorter


def graphlib_loop(size: int, edges: Edges, body: Body) -> None:
    sorter = _sorter(size, edges)
    while sorter.is_active():
        for n in sorter.get_ready():
            body()
            sorter.done(n)


def thread_pool(size: int, edges: Edges, body: Body) -> None:
    """graphlib says what is ready, two threads of the standard library run it."""
    sorter = _sorter(size, edges)
    with ThreadPoolExecutor(2) as pool:
        running = {}
        while sorter.is_active():
            running.update((pool.submit(body), n) for n in sorter.get_ready())
            over, _ = wait(running, return_when=FIRST_COMPLETED) if len(running) < 1_000 else (list(running), None)
            for future in over:
                future.result()
                sorter.done(running.pop(future))


def inline(size: int, edges: Edges, body: Body) -> None:
    run_inline(_graph(size, edges, body))


def ticks(size: int, edges: Edges, body: Body) -> None:
    """In rounds, as the loop of a game would: a chain takes as many as it has tasks."""
    run_ticks(_graph(size, edges, body))


def one_worker(size: int, edges: Edges, body: Body) -> None:
    _threads(1, size, edges, body)


def two_workers(size: int, edges: Edges, body: Body) -> None:
    _threads(2, size, edges, body)


def spawned(size: int, edges: Edges, body: Body) -> None:
    """As a person writes it, task by task, while two workers run what is ready."""
    before: dict[int, list[int]] = {}
    for later, earlier in edges:
        before.setdefault(later, []).append(earlier)
    with Scheduler(2) as scheduler:
        tasks: list[object] = []
        for n in range(size):
            tasks.append(scheduler.spawn("t", body, after=[tasks[m] for m in before.get(n, ())]))  # type: ignore[misc]


def _graph(size: int, edges: Edges, body: Body) -> Graph:
    return Graph(tuple([Task("t", body)] * size), tuple(edges))


def _threads(workers: int, size: int, edges: Edges, body: Body) -> None:
    with Scheduler(workers) as scheduler:
        scheduler.add_graph(_graph(size, edges, body))


CONTENDERS: dict[str, Contender] = {
    contender.__name__: contender
    for contender in (
        *(bare_loop, counter_loop, graphlib_loop, thread_pool),
        *(inline, ticks, one_worker, two_workers, spawned),
    )
}


def one_multi(size: int, edges: Edges, body: Body) -> None:
    """Only for the shape without edges: all bodies as one task of many."""
    with Scheduler(2) as scheduler:
        scheduler.multi("m", size, lambda n: body())


# -- the run -----------------------------------------------------------------------------------------------------------


def nothing() -> None:
    """The body of every task."""


def _seconds(contender: Contender, size: int, edges: Edges) -> float:
    gc.collect()
    began = time.perf_counter()
    contender(size, edges, nothing)
    return time.perf_counter() - began


def table(scale: int, rounds: int) -> Iterable[str]:
    for name, shape in SHAPES.items():
        size, edges = shape(scale)
        contenders = {**CONTENDERS, **({"one_multi": one_multi} if not edges else {})}
        best = dict.fromkeys(contenders, float("inf"))
        for _ in range(rounds):
            for contender, run in contenders.items():
                best[contender] = min(best[contender], _seconds(run, size, edges))
        yield f"{name}: {size:,} tasks, {len(edges):,} edges"
        for contender, seconds in best.items():
            ratios = (seconds / best[other] for other in ("bare_loop", "counter_loop", "graphlib_loop", "thread_pool"))
            yield f"  {contender:14}{seconds / size * 1e6:9.2f} µs/task" + "".join(f"{ratio:9.2f}×" for ratio in ratios)


def main() -> None:
    scale, rounds = (int(said) for said in (*sys.argv[1:], *("100000", "3")[len(sys.argv) - 1 :]))
    print(f"{'':16}{'':17}      of a    of a    of        of a")
    print(f"{'':16}{'':17}      bare loop counter graphlib pool")
    for line in table(scale, rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
