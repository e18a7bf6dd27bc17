"""Programs with a mistake of the kind that is found in the wild, in the use of the standard library's primitives.

Each is a function of `fixed`: False is the mistake as people make it, True its repair. None knows of an explorer.
"""

from __future__ import annotations

import concurrent.futures
import contextvars
import logging
import queue
import sched
import threading
import types
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

DOOR = threading.Lock()
AGAIN = threading.RLock()


def together(*tasks: Callable[[], Any]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def door(fixed: bool) -> Any:
    return DOOR if fixed else nullcontext()


def two_locks_in_two_orders(fixed: bool) -> None:
    one, other = threading.RLock(), threading.RLock()

    def forth() -> None:
        with one, other:
            pass

    def back() -> None:
        first, second = (one, other) if fixed else (other, one)
        with first, second:
            pass

    together(forth, back)


def an_rlock_released_once_too_few(fixed: bool) -> None:
    lock = threading.RLock()

    def work() -> None:
        lock.acquire()
        lock.acquire()
        lock.release()
        if fixed:
            lock.release()

    together(work, work)


def a_lock_not_released_on_an_error(fixed: bool) -> None:
    lock = threading.Lock()
    broken = [True]

    def work() -> None:
        with suppress(ValueError):
            lock.acquire()
            try:
                if broken.pop() if broken else False:
                    raise ValueError
            except ValueError:
                if fixed:
                    lock.release()
                raise
            lock.release()

    together(work, work)


def a_callback_under_a_plain_lock(fixed: bool) -> None:
    """The listener asks what the publisher still guards."""
    lock = threading.RLock() if fixed else threading.Lock()

    def value() -> int:
        with lock:
            return 1

    def publish() -> None:
        with lock:
            value()

    together(publish)


def a_condition_without_a_loop(fixed: bool) -> None:
    items: list[int] = []
    ready = threading.Condition()
    wrong: list[BaseException] = []

    def take() -> None:
        with ready:
            if fixed:
                while not items:
                    ready.wait()
            elif not items:
                ready.wait()
            try:
                items.pop()
            except IndexError as error:
                wrong.append(error)

    def put() -> None:
        with ready:
            items.append(1)
            ready.notify()

    together(take, take, put, put)
    assert not wrong


def a_condition_asked_without_its_lock(fixed: bool) -> None:
    """The flag is looked at before the lock is taken: the notification comes in between."""
    ready, flag = threading.Condition(), []

    def wait() -> None:
        if fixed:
            with ready:
                ready.wait_for(lambda: flag)
        elif not flag:
            with ready:
                ready.wait()

    def tell() -> None:
        with ready:
            flag.append(1)
            ready.notify_all()

    together(wait, tell)


def one_notified_where_all_wait(fixed: bool) -> None:
    ready, state = threading.Condition(), {"open": False}

    def wait() -> None:
        with ready:
            while not state["open"]:
                ready.wait()

    def open_up() -> None:
        with ready:
            state["open"] = True
            if fixed:
                ready.notify_all()
            else:
                ready.notify()

    together(wait, wait, open_up)


def an_event_cleared_after_the_wait(fixed: bool) -> None:
    """Set again between the wait and the clear, the second signal is lost."""
    event, work, done = threading.Event(), [], []

    def produce() -> None:
        for item in (1, 2):
            work.append(item)
            event.set()

    def consume() -> None:
        while len(done) < 2:
            event.wait()
            if fixed:
                event.clear()
            while work:
                done.append(work.pop(0))
            if not fixed:
                event.clear()

    together(produce, consume)
    assert done == [1, 2]


def a_semaphore_that_leaks(fixed: bool) -> None:
    slots = threading.Semaphore(1)
    broken = [1]

    def use() -> None:
        slots.acquire()
        try:
            if broken and broken.pop():
                raise ValueError
        except ValueError:
            if not fixed:
                return
        slots.release()

    together(use, use)


def a_semaphore_released_twice(fixed: bool) -> None:
    slots = threading.Semaphore(1)
    inside = []

    def use() -> None:
        slots.acquire()
        inside.append(1)
        assert len(inside) == 1, "two inside"
        inside.pop()
        slots.release()

    def nervous() -> None:
        slots.acquire()
        slots.release()
        if not fixed:
            slots.release()

    together(nervous, use, use)


def a_barrier_somebody_breaks(fixed: bool) -> None:
    barrier = threading.Barrier(2)
    broken: list[BaseException] = []

    def meet() -> None:
        try:
            barrier.wait()
        except threading.BrokenBarrierError as error:
            broken.append(error)

    def late() -> None:
        meet()
        if not fixed:
            barrier.abort()

    together(meet, late)
    assert not broken


def task_done_before_the_work(fixed: bool) -> None:
    tasks: queue.Queue[int] = queue.Queue()
    results: list[int] = []
    tasks.put(1)

    def work() -> None:
        item = tasks.get()
        if not fixed:
            tasks.task_done()
        results.append(item)
        if fixed:
            tasks.task_done()

    worker = threading.Thread(target=work)
    worker.start()
    tasks.join()
    seen = list(results)
    worker.join()
    assert seen == [1]


def asked_whether_it_is_empty(fixed: bool) -> None:
    tasks: queue.Queue[int] = queue.Queue()
    tasks.put(1)

    def work() -> None:
        if fixed:
            with suppress(queue.Empty):
                tasks.get_nowait()
        elif not tasks.empty():
            tasks.get()

    together(work, work)


def one_end_mark_for_two(fixed: bool) -> None:
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        while tasks.get() is not None:
            pass
        if fixed:
            tasks.put(None)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    tasks.put(1)
    tasks.put(None)
    for worker in workers:
        worker.join()


def a_queue_too_small_for_who_drains_it(fixed: bool) -> None:
    """The only reader puts as well, into a full queue."""
    tasks: queue.Queue[int] = queue.Queue(maxsize=0 if fixed else 1)

    def work() -> None:
        for _ in range(2):
            item = tasks.get()
            if item:
                tasks.put(item - 1)

    worker = threading.Thread(target=work)
    worker.start()
    tasks.put(1)
    tasks.put(0)
    worker.join()
    while not tasks.empty():
        tasks.get()


def a_future_whose_callback_counts(fixed: bool) -> None:
    counts = {"done": 0}

    def count(_: Any) -> None:
        with door(fixed):
            counts["done"] += 1

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(int).add_done_callback(count)
    assert counts["done"] == 2


def a_pool_that_waits_for_itself(fixed: bool) -> None:
    with concurrent.futures.ThreadPoolExecutor(2 if fixed else 1) as pool:
        def outer() -> int:
            return pool.submit(int).result()

        pool.submit(outer).result()


def the_first_of_two_is_taken_for_both(fixed: bool) -> None:
    results: list[int] = []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        futures = [pool.submit(results.append, number) for number in range(2)]
        when = concurrent.futures.ALL_COMPLETED if fixed else concurrent.futures.FIRST_COMPLETED
        concurrent.futures.wait(futures, return_when=when)
        seen = len(results)
    assert seen == 2


def a_future_set_twice(fixed: bool) -> None:
    future: concurrent.futures.Future[int] = concurrent.futures.Future()
    wrong: list[BaseException] = []

    def finish() -> None:
        with door(fixed):
            if not future.done():
                try:
                    future.set_result(1)
                except concurrent.futures.InvalidStateError as error:
                    wrong.append(error)

    together(finish, finish)
    assert not wrong


def a_timer_cancelled_too_late(fixed: bool) -> None:
    fired: list[int] = []
    closed = []

    def fire() -> None:
        with AGAIN:
            if fixed and closed:
                return
            fired.append(len(closed))

    timer = threading.Timer(1, fire)
    timer.start()
    with AGAIN:
        timer.cancel()
        closed.append(1)
    timer.join()
    assert fired in ([], [0])


def a_daemon_asked_whether_it_lives(fixed: bool) -> None:
    """`is_alive()` says yes, and the worker is gone when the work is put."""
    inbox: queue.Queue[int] = queue.Queue()
    left: list[int] = []

    def work() -> None:
        with suppress(queue.Empty):
            while True:
                inbox.get_nowait()

    worker = threading.Thread(target=work)
    worker.start()
    if fixed:
        worker.join()
        left.append(1)
    elif worker.is_alive():
        inbox.put(1)
    worker.join()
    assert inbox.empty()


def a_thread_local_in_a_shared_object(fixed: bool) -> None:
    """The local is one's own; what was put into it by everybody is not."""
    local, shared = threading.local(), {"count": 0}

    def work() -> None:
        local.counts = dict(shared) if fixed else shared
        local.counts["count"] += 1
        assert local.counts["count"] == 1

    together(work, work)


def a_thread_local_set_elsewhere(fixed: bool) -> None:
    """Set in the thread that made it, missed in all others."""
    class Connection(threading.local):
        if fixed:
            open = True

    connection = Connection()
    connection.open = True
    missing: list[BaseException] = []

    def use() -> None:
        try:
            assert connection.open
        except AttributeError as error:
            missing.append(error)

    together(use)
    assert not missing


def a_context_variable_that_holds_a_list(fixed: bool) -> None:
    """Contexts are copied, what is in them is not."""
    seen: contextvars.ContextVar[list[int]] = contextvars.ContextVar("seen")
    seen.set([])
    context, lengths = contextvars.copy_context(), []

    def work(own: contextvars.Context) -> None:
        def run() -> None:
            if fixed:
                seen.set([*seen.get(), 1])
            else:
                seen.get().append(1)
            lengths.append(len(seen.get()))

        own.run(run)

    together(lambda: work(context.copy()), lambda: work(context.copy()))
    assert lengths == [1, 1]


class Recording(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.got: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.got.append(record.msg)


def a_handler_removed_while_logging(fixed: bool) -> None:
    log, handlers = logging.Logger("hocket.wild"), [Recording(), Recording()]
    for handler in handlers:
        log.addHandler(handler)

    def record() -> None:
        with door(fixed):
            log.error("boom")

    def remove() -> None:
        with door(fixed):
            log.removeHandler(handlers[0])

    together(record, remove)
    assert handlers[1].got == ["boom"]


def a_handler_that_counts_outside_of_its_lock(fixed: bool) -> None:
    class Counting(logging.Handler):
        count = 0

        def handle(self, record: logging.LogRecord) -> bool:
            if fixed:
                return bool(super().handle(record))
            self.emit(record)
            return True

        def emit(self, record: logging.LogRecord) -> None:
            self.count += 1

    log, counting = logging.Logger("hocket.wild"), Counting()
    log.addHandler(counting)
    together(lambda: log.error("a"), lambda: log.error("b"))
    assert counting.count == 2


def a_scheduler_emptied_by_two(fixed: bool) -> None:
    """`sched` has a lock of its own; whoever looks at its queue first has not."""
    plan = sched.scheduler(lambda: 0.0, lambda _: None)
    event, wrong = plan.enter(0, 0, lambda: None), []

    def cancel() -> None:
        with door(fixed):
            if not plan.empty():
                try:
                    plan.cancel(event)
                except ValueError as error:
                    wrong.append(error)

    together(cancel, cancel)
    assert not wrong


def a_reader_counted_without_its_lock(fixed: bool) -> None:
    """Readers and a writer by hand: the count is not guarded."""
    writing, readers, inside = threading.Lock(), [0], []

    def read() -> None:
        with door(fixed):
            readers[0] += 1
            if readers[0] == 1:
                writing.acquire()
        inside.append("r")
        inside.remove("r")
        with door(fixed):
            readers[0] -= 1
            if readers[0] == 0:
                writing.release()

    together(read, read)
    assert not writing.locked()


def lazily_started_worker(fixed: bool) -> None:
    started: list[threading.Thread] = []

    def ensure() -> None:
        with door(fixed):
            if not started:
                worker = threading.Thread(target=int)
                started.append(worker)
                worker.start()

    together(ensure, ensure)
    for worker in started:
        worker.join()
    assert len(started) == 1


def stopped_by_a_flag_that_is_reset(fixed: bool) -> None:
    """`start` resets the flag that `stop` has just set."""
    state = {"stopped": False}

    def start() -> None:
        if not fixed:
            state["stopped"] = False

    def stop() -> None:
        state["stopped"] = True

    together(start, stop)
    assert state["stopped"]


PROGRAMS: tuple[Callable[[bool], None], ...] = tuple(
    value for value in list(globals().values())
    if isinstance(value, types.FunctionType) and value.__annotations__.get("fixed") == "bool" and value is not door)
