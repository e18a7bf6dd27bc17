"""What CPython's own tests of `_thread` and `threading` ask of locks and threads, and got another answer to."""

import _thread
import asyncio
import re
import threading

import pytest

import hocket


def test_a_thread_may_leave_by_exit():
    def exits():
        done = _thread.allocate_lock()
        done.acquire()

        def leave():
            done.release()
            _thread.exit()

        _thread.start_new_thread(leave, ())
        done.acquire()

    assert hocket.explore(exits, data="off").verdict == "proved"


def test_main_reads_of_itself_what_it_is_called():
    def asks():
        seen = []
        thread = threading.Thread(target=lambda: seen.append(threading.get_ident() == threading.main_thread().ident))
        thread.start()
        thread.join()
        return threading.get_ident() == threading.main_thread().ident, *seen

    before = threading.main_thread().ident
    assert hocket.explore(asks).outcomes == {(True, False): 1}
    assert threading.main_thread().ident == before == threading.get_ident()


def test_running_threads_are_counted():
    def counts():
        for _ in range(2):
            _thread.start_new_thread(int, ())
        return _thread._count()

    result = hocket.explore(counts)
    assert (result.verdict, result.outcomes) == ("proved", {2: 1, 1: 2, 0: 1})  # each has ended, or has not


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock, threading.Condition])
def test_a_lock_is_shown_as_a_real_one_and_alike_in_every_execution(make):
    def shows():
        lock = make()
        free = repr(lock)
        with lock:
            return free, repr(lock)

    real, shown = shows(), hocket.explore(shows).outcomes
    address = re.compile(r"owner=\d+|0x[0-9a-f]+")
    assert {tuple(address.sub("?", text) for text in each) for each in shown} == {
        tuple(address.sub("?", text) for text in real)}
    assert hocket.explore(shows).outcomes == shown


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock, threading.Condition])
def test_a_lock_that_is_set_up_anew_after_a_fork_is_free(make):
    def sets_up_anew():
        lock = make()
        lock.acquire()
        lock._at_fork_reinit()
        with lock:
            return "free"

    assert hocket.explore(sets_up_anew).outcomes == {"free": 1}


def test_a_task_class_whose_namespace_nobody_can_read_is_explored():
    class Mixin:
        def __init__(self, *args, **named):
            self.mine = 1
            super().__init__(*args, **named)

    class Mine(Mixin, asyncio.Task):
        pass

    async def answers():
        return 1

    async def runs():
        task = Mine(answers(), loop=asyncio.get_running_loop())
        return await task, task.mine

    result = hocket.explore(runs)
    assert (result.verdict, result.outcomes) == ("proved", {(1, 1): 1})
