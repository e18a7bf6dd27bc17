"""What a monitor costs an event: `python -m tests.benchmarks.runtime.monitored [scale] [rounds]`.

Each shape is run by one thread with `hocket.Monitor` and without, taking turns in one run; CPU time of this process,
the best of some rounds. An event is an arming, an opening, an end or a close; what the edges cost is part of it.
Nothing here is a timed test.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import deque
from collections.abc import Iterable

from hocket.graph import Graph, Task
from hocket.runtime import run_inline
from hocket.runtime.watching import Monitor
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


def main() -> None:
    scale, rounds = (int(said) for said in (*sys.argv[1:], *("20000", "3")[len(sys.argv) - 1 :]))
    for line in table(scale, rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
