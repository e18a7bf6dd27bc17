"""Programs that wait for the world outside, double the process or end it: named with the place, and nothing is left."""

from __future__ import annotations

import _thread
import asyncio
import ctypes
import gc
import io
import multiprocessing
import os
import queue
import random
import select
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, closing, nullcontext
from tempfile import TemporaryDirectory

import pytest

import hocket
from hocket import Atomic
from hocket.errors import Refused, ScheduleError
from hocket.explore.shared.untracked import Watch
from hocket.explore.threads import runner


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


def state():
    """All that belongs to the process and is exchanged, or kept books of, while an exploration goes on."""
    return (threading.Lock, _thread.allocate_lock, _thread.start_new_thread, threading.Condition.wait,
            queue.SimpleQueue, time.sleep, time.monotonic, random.random, uuid.uuid4, os.urandom, os.fork, os._exit,
            sys.unraisablehook,
            threading.Thread.__hash__, asyncio.SelectorEventLoop.__init__, warnings._warn_unawaited_coroutine,
            gc.isenabled(), sys.getrecursionlimit())


@pytest.fixture(autouse=True)
def the_process_is_as_before_and_usable():
    before, active = state(), dict(threading._active)
    yield
    assert state() == before
    new = {ident: thread for ident, thread in threading._active.items() if active.get(ident) is not thread}
    # threads of other tests may have ended; one that was given up and comes back now may ask who it is
    assert not [thread for thread in new.values() if not isinstance(thread, threading._DummyThread)]
    result = hocket.explore(adding)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 2, {2: 2})


# -- what blocks for real ---------------------------------------------------------------------------------------------

allocate = [_thread.allocate_lock]  # in a container, where no name is replaced


class World:
    """Something to wait for, which comes when `bring` is called; then `end` waits for who waited, and cleans up."""

    def __init__(self, make):
        self.undo = ExitStack()
        self.wait, self.bring = make(self.undo)
        self.back = allocate[0]()
        self.back.acquire()

    def waits(self):
        try:
            self.wait()
        finally:
            self.back.release()

    def end(self):
        with self.undo:
            self.bring()
            assert self.back.acquire(timeout=5)


def a_socket(undo):
    near, far = map(undo.enter_context, socket.socketpair())
    return lambda: near.recv(1), lambda: far.sendall(b"....")


def a_server(undo):
    server = undo.enter_context(socket.create_server(("127.0.0.1", 0)))
    return lambda: server.accept()[0].close(), lambda: socket.create_connection(server.getsockname()).close()


def a_pipe(undo):
    ends = os.pipe()
    for end in ends:
        undo.callback(os.close, end)
    return lambda: os.read(ends[0], 1), lambda: os.write(ends[1], b"....")


def a_selector(undo):
    ends = os.pipe()
    for end in ends:
        undo.callback(os.close, end)
    return lambda: select.select([ends[0]], [], []), lambda: os.write(ends[1], b"....")


def a_named_pipe(undo):
    path = os.path.join(undo.enter_context(TemporaryDirectory()), "fifo")
    os.mkfifo(path)
    return lambda: os.close(os.open(path, os.O_RDONLY)), lambda: os.close(os.open(path, os.O_RDWR))


def a_process(undo):
    process = undo.enter_context(subprocess.Popen(["sleep", "60"]))
    return process.wait, process.kill


def a_lock_of_c(undo):
    lock = [allocate[0]()]
    lock[0].acquire()
    return lambda: lock[0].acquire(), lambda: lock[0].release()


def a_sleep_in_c(undo):
    return lambda: ctypes.CDLL(None).usleep(800_000), lambda: None


def a_busy_database(undo):
    path = os.path.join(undo.enter_context(TemporaryDirectory()), "rows.db")
    busy = undo.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    busy.execute("create table rows(x)")
    busy.execute("begin exclusive")

    def ask():
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            connection.execute("select x from rows")

    return ask, lambda: busy.execute("commit")


@pytest.fixture
def world(request, monkeypatch):
    monkeypatch.setattr(runner, "_BLOCKED", 0.3)  # on a busy machine an actor may get no CPU for some time
    outside = World(request.param)
    yield outside
    outside.end()


WORLDS = [a_socket, a_server, a_pipe, a_selector, a_named_pipe, a_process, a_lock_of_c, a_sleep_in_c, a_busy_database]


def in_a_thread(waits):
    thread = threading.Thread(target=waits)
    thread.start()
    thread.join()


def in_a_coroutine(waits):
    async def main():
        waits()

    asyncio.run(main())


