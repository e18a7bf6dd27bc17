"""A bounded search finds exactly the classes whose fewest preemptions are within the bound, in fewer executions."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from hocket.explore.bounded import Bounded, FewPreemptions
from hocket.explore.classes import class_of
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Execution
from hocket.explore.model import Program, run
from hocket.explore.preemptions import least_preemptions
from hocket.explore.tally import Limits
from tests import explorer_programs as programs
from tests.fuzz_explorer import sources
from tests.programs import build


def _needed(program: Program, most: int) -> dict[Any, int] | None:
    """The fewest preemptions of each class, by an optimal search of everything; None if there are too many."""
    found: dict[Any, int] = {}

    def see(execution: Execution) -> None:
        least = least_preemptions(execution)
        assert least is not None
        found[class_of(execution)] = least.preemptions

    return None if run(program, Optimal(), Limits(executions=most), watch=see).reason else found


def _within(program: Program, strategy: Any) -> tuple[set[Any], int]:
    found: set[Any] = set()

    def see(execution: Execution) -> None:
        if not execution.options():
            found.add(class_of(execution))

    return found, run(program, strategy, watch=see).executions


@pytest.mark.parametrize("seed", [51, 52, 53])
def test_exactly_the_classes_within_the_bound_are_found(seed: int):
    compared = 0
    for source in islice(sources(seed), 30):
        needed = _needed(build(source), 60)
        if needed is None:
            continue
        for bound in range(3):
            expected = {key for key, least in needed.items() if least <= bound}
            assert _within(build(source), Bounded(bound))[0] == expected, (source, bound)
            compared += len(expected)
    assert compared > 250


@pytest.mark.parametrize(("program", "bound", "classes", "executions", "schedules"), [
    (programs.lastzero(4), 1, 28, 625, 1166), (programs.lastzero(4), 3, 28, 1942, 18243),
    (programs.counter(4), 0, 24, 24, 24), (programs.counter(4), 3, 576, 956, 1656),
    (programs.philosophers(3), 3, 7, 83, 249),
], ids=["lastzero 1", "lastzero 3", "counter 0", "counter 3", "philosophers 3"])
def test_it_takes_fewer_executions_than_there_are_schedules(
        program: Program, bound: int, classes: int, executions: int, schedules: int):
    found, taken = _within(program, Bounded(bound))
    assert (len(found), taken) == (classes, executions)
    if schedules < 2_000:
        assert _within(program, FewPreemptions(bound))[1] == schedules


class _CostForgotten(Bounded):
    """Whoever was there first counts, at whatever cost."""

    used = property(lambda self: 0)  # type: ignore[assignment]  # this is what is wrong with it


def test_a_state_entered_again_with_fewer_preemptions_is_gone_through_again():
    lost = 0
    for source in islice(sources(54), 50):
        needed = _needed(build(source), 60)
        if needed is not None:
            lost += sum(least <= 1 for least in needed.values()) - len(_within(build(source), _CostForgotten(1))[0])
    assert lost > 0


class _LastForgotten(Bounded):
    """The same events are the same state, whoever ran last."""

    def _is_new(self, execution: Execution) -> bool:
        last, execution.last = execution.last, 0
        try:
            return super()._is_new(execution)
        finally:
            execution.last = last


def test_who_ran_last_belongs_to_the_state():
    lost = 0
    for source in islice(sources(54), 50):
        needed = _needed(build(source), 60)
        if needed is not None:
            lost += sum(least <= 1 for least in needed.values()) - len(_within(build(source), _LastForgotten(1))[0])
    assert lost > 0
