"""When two runs are the same run told differently: the explorer's notion, by brute force and without the explorer.

Two neighbouring operations of different threads may be swapped if neither can notice:
they touch different places, or both only read. Runs that swaps turn into each other
are one class; an explorer has to run one of each. Here every run of a small program is
written down, and swapped, and the classes are counted.

A thread is a function of what it has read so far: its next operation, or None. So a
run can be continued from any prefix, and nothing is remembered that it does not read.

Mazurkiewicz 1977; the programs are those of Abdulla et al. (POPL 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import factorial
from typing import NamedTuple

Place = str


@dataclass(frozen=True, slots=True)
class Operation:
    """`kind`: read, write, acquire or release."""

    kind: str
    place: Place
    value: int = 0  # what a write writes


class Step(NamedTuple):
    thread: int
    operation: Operation


Thread = Callable[[tuple[int, ...]], Operation | None]
Run = tuple[Step, ...]
Memory = Mapping[Place, int]
Dependence = Callable[[Operation, Operation], bool]


# -- runs -------------------------------------------------------------------------------------------------------------


def runs(threads: Sequence[Thread]) -> Iterator[Run]:
    """Every run that cannot be continued; places hold 0 at first, and a lock that is held is 1."""
    return _continued(threads, (), {}, ((),) * len(threads))


def _continued(threads: Sequence[Thread], run: Run, memory: Memory, got: tuple[tuple[int, ...], ...]) -> Iterator[Run]:
    ended = True
    for number, thread in enumerate(threads):
        operation = thread(got[number])
        if operation is not None and not (operation.kind == "acquire" and memory.get(operation.place)):
            ended = False
            value, after = performed(operation, memory)
            more = (*got[:number], (*got[number], value), *got[number + 1 :])
            yield from _continued(threads, (*run, Step(number, operation)), after, more)
    if ended:
        yield run


def performed(operation: Operation, memory: Memory) -> tuple[int, Memory]:
    """What the thread gets, and what the memory is then."""
    match operation.kind:
        case "read":
            return memory.get(operation.place, 0), memory
        case "write":
            return 0, {**memory, operation.place: operation.value}
        case "acquire":
            return 0, {**memory, operation.place: 1}
        case _:
            return 0, {**memory, operation.place: 0}


def final_memory(run: Run) -> Memory:
    return outcome(run)[0]


def outcome(run: Run) -> tuple[Memory, tuple[Step, ...], tuple[tuple[int, int], ...]]:
    """The memory that a run leaves, and what each of its operations got, thread by thread."""
    memory: Memory = {}
    got = []
    for step in run:
        value, memory = performed(step.operation, memory)
        got.append((step.thread, value))
    threads = sorted(range(len(run)), key=lambda place: run[place].thread)
    return memory, tuple(run[place] for place in threads), tuple(got[place] for place in threads)


# -- classes ----------------------------------------------------------------------------------------------------------


def dependent(a: Operation, b: Operation) -> bool:
    """They touch one place, and one of them may change it."""
    return a.place == b.place and not a.kind == b.kind == "read"


def only_writes(a: Operation, b: Operation) -> bool:
    """What somebody may think is enough: a read may then overtake a write."""
    return a.place == b.place and a.kind != "read" and b.kind != "read"


def neighbours(run: Run, depend: Dependence = dependent) -> Iterator[Run]:
    """Every run that one swap makes of this one."""
    for place, (one, other) in enumerate(pairwise(run)):
        if one.thread != other.thread and not depend(one.operation, other.operation):
            yield (*run[:place], other, one, *run[place + 2 :])


def classes(every: Sequence[Run], depend: Dependence = dependent) -> list[set[Run]]:
    """The runs, sorted into classes by swapping."""
    left, found = set(every), []
    while left:
        frontier = [left.pop()]
        one = set(frontier)
        while frontier:
            near = {run for swapped in frontier for run in neighbours(swapped, depend)} & left
            left -= near
            one |= near
            frontier = list(near)
        found.append(one)
    return found


def order(run: Run) -> frozenset[tuple[tuple[int, int], tuple[int, int]]]:
    """Which dependent operations come in which order: each by its thread and its place in it."""
    count: dict[int, int] = {}
    named = []
    for step in run:
        count[step.thread] = count.get(step.thread, 0) + 1
        named.append(((step.thread, count[step.thread]), step))
    return frozenset(
        (name, later)
        for place, (name, step) in enumerate(named)
        for later, after in named[place + 1 :]
        if step.thread != after.thread and dependent(step.operation, after.operation)
    )


# -- what holds -------------------------------------------------------------------------------------------------------


def a_swap_makes_a_run(every: Sequence[Run], depend: Dependence = dependent) -> bool:
    """Swapping independent neighbours gives something that the program can do."""
    known = set(every)
    return all(swapped in known for run in every for swapped in neighbours(run, depend))


def a_class_has_one_end(every: Sequence[Run], depend: Dependence = dependent) -> bool:
    """In all runs of a class every thread reads the same, and the same memory is left."""
    ends = [[outcome(run) for run in one] for one in classes(every, depend)]
    return all(end == each[0] for each in ends for end in each)


def a_class_is_an_order(every: Sequence[Run]) -> bool:
    """Runs are in one class exactly if they order dependent operations alike."""
    found = [{order(run) for run in one} for one in classes(every)]
    return all(len(each) == 1 for each in found) and len(set.union(*found)) == len(found)


def a_class_is_an_end(every: Sequence[Run]) -> bool:
    """What somebody may think: runs that leave the same memory are one class."""
    ends = [tuple(sorted(final_memory(run).items())) for one in classes(every) for run in [min(one, key=repr)]]
    return len(set(ends)) == len(ends)


# -- programs ---------------------------------------------------------------------------------------------------------


def counter(n: int) -> list[Thread]:
    """n threads: v = x; x = v + 1."""

    def thread(got: tuple[int, ...]) -> Operation | None:
        return [Operation("read", "x"), Operation("write", "x", got[0] + 1 if got else 0), None][len(got)]

    return [thread] * n


def readers(n: int) -> list[Thread]:
    """One thread writes x, n threads read it."""
    write: Thread = lambda got: None if got else Operation("write", "x", 1)  # noqa: E731  # two of a kind
    read: Thread = lambda got: None if got else Operation("read", "x")  # noqa: E731
    return [write, *[read] * n]


def lastzero(n: int) -> list[Thread]:
    """Thread j of n: a[j] = a[j - 1] + 1; one more goes down from a[n] to the last zero."""

    def scan(got: tuple[int, ...]) -> Operation | None:
        return None if got and got[-1] == 0 else Operation("read", f"a{n - len(got)}")

    def add(j: int) -> Thread:
        def thread(got: tuple[int, ...]) -> Operation | None:
            value = got[0] + 1 if got else 0
            return [Operation("read", f"a{j - 1}"), Operation("write", f"a{j}", value), None][len(got)]

        return thread

    return [scan, *(add(j) for j in range(1, n + 1))]


def locked(n: int) -> list[Thread]:
    """n threads take one lock, and give it back."""
    thread: Thread = lambda got: [Operation("acquire", "l"), Operation("release", "l"), None][len(got)]  # noqa: E731
    return [thread] * n


MISTAKEN = (a_class_is_an_end.__name__, only_writes.__name__)  # the first as a claim, the second as a dependence

Family = tuple[Callable[[int], list[Thread]], Callable[[int], int]]
FAMILIES: dict[str, Family] = {
    "counter": (counter, lambda n: factorial(n) ** 2),
    "readers": (readers, lambda n: 2**n),
    "lastzero": (lastzero, lambda n: (n + 3) * 2 ** (n - 2) if n > 1 else 2),
    "locked": (locked, factorial),
}
