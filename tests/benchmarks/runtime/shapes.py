"""What a task costs, as ratios in one run: `python -m tests.benchmarks.runtime.shapes [scale] [rounds]`.

Each shape is a graph of empty bodies; each contender runs it whole, from edges to
the last close. Times are CPU of the whole process, the best of some rounds that are
interleaved, because machines are shared; what to read is the ratio to the bare loop, which calls the
same bodies in an order that is known beforehand. Nothing here is a timed test.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import threading
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from graphlib import TopologicalSorter
from importlib.util import find_spec
from itertools import chain as chain_of

from hocket.graph import Graph, Task
from hocket.runtime import Scheduler, run, run_inline
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
    following, waits = _counters(size, edges)
    ready = [n for n in range(size) if not waits[n]]
    for n in ready:
        body()
        for later in following[n]:
            waits[later] -= 1
            if not waits[later]:
                ready.append(later)


def _counters(size: int, edges: Edges) -> tuple[list[list[int]], list[int]]:
    following: list[list[int]] = [[] for _ in range(size)]
    waits = [0] * size
    for later, earlier in edges:
        following[earlier].append(later)
        waits[later] += 1
    return following, waits


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


def task_group(size: int, edges: Edges, body: Body) -> None:
    """asyncio: a task is created when it is ready, in one TaskGroup."""
    following, waits = _counters(size, edges)

    async def one(n: int, group: asyncio.TaskGroup) -> None:
        body()
        for later in following[n]:
            waits[later] -= 1
            if not waits[later]:
                group.create_task(one(later, group))

    async def whole() -> None:
        async with asyncio.TaskGroup() as group:
            for n in [n for n in range(size) if not waits[n]]:
                group.create_task(one(n, group))

    asyncio.run(whole())


def dask_threads(size: int, edges: Edges, body: Body) -> None:
    """dask's threaded scheduler with two workers, on the whole graph."""
    from dask.threaded import get

    before: dict[int, list[int]] = {n: [] for n in range(size)}
    for later, earlier in edges:
        before[later].append(earlier)
    get({n: (lambda *_: body(), *earlier) for n, earlier in before.items()}, list(range(size)), num_workers=2)


def inline(size: int, edges: Edges, body: Body) -> None:
    run_inline(_graph(size, edges, body))


def ticks(size: int, edges: Edges, body: Body) -> None:
    """In rounds, as the loop of a game would: a chain takes as many as it has tasks."""
    run_ticks(_graph(size, edges, body))


def no_worker(size: int, edges: Edges, body: Body) -> None:
    """The scheduler without threads: whoever closes it runs everything."""
    _threads(0, size, edges, body)


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
    run(_graph(size, edges, body), "threads", workers=workers)


def added(size: int, edges: Edges, body: Body) -> None:
    """Given to a scheduler with two workers at once: a handle for each task."""
    with Scheduler(2) as scheduler:
        scheduler.add_graph(_graph(size, edges, body))


CONTENDERS: dict[str, Contender] = {
    contender.__name__: contender
    for contender in (
        *(bare_loop, counter_loop, graphlib_loop, thread_pool, task_group),
        *([dask_threads] if find_spec("dask") else []),
        *(inline, ticks, no_worker, one_worker, two_workers, added, spawned),
    )
}

_SLOW = {dask_threads: 5_000}  # at most so many tasks


# -- one task of many bodies, and a tree that grows --------------------------------------------------------------------


def multi(workers: int, size: int) -> None:
    with Scheduler(workers) as scheduler:
        scheduler.multi("m", size, nothing_with)


def bare_calls(_: int, size: int) -> None:
    for n in range(size):
        nothing_with(n)


def deque_tree(_: int, depth: int) -> None:
    """The least: what is to be called next, in a deque."""
    agenda = deque([depth])
    while agenda:
        left = agenda.pop()
        nothing()
        if left:
            agenda += (left - 1, left - 1)


def pool_tree(workers: int, depth: int) -> None:
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        left, over = [2 ** (depth + 1) - 1], threading.Event()
        counting = threading.Lock()

        def node(depth: int) -> None:
            nothing()
            if depth:
                pool.submit(node, depth - 1), pool.submit(node, depth - 1)
            with counting:
                left[0] -= 1
                if not left[0]:
                    over.set()

        pool.submit(node, depth)
        over.wait()


def group_tree(_: int, depth: int) -> None:
    async def node(depth: int, group: asyncio.TaskGroup) -> None:
        nothing()
        if depth:
            group.create_task(node(depth - 1, group)), group.create_task(node(depth - 1, group))

    async def whole() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(node(depth, group))

    asyncio.run(whole())


