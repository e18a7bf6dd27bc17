"""Tracers and debuggers look on: what they do is no step, and who waits for an answer is not stuck."""

from __future__ import annotations

import sys
import threading

import hocket
from hocket.explore.threads.debugging import only_when_shown
from hocket.explore.threads.looking import is_debugging
from tests.unit.explore_threads.scripted_debugger import asked, stop

LOCK, LINES = threading.Lock(), []


class Account:
    def __init__(self):
        self.balance = 0

    def deposit(self):
        old = self.balance
        self.balance = old + 1


def deposits(count):
    account = Account()
    threads = [threading.Thread(target=account.deposit) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return account.balance


def trace(frame, event, argument):
    """With a lock and a list of this module, which is tracked."""
    if frame.f_code.co_name == "deposit":
        with LOCK:
            LINES.append((event, frame.f_lineno - frame.f_code.co_firstlineno))
    return trace


def test_a_tracer_with_a_lock_and_a_list_changes_no_count_and_sees_every_line():
    plain = hocket.explore(lambda: deposits(2))
    threading.settrace(trace)
    try:
        traced = hocket.explore(lambda: deposits(2))
    finally:
        threading.settrace(None)
    assert (traced.verdict, traced.classes, traced.executions, traced.outcomes) == (
        plain.verdict, plain.classes, plain.executions, plain.outcomes) == ("proved", 4, 4, {2: 2, 1: 2})
    assert {line for event, line in LINES if event == "line"} == {1, 2}
    assert LOCK.acquire(blocking=False)
    LOCK.release()
    assert sys.gettrace() is None or "hocket" not in sys.gettrace().__module__


def stops():
    account = Account()

    def deposit():
        old = account.balance
        account.balance = old + 1
        if account.balance == old:
            return
        breakpoint()

    threads = [threading.Thread(target=deposit) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance == 2


def test_whoever_waits_for_what_a_debugger_is_told_is_not_stuck(monkeypatch):
    monkeypatch.setattr(sys, "breakpointhook", stop)
    asked.clear()
    hocket.explore(stops, executions=1)
    assert asked == [True] * 4  # two questions of each thread
    assert not is_debugging(sys._getframe())


def test_where_a_runner_wishes_it_only_the_shown_interleaving_stops(monkeypatch):
    monkeypatch.setattr(sys, "breakpointhook", stop)
    asked.clear()
    with only_when_shown() as passed:
        failure = hocket.explore(stops).failure
    assert failure.kind == "assertion"
    assert passed.times > 4
    assert asked == [True] * 4
    assert sys.breakpointhook is stop
