"""What the benchmarks of event loops measure is what they say: each contender runs every body once, in order."""

from __future__ import annotations

import asyncio
import gc

import pytest

from tests.benchmarks.runtime.loop_costs import CONTENDERS, one_multi, table
from tests.benchmarks.runtime.shapes import SHAPES


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("contender", CONTENDERS)
def test_a_contender_on_a_loop_runs_every_body_once(shape, contender):
    calls = [0]

    async def body() -> None:
        calls[0] += 1

    size, edges = SHAPES[shape](300)
    asyncio.run(CONTENDERS[contender](size, edges, body))
    assert calls == [size]


def test_a_multi_task_runs_as_many_bodies():
    calls = [0]

    async def body() -> None:
        calls[0] += 1

    asyncio.run(one_multi(300, [], body))
    assert calls == [300]


def test_a_table_of_loops_is_printed_for_every_shape(monkeypatch):
    monkeypatch.setattr(gc, "collect", lambda: 0)  # what figures need, and here costs as much as the suite is large
    lines = list(table(200, 1))
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == list(SHAPES)
    assert len(lines) == len(SHAPES) * (1 + len(CONTENDERS)) + 1
