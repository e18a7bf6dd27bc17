"""The programs of the published counts as ordinary threads: the same generators, performed on real primitives.

`threads_of(program)` is a body for `hocket.explore`. Each actor of the model is a thread that runs the actor's own
generator and performs what it yields on `hocket.Atomic` and on the locks of `threading`. So whatever differs between
the two doors is a mistake of one of the hosts, and not of somebody who wrote a program twice.

The threads are daemons and main joins none: a thread that waits for ever then ends its execution like any other, and
the exploration goes on and counts it, where a deadlock would be a failure and its last execution. What main returns
tells in how many classes nobody was blocked, by a failed assume or in a deadlock. It is read when the execution is
over, and not when main ends, which may be at its beginning.

`python -m tests.threaded_programs` runs every row (about ten minutes); the test suite runs a slice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import hocket
from hocket.explore.model import Program, Spawn
from hocket.explore.model import Thread as Model
from hocket.explore.result import Result
from tests.explorer_counts import FAST, SLOW, Row
from tests.explorer_programs import BLOCKED

__all__ = ["explored", "threads_of"]

_MAKE: dict[str, Callable[[Any], Any]] = {
    "cell": hocket.Atomic,
    "lock": lambda _: threading.Lock(),
}
_PERFORM: dict[str, Callable[[Any, Any], Any]] = {
    "cell.load": lambda cell, _: cell.load(),
    "cell.store": lambda cell, value: cell.store(value),
    "cell.swap": lambda cell, value: cell.swap(value),
    "cell.add": lambda cell, number: cell.add(number),
    "cell.compare_exchange": lambda cell, pair: cell.compare_exchange(*pair),
    "cell.await": lambda cell, holds: cell.wait_until(holds),
    "lock.acquire": lambda lock, _: lock.acquire(),
    "lock.try": lambda lock, _: lock.acquire(blocking=False),
    "lock.release": lambda lock, _: lock.release(),
}

class Ends:
    """What the actors of one execution returned, compared when it is over: True if all ended and none was blocked."""

    def __init__(self) -> None:
        self.of: dict[int, Any] = {}
        self.started = 0

    def complete(self) -> bool:
        return len(self.of) == self.started and BLOCKED not in self.of.values()

    def __hash__(self) -> int:
        return hash(self.complete())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ends) and self.complete() == other.complete()


def threads_of(program: Program) -> Callable[[], Ends]:
    """A body that does with threads what the actors of `program` do."""
    def body() -> Ends:
        return _Run(program).ends

    return body


class _Run:
    """One execution: its objects, and the threads that were started in it."""

    def __init__(self, program: Program) -> None:
        self.things = [_MAKE[family](state) for family, state, _ in program.initial]
        self.threads: list[threading.Thread] = []
        self.ends = Ends()
        for body, arguments in program.bodies:
            self.start(body, arguments)
        if program.main is not None:
            body, arguments = program.main
            self.play(self.number(), body(*arguments))

    def number(self) -> int:
        self.ends.started += 1
        return self.ends.started

    def start(self, body: Any, arguments: tuple[Any, ...]) -> Model:
        thread = threading.Thread(target=self.play, args=(self.number(), body(*arguments)), daemon=True)
        self.threads.append(thread)
        thread.start()
        return Model(len(self.threads) - 1, -1)

    def play(self, number: int, steps: Any) -> None:
        answer = None
        try:
            while True:
                answer = self.perform(steps.send(answer))
        except StopIteration as end:
            self.ends.of[number] = end.value

    def perform(self, asked: Any) -> Any:
        if isinstance(asked, Spawn):
            return self.start(asked.body, asked.arguments)
        if asked.kind == "thread.join":
            return self.threads[asked.argument].join()
        return _PERFORM[asked.kind](self.things[asked.objects[0]], asked.argument)


def explored(row: Row) -> tuple[Result, int]:
    """What the front door says of a row's program on threads, and in how many classes nobody was blocked."""
    result = hocket.explore(threads_of(row.make()), data="off", executions=50 + 2 * row.classes)
    return result, sum(count for ends, count in result.outcomes.items() if ends.complete())


def right(row: Row, result: Result, complete: int) -> bool:
    """Whether executions and classes are as published."""
    return (result.verdict, result.classes, result.executions) == ("proved", row.classes, row.classes) and (
        row.complete in (-1, complete))


if __name__ == "__main__":
    started = time.perf_counter()
    rows = [*FAST, *SLOW]
    for one in rows:
        found, whole = explored(one)
        verdict = "" if right(one, found, whole) else f"WRONG: {found}"
        print(f"{one.name:28} {found.executions:7} {found.seconds:8.2f} s {verdict}", flush=True)
    print(f"{len(rows)} rows, {time.perf_counter() - started:.0f} s")
