"""Programs of the literature that are not in the published tables, each held against brute force.

`python -m tests.explorer_literature` runs every interleaving of each and compares classes; the suite runs the cheap
ones. A loop that spins is a wait (`block_until`), as the tools' `assume` and `await` make of it; waiting for ever is a
deadlock there and here. Sources are named at each program: SCTBench (Thomson et al., PPoPP 2014), the tests of Nidhugg,
GenMC, loom and dejafu (by program, not by number: their counts are of other memory models or other steps), textbooks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from hocket.explore.model import Program, Spawn, choose, join
from tests.fuzz_explorer import brute_force, judge_program
from tests.pseudo_code import program_of

Steps = Any


class Known(NamedTuple):
    """A program, and its classes and interleavings as brute force counts them."""

    name: str
    make: Callable[[], Program]
    classes: int
    interleavings: int


# -- mutual exclusion by loads and stores ------------------------------------------------------------------------------


def peterson() -> Program:
    """Peterson, IPL 1981: one entry each (Nidhugg's and GenMC's `peterson`)."""
    program = Program()
    flags, turn = [program.cell(0, f"flag{i}") for i in range(2)], program.cell(0, "turn")

    def body(me: int) -> Steps:
        other = 1 - me
        yield flags[me].store(1)
        yield turn.store(other)
        if (yield flags[other].load()):
            yield turn.block_until(lambda value: value == me)
        yield flags[me].store(0)

    return _two(program, body)


def dekker() -> Program:
    """Dekker (Dijkstra, EWD 123): whoever is not favoured withdraws once and waits for the other."""
    program = Program()
    wants, turn = [program.cell(0, f"wants{i}") for i in range(2)], program.cell(0, "turn")

    def body(me: int) -> Steps:
        other = 1 - me
        yield wants[me].store(1)
        if (yield wants[other].load()):
            if (yield turn.load()) != me:
                yield wants[me].store(0)
                yield turn.block_until(lambda value: value == me)
                yield wants[me].store(1)
            yield wants[other].block_until(lambda value: value == 0)
        yield turn.store(other)
        yield wants[me].store(0)

    return _two(program, body)


def szymanski() -> Program:
    """Szymanski, 1988, for two: the waiting room with one door in and one out."""
    program = Program()
    flags = [program.cell(0, f"flag{i}") for i in range(2)]

    def body(me: int) -> Steps:
        other = flags[1 - me]
        yield flags[me].store(1)
        yield other.block_until(lambda value: value < 3)
        yield flags[me].store(3)
        if (yield other.load()) == 1:
            yield flags[me].store(2)
            yield other.block_until(lambda value: value == 4)
        yield flags[me].store(4)
        if me:
            yield other.block_until(lambda value: value < 2)
        else:
            yield other.block_until(lambda value: value not in (2, 3))
        yield flags[me].store(0)

    return _two(program, body)


def burns() -> Program:
    """Burns and Lynch, 1980: one bit each; the second gives way."""
    program = Program()
    flags = [program.cell(0, f"flag{i}") for i in range(2)]

    def first() -> Steps:
        yield flags[0].store(1)
        yield flags[1].block_until(lambda value: value == 0)
        yield flags[0].store(0)

    def second() -> Steps:
        yield flags[0].block_until(lambda value: value == 0)
        yield flags[1].store(1)
        if (yield flags[0].load()):
            yield flags[1].store(0)
            yield flags[0].block_until(lambda value: value == 0)
            yield flags[1].store(1)
        yield flags[1].store(0)

    program.actor(first)
    program.actor(second)
    return program


def bakery() -> Program:
    """Lamport, CACM 1974, for two, one entry each."""
    program = Program()
    choosing = [program.cell(0, f"choosing{i}") for i in range(2)]
    ticket = [program.cell(0, f"ticket{i}") for i in range(2)]

    def body(me: int) -> Steps:
        other = 1 - me
        yield choosing[me].store(1)
        mine = 1 + (yield ticket[other].load())
        yield ticket[me].store(mine)
        yield choosing[me].store(0)
        yield choosing[other].block_until(lambda value: value == 0)
        yield ticket[other].block_until(lambda value: value == 0 or (mine, me) < (value, other))
        yield ticket[me].store(0)

    return _two(program, body)


def clh() -> Program:
    """Craig 1993, Landin and Hagersten 1994: a queue of spinning locks, two actors."""
    program = Program()
    tail = program.cell(0, "tail")
    busy = [program.cell(value, f"busy{i}") for i, value in enumerate((False, True, True))]

    def body(me: int) -> Steps:
        before = yield tail.swap(me + 1)
        yield busy[before].block_until(lambda value: not value)
        yield busy[me + 1].store(False)

    return _two(program, body)


# -- data structures and monitors --------------------------------------------------------------------------------------


def account() -> Program:
    """SCTBench `account_bad`: deposit, withdraw and a check of the balance, each under one lock."""
    program = Program()
    lock, balance = program.lock("lock"), program.cell(1, "balance")
    done = [program.cell(False, name) for name in ("deposited", "withdrawn")]

    def change(amount: int, which: int) -> Steps:
        yield lock.acquire()
        yield balance.store((yield balance.load()) + amount)
        yield done[which].store(True)
        yield lock.release()

    def check() -> Steps:
        yield lock.acquire()
        if (yield done[0].load()) and (yield done[1].load()):
            assert (yield balance.load()) == 3
        yield lock.release()

    program.actor(change, 3, 0)
    program.actor(change, -1, 1)
    program.actor(check)
    return program


def stack() -> Program:
    """SCTBench `stack_bad`, two pushes and two pops; the pop looks at the top before it takes the lock."""
    program = Program()
    lock, top = program.lock("lock"), program.cell(0, "top")

    def push() -> Steps:
        for _ in range(2):
            yield lock.acquire()
            yield top.store((yield top.load()) + 1)
            yield lock.release()

    def pop() -> Steps:
        for _ in range(2):
            if (yield top.load()) > 0:
                yield lock.acquire()
                yield top.store((yield top.load()) - 1)
                yield lock.release()

    program.actor(push)
    program.actor(pop)
    return program


def buffer(capacity: int = 1, items: int = 2) -> Program:
    """The bounded buffer of Hoare's monitors (CACM 1974): one producer, one consumer, two conditions on a lock."""
    program = Program()
    lock, count = program.lock("lock"), program.cell(0, "count")
    full, empty = program.condition(lock, "not full"), program.condition(lock, "not empty")

    def body(sign: int, waits: Any, tells: Any, stuck: int) -> Steps:
        for _ in range(items):
            yield lock.acquire()
            while (value := (yield count.load())) == stuck:
                yield from waits.wait()
            yield count.store(value + sign)
            yield tells.notify()
            yield lock.release()

    program.actor(body, 1, full, empty, capacity)
    program.actor(body, -1, empty, full, 0)
    return program


