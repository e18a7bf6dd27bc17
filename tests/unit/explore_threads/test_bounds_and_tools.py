"""A preemption bound says so in its verdict; tracing, profiling and context variables work inside of actors."""

from __future__ import annotations

import contextvars
import sys
import threading

import pytest

import hocket
from hocket import Atomic
from tests.together import together


def two_increments():
    x = Atomic(0)
    together(*[lambda: x.store(x.load() + 1)] * 2)
    return x.load()


# without a preemption the increments come one after the other (2 classes, outcome 2); one preemption reaches all 4
@pytest.mark.parametrize(("bound", "verdict", "classes", "outcomes"), [
    (0, "bounded", 2, {2: 2}), (1, "bounded", 4, {2: 2, 1: 2}), (9, "proved", 4, {2: 2, 1: 2})])
def test_a_bound_is_kept_and_said(bound, verdict, classes, outcomes):
    result = hocket.explore(two_increments, bound=bound)
    assert (result.verdict, result.classes, result.outcomes) == (verdict, classes, outcomes)
    assert result.exit_code == 0


def test_a_failure_beyond_the_bound_is_not_found_and_one_within_is():
    def body():
        assert two_increments() == 2

    assert hocket.explore(body, bound=0).verdict == "bounded"
    assert hocket.explore(body, bound=1).failure.preemptions == 1


def test_a_trace_function_for_threads_sees_every_actor():
    seen = set()

    def trace(frame, event, argument):
        seen.add(frame.f_code.co_name)

    def work():
        hocket.choose(1)

    def body():
        together(work)

    before = threading.gettrace()
    threading.settrace(trace)
    try:
        hocket.explore(body, data="off")
    finally:
        threading.settrace(before)
    assert {"body", "work"} <= seen
    assert sys.getprofile() is None


def test_context_variables_are_the_callers_and_do_not_leak_from_run_to_run():
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(5)

    def body():
        variable.set(variable.get() + hocket.choose(2))
        return variable.get()

    assert hocket.explore(body, data="off").outcomes == {5: 1, 6: 1}
    assert variable.get() == 5


def test_progress_is_told_to_whoever_listens(monkeypatch):
    monkeypatch.setattr("hocket.explore.threads.runner._LOOK", 0.001)
    heard = []
    hocket.explore(lambda: [hocket.choose(10) for _ in range(3)], data="off", progress=heard.append)
    assert heard
    assert str(heard[-1]).endswith((" s to go", " s, no estimate yet"))
    assert heard[-1].executions <= 1_000
