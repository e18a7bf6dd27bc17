"""Random coroutines do on the explored loop what they do on the loop that ships; more is one command (fuzz_asyncio)."""

from __future__ import annotations

import asyncio

import pytest

import hocket
from tests.fuzz_asyncio import differences


@pytest.mark.parametrize("seed", range(0, 8, 4))
def test_four_random_programs_have_the_outcomes_of_the_stock_loop_also_with_a_task_cancelled_at_each_moment(seed):
    assert [wrong for wrong, _ in map(differences, range(seed, seed + 4)) if wrong] == []


async def taken_back():
    """A callback is taken back by an equal one: `rows.append` is another object each time that it is asked for."""
    rows, future = [], asyncio.get_running_loop().create_future()
    future.add_done_callback(rows.append)
    taken = future.remove_done_callback(rows.append)
    future.set_result(None)
    await asyncio.sleep(0)
    return taken, len(rows)


def test_a_method_of_a_list_that_is_handed_over_twice_is_the_same_for_whoever_compares():
    assert asyncio.run(taken_back()) == (1, 0)
    assert hocket.explore(taken_back).outcomes == {(1, 0): 1}
