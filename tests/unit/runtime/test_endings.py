"""How a run is broken off: by a failure in a task of many bodies, by a block that raises, by Ctrl-C."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from typing import Any

import pytest

from hocket import Scheduler
from hocket.errors import Refused, TaskLost
from hocket.kernel import Stimulus
from hocket.runtime import THREADING

workers = pytest.mark.parametrize("workers", [1, 2])


@workers
def test_when_a_body_of_many_has_failed_nothing_more_is_drawn_however_many_are_at_it(workers):
    def body(number: int) -> None:
        if number == 5:
            raise LookupError("planted")

    with Scheduler(workers) as s:
        endless = s.iter("endless", itertools.count(), body, lazy=True)
        long = s.multi("long", 10**12, body)
        for many in (endless, long):
            with pytest.raises(LookupError, match="planted"):
                many.join()


@workers
@pytest.mark.parametrize("items", [range(10**12), itertools.count()], ids=["drawn at once", "lazy"])
def test_a_block_that_raises_breaks_off_tasks_of_many_bodies(workers, items):
    begun = threading.Event()

    def begin(s: Scheduler) -> Any:
        body = lambda _: begun.set()  # noqa: E731  # two of the same
        return s.multi("m", len(items), body) if isinstance(items, range) else s.iter("m", items, body, lazy=True)

    with pytest.raises(ZeroDivisionError), Scheduler(workers) as s:  # noqa: PT012
        many = begin(s)
        after = s.spawn("after", int, after=[many])
        begun.wait()
        raise ZeroDivisionError
    assert [str(task.outcome) for task in (many, after)] == ["failed", "cancelled"]
    with pytest.raises(TaskLost, match="'m' was interrupted"):
        many.join()


@workers
def test_what_is_spawned_while_a_scheduler_breaks_off_does_not_start(workers):
    began = threading.Event()

    def again() -> None:
        began.set()
        s.spawn("again", again)

    with pytest.raises(ZeroDivisionError), Scheduler(workers) as s:  # noqa: PT012
        s.spawn("again", again)
        began.wait()
        raise ZeroDivisionError
    s.check()


def test_ctrl_c_ends_an_endless_task_and_no_worker_is_left():
    before = threading.active_count()

    def press(number: int) -> None:
        if not number:
            while not s._waiting:  # the end of the block is what is to be interrupted
                time.sleep(0)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # perhaps just before it blocks
            while s._closing is not Stimulus.CANCELLED:
                time.sleep(0)

    with pytest.raises(KeyboardInterrupt), Scheduler(2) as s:
        s.iter("endless", itertools.count(), press, lazy=True)
    assert threading.active_count() == before


def test_the_main_thread_looks_up_now_and_then_and_no_other_does():
    """A Ctrl-C that comes just before it blocks is overlooked until it wakes up."""
    times = [THREADING.longest_sleep()]
    thread = threading.Thread(target=lambda: times.append(THREADING.longest_sleep()))
    thread.start()
    thread.join()
    assert times == [0.2, None]
    with Scheduler(1) as s:
        gate = threading.Event()
        task = s.spawn("t", gate.wait)
        waited, seat_of = [], s._seat

        def seat(name):
            made = seat_of(name)
            wait = made.condition.wait

            def once(timeout=None):
                waited.append(timeout)
                gate.set()
                return wait(timeout)

            made.condition.wait = once
            return made

        s._seat = seat
        task.join()
    assert set(waited) <= {0.2}
    assert waited


def test_a_scheduler_that_has_closed_is_not_entered_again():
    with Scheduler(1) as s:
        pass
    with pytest.raises(Refused, match="'the scheduler' was entered but it is closed"):
        s.__enter__()
