"""What ticks cost: `python -m tests.benchmarks.runtime.tick_costs`.

Chains and stacked diamonds, whole, from making entities to deleting them; beside them
the manager of specs_task, which walks down from every final entity in every tick,
written as plainly as it stands in its source. CPU time, best of three; what counts is
how a column grows when the size doubles, and the number of looks, which is exact.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from hocket.runtime.ecs import OnCompletion, World

Graph = tuple[dict[int, int], dict[int, list[int]], int]  # single, prongs, the last entity; entities from 1


def chain(size: int) -> Graph:
    return {n: n - 1 for n in range(2, size + 1)}, {}, size


def diamonds(levels: int) -> Graph:
    """Each level's fork has two prongs, both after the fork of the level below."""
    single: dict[int, int] = {}
    prongs: dict[int, list[int]] = {}
    last = 1
    for level in range(levels):
        fork = 3 * level + 2
        prongs[fork] = [fork + 1, fork + 2]
        single.update(dict.fromkeys(prongs[fork], last))
        last = fork
    return single, prongs, last


def ours(graph: Graph) -> tuple[int, int]:
    """Ticks, and looks of the manager."""
    single, prongs, last = graph
    world = World()
    for entity in range(1, max([last, *single, *(p for each in prongs.values() for p in each)]) + 1):
        world.make_fork() if entity in prongs else world.make_task(int)
    for later, earlier in single.items():
        world.join(later, earlier)
    for fork, each in prongs.items():
        for prong in each:
            world.add_prong(fork, prong)
    world.finalize(last, OnCompletion.DELETE)
    return world.run(), world.looks


def theirs(graph: Graph) -> tuple[int, int]:
    """The traversal of specs_task; chains so short that it does not meet Python's limit of recursion."""
    single, prongs, last = graph
    unblocked: set[int] = set()
    complete: set[int] = set()
    looks = 0

    def maintain(entity: int) -> bool:
        nonlocal looks
        looks += 1
        if entity in prongs:
            if entity in single and not maintain(single[entity]):
                return False
            return all([maintain(prong) for prong in prongs[entity]])  # noqa: C419  # it visits each of them
        if entity in complete:
            return True
        if entity not in unblocked and (entity not in single or maintain(single[entity])):
            unblocked.add(entity)
        return False

    ticks = 0
    over = False
    while not over:
        complete |= unblocked
        over = maintain(last)
        ticks += 1
    return ticks, looks


def _seconds(run: Callable[[Graph], object], graph: Graph) -> float:
    began = time.process_time()
    run(graph)
    return time.process_time() - began


ROWS: list[tuple[str, Callable[[int], Graph], int, bool]] = [  # the last: whether theirs ends in this life
    ("chain", chain, 100, True),
    ("chain", chain, 200, True),
    ("chain", chain, 400, True),
    ("chain", chain, 10_000, False),
    ("chain", chain, 20_000, False),
    ("diamonds", diamonds, 5, True),
    ("diamonds", diamonds, 10, True),
    ("diamonds", diamonds, 12, True),
    ("diamonds", diamonds, 5_000, False),
    ("diamonds", diamonds, 10_000, False),
]


def table() -> Iterable[str]:
    yield f"{'':17}{'ticks':>8}{'looks':>10}{'ms CPU':>10}{'their looks':>14}{'ms CPU':>10}"
    for name, shape, size, both in ROWS:
        graph = shape(size)
        ticks, looks = ours(graph)
        line = f"{name:9}{size:8,}{ticks:8,}{looks:10,}{min(_seconds(ours, graph) for _ in range(3)) * 1e3:10.1f}"
        if both:
            line += f"{theirs(graph)[1]:14,}{min(_seconds(theirs, graph) for _ in range(3)) * 1e3:10.1f}"
        yield line


def main() -> None:
    for line in table():
        print(line, flush=True)


if __name__ == "__main__":
    main()
