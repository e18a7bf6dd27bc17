"""What a monitor costs an event: `python -m tests.benchmarks.runtime.monitored [scale] [rounds]`.

Each shape is run by one thread with `hocket.Monitor` and without, taking turns in one run; CPU time of this process,
the best of some rounds. An event is an arming, an opening, an end or a close; what the edges cost is part of it.
`model` is the model's own monitor (`Running.monitor`) by itself, on the events of a graph of forks and of one ten times
as large. Nothing here is a timed test.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import deque
from collections.abc import Iterable
from itertools import pairwise

from hocket.graph import Graph, Task
from hocket.runtime import run_inline
from hocket.runtime.watching import Monitor
from models.run import Running
from models.run import graph as model_graph
from tests.benchmarks.runtime.shapes import SHAPES, nothing


def _seconds(graph: Graph, monitor: Monitor | None) -> float:
    gc.collect()
    began = time.process_time()
    run_inline(graph, watch=monitor, picker=deque())  # through the kernel in any case
    return time.process_time() - began


def table(scale: int, rounds: int) -> Iterable[str]:
    for name, shape in SHAPES.items():
        size, edges = shape(scale)
        graph = Graph(tuple([Task("t", nothing)] * size), tuple(edges))
        plain = watched = float("inf")
        for _ in range(rounds):
            plain = min(plain, _seconds(graph, None))
            monitor = Monitor()
            watched = min(watched, _seconds(graph, monitor))
            assert monitor.refused is None, str(monitor.refused)
        cost = (watched - plain) / monitor.events * 1e6
        yield (
            f"{name:10} {size:9,} tasks {len(edges):9,} edges {plain / size * 1e6:7.2f} µs/task without, "
            f"{watched / size * 1e6:7.2f} with; {cost:5.2f} µs/event"
        )


def _alone(tasks: int) -> float:
    """Microseconds an event of `Running.monitor`: forks of ten tasks, one after the other."""
    stages = [range(first, first + 10) for first in range(0, tasks, 10)]
    after = [(later, earlier) for one, other in pairwise(stages) for later in other for earlier in one]
    given = model_graph(range(tasks), after)
    events = [
        event
        for stage in stages
        for event in (
            *(("open", t) for t in stage),
            *(("ran", t, "finished") for t in stage),
            *(("close", t, "finished") for t in stage),
        )
    ]
    monitor = Running.monitor(given, Task=range(tasks), Scope=["run"])
    began = time.process_time()
    for event in events:
        monitor.take(*event)
    spent = time.process_time() - began
    assert monitor.refused is None, str(monitor.refused)
    return spent / monitor.events * 1e6


def alone(scale: int, rounds: int) -> str:
    small, large = (min(_alone(tasks) for _ in range(rounds)) for tasks in (scale // 100, scale // 10))
    told = f"{scale // 100:,} tasks {small:5.2f} µs/event, {scale // 10:,} tasks {large:5.2f}"
    return f"model      {told}: {large / small:4.2f} times as much"


def main() -> None:
    scale, rounds = (int(said) for said in (*sys.argv[1:], *("20000", "3")[len(sys.argv) - 1 :]))
    for line in table(scale, rounds):
        print(line, flush=True)
    print(alone(scale, rounds), flush=True)


if __name__ == "__main__":
    main()
