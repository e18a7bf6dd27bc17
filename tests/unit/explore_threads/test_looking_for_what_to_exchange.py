"""What an exploration looks through before it begins is what may have to be exchanged, and not all there is."""

from __future__ import annotations

import collections
import sys
import threading

import pytest

from hocket.explore.shared import functions
from hocket.explore.threads import earlier, patch
from hocket.explore.threads.primitives import ExploredLock

PLAIN = (1, 2.0, "three", b"4", None, True)
LARGE = {
    "a list": list(PLAIN) * 1_000, "a dict": dict(enumerate(PLAIN * 1_000)), "a set": set(range(6_000)),
    "a tuple": PLAIN * 1_000, "a deque": collections.deque(PLAIN * 1_000),
}


@pytest.mark.parametrize("held", LARGE.values(), ids=LARGE)
def test_a_container_of_plain_values_has_no_place_for_a_lock(held):
    assert list(earlier._places(held, set())) == []


def test_a_lock_among_plain_values_is_exchanged_and_put_back():
    lock = threading.Lock()
    inside, named = [*PLAIN, lock, *PLAIN], {**dict(enumerate(PLAIN)), "lock": lock}
    with patch.controlled(roots=[inside, named]):
        assert type(inside[len(PLAIN)]) is ExploredLock
        assert named["lock"] is inside[len(PLAIN)]
        assert inside[:6] == list(PLAIN)
        assert list(named.values())[:6] == list(PLAIN)
    assert inside == [*PLAIN, lock, *PLAIN]
    assert named["lock"] is lock


def test_a_module_with_nothing_to_replace_is_passed_over_until_it_has_a_new_name():
    with patch.controlled():
        pass
    known = [namespace["__name__"] for namespace in patch._BINDINGS.spaces()]
    assert "keyword" in sys.modules  # of the library, and without threads
    assert "keyword" not in known
    assert {"threading", "time"} <= set(known)
    keyword = vars(sys.modules["keyword"])
    keyword["pause"] = patch.time.sleep
    try:
        with patch.controlled():
            assert keyword["pause"] is patch._virtual_sleep
        assert keyword["pause"] is patch.time.sleep
    finally:
        del keyword["pause"]


def test_what_is_remembered_of_a_module_is_compared_with_what_it_holds():
    """The names that were found once are exchanged by one call; bound to something else meanwhile, they stay."""
    import sched

    plain, real = sched._time, patch.time.sleep
    for _ in range(2):
        with patch.controlled():
            assert sched._time is not plain
        assert sched._time is plain
    sched._time = real  # as many names as before
    try:
        with patch.controlled():
            assert sched._time is patch._virtual_sleep
        assert sched._time is real
        sched._time = len
        with patch.controlled():
            assert sched._time is len
        assert sched._time is len
    finally:
        sched._time = plain


def test_a_lock_behind_a_function_a_class_or_a_cell_is_found_and_what_holds_none_is_passed_by():
    lock, stands_in = threading.Lock(), earlier.StandIns()

    def closes_over() -> object:
        return lock

    assert not stands_in.may_replace([*PLAIN, print.__name__, closes_over, [lock]])
    assert stands_in.may_replace([*PLAIN, lock])
    assert stands_in.may_replace([lock.acquire])  # as a Condition keeps it
    assert earlier.StandIns([(sorted, min)]).may_replace([sorted])
    for holds in (closes_over, [closes_over], {"a": (closes_over,)}):
        with patch.controlled(roots=[holds]):
            assert type(closes_over()) is ExploredLock
        assert closes_over() is lock


def test_the_functions_of_a_module_are_found_among_all_there_are():
    here = sys.modules[__name__]
    hidden = [lambda: here]  # in no name of the module
    among = {id(each) for each in functions._functions() if each.__globals__ is vars(here)}
    found = {id(each) for each in functions._functions_of([here]) if each.__globals__ is vars(here)}
    assert found == among
    assert id(hidden[0]) in found
