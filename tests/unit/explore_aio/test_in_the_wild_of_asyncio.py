"""Coroutines as people write them: the mistake is found and its schedule replays, the repair is proved."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import wild_aio

sys.path.pop(0)

PROGRAMS = {program.__name__: program for program in wild_aio.PROGRAMS}
CLASSES = {  # of the repaired program; those that are not listed have 1, because asyncio's order leaves nothing open
    "a_lock_not_released_by_who_is_cancelled": 6, "a_semaphore_taken_before_the_try": 6,
    "an_item_lost_with_who_took_it": 6, "a_timeout_that_loses_the_result": 10,
    "an_executor_and_a_coroutine": 3, "cancellation_swallowed_in_a_loop": 6,
    "the_first_of_two_taken_for_the_only_one": 10, "handed_over_as_time_is_over": 6,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_mistake_is_found_and_the_repair_is_proved(name):
    found = wild_aio.explored(PROGRAMS[name], fixed=False)
    assert found.verdict == "failed", found
    assert found.failure.replayed
    proved = wild_aio.explored(PROGRAMS[name], fixed=True)
    assert proved.verdict == "proved", proved
    if sys.version_info[:2] == (3, 11):  # how often pools and handlers lock differs from one Python to the next
        assert proved.classes == CLASSES.get(name, 1)