@pytest.mark.parametrize("where", [in_a_thread, in_a_coroutine])
@pytest.mark.parametrize("world", WORLDS, indirect=True)
def test_who_waits_for_the_world_outside_is_named_with_line_stack_and_what_to_do(world, where):
    result = hocket.explore(lambda: where(world.waits), data="off")
    assert result.verdict == "incomplete"
    assert "blocks outside of the explorer's control at" in result.reason
    stack, hint = result.notes[-2:]
    assert "in waits" in stack
    assert "put a function of the test in its place" in hint


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what a pool does when it is deleted
@pytest.mark.parametrize("world", [a_socket], indirect=True)
def test_a_pool_that_waits_in_c_is_named_although_no_line_of_the_program_is_there(world):
    near = world.wait.__closure__[0].cell_contents

    async def body():
        await asyncio.to_thread(near.recv, 1)

    result = hocket.explore(body, data="off")
    assert result.verdict == "incomplete"
    assert "thread.py" in result.reason
    assert result.notes[-2].startswith("the stack of t1:\n  File ")
    world.back.release()


@pytest.mark.parametrize("world", [a_socket], indirect=True)
def test_who_comes_back_late_disturbs_nobody(world, monkeypatch):
    """The actor that was given up gets its byte while others explore, and the books of `threading` are theirs."""
    assert hocket.explore(lambda: in_a_thread(world.waits), data="off").verdict == "incomplete"
    monkeypatch.undo()

    def body():
        x = Atomic(0)

        def work():
            if x.add(1) == 0:
                world.bring()
            assert threading.current_thread() in threading.enumerate()

        two(work)
        assert threading.main_thread() is threading.current_thread()

    assert hocket.explore(body, data="off").verdict == "proved"


# -- what doubles the process or ends it ------------------------------------------------------------------------------


def a_process_pool():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        pool.submit(abs, -1).result()


@pytest.mark.parametrize(("deed", "name"), [
    (lambda: os.fork() or os._exit(0), "os.fork"),
    (lambda: multiprocessing.get_context("fork").Process(target=print).start(), "os.fork"),
    (a_process_pool, "os.fork"),
    (lambda: os._exit(3), "os._exit"),
    (os.abort, "os.abort"),
    (lambda: os.execv(sys.executable, [sys.executable]), "os.execv"),
    (lambda: os.execlp("true", "true"), "os.exec"),
], ids=["fork", "process", "process pool", "exit", "abort", "exec", "exec by name"])
@pytest.mark.parametrize("data", ["off", "track"])
def test_no_explored_program_doubles_or_ends_the_process(deed, name, data):
    with pytest.raises(Refused, match=f"'{name}.*' was called in an explored program") as caught:
        hocket.explore(lambda: two(deed), data=data)
    assert "asked for at" in caught.value.__notes__[0]


def test_outside_of_an_exploration_processes_are_made_as_ever():
    child = multiprocessing.get_context("spawn")
    assert hocket.explore(adding).verdict == "proved"
    assert subprocess.run([sys.executable, "-c", "import os; os._exit(3)"], check=False).returncode == 3
    assert child.Process is not None


# -- no room, no luck -------------------------------------------------------------------------------------------------


def test_a_recursion_without_end_that_takes_steps_is_a_failure_of_the_program():
    """The limit may be met in the explorer's own code, just as well as in the program's."""

    def body():
        x = Atomic(0)

        def deeper():
            x.add(1)
            deeper()

        deeper()

    failure = hocket.explore(body, data="off").failure
    assert (failure.kind, type(failure.exception)) == ("exception", RecursionError)


@pytest.mark.parametrize("draw", [
    random.random, lambda: random.randint(1, 6), lambda: random.uniform(0, 1), lambda: random.gauss(0, 1),
    lambda: random.Random().random(), lambda: random.Random(3).random(), uuid.uuid1, uuid.uuid4, lambda: os.urandom(4)],
    ids=["random", "randint", "uniform", "gauss", "generator", "seeded", "uuid1", "uuid4", "urandom"])
def test_to_draw_at_random_shares_nothing(draw):
    """Two adds, either first; what `random` keeps is each actor's own, and hides no proof."""

    def body():
        x = Atomic(0)

        def work():
            draw()
            x.add(1)

        two(work)

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.untracked) == ("proved", 2, ())


SHARED = random.Random(3)


@pytest.mark.parametrize("use", [SHARED.random, lambda: SHARED.gauss(0, 1), lambda: SHARED.seed(3)],
                         ids=["random", "gauss", "seed"])
