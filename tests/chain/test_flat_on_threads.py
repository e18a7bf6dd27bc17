"""A flat graph that two workers draw from: each task once, in order, and as the kernel would end it.

Drawing is one call of a deque without a lock, which no exploration can see; here is one in its place that is as atomic,
and of which each call is an operation that others may come before or after.
"""

from __future__ import annotations

from collections import deque

import pytest

import hocket
from hocket.graph import Graph, Task
from hocket.runtime import flat, run


class Seen(deque):
    """A deque whose calls the explorer sees."""

    def __init__(self, items=()) -> None:
        self.calls = hocket.Atomic(0)
        super().__init__(items)

    def append(self, item) -> None:
        self.calls.add(1)
        super().append(item)

    def popleft(self):
        self.calls.add(1)
        return super().popleft()

    def clear(self) -> None:
        self.calls.add(1)
        super().clear()

    def __len__(self) -> int:
        self.calls.load()
        return super().__len__()


PAIR: tuple[tuple[int, int], ...] = ()
FAN = ((1, 0), (2, 0))
JOIN = ((2, 0), (2, 1))


def program(size, edges, failing, policy):
    """A run of a graph; how its tasks ended."""

    def whole():
        order = []

        def body(number):
            order.append(number)
            if number in failing:
                raise LookupError(number)
            return number

        tasks = tuple(Task(str(number), lambda number=number: body(number)) for number in range(size))
        result = run(Graph(tasks, edges), "threads", workers=2, policy=policy, check=False)
        assert len(set(order)) == len(order), f"a task ran twice: {order}"
        assert all(order.index(earlier) < order.index(later) for later, earlier in edges if later in order)
        assert all(value == int(name) for name, value in result.results.items())
        ended = tuple(str(outcome) for outcome in result.outcomes.values())
        assert [name in map(str, order) for name in result.outcomes] == [how in ("finished", "failed") for how in ended]
        return ended

    return whole


F, X, S, C = "finished", "failed", "skipped", "cancelled"

CASES = {
    "two": (2, PAIR, (), "isolate", {(F, F)}),
    "a fan": (3, FAN, (), "isolate", {(F, F, F)}),
    "a join": (3, JOIN, (), "isolate", {(F, F, F)}),
    "one fails": (2, PAIR, (0,), "isolate", {(X, F)}),
    "one fails, fail_fast": (2, PAIR, (0,), "fail_fast", {(X, F), (X, C)}),
    "both fail": (2, PAIR, (0, 1), "isolate", {(X, X)}),
    "a join of one that fails": (3, JOIN, (0,), "isolate", {(X, F, S)}),
}


@pytest.mark.parametrize("case", CASES)
def test_with_every_draw_seen_it_ends_as_it_should_up_to_one_preemption(monkeypatch, case):
    """All interleavings of "two" are 10,280: `python -m tests.chain.test_flat_on_threads` goes through them."""
    *what, outcomes = CASES[case]
    monkeypatch.setattr(flat, "deque", Seen)
    result = hocket.explore(program(*what), data="off", bound=1)
    assert result.verdict == "bounded", str(result.failure)
    assert set(result.outcomes) <= outcomes
    assert result.executions > 200


def test_every_interleaving_of_a_diamond_at_its_locks():
    result = hocket.explore(program(4, ((1, 0), (2, 0), (3, 1), (3, 2)), (), "isolate"), data="off")
    assert (result.verdict, result.executions, result.outcomes) == ("proved", 1184, {(F,) * 4: 1184})


def main() -> None:
    """Everything about two tasks and two workers, each draw an operation of its own."""
    flat.deque = Seen
    for case in ("two", "one fails", "one fails, fail_fast", "both fail"):
        *what, outcomes = CASES[case]
        result = hocket.explore(program(*what), data="off")
        print(f"{case:24} {result.verdict} {result.executions:,} interleavings, {result.outcomes}", flush=True)
        assert set(result.outcomes) == outcomes


if __name__ == "__main__":
    main()
