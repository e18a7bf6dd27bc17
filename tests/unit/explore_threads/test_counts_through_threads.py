"""The measured table of explorer.md, through the front door: plain `threading`, `hocket.Atomic`, exact class counts."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import hocket
from hocket import Atomic
from tests.together import together


def counter(n: int) -> int:
    x = Atomic(0)
    together(*[lambda: x.store(x.load() + 1)] * n)
    return x.load()


def readers(n: int) -> None:
    x = Atomic(0)
    together(lambda: x.store(1), *[x.load] * n)


def lastzero(n: int) -> None:
    cells = [Atomic(0) for _ in range(n + 1)]

    def reader() -> None:
        at = n
        while cells[at].load() != 0:
            at = at - 1

    def writer(j: int) -> Callable[[], None]:
        return lambda: cells[j].store(cells[j - 1].load() + 1)

    together(reader, *[writer(j) for j in range(1, n + 1)])


def locked(n: int) -> None:
    lock = threading.Lock()

    def once() -> None:
        with lock:
            pass

    together(*[once] * n)


def relocked(n: int) -> None:
    lock = threading.RLock()

    def twice() -> None:
        with lock, lock:
            pass

    together(*[twice] * n)


def trylock(n: int) -> None:
    lock = threading.Lock()

    def once() -> None:
        if lock.acquire(blocking=False):
            lock.release()

    together(*[once] * n)


def writers(n: int) -> None:
    x = Atomic(0)
    together(*[(lambda i=i: x.store(i)) for i in range(n)])


def store_buffer(n: int) -> None:
    x, y = Atomic(0), Atomic(0)
    together(lambda: (x.store(1), y.load()), lambda: (y.store(1), x.load()))


def fetch_add(n: int) -> int:
    x = Atomic(0)
    together(*[lambda: x.add(1)] * n)
    return x.load()


def cas_rotation(n: int) -> None:
    x = Atomic(0)
    together(*[(lambda i=i: x.compare_exchange(i - 1, i)) for i in range(1, n + 1)])


def lock_increment(n: int) -> int:
    x, lock = Atomic(0), threading.Lock()

    def increment() -> None:
        with lock:
            x.store(x.load() + 1)

    together(*[increment] * n)
    return x.load()


def bank(n: int) -> None:
    locks = [threading.Lock() for _ in range(n)]

    def transfer(i: int) -> None:
        first, second = sorted((i, (i + 1) % n))
        with locks[first], locks[second]:
            pass

    together(*[(lambda i=i: transfer(i)) for i in range(n)])


def sigma(n: int) -> None:
    index, cells = Atomic(0), [Atomic(0) for _ in range(n + 1)]
    threads = []
    for _ in range(n):
        index.add(1)
        thread = threading.Thread(target=lambda: cells[index.load()].store(1))
        thread.start()
        threads = [*threads, thread]
    for thread in threads:
        thread.join()


# program, n, classes: explorer.md's table and counts.md; formulas (n!)², 2ⁿ, (n+3)·2ⁿ⁻², n!, n!, trylock 4 and 24
TABLE = [
    (counter, 1, 1), (counter, 2, 4), (counter, 3, 36), (counter, 4, 576),
    (readers, 2, 4), (readers, 3, 8), (readers, 6, 64),
    (lastzero, 2, 5), (lastzero, 3, 12), (lastzero, 4, 28), (lastzero, 5, 64),
    (locked, 2, 2), (locked, 3, 6), (locked, 4, 24),
    (relocked, 2, 2), (relocked, 3, 6),
    (trylock, 2, 4), (trylock, 3, 24),
    (writers, 3, 6), (writers, 4, 24),
    (store_buffer, 2, 3),
    (fetch_add, 3, 6), (fetch_add, 4, 24),
    (cas_rotation, 2, 2), (cas_rotation, 3, 5), (cas_rotation, 4, 14), (cas_rotation, 5, 43),
    (lock_increment, 2, 2), (lock_increment, 3, 6),
    (bank, 3, 6), (bank, 4, 14),
    (sigma, 2, 3), (sigma, 3, 15),
]


@pytest.mark.parametrize(("program", "n", "classes"), TABLE, ids=lambda value: getattr(value, "__name__", str(value)))
def test_each_program_has_the_published_number_of_classes_each_run_once(program, n, classes):
    result = hocket.explore(lambda: program(n), data="off")
    assert (result.verdict, result.classes, result.executions) == ("proved", classes, classes)


@pytest.mark.parametrize(("program", "n", "classes"), [
    (counter, 2, 4), (locked, 2, 2), (readers, 2, 4), (lastzero, 2, 5), (trylock, 2, 4), (cas_rotation, 2, 2)],
    ids=lambda value: getattr(value, "__name__", str(value)))
def test_every_interleaving_by_brute_force_falls_into_as_many_classes(program, n, classes):
    result = hocket.explore(lambda: program(n), data="off", strategy="dfs")
    assert (result.verdict, result.classes) == ("proved", classes)
    assert result.executions > classes


@pytest.mark.parametrize(("n", "acyclic"), [(2, 2), (3, 6), (4, 14)])
def test_philosophers_deadlock_in_one_class_of_2_to_the_n_minus_1(n, acyclic):
    """All other classes, 2ⁿ − 2, come to an end; a philosopher who reaches for the lower fork first saves them all."""
    def dine(order: Callable[[int], tuple[int, int]]) -> None:
        forks = [threading.Lock() for _ in range(n)]

        def eat(i: int) -> None:
            first, second = order(i)
            with forks[first], forks[second]:
                pass

        together(*[(lambda i=i: eat(i)) for i in range(n)])

    failure = hocket.explore(lambda: dine(lambda i: (i, (i + 1) % n)), data="off").failure
    assert failure is not None
    assert failure.kind == "deadlock"
    assert len(failure.cycle) == n
    careful = hocket.explore(lambda: dine(lambda i: tuple(sorted((i, (i + 1) % n)))), data="off")
    assert (careful.verdict, careful.classes) == ("proved", {2: 2, 3: 6, 4: 14}[n])
    assert acyclic == careful.classes


def test_the_outcomes_are_counted_by_class():
    # of the 4 classes of two racing increments, 2 are one after the other, 2 overlap
    assert hocket.explore(lambda: counter(2), data="off").outcomes == {2: 2, 1: 2}
    assert hocket.explore(lambda: counter(3), data="off").outcomes == {3: 6, 2: 18, 1: 12}
    assert hocket.explore(lambda: lock_increment(3), data="off").outcomes == {3: 6}


def test_a_thread_started_in_a_thread_is_an_actor_like_any_other():
    def body() -> int:
        x = Atomic(0)

        def outer() -> None:
            inner = threading.Thread(target=lambda: x.add(1))
            inner.start()
            x.add(1)
            inner.join()

        together(outer, outer)
        return x.load()

    result = hocket.explore(body, data="off")
    # four additions on one cell, in any order: 4!
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 24, {4: 24})


def test_the_joins_of_the_main_thread_add_nothing():
    x = Atomic(0)

    def body() -> None:
        threads = [threading.Thread(target=lambda: x.store(1)) for _ in range(2)]
        for thread in threads:
            thread.start()

    assert hocket.explore(body, data="off").classes == 2
    assert hocket.explore(lambda: writers(2), data="off").classes == 2


def test_a_choice_has_each_of_its_values():
    result = hocket.explore(lambda: (hocket.choose(3), hocket.choose(2)))
    assert result.verdict == "proved"
    assert result.outcomes == {(a, b): 1 for a in range(3) for b in range(2)}


def test_outside_of_an_exploration_a_choice_is_0_and_an_atomic_is_a_value():
    x = Atomic(5)
    assert hocket.choose(7) == 0
    assert (x.add(2), x.load(), x.swap(1), x.compare_exchange(1, 9), x.compare_exchange(1, 8), x.load()) == (
        5, 7, 7, True, False, 9)


def test_an_atomic_made_before_the_exploration_starts_each_execution_afresh():
    x = Atomic(10)
    result = hocket.explore(lambda: x.add(1) + x.load(), data="off")
    assert result.outcomes == {21: 1}
    assert x.load() == 10
