"""Event, Semaphore, Barrier, Condition, queues, executors: the standard library's own; buggy fails, fixed is proved."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

import hocket
from hocket import Atomic
from hocket.explore import ExploredPrimitives
from tests.together import together

# -- each pair: the mistake, and the same without it ------------------------------------------------------------------


def event(fixed):
    ready, value = threading.Event(), Atomic(0)

    def publish():
        if fixed:
            value.store(1)
            ready.set()
        else:
            ready.set()
            value.store(1)

    def consume():
        ready.wait()
        assert value.load() == 1

    together(publish, consume)


def event_flag(fixed):
    stop, count = threading.Event(), Atomic(0)

    def work():
        if not stop.is_set():
            count.add(1)

    worker = threading.Thread(target=work)
    worker.start()
    if fixed:
        worker.join()
    stop.set()
    if not fixed:
        worker.join()
    assert count.load() == 1


def semaphore(fixed):
    slots, inside = threading.Semaphore(1 if fixed else 2), Atomic(0)

    def work():
        with slots:
            assert inside.add(1) == 0
            inside.add(-1)

    together(work, work)


def bounded_semaphore(fixed):
    slots = threading.BoundedSemaphore(1)

    def work():
        slots.acquire()
        slots.release()
        if not fixed:
            slots.release()

    together(work)


def barrier(fixed):
    phase, written = threading.Barrier(2), Atomic(0)

    def work():
        if fixed:
            written.add(1)
            phase.wait()
        else:
            phase.wait()
            written.add(1)
        assert written.load() == 2

    together(work, work)


def bounded_queue(fixed):
    items = queue.Queue(maxsize=1)

    def produce():
        items.put(1)
        items.put(2)

    producer = threading.Thread(target=produce)
    producer.start()
    if not fixed:
        producer.join()
    assert items.get() == 1
    assert items.get() == 2
    producer.join()


def last_item(fixed):
    items = queue.SimpleQueue()

    def consume():
        if fixed:
            try:
                items.get(block=False)
            except queue.Empty:
                return
        elif not items.empty():
            items.get()

    items.put(1)
    together(consume, consume)


def task_done(fixed):
    items, done = queue.Queue(), Atomic(0)
    items.put(1)

    def work():
        items.get()
        if not fixed:
            items.task_done()
        done.store(1)
        if fixed:
            items.task_done()

    worker = threading.Thread(target=work)
    worker.start()
    items.join()
    assert done.load() == 1
    worker.join()


def pool_waits_for_itself(fixed):
    with ThreadPoolExecutor(2 if fixed else 1) as pool:
        outer = pool.submit(lambda: pool.submit(lambda: 1).result())
        assert outer.result() == 1


def notify_one_of_two(fixed):
    bell, open_ = threading.Condition(), Atomic(False)

    def enter():
        with bell:
            while not open_.load():
                bell.wait()

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    with bell:
        open_.store(True)
        if fixed:
            bell.notify_all()
        else:
            bell.notify()
    for thread in threads:
        thread.join()


PAIRS = [  # the program, how its buggy form fails, classes of its fixed form
    (event, "assertion", 2),
    (event_flag, "assertion", 1),
    (semaphore, "assertion", 4),
    (bounded_semaphore, "exception", 1),
    (barrier, "assertion", 4),
    (bounded_queue, "deadlock", None),
    (last_item, "deadlock", 2),
    (task_done, "assertion", None),
    (pool_waits_for_itself, "deadlock", None),
    (notify_one_of_two, "deadlock", None),
]


@pytest.mark.parametrize(("program", "kind", "classes"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_the_mistake_is_found_and_its_absence_proved(program, kind, classes):
    failure = hocket.explore(lambda: program(False), data="off").failure
    assert failure is not None
    assert (failure.kind, failure.replayed) == (kind, True)
    result = hocket.explore(lambda: program(True), data="off")
    assert result.verdict == "proved"
    assert classes in (None, result.classes)


def test_a_timed_wait_is_woken_or_not_and_time_agrees():
    def body():
        bell = threading.Event()
        thread = threading.Thread(target=bell.set)
        before = time.monotonic()
        thread.start()
        woken = bell.wait(10)
        thread.join()
        return woken, time.monotonic() - before

    assert set(hocket.explore(body).outcomes) == {(True, 0.0), (False, 10.0)}


def test_a_look_at_an_event_is_explored_although_it_takes_no_lock():
    def body():
        flag = threading.Event()
        thread = threading.Thread(target=flag.set)
        thread.start()
        seen = flag.is_set()
        thread.join()
        return seen

    # the look comes before the lock of set(), between its two ends (the flag is up by then), or after it
    assert hocket.explore(body).outcomes == {False: 1, True: 2}


def test_time_passes_on_to_whoever_is_woken():
    def body():
        rung = threading.Event()

        def ring():
            time.sleep(5)
            rung.set()

        thread = threading.Thread(target=ring)
        thread.start()
        rung.wait()
        return time.monotonic()

    assert set(hocket.explore(body).outcomes) == {5.0}


def test_a_timer_fires_unless_it_is_cancelled_in_time():
    def body():
        fired = Atomic(False)
        timer = threading.Timer(5, lambda: fired.store(True))
        timer.start()
        timer.cancel()
        timer.join()
        return fired.load()

    assert set(hocket.explore(body).outcomes) == {True, False}


def test_a_queue_times_out_only_if_it_stays_empty():
    def body():
        items = queue.Queue()
        together(lambda: items.put("item"))
        try:
            return items.get(timeout=1)
        except queue.Empty:
            return "empty"

    assert set(hocket.explore(body).outcomes) == {"item"}


def test_futures_are_waited_for_and_cancelled():
    def body():
        future: Future[int] = Future()
        thread = threading.Thread(target=lambda: future.set_running_or_notify_cancel() and future.set_result(1))
        thread.start()
        cancelled = future.cancel()
        wait([future])
        thread.join()
        return cancelled, None if cancelled else future.result()

    assert set(hocket.explore(body).outcomes) == {(True, None), (False, 1)}


def test_locals_of_threads_and_names_and_identities_are_as_ever():
    def body():
        local = threading.local()
        local.mine = "main"
        seen = Atomic(())

        def work():
            assert not hasattr(local, "mine")
            local.mine = 1
            me = threading.current_thread()
            assert me.ident == threading.get_ident()
            seen.store((*seen.load(), me.name))

        threads = [threading.Thread(target=work, name="worker"), threading.Thread(target=work)]
        for thread in threads:
            thread.start()
            thread.join()
        assert local.mine == "main"
        assert threading.current_thread() is threading.main_thread()
        return seen.load()

    # a second thread without a name is the first that threading numbers, in each execution
    assert hocket.explore(body, data="off").outcomes == {("worker", "Thread-1 (work)"): 1}


def test_the_seam_of_the_runtimes_is_explored():
    primitives = ExploredPrimitives()

    def body():
        lock = primitives.lock()
        bell = primitives.condition(lock)
        ready, who = Atomic(False), Atomic(0)

        def work():
            who.store(primitives.get_ident())
            with lock:
                ready.store(True)
                bell.notify_all()

        thread = primitives.thread(work, "worker")
        thread.start()
        with bell:
            while not ready.load():
                bell.wait()
        thread.join()
        assert not thread.is_alive()
        return thread.name, who.load()

    result = hocket.explore(body, data="off")
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 2, {("worker", 2): 2})


def test_a_runtime_runs_on_the_seam_as_on_threading():
    def body(**seam):
        with hocket.Scheduler(workers=2, **seam) as scheduler:
            first = scheduler.spawn("first", lambda: None)
            second = scheduler.spawn("second", lambda: None, after=[first])
        return second.outcome.name.lower()

    plain = hocket.explore(body, data="off")
    seam = hocket.explore(lambda: body(primitives=ExploredPrimitives()), data="off")
    assert (plain.verdict, set(plain.outcomes)) == ("proved", {"finished"})
    assert (plain.verdict, plain.classes, plain.outcomes) == (seam.verdict, seam.classes, seam.outcomes)


def test_a_thread_that_is_started_twice_is_refused_as_ever():
    def body():
        thread = threading.Thread(target=lambda: None)
        with pytest.raises(RuntimeError, match="cannot join thread before it is started"):
            thread.join()
        thread.start()
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            thread.start()
        thread.join()

    assert hocket.explore(body, data="off").verdict == "proved"


def test_misuse_of_a_lock_raises_what_the_standard_library_raises():
    def body():
        with pytest.raises(RuntimeError, match="release unlocked lock"):
            threading.Lock().release()
        with pytest.raises(RuntimeError, match="cannot release un-acquired lock"):
            threading.RLock().release()
        with pytest.raises(RuntimeError, match="cannot notify on un-acquired lock"):
            threading.Condition().notify()
        with pytest.raises(ValueError, match="can't specify a timeout for a non-blocking call"):
            threading.Lock().acquire(False, 1)

    assert hocket.explore(body, data="off").verdict == "proved"
