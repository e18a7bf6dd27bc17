"""Programs as people write them: the mistake is found and its schedule replays, the repair is proved, class by class.

54 of the counts are those of depth-first search, which ended for so many in a few seconds each. CI takes every other
program; `HOCKET_WILD=all pytest tests/unit/explore_shared/test_in_the_wild.py` takes all 70.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from pathlib import Path

import pytest

import hocket

sys.path.insert(0, str(Path(__file__).parent))
import wild_caches
import wild_threads

sys.path.pop(0)

PROGRAMS = {program.__name__: program for program in (*wild_caches.PROGRAMS, *wild_threads.PROGRAMS)}
CLASSES = {  # of the repaired program; those that are not listed have 2: which of two comes first
    "double_checked_locking_without_the_second_check": 4, "a_metaclass_that_makes_singletons": 4,
    "new_that_keeps_the_only_instance": 4, "a_property_cached_by_hand": 4, "a_descriptor_that_caches_by_hand": 4,
    "a_memo_in_a_module_dict": 4, "ids_given_out_by_a_generator": 4, "a_default_argument_that_is_kept": 4,
    "a_lazy_import_by_getattr": 4, "a_weak_reference_asked_twice": 1, "a_finaliser_that_counts": 4,
    "a_callback_under_a_plain_lock": 1, "a_condition_without_a_loop": 48, "one_notified_where_all_wait": 10,
    "an_event_cleared_after_the_wait": 14, "a_semaphore_that_leaks": 4, "a_semaphore_released_twice": 42,
    "task_done_before_the_work": 3, "one_end_mark_for_two": 8, "a_queue_too_small_for_who_drains_it": 8,
    "a_future_whose_callback_counts": 264, "a_pool_that_waits_for_itself": 36,
    "the_first_of_two_is_taken_for_both": 54, "a_timer_cancelled_too_late": 8, "a_daemon_asked_whether_it_lives":
    1, "a_thread_local_in_a_shared_object": 1, "a_thread_local_set_elsewhere": 1,
    "a_handler_that_counts_outside_of_its_lock": 8, "a_reader_counted_without_its_lock": 26,
    "stopped_by_a_flag_that_is_reset": 1,
}

COPIES = "copy" in logging.Logger.removeHandler.__code__.co_names  # its list of handlers (CPython gh-79366)
MENDED_BY_PYTHON = {"a_handler_removed_while_logging"} if COPIES else set()


@pytest.mark.parametrize("name", list(PROGRAMS)[:: 1 if os.environ.get("HOCKET_WILD") == "all" else 2])
def test_the_mistake_is_found_and_the_repair_is_proved(name):
    wrong, right = (functools.partial(PROGRAMS[name], fixed) for fixed in (False, True))
    found = hocket.explore(wrong)
    if name in MENDED_BY_PYTHON:
        assert found.verdict == "proved", found
    else:
        assert found.verdict == "failed", found
        assert found.failure.replayed
    proved = hocket.explore(right)
    assert proved.verdict == "proved", proved
    if sys.version_info[:2] == (3, 11):  # how often pools and handlers lock differs from one Python to the next
        assert proved.classes == CLASSES.get(name, 2)
