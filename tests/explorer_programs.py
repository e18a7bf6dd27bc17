"""The programs of the published counts, as pure models: small, exact, and the same in every explorer.

Each function builds one program; `ROWS` in tests/unit/explore_engine/test_counts.py has the numbers. Actors run
from the start; a main actor that only joins adds no class and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hocket.explore.model import Cell, Lock, Program

Steps = Any


def _actors(program: Program, count: int, body: Callable[..., Steps]) -> Program:
    for number in range(count):
        program.actor(body, number)
    return program


def counter(n: int) -> Program:
    """n actors: v = x; x = v + 1."""
    program = Program()
    x = program.cell(0, "x")

    def body(_: int) -> Steps:
        value = yield x.load()
        yield x.store(value + 1)

    return _actors(program, n, body)


def readers(n: int) -> Program:
    """One writer of x, n readers."""
    return writers_readers(1, n)


def writers(n: int) -> Program:
    """n actors, each one store to x."""
    return writers_readers(n, 0)


def writers_readers(writers: int, readers: int) -> Program:
    """Some writers with one store each and some readers with one load each, of the same cell."""
    program = Program()
    x = program.cell(0, "x")

    def write(number: int) -> Steps:
        yield x.store(number)

    def read(_: int) -> Steps:
        yield x.load()

    return _actors(_actors(program, writers, write), readers, read)


def lastzero(n: int) -> Program:
    """Writer j: a[j] = a[j-1] + 1; one reader scans down from n until it finds 0 (POPL 2014)."""
    program = Program()
    a = [program.cell(0, f"a{i}") for i in range(n + 1)]

    def scan() -> Steps:
        i = n
        while (yield a[i].load()) != 0:
            i -= 1

    def write(number: int) -> Steps:
        value = yield a[number].load()
        yield a[number + 1].store(value + 1)

    program.actor(scan)
    return _actors(program, n, write)


def locked(n: int) -> Program:
    """n actors take one lock once."""
    program = Program()
    lock = program.lock("lock")

    def body(_: int) -> Steps:
        yield lock.acquire()
        yield lock.release()

    return _actors(program, n, body)


def philosophers(n: int, times: int = 1) -> Program:
    """Each takes fork i, then fork i + 1, then lays both down: may deadlock."""
    program = Program()
    forks = [program.lock(f"fork{i}") for i in range(n)]

    def body(i: int) -> Steps:
        for _ in range(times):
            yield forks[i].acquire()
            yield forks[(i + 1) % n].acquire()
            yield forks[i].release()
            yield forks[(i + 1) % n].release()

    return _actors(program, n, body)


def trylock(n: int) -> Program:
    """n actors try one lock once, and release it if they got it."""
    program = Program()
    lock = program.lock("lock")

    def body(_: int) -> Steps:
        if (yield lock.try_acquire()):
            yield lock.release()

    return _actors(program, n, body)
