"""What an exploration keeps: one path with the plans along it, however many executions there were."""

from __future__ import annotations

import tracemalloc
from array import array
from typing import Any

import pytest

from hocket.explore.dpor import Optimal, Source
from hocket.explore.execution import Execution
from hocket.explore.model import Program, run
from hocket.explore.tally import Limits
from tests import explorer_programs as programs


def _traced(program: Program, strategy: Any, executions: int) -> array[int]:
    """Bytes in use after each execution."""
    found = array("q", bytes(8 * executions))  # made before anything is traced
    numbers = iter(range(executions))

    def see(_: Execution) -> None:
        found[next(numbers)] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        run(program, strategy, Limits(executions=executions), watch=see)
    finally:
        tracemalloc.stop()
    assert next(numbers, None) is None
    return found


@pytest.mark.parametrize("kind", [Optimal, Source])
def test_six_thousand_executions_take_no_more_memory_than_three_thousand(kind: Any):
    """counter 5 has 14,400 classes of 10 steps. The plans of one path take some kilobytes more or less.

    Not fewer than three thousand: Python keeps up to 2,000 dead tuples of each length for later use.
    """
    found = _traced(programs.counter(5), kind(), 6000)
    assert max(found[5000:]) <= max(found[2500:3500]) + 10_000


def test_an_execution_of_four_thousand_steps_takes_less_than_a_kilobyte_a_step():
    """About 400 bytes a step."""
    program = Program()
    cells = [program.cell(0) for _ in range(4)]

    def body(number: int) -> Any:
        for step in range(1000):
            yield cells[number].store(step)

    for number in range(4):
        program.actor(body, number)
    found = _traced(program, Optimal(), 1)
    assert 1_000_000 < found[0] < 4_000_000
