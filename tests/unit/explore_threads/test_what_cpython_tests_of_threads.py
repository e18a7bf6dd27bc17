"""What CPython's own tests of `_thread` and `threading` ask of locks and threads, and got another answer to."""

import _thread
import asyncio
import re
import threading
import time

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


class Bunch:
    """As in `test.lock_tests`: threads that are waited for by looking, in a module that knows `_thread` and others."""

    def __init__(self, count):
        self.count, self.started = count, []

        def task():
            assert re.fullmatch("[0-9]+", str(_thread.get_ident()))
            self.started.append(_thread.get_ident())

        for _ in range(count):
            _thread.start_new_thread(task, ())

    def wait_for_started(self):
        while len(self.started) < self.count:
            time.sleep(0.01)


def test_a_loop_that_polls_in_a_module_that_starts_threads_at_the_lowest_level_is_proved():
    result = hocket.explore(lambda: Bunch(1).wait_for_started())
    assert (result.verdict, result.classes) == ("proved", 3)  # main looks before, and stands or not; or after


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