def spawn_tree(workers: int, depth: int) -> None:
    with Scheduler(workers, picker="lifo") as scheduler:

        def node(depth: int) -> None:
            nothing()
            if depth:
                scheduler.spawn("n", partial(node, depth - 1)), scheduler.spawn("n", partial(node, depth - 1))

        scheduler.spawn("n", partial(node, depth))


def bytes_waiting(add: Callable[[Scheduler, int], object], size: int) -> float:
    """What a task takes that waits for one that is idle."""
    scheduler = Scheduler(0)
    add(scheduler, 100)
    gc.collect()
    tracemalloc.start()
    kept = add(scheduler, size)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    scheduler.close(cancel=True)
    del kept
    return used / size


def spawned_behind(scheduler: Scheduler, size: int) -> object:
    gate = scheduler.spawn("gate", None, run=False)
    return [scheduler.spawn("t", nothing, after=[gate]) for _ in range(size)]


def graph_behind(scheduler: Scheduler, size: int) -> object:
    gate = scheduler.spawn("gate", None, run=False)
    tasks = Graph((Task("first", nothing), *[Task("t", nothing)] * size), tuple((n, 0) for n in range(1, size + 1)))
    return gate, scheduler.add_graph(tasks)


# -- the run -----------------------------------------------------------------------------------------------------------


def nothing() -> None:
    """The body of every task."""


def nothing_with(_: int) -> None:
    """The body of every index."""


def _seconds(run: Callable[..., object], *what: object) -> float:
    """Of CPU, of all threads of this process: others use the machine as well."""
    gc.collect()
    began = time.process_time()
    run(*what)
    return time.process_time() - began


def _best(rounds: int, runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The best of some rounds in which they take turns."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, one in runs.items():
            best[name] = min(best[name], _seconds(one))
    return best


def table(scale: int, rounds: int) -> Iterable[str]:
    for name, shape in SHAPES.items():
        sizes = {contender: shape(min(scale, _SLOW.get(one, scale))) for contender, one in CONTENDERS.items()}
        best = _best(rounds, {each: partial(one, *sizes[each], nothing) for each, one in CONTENDERS.items()})
        cost = {contender: seconds / sizes[contender][0] for contender, seconds in best.items()}
        size, edges = shape(scale)
        yield f"{name}: {size:,} tasks, {len(edges):,} edges"
        for contender, each in cost.items():
            ratios = (each / cost[other] for other in ("bare_loop", "counter_loop", "graphlib_loop", "thread_pool"))
            yield f"  {contender:14}{each * 1e6:9.2f} µs/task" + "".join(f"{ratio:9.2f}×" for ratio in ratios)


def table_of_others(scale: int, rounds: int) -> Iterable[str]:
    """One task of many bodies, a tree that grows, and what a waiting task takes."""
    indices: dict[str, Callable[[], object]] = {"bare calls": partial(bare_calls, 0, scale)}
    indices |= {f"multi, {workers} workers": partial(multi, workers, scale) for workers in (0, 1, 2)}
    best = _best(rounds, indices)
    yield f"multi: {scale:,} indices"
    for name, seconds in best.items():
        beyond = (seconds - best["bare calls"]) / scale * 1e9
        yield f"  {name:18}{seconds / scale * 1e9:9.0f} ns/index, {beyond:6.0f} ns above the bare call"
    depth = max(1, min(15, scale.bit_length() - 2))
    trees: dict[str, Callable[[], object]] = {"deque": partial(deque_tree, 0, depth)}
    trees |= {f"thread pool, {workers}": partial(pool_tree, workers, depth) for workers in (1, 2)}
    trees |= {"TaskGroup": partial(group_tree, 0, depth)}
    trees |= {f"spawn, {workers} workers": partial(spawn_tree, workers, depth) for workers in (0, 1, 2)}
    best, size = _best(rounds, trees), 2 ** (depth + 1) - 1
    yield f"spawn tree of depth {depth}: {size:,} tasks"
    for name, seconds in best.items():
        yield f"  {name:18}{seconds / size * 1e6:9.2f} µs/task{seconds / best['deque']:9.2f}× of a deque"
    for add in (spawned_behind, graph_behind):
        yield f"memory: {bytes_waiting(add, min(scale, 20_000)):.0f} bytes a waiting task, {add.__name__}"


def main() -> None:
    scale, rounds = (int(said) for said in (*sys.argv[1:], *("100000", "3")[len(sys.argv) - 1 :]))
    print(f"{'':16}{'':17}      of a    of a    of        of a")
    print(f"{'':16}{'':17}      bare loop counter graphlib pool")
    for line in chain_of(table(scale, rounds), table_of_others(scale, rounds)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
