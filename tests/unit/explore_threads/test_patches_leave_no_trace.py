"""Afterwards `threading` is what it was, whatever happened in between, and other threads never saw a difference."""

from __future__ import annotations

import _thread
import builtins
import gc
import queue
import signal
import threading
import time
from threading import Lock as imported_lock

import pytest

import hocket
from hocket import Atomic
from hocket.errors import Refused
from hocket.explore.threads import patch
from hocket.explore.threads.control import ACTORS, Control
from hocket.explore.threads.primitives import ExploredLock

MODULE_LOCK = threading.Lock()


def state():
    names = {name: getattr(module, name) for module, name in (
        (_thread, "allocate_lock"), (_thread, "RLock"), (_thread, "start_new_thread"), (threading, "Lock"),
        (queue, "SimpleQueue"), (time, "sleep"), (time, "monotonic"))}
    methods = {name: vars(threading.Thread)[name] for name in ("start", "join", "is_alive")}
    return {**names, **methods, "mine": imported_lock, "is_set": threading.Event.is_set, "lock": MODULE_LOCK,
            "gc": gc.isenabled(), "active": dict(threading._active), "actors": dict(ACTORS)}


@pytest.fixture(autouse=True)
def _nothing_has_changed():
    before = state()
    yield
    assert state() == before


def test_after_a_proof():
    assert hocket.explore(lambda: Atomic(1).load()).verdict == "proved"


def test_after_an_exception():
    def body():
        raise ValueError

    assert hocket.explore(body).failure.kind == "exception"


def test_after_a_nested_exploration_which_is_refused():
    def body():
        with pytest.raises(Refused, match="an explored body cannot explore"):
            hocket.explore(lambda: None)

    assert hocket.explore(body, data="off").verdict == "proved"


def test_after_ctrl_c():
    def body():
        x = Atomic(0)
        threads = [threading.Thread(target=lambda: x.store(x.load() + 1)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def ring(progress):
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        hocket.explore(body, data="off", progress=ring)
    assert "classes in" in caught.value.__notes__[1]
    assert hocket.explore(lambda: Atomic(1).load()).verdict == "proved"


def test_after_ctrl_c_at_each_operation_in_turn(monkeypatch):
    """It comes when an actor is about to do its k-th operation; one that came at the end once made us wait for ever."""
    plain = Control.step
    code = _two_that_add.__code__
    counts = {"left": 0}

    def step(control, actor, operation):
        counts["left"] -= 1
        if counts["left"] == 0:
            _thread.interrupt_main()
        return plain(control, actor, operation)

    monkeypatch.setattr(Control, "step", step)
    before, interrupted = state(), 0
    for number in range(1, 200):
        counts["left"] = number
        try:
            hocket.explore(_two_that_add, executions=1)
        except KeyboardInterrupt:
            interrupted += 1
        assert state() == before
        assert _two_that_add.__code__ is code
        assert not hasattr(builtins, "__hocket__")
        if counts["left"] > 0:
            break
    assert interrupted == number - 1 > 10


def _two_that_add():
    row, lock = [], threading.Lock()

    def add():
        with lock:
            row.append(len(row))

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_after_an_exception_in_the_callers_own_progress():
    class TimeIsUp(Exception):
        pass

    def body():
        x = Atomic(0)
        threads = [threading.Thread(target=lambda: x.store(x.load() + 1)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def give_up(progress):
        raise TimeIsUp

    with pytest.raises(TimeIsUp):
        hocket.explore(body, data="off", progress=give_up)


def test_a_name_imported_from_threading_is_controlled_and_so_is_a_lock_of_the_module():
    def body():
        assert type(imported_lock()) is ExploredLock
        assert type(MODULE_LOCK) is ExploredLock
        order = Atomic(())

        def enter(i):
            with MODULE_LOCK:
                order.store((*order.load(), i))

        threads = [threading.Thread(target=enter, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return order.load()

    assert hocket.explore(body, data="off").outcomes == {(0, 1): 1, (1, 0): 1}


def test_a_thread_that_is_no_actor_gets_the_real_thing():
    seen = []

    def outsider():
        start = time.perf_counter()
        lock = threading.Lock()
        thread = threading.Thread(target=lambda: seen.append(type(lock).__module__))
        thread.start()
        thread.join()
        seen.append(time.perf_counter() >= start)

    with patch.controlled():
        thread = threading.Thread(target=outsider)
        thread.start()
        thread.join()
    assert seen == ["_thread", True]


def test_a_thread_that_is_no_actor_is_kept_out_by_a_lock_of_the_module():
    with patch.controlled():
        assert type(MODULE_LOCK) is ExploredLock
        assert MODULE_LOCK.acquire()
        assert not MODULE_LOCK.acquire(blocking=False)
        MODULE_LOCK.release()


def test_patching_within_patching_is_undone_in_order():
    before = time.sleep
    with patch.controlled(), patch.controlled():
        assert time.sleep is not before
    assert time.sleep is before


def test_a_thousand_executions_leave_no_thread_behind():
    def body():
        thread = threading.Thread(target=lambda: hocket.choose(10))
        thread.start()
        hocket.choose(100)
        thread.join()

    hocket.explore(lambda: None)
    before = _thread._count()
    assert hocket.explore(body).classes == 1_000
    assert _thread._count() <= before + 2
