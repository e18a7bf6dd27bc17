"""Two ways to compute happens-before agree with each other and with the definition, on random programs."""

from __future__ import annotations

import random
from itertools import islice
from typing import Any

from hocket.explore.classes import class_of, marks_of, trace_of
from hocket.explore.dfs import DepthFirst
from hocket.explore.execution import Execution
from hocket.explore.model import Program, run
from hocket.explore.order import Order
from hocket.explore.tally import Limits
from hocket.trace.clock import join, seen, tick
from hocket.trace.trace import Mark, Trace, class_key
from tests.fuzz_explorer import sources
from tests.programs import build


def _closure(marks: list[Mark]) -> set[tuple[int, int]]:
    """Happens-before by its definition: direct order, then transitivity until nothing is new."""
    direct = {(i, j) for j, later in enumerate(marks) for i, earlier in enumerate(marks[:j])
              if earlier.actor == later.actor or i in later.after or _conflict(earlier, later)}
    while True:
        more = {(i, k) for i, j in direct for j2, k in direct if j == j2} - direct
        if not more:
            return direct
        direct |= more


def _conflict(a: Mark, b: Mark) -> bool:
    return any(x == y and "w" in (m, n) for x, m in a.touched for y, n in b.touched)


def _executions(count: int) -> list[tuple[list[Any], list[Mark]]]:
    """The events and marks of some executions of random programs."""
    found = []
    for source in islice(sources(7), count):
        run(build(source), DepthFirst(), Limits(executions=3),
            watch=lambda execution: found.append((list(execution.events), marks_of(execution.events))))
    return found


def test_vector_clocks_and_event_sets_say_what_the_definition_says():
    for events, marks in _executions(60):
        pairs = _closure(marks)
        trace, order = Trace.of(marks), Order()
        for event in events:
            order.push(event, order.footprints.of(event.operation, event.alternative, event.reads_only))
        numbers = range(len(events))
        assert {(i, j) for i in numbers for j in numbers if trace.happens_before(i, j)} == pairs
        assert {(i, j) for i in numbers for j in numbers if order.past[j] >> i & 1} == pairs
        for i in numbers:
            assert order.apart(i) == sum(1 << j for j in numbers if j > i and (i, j) not in pairs)


def test_an_order_that_was_truncated_and_pushed_again_is_that_of_the_new_events():
    rng = random.Random(5)
    executions = [events for events, _ in _executions(40)]
    order = Order()
    for events in executions:
        length = rng.randint(0, len(events))
        order.truncate(0)
        for again in (events, events[:length], events):
            common = min(len(order.events), length)
            order.truncate(common if order.events[:common] == again[:common] else 0)
            for event in again[len(order.events):]:
                order.push(event, order.footprints.of(event.operation, event.alternative, event.reads_only))
        trace = Trace.of(marks_of(events))
        numbers = range(len(events))
        assert all(trace.happens_before(i, j) == bool(order.past[j] >> i & 1) for i in numbers for j in numbers)


def test_a_class_key_is_equal_exactly_for_equal_orders():
    """Against vector clocks: events named by actor and number, each with what it has seen."""
    for source in islice(sources(11), 25):
        keys: dict[Any, set[Any]] = {}

        def see(execution: Execution, keys: dict[Any, set[Any]] = keys) -> None:
            trace = trace_of(execution)
            named = frozenset(
                (mark.actor, seen(clock, mark.actor), mark.label, tuple(x for x in enumerate(clock) if x[1]))
                for mark, clock in zip(trace.marks, trace.clocks, strict=True))
            keys.setdefault(class_of(execution), set()).add(named)

        run(build(source), DepthFirst(), Limits(executions=300), watch=see)
        assert all(len(orders) == 1 for orders in keys.values())
        assert len(set().union(*keys.values())) == len(keys)


def test_swapping_two_independent_events_stays_in_the_class_and_two_dependent_ones_leaves_it():
    a, b = Mark(1, "a", ((0, "r"),)), Mark(2, "b", ((0, "r"),))
    c = Mark(2, "c", ((0, "w"),))
    assert class_key([a, b]) == class_key([b, a])
    assert class_key([a, c]) != class_key([c, a])


def test_clocks_of_actors_that_appear_late_are_padded():
    assert tick((), 2) == (0, 0, 1)
    assert join([(1,), (0, 3), ()]) == (1, 3)
    assert seen((1,), 4) == 0


def test_names_of_operations_are_for_people():
    program = Program()
    cell, lock = program.cell(0, "counter"), program.lock("door")
    names = ["counter", "door"]
    assert cell.store(3).told(names) == "counter.store(3)"
    assert lock.acquire().told(names) == "door.acquire"
    assert str(lock.acquire()) == "lock1.acquire"
