"""Random programs against brute force: `python -m tests.fuzz_explorer 10000 [first seed [most interleavings]]`.

For each program every interleaving is run, and the searches must find exactly the
classes that occur: none missed, none twice (optimal), none given up half-way
(optimal). All interleavings of one class must end in the same states with the same
results: that is what makes a class worth only one execution.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hocket.explore.classes import class_of, trace_of
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal, Source
from hocket.explore.execution import Execution
from hocket.explore.model import Program, run
from hocket.explore.strategy import Strategy
from hocket.explore.tally import Limits
from hocket.trace.trace import Trace
from tests.programs import build, draw

LARGEST = 1_500  # interleavings; larger programs are drawn again


@dataclass
class Account:
    """What a fuzz has seen."""

    programs: int = 0
    interleavings: int = 0
    classes: int = 0
    deadlocks: int = 0


def program_of(seed: int, largest: int = LARGEST) -> tuple[list[Any], dict[Any, Any], int]:
    """A program with at most `largest` interleavings, its classes with what they end in, and how many interleavings."""
    for source in sources(seed):
        found = brute_force(build(source), largest)
        if found is not None and len(found[0]) > 1:
            return source, *found
    raise AssertionError("there is always another program")


def sources(seed: int) -> Iterator[list[Any]]:
    """Random programs, one after the other."""
    rng = random.Random(seed)
    while True:
        actors = rng.choice([2, 3, 3, 4, 4, 5])
        yield draw(rng, actors, {2: 5, 3: 3, 4: 2, 5: 2}[actors])


def brute_force(program: Program, largest: int) -> tuple[dict[Any, Any], int] | None:
    """Every class, by every interleaving, with what it ends in; None if there are too many."""
    ends: dict[Any, Any] = {}
    least = 0  # so many interleavings there are at least

    def see(execution: Execution) -> None:
        nonlocal least
        end, before = ending(execution), len(ends)
        known = ends.setdefault(class_of(execution), end)
        assert known == end, f"two interleavings of one class end differently: {execution.schedule()}\n{known}\n{end}"
        if before < min(len(ends), LOOKED_AT):
            least += orders(trace_of(execution))
            if least > largest:
                raise _TooManyError

    try:
        tally = run(program, DepthFirst(), Limits(executions=largest), watch=see)
    except _TooManyError:
        return None
    return None if tally.reason else (ends, tally.executions)


class _TooManyError(Exception):
    """The classes seen so far have more interleavings than are wanted."""


LOOKED_AT = 10  # classes of which the orders are counted: a program that is too large says so soon, or not at all


def orders(trace: Trace) -> int:
    """How many interleavings a class has: the linear extensions of its order, counted by sets of events."""
    numbers = range(len(trace.marks))
    before = [sum(1 << first for first in numbers if trace.happens_before(first, second)) for second in numbers]
    ways = {0: 1}
    for _ in numbers:
        longer: dict[int, int] = {}
        for done, count in ways.items():
            for number in numbers:
                if not done >> number & 1 and not before[number] & ~done:
                    more = done | 1 << number
                    longer[more] = longer.get(more, 0) + count
        ways = longer
    return sum(ways.values())


def ending(execution: Execution) -> Any:
    """All that can be seen of an execution, whatever the order of its independent events."""
    seen: dict[int, list[Any]] = {}
    for event in execution.events:
        seen.setdefault(event.actor, []).append(event.result)
    pending = [str(operation) for operation in execution.pending if operation is not None]
    return sorted(execution.states.items()), sorted(seen.items()), pending


def search(program: Program, strategy: Strategy, limits: Limits | None = None) -> list[Any]:
    """The classes of the executions that were not given up, in order."""
    classes: list[Any] = []

    def see(execution: Execution) -> None:
        if not execution.options():
            classes.append(class_of(execution))

    run(program, strategy, limits, watch=see)
    return classes


def judge(source: list[Any], ends: dict[Any, Any], optimal: Callable[[], Any] = Optimal,
          lighter: Callable[[], Any] = Source) -> None:
    """Raise AssertionError unless both searches find exactly these classes."""
    judge_program(lambda: build(source), ends, optimal, lighter, str(source))


def judge_program(make: Callable[[], Program], ends: dict[Any, Any], optimal: Callable[[], Any] = Optimal,
                  lighter: Callable[[], Any] = Source, told: str = "") -> None:
    """As `judge`, of the program that `make` makes."""
    found = search(make(), strategy := optimal())
    assert strategy.given_up == 0, f"optimal gave up {strategy.given_up} executions of {told}"
    assert len(found) == len(set(found)), f"optimal ran a class twice: {told}"
    assert set(found) == set(ends), f"optimal found {len(found)} of {len(ends)} classes of {told}"
    assert set(search(make(), lighter())) == set(ends), f"source missed classes of {told}"


def fuzz(count: int, first: int = 0, largest: int = LARGEST) -> Account:
    """Judge `count` programs, from seed `first`."""
    account = Account()
    for seed in range(first, first + count):
        source, ends, interleavings = program_of(seed, largest)
        try:
            judge(source, ends)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        account.programs += 1
        account.interleavings += interleavings
        account.classes += len(ends)
        account.deadlocks += any(end[2] for end in ends.values())
    return account


def main(count: int = 10_000, first: int = 0, largest: int = LARGEST) -> None:
    """Judge many programs, and say every thousand how far it is."""
    start = time.perf_counter()
    total = Account()
    for seed in range(first, first + count, 1000):
        part = fuzz(min(1000, first + count - seed), seed, largest)
        for name, value in vars(part).items():
            setattr(total, name, getattr(total, name) + value)
        print(total, f"{time.perf_counter() - start:.0f} s; missed 0, repeated 0, given up 0", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
