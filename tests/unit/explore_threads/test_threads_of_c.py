"""A callback in a thread that C has started: what it does to data of the program was tried in no other order."""

from __future__ import annotations

import ctypes
import threading
from contextlib import suppress

import pytest

import hocket

CALLBACK = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
C = ctypes.CDLL(None)
TOTAL = 0

pytestmark = pytest.mark.skipif(not hasattr(C, "pthread_create"), reason="the system has no POSIX threads")


class Counter:
    total = 0

    def __init__(self):
        self.n = 0

    @property
    def double(self):
        return 2 * self.n

    def add(self):
        self.n += 1


def started_by_c(work):
    """What joins the thread; it holds on to what the thread calls."""
    def call(_):
        with suppress(LookupError, ValueError):
            work()

    callback, thread = CALLBACK(call), ctypes.c_ulong()
    assert C.pthread_create(ctypes.byref(thread), None, callback, None) == 0
    return lambda: C.pthread_join(thread, None) if callback else None


def started_by_python(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread.join


def assigned(o):
    o.n = 1


def assigned_to_a_class(o):
    Counter.total += 1


def assigned_to_a_module(o):
    global TOTAL
    TOTAL += 1


def generated():
    yield 1
    yield 2


# what is made, what the callback does to it, and what main does meanwhile
TOUCHED = {
    "an attribute is read": (Counter, lambda o: o.n, assigned),
    "an attribute is written": (Counter, assigned, lambda o: o.n),
    "a method": (Counter, Counter.add, Counter.add),
    "a property": (Counter, lambda o: o.double, assigned),
    "a class": (Counter, assigned_to_a_class, assigned_to_a_class),
    "a global": (Counter, assigned_to_a_module, assigned_to_a_module),
    "an item": (lambda: [0], lambda o: o[0], lambda o: o.pop()),
    "a method of C": (lambda: [0], lambda o: o.append(1), lambda o: o.pop()),
    "a function of C": (lambda: [0], lambda o: sum(o), lambda o: o.pop()),
    "a class of C": (lambda: [0], lambda o: tuple(o), lambda o: o.pop()),
    "a length": (lambda: [0], lambda o: len(o), lambda o: o.pop()),
    "a loop": (lambda: {0}, lambda o: [None for _ in o], lambda o: o.pop()),
    "a truth": (lambda: {0}, lambda o: 1 if o else 2, lambda o: o.pop()),
    "a membership": (lambda: {0}, lambda o: 0 in o, lambda o: o.pop()),
    "a comparison": (lambda: {0}, lambda o: o == {1}, lambda o: o.pop()),
    "a text": (lambda: {0}, lambda o: f"{o}", lambda o: o.pop()),
    "a generator": (generated, lambda o: next(o), lambda o: next(o)),
}


def together(start, made, deed, meanwhile):
    def body():
        o = made()
        join = start(lambda: deed(o))
        try:
            meanwhile(o)
        finally:
            join()

    return body


@pytest.mark.parametrize(("row", "model"), [*((row, "free") for row in TOUCHED), ("a method", "gil")])
def test_a_thread_of_c_that_touches_what_is_shared_leaves_nothing_proved(row, model):
    result = hocket.explore(together(started_by_c, *TOUCHED[row]), model=model)
    assert result.verdict == "incomplete"
    assert "a thread that the explorer does not know touches what is shared" in result.untracked[0]


@pytest.mark.parametrize("row", ["an attribute is written", "a method of C", "a function of C", "a generator"])
def test_a_thread_of_python_that_does_the_same_is_explored(row):
    """Whatever order there is to find: that of the two deeds, at least."""
    result = hocket.explore(together(started_by_python, *TOUCHED[row]))
    assert result.verdict in ("proved", "failed")
    assert result.executions > 1 or result.verdict == "failed"


def test_what_a_class_of_c_is_given_is_shared_once_that_is_handed_over():
    """The callback is an object of a class that Python has made below one of C, which keeps the function unseen."""
    result = hocket.explore(together(started_by_c, lambda: [0], lambda o: o[0], lambda o: None))
    assert result.verdict == "incomplete"


def test_a_tracer_in_the_thread_of_an_actor_is_no_stranger():
    def body():
        seen = []

        def trace(frame, event, argument):
            len(seen)
            seen.append(event)

        threading.settrace(trace)
        try:
            started_by_python(lambda: seen)()
        finally:
            threading.settrace(None)

    assert not hocket.explore(body).untracked


def test_a_thread_of_c_may_do_what_is_its_own_affair():
    def body():
        def work():
            own = [1]
            own.append(len(own))
            counter = Counter()
            counter.n += sum(own)

        started_by_c(work)()

    assert hocket.explore(body).verdict == "proved"


def test_a_thread_of_c_that_the_program_does_not_hand_anything_is_nobodys_affair():
    def body():
        n = 0
        join = started_by_c(int)
        n += 1
        join()
        return n

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {1: 1})
