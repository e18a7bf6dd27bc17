"""Actors share OS threads, one after the other, and notice nothing; what is new in an execution is watched."""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
import weakref
from xml.parsers import expat

import pytest

import hocket
from hocket import Atomic
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Cast
from hocket.explore.threads import pool, seat
from hocket.explore.threads.locals import FORGETS_ALL
from hocket.explore.threads.runner import Runner
from hocket.explore.threads.session import Session

KEPT = threading.local()
NOTED = contextvars.ContextVar("NOTED", default=0)


class Counting(threading.local):
    """A local with an initialiser, which each thread runs once."""

    def __init__(self) -> None:
        self.mine = []


COUNTED = Counting()


def two(work):
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("times", [1, 2], ids=["first", "again on used threads"])
def test_a_thread_begins_with_no_value_in_any_local_and_with_an_empty_context(times):
    found = set()

    def body():
        x = Atomic(0)

        def work():
            found.add((hasattr(KEPT, "value"), len(COUNTED.mine), NOTED.get()))
            KEPT.value = x.add(1)
            COUNTED.mine.append(1)
            NOTED.set(1)

        found.add((hasattr(KEPT, "value"), len(COUNTED.mine), NOTED.get()))
        KEPT.value = 0
        COUNTED.mine.append(1)
        two(work)
        assert (KEPT.value, len(COUNTED.mine)) == (0, 1)  # main's own, still

    for _ in range(times):
        result = hocket.explore(body, data="off")
        assert (result.verdict, result.classes) == ("proved", 2)  # two adds, either first
    assert found == {(False, 0, 0)}


def test_a_local_that_is_made_in_an_execution_is_empty_for_threads_that_follow_each_other():
    def body():
        made = threading.local()

        def work():
            assert not hasattr(made, "value")
            made.value = 1

        for _ in range(3):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

    assert hocket.explore(body, data="off").verdict == "proved"


@pytest.mark.skipif(not FORGETS_ALL, reason="from 3.13 on an OS thread cannot forget locals that are new")
def test_threads_that_follow_each_other_need_one_os_thread_that_wakes_once(monkeypatch):
    used, woken = [], []
    run = pool.Voice.run
    monkeypatch.setattr(pool.Voice, "run", lambda voice, task: woken.append(voice) or run(voice, task))

    def body():
        used.clear()
        two(lambda: used.append(pool._get_ident()))  # of a module that keeps the real one

    assert hocket.explore(body, data="off").classes == 1
    assert len(used) == 2
    assert len(set(used)) == 1
    assert len(woken) == 2  # main, and one voice for both threads


def test_a_write_that_only_late_executions_make_is_found(tmp_path):
    """The text is changed only where the reader saw 0 and then 2: in none of the first three executions.

    What happened is noted in a file, because no execution sees a list as an earlier one left it.
    """
    notes = os.open(tmp_path / "notes", os.O_WRONLY | os.O_CREAT)

    def body():
        x, seen = Atomic(0), expat.ParserCreate()
        os.write(notes, b".")

        def write():
            x.add(1)

        def read():
            if (x.load(), x.load()) == (0, 2):
                os.write(notes, b"!")
                seen.Parse("<seen>")

        threads = [threading.Thread(target=work) for work in (read, write, write)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    result = hocket.explore(body)
    os.close(notes)
    assert (tmp_path / "notes").read_bytes().index(b"!") > 3
    assert result.verdict == "incomplete"
    assert any("xmlparser.Parse" in finding for finding in result.untracked)


class Looking:
    """An observer that notes after which step of which execution it is told to look."""

    def __init__(self):
        self.session, self.looks = None, {}

    def resume(self):
        control = self.session.control
        self.looks.setdefault(self.session.executed, set()).add(len(control.execution.events))

    def pause(self): ...
    def enter(self, actor): ...
    def leave(self, actor): ...
    def spawned(self, actor): ...
    def finished(self, control): ...
    paused = watching = contextlib.nullcontext


def test_the_first_three_executions_are_watched_as_a_whole_and_the_others_from_where_they_are_new():
    """What a module keeps from run to run is there from the second on, so steps that repeat may do something new."""
    looking = Looking()
    looking.session = session = Session(Cast(), 1_000, observer=looking)
    repeated, steps = [], []  # of each execution; a begin is told by `enter`

    def body():
        x = Atomic(0)
        two(lambda: x.store(x.load() + 1))

    def judge(control):
        repeated.append(control._repeated)
        events = enumerate(control.execution.events, 1)
        steps.append({number for number, event in events if event.operation.kind != "thread.begin"})
        return True

    Runner(body, session).run(Optimal(), judge)
    assert len(steps) == 4  # two that load and store: 4 classes
    assert repeated[:3] == [0, 0, 0]
    assert repeated[3] > 0
    for number, (known, all_steps) in enumerate(zip(repeated, steps, strict=True), 1):
        assert looking.looks[number] == {step for step in all_steps if step > known}


# -- the seat ---------------------------------------------------------------------------------------------------------

needs_seats = pytest.mark.skipif(seat.Seat().cpu < 0, reason="threads cannot be seated on this system")


@needs_seats
def test_actors_sit_on_one_cpu_and_the_caller_may_go_where_it_could(monkeypatch):
    monkeypatch.setattr(seat, "_ENOUGH", 0)  # however little time a busy machine leaves
    before, found = os.sched_getaffinity(0), set()

    def body():
        def work():
            found.add(frozenset(os.sched_getaffinity(0)))

        work()
        two(work)

    hocket.explore(body, data="off")
    assert len(found) == 1
    assert [len(cpus) for cpus in found] == [1]
    assert found.pop() <= before
    assert os.sched_getaffinity(0) == before


@needs_seats
def test_an_exploration_that_gets_too_little_time_may_run_anywhere_again(monkeypatch):
    clock = iter([0.0, 0.1, 0.2])
    used = iter([0.0, 0.09, 0.10])  # 90 % of the first tenth of a second, then 10 %
    monkeypatch.setattr(seat, "_monotonic", lambda: next(clock))
    monkeypatch.setattr(seat, "_process_time", lambda: next(used))
    everywhere, found = os.sched_getaffinity(0), []
    taken = seat.Seat()

    def work():
        for _ in range(2):
            taken.look()
            taken.sit()
            found.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [len(found[0]), found[1]] == [1, everywhere]


def test_where_threads_cannot_be_seated_nothing_is_different(monkeypatch):
    monkeypatch.setattr(seat, "_cpu_of_caller", None)

    def body():
        x = Atomic(0)
        two(lambda: x.add(1))
        return x.load()

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 2, {2: 2})


@needs_seats
def test_a_cpu_that_is_not_ours_is_given_up(monkeypatch):
    monkeypatch.setattr(seat, "_cpu_of_caller", lambda: 100_000)
    taken = seat.Seat()
    assert taken.sit() == -1


def test_what_a_task_held_is_gone_when_the_pool_has_settled():
    """A voice is given back before it has quite ended: what it held was still there when an exploration was over."""
    parked, given, gate = pool.Pool(), threading.Lock(), threading.Lock()
    voice, held = parked.take(), {"of the execution"}
    gone = weakref.ref(held)

    def task(held: object = held) -> None:
        parked.give(voice)
        given.release()
        gate.acquire()

    given.acquire()
    gate.acquire()
    voice.run(task)
    del task, held
    given.acquire()
    assert voice.busy
    gate.release()
    parked.settle()
    assert not voice.busy
    assert gone() is None
    voice.retire()