def test_draws_from_a_generator_that_threads_share_are_explored_and_taken_back(use):
    before = SHARED.getstate()
    result = hocket.explore(lambda: two(lambda: use()))
    assert (result.verdict, result.untracked) == ("proved", ())
    assert SHARED.getstate() == before


def test_who_draws_first_from_a_shared_generator_gets_the_first_number():
    def body():
        drawn = {}

        def draw(name):
            drawn[name] = SHARED.random()

        first, second = (threading.Thread(target=draw, args=(name,)) for name in "ab")
        for thread in (first, second):
            thread.start()
        for thread in (first, second):
            thread.join()
        return drawn["a"] < drawn["b"]

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {True: 2, False: 2})  # and who is first in the dict


def test_a_draw_that_is_refused_does_not_end_the_watch_over_shared_data():
    watch = Watch(lambda code: False)
    watch._let(True)
    with pytest.raises(ValueError, match="empty range"), watch.paused():
        random.randint(5, 1)
    assert watch._concurrent


# -- whom nobody may ask ----------------------------------------------------------------------------------------------


def test_a_person_is_not_asked_and_what_the_test_has_written_is_read(monkeypatch):
    answers = io.StringIO("yes\n")

    def body():
        answers.seek(0)
        return input()

    monkeypatch.setattr(sys, "stdin", sys.__stdin__)
    with pytest.raises(Refused, match=r"'builtins\.input' was called in an explored program"):
        hocket.explore(body, data="off")
    monkeypatch.setattr(sys, "stdin", answers)
    assert hocket.explore(body, data="off").outcomes == {"yes": 1}


@pytest.mark.parametrize("token", [None, 3, b"hocket1:", ["hocket1:main"]])
def test_a_schedule_that_is_no_text_is_refused(token):
    with pytest.raises(ScheduleError, match="a schedule is a text that starts with hocket1"):
        hocket.replay(adding, token)


def racing():
    x = Atomic(0)
    two(lambda: x.store(x.load() + 1))
    assert x.load() == 2


def test_a_schedule_with_one_character_changed_is_refused_or_leads_to_the_same_failure():
    """No other outcome, and no exception of Python's own: each place in turn, taken out and changed."""
    token = str(hocket.explore(racing, data="off").failure.schedule)
    said = Counter()
    for place, old in enumerate(token):
        for new in ("", "1" if old != "1" else "2"):
            try:
                hocket.replay(racing, token[:place] + new + token[place + 1:], data="off", model="free")
            except (ScheduleError, AssertionError) as error:
                said[isinstance(error, AssertionError)] += 1
    assert said.total() == 2 * len(token)
    assert said[False] > 0.9 * said.total()


# -- pools that were there before -------------------------------------------------------------------------------------

IDLE = ThreadPoolExecutor(1)
STARTED = ThreadPoolExecutor(1)
WIDE = ThreadPoolExecutor(2)
LOCK = threading.Lock()


@pytest.fixture(scope="module", autouse=True)
def pools_that_have_worked():
    assert STARTED.submit(abs, -3).result() == 3
    yield
    for pool in (IDLE, STARTED, WIDE):
        assert pool.submit(abs, -4).result() == 4
        pool.shutdown()


@pytest.mark.parametrize("pool", [IDLE, STARTED], ids=["idle", "started"])
def test_a_pool_that_was_made_before_has_workers_that_are_explored(pool):
    """Main may be at `result` before the worker has begun, while it works, or when all is done: three classes."""
    before = vars(pool).copy()
    result = hocket.explore(lambda: pool.submit(abs, -3).result())
    assert (result.verdict, result.classes, set(result.outcomes)) == ("proved", 3, {3})
    assert vars(pool) == before


@pytest.mark.parametrize("guard", [LOCK, nullcontext()], ids=["guarded", "bare"])
def test_a_race_of_two_jobs_of_a_pool_that_was_made_before_is_found(guard):
    def body():
        x = Atomic(0)

        def add():
            with guard:
                x.store(x.load() + 1)

        for job in [WIDE.submit(add) for _ in range(2)]:
            job.result()
        assert x.load() == 2

    wanted = "bounded" if guard is LOCK else "failed"
    assert hocket.explore(body, data="off", bound=1).verdict == wanted


def test_a_job_that_waits_for_ever_is_a_deadlock_and_an_idle_worker_is_none():
    def body(signal):
        came = threading.Event()
        IDLE.submit(came.wait)
        if signal:
            came.set()

    assert hocket.explore(lambda: body(False), data="off").failure.kind == "deadlock"
    assert hocket.explore(lambda: body(True), data="off").verdict == "proved"
