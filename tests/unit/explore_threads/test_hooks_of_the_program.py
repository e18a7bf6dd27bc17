"""A program that says itself what is to happen when a thread raises is not failed by an exception in one."""

from __future__ import annotations

import threading

import pytest

import hocket
from tests.together import together


def raises():
    raise ValueError("of the thread")


def test_a_hook_that_the_program_sets_gets_what_a_thread_raises():
    """Either thread is first to tell: 2 classes."""
    before = threading.excepthook

    def body():
        told = []
        threading.excepthook = lambda args: told.append((args.exc_type, str(args.exc_value), args.thread.name[:6]))
        together(raises, raises)
        assert told == [(ValueError, "of the thread", "Thread")] * 2

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2)
    assert threading.excepthook is before, "also if the program does not put it back"


def test_in_which_order_a_hook_is_told_is_open():
    def body():
        told = []
        threading.excepthook = lambda args: told.append(args.thread.name)
        together(raises, raises)
        assert told[0] == "Thread-1 (raises)"

    failure = hocket.explore(body).failure
    assert failure.kind == "assertion"
    with pytest.raises(AssertionError):
        hocket.replay(body, failure.schedule)


def test_a_hook_that_comes_too_late_is_found():
    """The thread raises before or after the hook is set: 2 classes, one of which fails."""

    def body():
        def sets():
            threading.excepthook = lambda args: None

        together(raises, sets)

    failure = hocket.explore(body).failure
    assert (failure.kind, str(failure.exception)) == ("exception", "of the thread")


def test_a_hook_that_is_set_in_time_is_in_time():
    def body():
        is_set = threading.Event()

        def sets():
            threading.excepthook = lambda args: None
            is_set.set()

        together(lambda: is_set.wait() and raises(), sets)

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2)  # it finds the event set, or waits for it


def test_a_hook_that_was_there_before_is_the_runners():
    before = threading.excepthook
    threading.excepthook = print
    try:
        failure = hocket.explore(lambda: together(raises)).failure
    finally:
        threading.excepthook = before
    assert (failure.kind, str(failure.exception)) == ("exception", "of the thread")


def test_a_hook_that_raises_is_a_failure():
    def body():
        threading.excepthook = lambda args: {}["nothing"]
        together(raises)

    failure = hocket.explore(body).failure
    assert type(failure.exception) is KeyError
