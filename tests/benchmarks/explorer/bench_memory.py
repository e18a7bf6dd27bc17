"""What one deep execution takes: `python -m tests.benchmarks.explorer.bench_memory [depth ...]`; bytes a step.

Two or three actors and one execution, with `tracemalloc`: all that is in use after it, and so much of it as the
happens-before order keeps. What grows with the depth squared shows as more bytes a step at a greater depth.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

from hocket.explore.dpor import Optimal
from hocket.explore.model import Program, run
from hocket.explore.tally import Limits

Steps = Any


def apart(depth: int) -> Program:
    """Everybody writes a cell of their own: nothing is ordered but the steps of one actor."""
    program = Program()
    for number in range(3):
        program.actor(_writes, program.cell(0), depth // 3, number)
    return program


def together(depth: int) -> Program:
    """Everybody writes one cell: every step is ordered, and races are everywhere."""
    program = Program()
    cell = program.cell(0)
    for number in range(3):
        program.actor(_writes, cell, depth // 3, number)
    return program


def locked(depth: int) -> Program:
    """Everybody takes one lock, and writes a cell of their own under it."""
    program = Program()
    lock = program.lock()

    def body(cell: Any) -> Steps:
        for step in range(depth // 9):
            yield lock.acquire()
            yield cell.store(step % 100)
            yield lock.release()

    for _ in range(3):
        program.actor(body, program.cell(0))
    return program


def mixed(depth: int) -> Program:
    """Two write one cell, and one another: some steps are ordered, and some are not."""
    program = Program()
    cells = [program.cell(0), program.cell(0)]
    for number in range(3):
        program.actor(_writes, cells[number // 2], depth // 3, number)
    return program


def far(depth: int) -> Program:
    """Two write the same cells, one after the other, with three steps of their own between: a race for eight steps.

    If they do not take turns, the two writes of a cell are half an execution apart.
    """
    program = Program()
    cells, own = [program.cell(0) for _ in range(depth // 8)], [program.cell(0) for _ in range(2)]

    def body(me: int) -> Steps:
        for cell in cells:
            for step in range(3):
                yield own[me].store(step)
            yield cell.store(me)

    for number in range(2):
        program.actor(body, number)
    return program


def _writes(cell: Any, count: int, number: int) -> Steps:
    for step in range(count):
        yield cell.store((step + number) % 100)


PROGRAMS = {"apart": apart, "together": together, "locked": locked, "mixed": mixed, "far": far}


def in_use(program: Program, turns: bool = True) -> tuple[int, int, int]:
    """Steps of the first execution, bytes in use after it, and how many of them the order and its races hold.

    `turns`: the actors take turns, step by step, instead of running on as a search lets them.
    """
    strategy = _InTurns() if turns else Optimal()
    tracemalloc.start()
    try:
        tally = run(program, strategy, Limits(executions=1))
        used = tracemalloc.get_traced_memory()[0]
        order = strategy.order
        held = used
        for name in ("past", "raced", "_apart"):
            setattr(order, name, None)
        for frame in strategy.frames:
            frame.races = None
        held -= tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return tally.events, used, held


class _InTurns(Optimal):
    """Whoever ran longest ago goes on."""

    def _free_choice(self, frame: Any, execution: Any) -> bool:
        pending = execution.pending
        for ahead in range(1, len(pending) + 1):
            actor = (execution.last + ahead) % len(pending)
            operation = pending[actor]
            if operation is not None and self._take(frame, execution, actor, operation):
                return True
        return False


def rows(depths: list[int]) -> Iterator[str]:
    """One line a program and depth."""
    for name, make in PROGRAMS.items():
        for depth in depths:
            steps, used, held = in_use(make(depth), turns=make is not far)
            yield (f"{name:9} {steps:6} steps: {used / 1e6:7.2f} MB, {used / steps:6.0f} bytes a step, "
                   f"of which order and races {held / steps:6.0f}")


if __name__ == "__main__":
    for row in rows([int(depth) for depth in sys.argv[1:]] or [1_000, 4_000, 16_000]):
        print(row, flush=True)
