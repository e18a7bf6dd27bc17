"""Sampling: a seed reproduces, every strategy finds a small bug, and what each promises is measured."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hocket.explore.classes import class_of
from hocket.explore.execution import Execution
from hocket.explore.model import Program, run
from hocket.explore.sampling.portfolio import SAMPLERS, Coverage, Pct, RandomWalk, Urw
from tests import explorer_programs as programs

KINDS = list(SAMPLERS.values())


def _schedules(kind: Any, seed: int) -> list[str]:
    found: list[str] = []
    run(programs.counter(3), kind(20, seed), watch=lambda execution: found.append(str(execution.schedule())))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_reproduces_and_another_gives_other_executions(kind: Any):
    assert _schedules(kind, 1) == _schedules(kind, 1) != _schedules(kind, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_finds_the_lost_update_and_all_four_classes_and_proves_nothing(kind: Any):
    coverage = Coverage(class_of)
    tally = run(programs.counter(2), kind(300, 5), watch=coverage.see)
    assert set(tally.outcomes) == {(("x", 1),), (("x", 2),)}
    assert (coverage.distinct, coverage.unseen) == (4, 0.0)
    assert (tally.executions, tally.verdict) == (300, "incomplete")


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_finds_the_deadlock_of_three_philosophers(kind: Any):
    tally = run(programs.philosophers(3), kind(300, 5))
    assert {failure.kind for failure in tally.failures} == {"deadlock"}


def test_a_sample_smaller_than_the_classes_says_that_more_are_to_be_expected():
    coverage = Coverage(class_of)
    run(programs.counter(4), RandomWalk(60, 1), watch=coverage.see)
    assert coverage.distinct < 576
    assert coverage.unseen > 0.5


def test_pct_hits_a_bug_of_depth_two_at_least_as_often_as_it_promises():
    """n = 2 actors, k <= 4 steps: at least 1 / (2·4) of the executions lose an update."""
    tally = run(programs.counter(2), Pct(2000, 3, depth=2))
    assert tally.outcomes[("x", 1),] / 2000 >= 1 / 8


def test_urw_draws_every_interleaving_about_equally_often():
    """One actor with one step and one with five: six interleavings; a random walk ends with probability 1/2 in one."""
    program = Program()
    x, y = program.cell(0, "x"), program.cell(0, "y")

    def steps(cell: Any, count: int) -> Any:
        for _ in range(count):
            yield cell.add(1)

    program.actor(steps, x, 1)
    program.actor(steps, y, 5)

    def spread(strategy: Any) -> Counter[int]:
        places: Counter[int] = Counter()

        def see(execution: Execution) -> None:
            places[[event.actor for event in execution.events].index(1)] += 1

        run(program, strategy, watch=see)
        return places

    even, walk = spread(Urw(3000, 1)), spread(RandomWalk(3000, 1))
    assert all(400 < even[place] < 600 for place in range(6))
    assert walk[0] > 1300
