"""Random coroutines do on the explored loop what they do on the loop that ships; more is one command (fuzz_asyncio)."""

from __future__ import annotations

import pytest

from tests.fuzz_asyncio import differences


@pytest.mark.parametrize("seed", range(0, 16, 8))
def test_eight_random_programs_have_the_outcomes_of_the_stock_loop_also_with_a_task_cancelled_at_each_moment(seed):
    assert [wrong for wrong, _ in map(differences, range(seed, seed + 8)) if wrong] == []
