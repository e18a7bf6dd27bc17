"""A deep execution keeps its order in another form; nobody but the memory can tell."""

from __future__ import annotations

import functools
import random
from itertools import islice
from typing import Any

import pytest

import hocket.explore.dpor
import hocket.explore.races
from hocket.explore.deep import Few, Pasts, among, numbers
from hocket.explore.dpor import Optimal
from hocket.explore.model import Program, run
from hocket.explore.order import Order
from hocket.explore.tally import Limits
from tests import explorer_programs as programs
from tests.benchmarks.explorer.bench_memory import apart, in_use
from tests.fuzz_explorer import judge, program_of, sources
from tests.programs import build

DEEP_FROM = 3


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three events are a deep execution."""
    monkeypatch.setattr(hocket.explore.dpor, "Order", functools.partial(Order, deep=DEEP_FROM))
    monkeypatch.setattr(hocket.explore.races, "DEEP", DEEP_FROM)


def _events(count: int) -> list[list[Any]]:
    found: list[list[Any]] = []
    for source in islice(sources(23), count):
        run(build(source), Optimal(), Limits(executions=8),
            watch=lambda execution: found.append(list(execution.events)))
    return found


def test_clocks_and_sets_say_the_same_order_also_after_steps_back():
    rng, (plain, deep), forms = random.Random(3), (Order(), Order(deep=8)), set()
    for events in _events(12):
        keep = 0
        while keep < len(events) and keep < len(plain.events) and events[keep] == plain.events[keep]:
            keep += 1
        keep = rng.randint(0, keep)
        for order in (plain, deep):
            order.truncate(keep)
            forms.add(type(order.past))
            for event in events[keep:]:
                order.push(event, order.footprints.of(event.operation, event.alternative, event.reads_only))
        forms.add(type(deep.past))
        length = range(len(events))
        assert list(deep.past) == list(plain.past)
        assert list(deep.raced) == list(plain.raced)
        assert [deep.apart(number) for number in length] == [plain.apart(number) for number in length]
    assert forms == {Pasts, list}


@pytest.mark.usefixtures("shallow")
@pytest.mark.parametrize(("program", "classes"), [
    (programs.counter(3), 36), (programs.lastzero(5), 64), (programs.philosophers(3), 7), (programs.trylock(3), 24),
    (programs.sigma(3), 15), (programs.workers(3), 6),
], ids=["counter", "lastzero", "philosophers", "trylock", "sigma", "workers"])
def test_the_published_counts_are_those_of_deep_executions_too(program: Program, classes: int):
    strategy = Optimal()
    assert run(program, strategy).executions == classes
    assert isinstance(strategy.order.past, (Pasts, list))
    assert strategy.given_up == 0


@pytest.mark.usefixtures("shallow")
def test_ten_random_programs_have_the_classes_of_brute_force_with_deep_orders():
    for seed in range(10):
        source, ends, _ = program_of(seed, 50)
        judge(source, ends)


def test_a_step_takes_no_more_memory_in_an_execution_three_times_as_deep():
    """With sets alone it takes a third more at 3,300 steps than at 1,100, and ever more."""
    (steps, used, _), (more_steps, more_used, _) = (in_use(apart(depth)) for depth in (1_100, 3_300))
    assert more_used / more_steps < 1.15 * used / steps


def test_a_set_of_few_events_is_read_as_it_was_written():
    sets = [0, 0b1, 0b1010_0000, 1 << 70]
    few = Few(sets)
    few[0] = 0b11
    few.append(0b100)
    assert list(few) == [0b11, *sets[1:], 0b100]
    del few[2:]
    assert (len(few), list(few)) == (2, [0b11, 0b1])
    assert [among(numbers(events)) for events in sets] == sets