def readers_writer(readers: int = 2) -> Program:
    """Courtois, Heymans and Parnas, CACM 1971: the first reader locks the writer out, the last lets it in."""
    program = Program()
    mutex, writing = program.lock("mutex"), program.semaphore(1, name="writing")
    count, data = program.cell(0, "count"), program.cell(0, "data")

    def read() -> Steps:
        yield mutex.acquire()
        value = 1 + (yield count.load())
        yield count.store(value)
        if value == 1:
            yield writing.acquire()
        yield mutex.release()
        yield data.load()
        yield mutex.acquire()
        value = (yield count.load()) - 1
        yield count.store(value)
        if value == 0:
            yield writing.release()
        yield mutex.release()

    def write() -> Steps:
        yield writing.acquire()
        yield data.store(1)
        yield writing.release()

    for _ in range(readers):
        program.actor(read)
    program.actor(write)
    return program


def seqlock() -> Program:
    """A sequence lock (Linux): one writer of two cells, one reader that tries twice."""
    program = Program()
    sequence, a, b = (program.cell(0, name) for name in ("sequence", "a", "b"))

    def write() -> Steps:
        yield sequence.store(1)
        yield a.store(1)
        yield b.store(1)
        yield sequence.store(2)

    def read() -> Steps:
        for _ in range(2):
            before = yield sequence.load()
            if before % 2 == 0:
                pair = (yield a.load()), (yield b.load())
                if (yield sequence.load()) == before:
                    assert pair[0] == pair[1]
                    return

    program.actor(write)
    program.actor(read)
    return program


def double_checked() -> Program:
    """Double-checked locking (Schmidt and Harrison, 1996): two that ask for one thing that is made once."""
    program = Program()
    lock, made = program.lock("lock"), program.cell(0, "made")

    def body(_: int) -> Steps:
        if not (yield made.load()):
            yield lock.acquire()
            if not (yield made.load()):
                yield made.store(1)
            yield lock.release()

    return _two(program, body)


def exponential_bug(k: int = 2) -> Program:
    """In the manner of Nidhugg's `exponential_bug`: one counts x up k times, another copies it to y, a third looks."""
    program = Program()
    x, y = program.cell(0, "x"), program.cell(0, "y")

    def count() -> Steps:
        for _ in range(k):
            yield x.store((yield x.load()) + 1)

    def copy() -> Steps:
        for _ in range(k):
            yield y.store((yield x.load()))

    def look() -> Steps:
        yield y.load()

    for body in (count, copy, look):
        program.actor(body)
    return program


