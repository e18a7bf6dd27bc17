"""Programs that do what no explorer can take: each is told so clearly, and the process stays usable."""

from __future__ import annotations

import _thread
import gc
import os
import sys
import threading
import time

import pytest

import hocket
from hocket import Atomic
from hocket.errors import Refused
from hocket.explore.threads import runner

KEPT = [_thread.start_new_thread, time.sleep, _thread.allocate_lock]  # in a container, where no name is replaced


def two(work):
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def adding():
    x = Atomic(0)
    two(lambda: x.add(1))
    return x.load()


def replaced():
    return (threading.Lock, _thread.allocate_lock, time.sleep, sys.unraisablehook, os.urandom, threading.Condition.wait)


@pytest.fixture(autouse=True)
def the_process_is_usable_afterwards():
    names = replaced()
    yield
    assert replaced() == names
    result = hocket.explore(adding)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 2, {2: 2})
    assert gc.isenabled()


# -- finalisers -------------------------------------------------------------------------------------------------------


class Finalised:
    def __init__(self, then):
        self.then = then

    def __del__(self):
        self.then()


def planted():
    raise ValueError("planted")


@pytest.mark.parametrize("where", ["main", "a thread"])
def test_an_exception_in_a_finaliser_is_a_failure_and_not_printed_away(where, capfd):
    def body():
        def work():
            made = Finalised(planted)
            del made

        if where == "main":
            work()
        else:
            two(work)

    failure = hocket.explore(body, data="off").failure
    assert failure.kind == "exception"
    assert failure.message.startswith("ValueError: planted in ")
    assert failure.replayed
    assert failure.exception.__notes__[0].startswith("hocket: raised in the finaliser Finalised.__del__")
    with pytest.raises(ValueError, match="planted"):
        hocket.replay(body, str(failure.schedule))
    assert capfd.readouterr().err == ""


def test_a_finaliser_that_takes_steps_is_explored_where_it_runs():
    """Each thread adds, and its object adds when it dies: two pairs of adds to one are 4! / (2! 2!) = 6 classes."""

    def body():
        x = Atomic(0)

        def work():
            made = Finalised(lambda: x.add(1))
            x.add(1)
            del made

        two(work)
        return x.load()

    result = hocket.explore(body, data="off")
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 6, {4: 6})


def test_a_finaliser_of_a_cycle_runs_between_executions_and_adds_no_step():
    """Two adds, either first; what the collector would do in the middle depends on how much was allocated before."""
    died = []

    def body():
        x = Atomic(0)

        def work():
            made = Finalised(lambda: died.append(x))
            made.itself = made
            x.add(1)

        two(work)
        return x.load()

    result = hocket.explore(body, data="off")
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 2, {2: 2})
    gc.collect()
    assert len(died) == 4


def test_a_finaliser_that_takes_the_lock_in_which_it_runs_is_a_deadlock_and_behind_it_is_none():
    def body(inside):
        lock = threading.Lock()

        def locking():
            with lock:
                pass

        made = [Finalised(locking)]
        with lock:
            if inside:
                made.clear()
        made.clear()

    assert hocket.explore(lambda: body(True), data="off").failure.kind == "deadlock"
    assert hocket.explore(lambda: body(False), data="off").classes == 1


# -- threads behind the explorer's back -------------------------------------------------------------------------------


def meddling(meddle):
    """Main waits for a thread that nobody knows, started with a function that was kept in a list."""

    def body():
        shared, done = (Atomic(0), threading.Lock()), []

        def unknown():
            try:
                meddle(*shared)
            except Refused:
                pass
            finally:
                done.append(1)

        KEPT[0](unknown, ())
        while not done:
            KEPT[1](0.001)
        shared[0].load()

    return body


@pytest.mark.parametrize("meddle", [
    lambda x, lock: x.load(), lambda x, lock: x.store(1), lambda x, lock: x.swap(1), lambda x, lock: x.add(1),
    lambda x, lock: x.increment(), lambda x, lock: x.compare_exchange(0, 1), lambda x, lock: x.wait_until(bool),
    lambda x, lock: lock.acquire()],
    ids=["load", "store", "swap", "add", "increment", "compare", "wait", "acquire"])
def test_a_thread_that_nobody_knows_must_not_touch_what_is_explored(meddle):
    with pytest.raises(Refused, match="was used by a thread that the explorer does not know"):
        hocket.explore(meddling(meddle), data="off")


def test_a_thread_that_nobody_knows_may_do_something_else():
    assert hocket.explore(meddling(lambda x, lock: None), data="off").verdict == "proved"


# -- what blocks for real ---------------------------------------------------------------------------------------------


def reading_a_pipe(ends):
    os.read(ends[0], 1)


def taking_a_hidden_lock(ends):
    HIDDEN[0].acquire()


HIDDEN = [KEPT[2]()]


@pytest.mark.parametrize("block", [reading_a_pipe, taking_a_hidden_lock])
def test_whoever_blocks_for_real_is_named_with_the_line_and_the_stack(block, monkeypatch):
    monkeypatch.setattr(runner, "_BLOCKED", 0.2)
    ends = os.pipe()
    HIDDEN[0].acquire()
    try:
        result = hocket.explore(lambda: two(lambda: block(ends)), data="off")
    finally:
        HIDDEN[0].release()
        os.write(ends[1], b"..")
        for end in ends:
            os.close(end)
    assert result.verdict == "incomplete"
    assert "blocks outside of the explorer's control at" in result.reason
    assert result.reason.endswith(f"in {block.__name__}")
    assert any(f"in {block.__name__}" in note and note.startswith("the stack of t") for note in result.notes)


# -- exceptions that are none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, MemoryError])
def test_an_exception_that_is_no_error_ends_an_execution_like_any_other(error):
    def body():
        def work():
            raise error

        two(work)

    failure = hocket.explore(body, data="off").failure
    assert (failure.kind, type(failure.exception)) == ("exception", error)


def test_a_body_that_exits_the_process_does_not():
    failure = hocket.explore(lambda: sys.exit(3), data="off").failure
    assert failure.message == "SystemExit: 3 in main"
