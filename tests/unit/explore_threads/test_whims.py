"""A waiter that wakes up for no reason, on real threads: `if` instead of `while` fails, and `while` does not.

Python's own Condition never does that; a port of the program to one that may is what these explorations speak of.
The classes are counted by depth-first search, which tries every schedule and knows nothing of independence.
"""

from __future__ import annotations

import threading

import pytest

from hocket import Atomic
from hocket.explore.classes import class_of
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Cast
from hocket.explore.failing.failures import failure_of
from hocket.explore.threads.runner import Runner
from hocket.explore.threads.session import Session


def explored(body, whims, strategy):
    """The classes of a program whose actors have so many whims each, its executions, and its first failure."""
    classes, failures, runs = set(), [], []

    def judge(control):
        runs.append(1)
        classes.add(class_of(control.execution))
        failures.extend(filter(None, [failure_of(control)]))
        return not failures

    Runner(body, Session(Cast(), 1_000, spurious=whims)).run(strategy, judge)
    return len(classes), len(runs), failures[0] if failures else None


def handing_over(wait):
    """One thread waits until another says that it is ready; `wait` is how."""

    def body():
        bell, ready = threading.Condition(), Atomic(False)

        def consume():
            with bell:
                wait(bell, ready)
                assert ready.load()

        def produce():
            with bell:
                ready.store(True)
                bell.notify()

        threads = [threading.Thread(target=work) for work in (consume, produce)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return body


def once(bell, ready):
    if not ready.load():
        bell.wait()


def in_a_loop(bell, ready):
    while not ready.load():
        bell.wait()


def by_predicate(bell, ready):
    bell.wait_for(ready.load)


def in_time(bell, ready):
    while not ready.load():
        if not bell.wait(timeout=1) and not ready.load():
            raise SystemExit  # gave up


def test_a_wait_that_is_not_repeated_is_right_as_long_as_nobody_has_whims():
    assert explored(handing_over(once), 0, Optimal()) == (2, 2, None)  # who takes the lock first


def test_with_a_whim_it_goes_on_although_nobody_has_notified():
    _, _, failure = explored(handing_over(once), 1, Optimal())
    assert failure.kind == "assertion"
    assert any(event.alternative == 1 for event in failure.schedule.steps)


@pytest.mark.parametrize("wait", [in_a_loop, by_predicate, in_time])
@pytest.mark.parametrize("whims", [0, 1, 2])
def test_a_wait_in_a_loop_survives_whims_and_each_class_is_run_once(wait, whims):
    classes, runs, failure = explored(handing_over(wait), whims, Optimal())
    assert failure is None
    assert (classes, runs) == (EXPECTED[wait][whims],) * 2
    if whims < 2:
        assert explored(handing_over(wait), whims, DepthFirst())[0] == classes


# The producer comes first: 1 class. Else W(k) with k whims left: W(0) = 1, notified. With a whim to be had W(k) = 3 +
# W(k-1): without it; with it but notified first; awake before the notify but behind the producer at the lock; or in
# front of it, and waiting again. A limit of time adds two ways to each wait without a whim: too late, before or behind.
EXPECTED = {in_a_loop: (2, 5, 8), by_predicate: (2, 5, 8), in_time: (4, 9, 14)}


def test_whoever_wakes_for_no_reason_is_no_longer_notified():
    """Two wait, one rings once. A notify is never lost on a sleeper that has woken up by itself and is gone."""
    woken = []

    def body():
        bell = threading.Condition()
        woken.clear()

        def sleep():
            with bell:
                bell.wait()
                woken.append("sleeper")

        def ring():
            with bell:
                woken.append("bell" if bell._waiters else "nobody")
                bell.notify()

        for work in (sleep, sleep, ring):
            threading.Thread(target=work, daemon=True).start()

    ends = set()

    def judge(control):
        whims = sum(event.operation.kind == "lock.timed" and event.alternative for event in control.execution.events)
        ends.add((whims, *woken))
        return True

    Runner(body, Session(Cast(), 1_000, spurious=1)).run(Optimal(), judge)
    both = ("sleeper", "sleeper")
    assert ends == {
        (0, "nobody"), (0, "bell", "sleeper"),
        (1, "nobody", "sleeper"), (1, "sleeper", "nobody"), (1, "bell", "sleeper"),
        (1, "bell", *both), (1, "sleeper", "bell", "sleeper"),
        (2, "nobody", *both), (2, "bell", *both), (2, "sleeper", "nobody", "sleeper"),
        (2, "sleeper", "bell", "sleeper"),
        (2, *both, "nobody"),
    }