def queens(n: int = 4) -> Program:
    """n queens by data choices, one actor a column, each after the one before: the choices are all that differs."""
    program = Program()
    placed = program.cell((), "placed")

    def column(number: int) -> Steps:
        row = yield choose(n)
        before = yield placed.block_until(lambda rows: len(rows) == number)
        assert before is None
        rows = yield placed.load()
        yield placed.store((*rows, row))

    for number in range(n):
        program.actor(column, number)
    return program


def water() -> Program:
    """H2O (Andrews, 1991): two hydrogens and one oxygen meet at a barrier after semaphores let them in."""
    program = Program()
    places, bond, made = program.semaphore(2, name="hydrogen"), program.barrier(3, "bond"), program.cell(0, "made")

    def hydrogen() -> Steps:
        yield places.acquire()
        yield from bond.wait()

    def oxygen() -> Steps:
        yield from bond.wait()
        yield made.add(1)

    for body in (hydrogen, hydrogen, oxygen):
        program.actor(body)
    return program


def fork_join(depth: int = 2) -> Program:
    """A tree of spawned actors that add what their children return (Blumofe et al., Cilk 1995), by one racy cell."""
    program = Program()
    total = program.cell(0, "total")

    def node(level: int) -> Steps:
        children = []
        if level:
            for _ in range(2):
                children.append((yield Spawn(node, (level - 1,))))
        else:
            yield total.add(1)
        for child in children:
            yield join(child)

    program.body(node, depth)
    return program


def _two(program: Program, body: Callable[[int], Steps]) -> Program:
    for number in range(2):
        program.actor(body, number)
    return program


def _litmus(name: str, text: str, classes: int, interleavings: int) -> Known:
    return Known(name, lambda: program_of(text), classes, interleavings)


PROGRAMS = [
    # litmus tests (Alglave, Maranget, Tautschnig, TOPLAS 2014), here under sequential consistency
    _litmus("MP", "x=1; y=1 || r y; r x", 3, 6),
    _litmus("IRIW", "x=1 || y=1 || r x; r y || r y; r x", 15, 180),
    _litmus("2+2W", "x=1; y=2 || y=1; x=2", 3, 6),
    _litmus("WRC", "x=1 || r x; y=1 || r y; r x", 7, 30),
    _litmus("RWC", "x=1 || r x; r y || y=1; r x", 7, 30),
    _litmus("W+RWC", "x=1; z=1 || r z; r y || y=1; r x", 7, 90),
    _litmus("ISA2", "x=1; y=1 || r y; z=1 || r z; r x", 7, 90),
    Known("peterson", peterson, 8, 50),
    Known("dekker", dekker, 8, 86),
    Known("szymanski", szymanski, 29, 136),
    Known("burns", burns, 5, 9),
    Known("bakery", bakery, 9, 322),
    Known("clh", clh, 2, 6),
    Known("account", account, 6, 6),
    Known("stack", stack, 8, 46),
    Known("buffer", buffer, 8, 8),
    Known("readers_writer", lambda: readers_writer(1), 2, 24),
    Known("seqlock", seqlock, 16, 76),
    Known("double_checked", double_checked, 4, 12),
    Known("exponential_bug", exponential_bug, 18, 630),
    Known("queens 2", lambda: queens(2), 4, 20),
    Known("water", water, 12, 108),
    Known("fork_join 1", lambda: fork_join(1), 2, 5),
]
LARGER = [
    Known("readers_writer 2", readers_writer, 14, 1_846),
    Known("buffer 2·3", lambda: buffer(2, 3), 24, 24),
    Known("exponential_bug 3", lambda: exponential_bug(3), 80, 12_012),
    Known("queens 3", lambda: queens(3), 27, 1_215),
    Known("fork_join 2", fork_join, 24, 85_775),
]


def main(largest: int = 200_000) -> None:
    """Judge each, and say what it has."""
    for known in [*PROGRAMS, *LARGER]:
        start = time.process_time()
        found = brute_force(known.make(), largest)
        if found is None:
            print(f"{known.name}: more than {largest} interleavings")
            continue
        ends, interleavings = found
        judge_program(known.make, ends)
        same = (len(ends), interleavings) == (known.classes, known.interleavings)
        print(f"{known.name}: {len(ends)} classes of {interleavings} interleavings, found by both searches"
              f"{'' if same else ' (written down otherwise)'}; {time.process_time() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
