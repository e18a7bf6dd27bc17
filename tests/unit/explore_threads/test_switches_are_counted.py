"""What is said of a failing schedule that was not made smaller, because time was up."""

import threading
from collections.abc import Callable

import pytest

import hocket
from hocket.explore.failing import minimise
from hocket.explore.failing.joining import _joined
from hocket.explore.failing.minimise import _switches
from hocket.trace.schedule import Schedule

COUNTED = {"hocket1:mainx2.t1x3.main#000000": 1, "hocket1:mainx2.t1x3.t2x2#000000": 0,
           "hocket1:mainx2.t1x3.t2.t1.t2#000000": 2}


@pytest.mark.parametrize(("text", "count"), COUNTED.items())
def test_a_switch_counts_if_the_last_one_goes_on_later(text, count):
    assert _switches(Schedule.parse(text)) == count


def _far_apart(others: int) -> Callable[[], None]:
    """`b` has to look between two stores of `a`, and again behind them: two preemptions, whatever else goes on."""
    def body() -> None:
        x, y = hocket.Atomic(0), hocket.Atomic(0)
        own = [hocket.Atomic(0) for _ in range(3)]

        def busy(me: int) -> None:
            for _ in range(others):
                own[me].add(1)
            y.add(1)

        def a() -> None:
            busy(0)
            x.store(1)
            x.store(2)
            busy(0)

        def b() -> None:
            busy(1)
            if x.load() == 1 and x.load() == 2:
                raise ValueError("seen in between")
            busy(1)

        threads = [threading.Thread(target=act) for act in (a, b, lambda: busy(2))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return body


def test_a_failure_too_far_away_for_all_schedules_is_joined_turn_by_turn_to_the_fewest_preemptions(monkeypatch):
    """All classes within one preemption are more than 300 executions, so the budget ends before two are tried."""
    monkeypatch.setattr(minimise, "_EXECUTIONS", 300)
    failure = hocket.explore(_far_apart(5)).failure
    assert (failure.kind, failure.preemptions, failure.replayed) == ("exception", 2, True)
    with pytest.raises(ValueError, match="seen in between"):
        hocket.replay(_far_apart(5), failure.schedule)


def test_turns_of_one_actor_are_joined_and_turns_are_left_out():
    steps = Schedule.parse("hocket1:main.t1.main#000000").steps
    tried = [[step.actor for step in way] for way in _joined(steps)]
    assert tried == [["main", "main", "t1"], ["t1", "main", "main"], ["t1", "main"], ["main", "main"], ["main", "t1"]]
