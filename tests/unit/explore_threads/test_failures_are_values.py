"""What goes wrong is found, named, made small, seen to happen again, and leaves the process as it was."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

import hocket
from hocket import Atomic
from hocket.errors import DeadlockError, ExplorationError
from tests.together import together


def lost_update():
    counter = Atomic(0)

    def increment():
        value = counter.load()
        counter.store(value + 1)

    together(increment, increment)
    assert counter.load() == 2, "an increment was lost"


def opposite_locks():
    a = threading.Lock()
    b = threading.Lock()

    def one():
        with a, b:
            pass

    def two():
        with b, a:
            pass

    together(one, two)


def lost_wakeup():
    bell = threading.Condition()

    def wait():
        with bell:
            bell.wait()

    waiter = threading.Thread(target=wait)
    waiter.start()
    with bell:
        bell.notify()
    waiter.join()


def held_at_the_end():
    door = threading.Lock()
    together(lambda: door.acquire())


def test_a_lost_update_is_an_assertion_with_the_shortest_schedule_of_one_preemption():
    failure = hocket.explore(lost_update).failure
    assert (failure.kind, failure.preemptions, failure.replayed) == ("assertion", 1, True)
    assert failure.message == "AssertionError: an increment was lost in main"
    # two starts, two loads, two stores, two joins, the last load; and the first step of each thread: 11
    assert len(failure.schedule) == 11


def test_opposite_locks_deadlock_with_the_cycle_named():
    failure = hocket.explore(opposite_locks).failure
    assert failure.kind == "deadlock"
    assert failure.message == "t1 holds a and waits for b; t2 holds b and waits for a"
    assert set(failure.cycle) == {"t1", "t2"}
    assert failure.preemptions == 1
    with pytest.raises(DeadlockError, match="t1 holds a and waits for b"):
        hocket.replay(opposite_locks, failure.schedule)


def test_a_thread_that_takes_its_own_lock_again_waits_for_itself():
    def body():
        lock = threading.Lock()
        with lock, lock:
            pass

    failure = hocket.explore(body).failure
    assert (failure.kind, failure.cycle) == ("deadlock", ("main",))
    assert failure.message == "main holds lock and waits for lock"


def test_a_join_of_each_other_is_a_cycle_too():
    def body():
        other = []

        def first():
            while len(other) < 1:
                return
            other[0].join()

        one = threading.Thread(target=first)
        other.append(threading.Thread(target=one.join))
        one.start()
        other[0].start()

    failure = hocket.explore(body, data="off").failure
    assert failure.kind == "deadlock"
    assert failure.message == "t1 waits for t2 to end; t2 waits for t1 to end"


def test_a_lost_wakeup_names_the_notify_that_came_too_early():
    failure = hocket.explore(lost_wakeup).failure
    assert failure.kind == "deadlock"
    first = lost_wakeup.__code__.co_firstlineno
    # main starts t1, takes the bell, notifies nobody, and gives it back; then t1 takes it and gives it back to wait
    assert failure.message == (
        "main waits for t1 to end; t1 waits to be notified: a lost wake-up, main notified after step 2 at "
        f"test_failures_are_values.py:{first + 10}, when nobody waited yet; t1 waits since step 5 at "
        f"test_failures_are_values.py:{first + 5}")
    assert [row.text for row in failure.rows][:5] == [
        "start t1", "bell.acquire", "bell.release", "bell.acquire", "bell.release in wait()"]
    assert failure.preemptions == 0


def test_a_notify_that_woke_somebody_is_not_blamed_for_the_next_wait():
    def body():
        bell, waiting = threading.Condition(), []

        def wait_twice():
            with bell:
                waiting.append(1)
                bell.wait()
                bell.wait()

        threading.Thread(target=wait_twice).start()
        with bell:
            if waiting:
                bell.notify()

    failure = hocket.explore(body, data="off").failure
    assert (failure.kind, failure.message) == ("deadlock", "t1 waits to be notified, and nobody is left who could")


def test_the_same_with_a_predicate_is_proved():
    def body():
        bell, ready = threading.Condition(), Atomic(False)

        def wait():
            with bell:
                bell.wait_for(ready.load)

        waiter = threading.Thread(target=wait)
        waiter.start()
        with bell:
            ready.store(True)
            bell.notify()
        waiter.join()

    result = hocket.explore(body)
    # either the waiter comes first (and waits), or the notifier does
    assert (result.verdict, result.classes) == ("proved", 2)


def test_an_exception_in_any_thread_is_a_failure_and_not_printed_away(capfd):
    def body():
        together(lambda: {}["missing"])

    failure = hocket.explore(body).failure
    assert (failure.kind, type(failure.exception)) == ("exception", KeyError)
    with pytest.raises(KeyError):
        hocket.replay(body, str(failure.schedule))
    assert capfd.readouterr().err == ""


def test_system_exit_ends_a_thread_as_threading_says():
    def body():
        together(lambda: (_ for _ in ()).throw(SystemExit))

    assert hocket.explore(body, data="off").verdict == "proved"


def test_a_lock_that_its_owner_takes_to_the_end_is_a_leak():
    failure = hocket.explore(held_at_the_end).failure
    assert (failure.kind, failure.message) == ("leak", "t1 has ended and still holds door")
    with pytest.raises(ExplorationError, match="still holds door"):
        hocket.replay(held_at_the_end, failure.schedule)


def test_a_lock_that_somebody_else_releases_is_a_signal_and_no_leak():
    def body():
        done = threading.Lock()
        done.acquire()
        threading.Thread(target=done.release).start()
        done.acquire()

    assert hocket.explore(body).verdict == "proved"


def test_a_thread_that_is_never_joined_is_run_to_its_end():
    seen = Atomic(0)

    def body():
        def late():
            seen.store(1)
            raise ValueError("late")

        threading.Thread(target=late).start()

    failure = hocket.explore(body).failure
    assert (failure.kind, str(failure.exception)) == ("exception", "late")


def test_a_daemon_that_waits_for_ever_is_no_deadlock():
    def body():
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    assert hocket.explore(body).verdict == "proved"


def test_a_daemon_that_waits_for_ever_with_a_lock_in_its_hand_has_not_ended_and_leaks_nothing():
    def body():
        door = threading.Lock()

        def wait():
            with door:
                threading.Event().wait()

        threading.Thread(target=wait, daemon=True).start()

    assert hocket.explore(body, data="off").verdict == "proved"


def test_a_body_that_never_ends_is_a_livelock_that_says_what_repeats():
    def body():
        x = Atomic(0)
        while x.load() == 0:
            pass

    failure = hocket.explore(body, steps=200).failure
    assert failure.kind == "livelock"
    assert failure.message == (
        "main: x.load: this repeats for ever, and nobody is left to change what it looks at")
    assert failure.cycle == ("main: x.load",)


_runs = [0]


def _does_not_repeat_itself():
    _runs[0] += 1
    x, y = Atomic(0), Atomic(0)
    together(lambda: (x if _runs[0] % 2 else y).store(1), x.load)


def test_a_program_that_does_not_repeat_itself_is_named_in_the_command_that_replays_it():
    failure = hocket.explore(_does_not_repeat_itself, data="off").failure
    assert failure.kind == "nondeterminism"
    assert failure.target.endswith("test_failures_are_values.py::_does_not_repeat_itself")
    assert f"hocket replay {failure.target} " in str(failure)


def test_a_step_bound_reached_while_others_could_go_on_is_incomplete_and_says_so():
    def body():
        x, rounds = Atomic(0), 0
        setter = threading.Thread(target=lambda: x.store(1))
        setter.start()
        while x.load() == 0:
            rounds += 1

    result = hocket.explore(body, steps=200)
    assert (result.verdict, result.failure) == ("incomplete", None)
    assert "limit of 200 steps" in result.reason


def test_a_body_that_computes_for_ever_is_left_from_outside(monkeypatch):
    monkeypatch.setattr("hocket.explore.threads.runner._BUSY", 0.3)
    monkeypatch.setattr("hocket.explore.threads.runner._BLOCKED", 0.2)

    def body():
        while True:
            pass

    result = hocket.explore(body)
    assert result.verdict == "incomplete"
    assert "main runs without a visible operation" in result.reason
    assert hocket.explore(lost_update).verdict == "failed"


def test_a_body_that_blocks_for_real_is_named_with_its_stack(monkeypatch):
    monkeypatch.setattr("hocket.explore.threads.runner._BLOCKED", 0.2)
    real = __import__("hocket.explore.threads.pool", fromlist=["_allocate_lock"])._allocate_lock()
    real.acquire()

    def body():
        box = [real]
        box[0].acquire()

    result = hocket.explore(body)
    assert result.verdict == "incomplete"
    assert "main blocks outside of the explorer's control" in result.reason
    assert "box[0].acquire()" in result.notes[0]
    real.release()


def test_a_test_that_does_not_repeat_itself_is_told_so_at_the_first_difference():
    runs = []

    def body():
        x, y = Atomic(0), Atomic(0)
        runs.append(1)

        def first():
            (x if len(runs) % 2 else y).store(1)
            x.load()

        together(first, lambda: x.store(2))

    failure = hocket.explore(body, data="off").failure
    assert failure.kind == "nondeterminism"
    assert "x.store" in failure.message
    assert "y.store" in failure.message


def test_a_body_that_swallows_its_unwinding_is_reported():
    def body():
        lock = threading.Lock()
        lock.acquire()

        def stubborn():
            while True:
                with contextlib.suppress(BaseException):
                    lock.acquire()

        threading.Thread(target=stubborn).start()

    failure = hocket.explore(body, data="off").failure
    assert failure.kind == "exception"
    assert failure.message.startswith("t1 catches BaseException in a loop")
    assert hocket.explore(lost_update).verdict == "failed"


def test_blocking_sleep_takes_no_time():
    def body():
        before = time.monotonic()
        time.sleep(1_000_000)
        return time.monotonic() - before

    assert hocket.explore(body).outcomes == {1_000_000: 1}


def test_a_timeout_is_a_choice_only_where_the_lock_is_taken():
    def body():
        lock, seen = threading.Lock(), Atomic(None)

        def impatient():
            taken = lock.acquire(timeout=5)
            seen.store(taken)
            if taken:
                lock.release()

        with lock:
            thread = threading.Thread(target=impatient)
            thread.start()
        thread.join()
        return seen.load()

    # the time runs out before the release, or the lock is taken after it
    assert hocket.explore(body).outcomes == {False: 1, True: 1}


def test_is_alive_and_timed_joins_see_both_answers():
    def body():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        early = thread.is_alive()
        thread.join(1)
        return early, thread.is_alive()

    # ended before the first look; between it and the join; after the timed-out join, before or after the last look
    assert hocket.explore(body).outcomes == {(False, False): 1, (True, False): 2, (True, True): 1}


def test_is_alive_alone_makes_the_end_of_a_thread_visible():
    def body():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        return thread.is_alive()

    assert hocket.explore(body).outcomes == {True: 1, False: 1}


def test_an_exception_on_the_way_out_does_not_hide_the_deadlock():
    def body():
        lock = threading.Lock()
        lock.acquire()
        try:
            lock.acquire()
        finally:
            raise ValueError("a consequence")

    assert hocket.explore(body).failure.kind == "deadlock"


def test_what_must_be_reachable_and_is_not_fails():
    def body():
        x = Atomic(0)
        thread = threading.Thread(target=lambda: x.store(1))
        thread.start()
        hocket.sometimes(x.load() == 1, "the store came first")
        hocket.sometimes(x.load() == 2, "a 2 out of nowhere")

    result = hocket.explore(body)
    assert result.verdict == "failed"
    assert result.failure.message == "sometimes 'a 2 out of nowhere' was reached in none of 3 classes"
    assert result.sometimes == {"the store came first": True, "a 2 out of nowhere": False}


def test_raise_if_failed_raises_what_the_program_raised_with_the_lanes_as_a_note():
    with pytest.raises(AssertionError, match="an increment was lost") as caught:
        hocket.explore(lost_update).raise_if_failed()
    assert "replay: hocket replay" in caught.value.__notes__[0]


def test_the_process_is_usable_after_each_kind_of_failure():
    threads = threading.active_count()
    for body in (lost_update, opposite_locks, lost_wakeup, held_at_the_end):
        assert hocket.explore(body).verdict == "failed"
        assert hocket.explore(lambda: Atomic(1).load()).outcomes == {1: 1}
    assert threading.active_count() == threads
