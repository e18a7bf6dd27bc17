"""Actors share OS threads, one after the other, and notice nothing; what is new in an execution is watched."""

from __future__ import annotations

import contextvars
import os
import threading

import pytest

import hocket
from hocket import Atomic
from hocket.explore.threads import pool, seat

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


def test_threads_that_follow_each_other_need_only_one_os_thread():
    real_ident, used = pool._get_ident, []

    def body():
        used.clear()
        for _ in range(5):
            thread = threading.Thread(target=lambda: used.append(real_ident()))
            thread.start()
            thread.join()

    assert hocket.explore(body, data="off").classes == 1
    assert len(used) == 5
    assert len(set(used)) == 1


def test_a_write_that_only_late_executions_make_is_found():
    """The shared list is written only where a reader has seen all three stores before it began."""

    def body():
        x, seen = Atomic(0), []

        def write():
            x.add(1)

        def read():
            if x.load() == 2:
                seen.append(x.load())

        threads = [threading.Thread(target=work) for work in (read, write, write)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    result = hocket.explore(body)
    assert result.verdict == "incomplete"
    assert any("list.append" in found for found in result.untracked)


READY = []


def test_what_a_program_does_only_from_its_second_run_on_is_watched_although_its_steps_repeat():
    READY.clear()

    def body():
        x, seen = Atomic(0), []

        def work():
            if READY:  # false in the first execution only, and always in a piece that later executions repeat
                seen.append(1)
            x.add(1)

        two(work)
        READY.append(1)

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("incomplete", 2)
    assert any("list.append" in found for found in result.untracked)


# -- the seat ---------------------------------------------------------------------------------------------------------

needs_seats = pytest.mark.skipif(seat.Seat().cpu < 0, reason="threads cannot be seated on this system")


@needs_seats
def test_actors_sit_on_one_cpu_and_the_caller_may_go_where_it_could():
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
def test_an_exploration_that_gets_too_little_time_moves_to_where_its_caller_is(monkeypatch):
    clock = iter([0.0, 0.1, 0.2, 0.3])
    used = iter([0.0, 0.09, 0.10, 0.11])  # 90 % of the first tenth of a second, then 10 % of each
    where = iter([0, 1, 1])
    monkeypatch.setattr(seat, "_monotonic", lambda: next(clock))
    monkeypatch.setattr(seat, "_process_time", lambda: next(used))
    monkeypatch.setattr(seat, "_cpu_of_caller", lambda: next(where))
    taken = seat.Seat()
    cpus = [taken.cpu]
    for _ in range(2):
        taken.look()
        cpus.append(taken.cpu)
    assert cpus == [0, 0, 1]


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
