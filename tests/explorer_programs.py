"""The programs of the published counts, as pure models: small, exact, and the same in every explorer.

Each function builds one program; `ROWS` in tests/unit/explore_engine/test_counts.py has the numbers. Actors run
from the start; a main actor that only joins adds no class and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hocket.explore.model import Cell, Program, Spawn, join

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


def inc(n: int) -> Program:
    """Actor i: r = x; x = r + 2^i."""
    program = Program()
    x = program.cell(0, "x")

    def body(number: int) -> Steps:
        value = yield x.load()
        yield x.store(value + (1 << number))

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


# -- families that a line of pseudo-code cannot say -------------------------------------------------------------------


def bank(n: int) -> Program:
    """n transfers, from account i to i + 1 mod n; both accounts are locked, the lower number first."""
    program = Program()
    locks = [program.lock(f"lock{i}") for i in range(n)]
    accounts = [program.cell(10, f"account{i}") for i in range(n)]

    def transfer(i: int) -> Steps:
        pair = sorted({i, (i + 1) % n})
        for which in pair:
            yield locks[which].acquire()
        for which in pair:
            balance = yield accounts[which].load()
            yield accounts[which].store(balance + (1 if which != i else -1))
        for which in reversed(pair):
            yield locks[which].release()

    return _actors(program, n, transfer)


def casrot(n: int) -> Program:
    """Actor i = 1..n: compare_exchange(x, i - 1, i)."""
    program = Program()
    x = program.cell(0, "x")

    def body(number: int) -> Steps:
        yield x.compare_exchange(number, number + 1)

    return _actors(program, n, body)


def circular_buffer(n: int) -> Program:
    """A producer and a consumer, n iterations each, everything under one lock."""
    program = Program()
    lock, sent = program.lock("lock"), program.cell(0, "sent")

    def body(_: int) -> Steps:
        for _ in range(n):
            yield lock.acquire()
            count = yield sent.load()
            yield sent.store(count + 1)
            yield lock.release()

    return _actors(program, 2, body)


def lockinc(n: int) -> Program:
    """n actors: lock; x = x + 1; unlock."""
    program = Program()
    lock, x = program.lock("lock"), program.cell(0, "x")

    def body(_: int) -> Steps:
        yield lock.acquire()
        value = yield x.load()
        yield x.store(value + 1)
        yield lock.release()

    return _actors(program, n, body)


def eratosthenes(n: int, threads: int = 2) -> Program:
    """Every actor runs the same sieve over a[0..n-1]."""
    program = Program()
    a = [program.cell(0, f"a{i}") for i in range(n)]

    def sieve(_: int) -> Steps:
        for i in range(n):
            if (yield a[i].load()) == 0:
                yield a[i].store(1)
                for j in range(2 * i + 2, n, i + 2):
                    yield a[j].store(2)

    return _actors(program, threads, sieve)


def fib_bench(n: int) -> Program:
    """t1: n times i = i + j; t2: n times j = j + i; main reads i and j meanwhile."""
    program = Program()
    i, j = program.cell(1, "i"), program.cell(1, "j")

    def add(target: Cell, other: Cell) -> Steps:
        for _ in range(n):
            mine = yield target.load()
            more = yield other.load()
            yield target.store(mine + more)

    def look() -> Steps:
        yield i.load()
        yield j.load()

    program.actor(add, i, j)
    program.actor(add, j, i)
    program.actor(look)
    return program


def filesystem(n: int) -> Program:
    """Flanagan and Godefroid's file system: inodes and blocks, a lock for each."""
    program = Program()
    inodes, blocks = 32, 26
    inode = [program.cell(0, f"inode{i}") for i in range(inodes)]
    busy = [program.cell(False, f"busy{i}") for i in range(blocks)]
    inode_lock = [program.lock(f"locki{i}") for i in range(inodes)]
    block_lock = [program.lock(f"lockb{i}") for i in range(blocks)]

    def create(number: int) -> Steps:
        i = number % inodes
        yield inode_lock[i].acquire()
        if (yield inode[i].load()) == 0:
            b = (i * 2) % blocks
            while True:
                yield block_lock[b].acquire()
                if not (yield busy[b].load()):
                    yield busy[b].store(True)
                    yield inode[i].store(b + 1)
                    yield block_lock[b].release()
                    break
                yield block_lock[b].release()
                b = (b + 1) % blocks
        yield inode_lock[i].release()

    return _actors(program, n, create)


def indexer(n: int, mutex: bool = False) -> Program:
    """Flanagan and Godefroid's indexer: n actors insert four words each into a hash table of 128 slots."""
    program = Program()
    size, words = 128, 4
    table = [program.cell(0, f"table{i}") for i in range(size)]
    locks = [program.lock(f"lock{i}") for i in range(size)]

    def insert(number: int) -> Steps:
        for m in range(1, words + 1):
            word = m * 11 + number
            slot = word * 7 % size
            while not (yield from (_guarded(slot, word) if mutex else _claim(slot, word))):
                slot = (slot + 1) % size

    def _claim(slot: int, word: int) -> Steps:
        return (yield table[slot].compare_exchange(0, word))

    def _guarded(slot: int, word: int) -> Steps:
        yield locks[slot].acquire()
        free = (yield table[slot].load()) == 0
        if free:
            yield table[slot].store(word)
        yield locks[slot].release()
        return free

    return _actors(program, n, insert)


def length_parametric(n: int) -> Program:
    """Two actors: n times an access to a cell of their own; then v = t; r v."""
    program = Program()
    local = [program.cell(0, f"local{i}") for i in range(2)]
    v = program.cell(0, "v")

    def body(number: int) -> Steps:
        for i in range(n):
            yield local[number].store(i)
            yield local[number].load()
        yield v.store(number)
        yield v.load()

    return _actors(program, 2, body)


def race_parametric(n: int, private: int = 3) -> Program:
    """Two actors: some accesses to a cell of their own, then n times v = t; r v."""
    program = Program()
    local = [program.cell(0, f"local{i}") for i in range(2)]
    v = program.cell(0, "v")

    def body(number: int) -> Steps:
        for i in range(private):
            yield local[number].store(i)
        for _ in range(n):
            yield v.store(number)
            yield v.load()

    return _actors(program, 2, body)


def opt_lock(n: int) -> Program:
    """Two actors: up to n times x = id; y = 1; if x == id: read y, and stop."""
    program = Program()
    x, y = program.cell(-1, "x"), program.cell(0, "y")

    def body(number: int) -> Steps:
        for _ in range(n):
            yield x.store(number)
            yield y.store(1)
            if (yield x.load()) == number:
                yield y.load()
                break

    return _actors(program, 2, body)


def sigma(n: int) -> Program:
    """main: n times idx = idx + 1 and spawn a child that does a[idx] = 1; then main joins all."""
    program = Program()
    index = program.cell(0, "idx")
    a = [program.cell(0, f"a{i}") for i in range(n + 1)]

    def child() -> Steps:
        i = yield index.load()
        yield a[i].store(1)

    def body() -> Steps:
        children = []
        for _ in range(n):
            i = yield index.load()
            yield index.store(i + 1)
            children.append((yield Spawn(child)))
        for one in children:
            yield join(one)

    program.body(body)
    return program


def ssb_exponential(n: int, reverse: bool = False) -> Program:
    """n writers x_i = 1; a counter c = 1 .. n-1; a master i = c; x_i = 0 (CAV 2018)."""
    program = Program()
    c = program.cell(0, "c")
    x = [program.cell(0, f"x{i}") for i in range(n)]

    def write(number: int) -> Steps:
        yield x[number].store(1)

    def count() -> Steps:
        for i in range(1, n):
            yield c.store(i)

    def master() -> Steps:
        i = yield c.load()
        yield x[i].store(0)

    bodies: list[tuple[Any, ...]] = [*((write, i) for i in range(n)), (count,), (master,)]
    for body, *arguments in reversed(bodies) if reverse else bodies:
        program.actor(body, *arguments)
    return program


def token_ring(n: int) -> Program:
    """Actor i waits until token == i, then sets it to i + 1 mod n."""
    program = Program()
    token = program.cell(0, "token")

    def body(number: int) -> Steps:
        yield token.wait_until(lambda value: value == number)
        yield token.store((number + 1) % n)

    return _actors(program, n, body)


def workers(n: int) -> Program:
    """n workers take a ticket and write their slot; the collector reads the slots after joining all."""
    program = Program()
    ticket = program.cell(0, "ticket")
    slots = [program.cell(0, f"slot{i}") for i in range(n)]

    def work(_: int) -> Steps:
        mine = yield ticket.add(1)
        yield slots[mine].store(1)

    def collect() -> Steps:
        children = []
        for number in range(n):
            children.append((yield Spawn(work, (number,))))
        for one in children:
            yield join(one)
        for slot in slots:
            yield slot.load()

    program.body(collect)
    return program


# -- locks and structures made of atomics; an actor whose `assume` fails stops there, and returns BLOCKED --------------

BLOCKED = "blocked"


def spinlock(n: int) -> Program:
    """One compare_exchange(l, 0, 1); whoever fails is blocked for ever."""
    program = Program()
    lock = program.cell(0, "l")

    def body(_: int) -> Steps:
        if not (yield lock.compare_exchange(0, 1)):
            return BLOCKED
        yield lock.store(0)

    return _actors(program, n, body)


def ticketlock(n: int) -> Program:
    """t = faa(next); assume owner == t; critical section; owner = owner + 1."""
    program = Program()
    tickets, owner = program.cell(0, "next"), program.cell(0, "owner")

    def body(_: int) -> Steps:
        mine = yield tickets.add(1)
        if (yield owner.load()) != mine:
            return BLOCKED
        now = yield owner.load()
        yield owner.store(now + 1)

    return _actors(program, n, body)


def ttaslock(n: int) -> Program:
    """while True: assume l == 0; if swap(l, 1) == 0: break; then the critical section; l = 0."""
    program = Program()
    lock = program.cell(0, "l")

    def body(_: int) -> Steps:
        while True:
            if (yield lock.load()) != 0:
                return BLOCKED
            if (yield lock.swap(1)) == 0:
                break
        yield lock.store(0)

    return _actors(program, n, body)


def mcslock(n: int) -> Program:
    """The MCS lock of the Linux kernel; its spins are assumes."""
    program = Program()
    tail = program.cell(None, "tail")
    locked = [program.cell(0, f"locked{i}") for i in range(n)]
    following = [program.cell(None, f"next{i}") for i in range(n)]
    shared = program.cell(0, "shared")

    def body(me: int) -> Steps:
        yield locked[me].store(0)
        yield following[me].store(None)
        before = yield tail.swap(me)
        if before is not None:
            yield following[before].store(me)
            if not (yield locked[me].load()):
                return BLOCKED
        yield shared.store(me)
        yield shared.load()
        after = yield following[me].load()
        if after is None:
            if (yield tail.compare_exchange(me, None)):
                return None
            after = yield following[me].load()
            if after is None:
                return BLOCKED
        yield locked[after].store(1)
        return None

    return _actors(program, n, body)


def treiber(pushers: int, poppers: int) -> Program:
    """Treiber's stack without reclamation; a failed compare-exchange is tried again."""
    program = Program()
    top = program.cell(0, "top")
    below = [program.cell(0, f"next{i}") for i in range(pushers + 1)]

    def push(number: int) -> Steps:
        node = number + 1
        while True:
            head = yield top.load()
            yield below[node].store(head)
            if (yield top.compare_exchange(head, node)):
                return

    def pop(_: int) -> Steps:
        while True:
            head = yield top.load()
            if head == 0:
                return
            rest = yield below[head].load()
            if (yield top.compare_exchange(head, rest)):
                return

    return _actors(_actors(program, pushers, push), poppers, pop)


def msqueue(putters: int, getters: int) -> Program:
    """Michael and Scott's queue; node 0 is the dummy, the putter number i links node i + 1."""
    program = Program()
    head, tail = program.cell(0, "head"), program.cell(0, "tail")
    following = [program.cell(None, f"next{i}") for i in range(putters + 1)]

    def put(number: int) -> Steps:
        node = number + 1
        while True:
            last = yield tail.load()
            after = yield following[last].load()
            if (yield tail.load()) != last:
                continue
            if after is not None:
                yield tail.compare_exchange(last, after)
            elif (yield following[last].compare_exchange(None, node)):
                break
        yield tail.compare_exchange(last, node)

    def get(_: int) -> Steps:
        while True:
            first = yield head.load()
            last = yield tail.load()
            after = yield following[first].load()
            if (yield head.load()) != first:
                continue
            if first == last:
                if after is None:
                    return
                yield tail.compare_exchange(last, after)
            elif (yield head.compare_exchange(first, after)):
                return

    return _actors(_actors(program, putters, put), getters, get)


def many_initials() -> Program:
    """x = 1 || y = 1 || z = 1 || v = y; u = z; if v == u == 1: read x."""
    program = Program()
    x, y, z = (program.cell(0, name) for name in "xyz")

    def read() -> Steps:
        v = yield y.load()
        u = yield z.load()
        if v == u == 1:
            yield x.load()

    for cell in (x, y, z):
        program.actor(_store_one, cell)
    program.actor(read)
    return program


def tricky_predecessors() -> Program:
    """Three unlockers l_i = 1; three readers, each of a pair of l and, if both are set, of x; a writer of x."""
    program = Program()
    unlocked = [program.cell(0, f"l{i}") for i in range(3)]
    x = program.cell(0, "x")

    def read(first: Cell, second: Cell) -> Steps:
        a = yield first.load()
        b = yield second.load()
        if a and b:
            yield x.load()

    for cell in (*unlocked, x):
        program.actor(_store_one, cell)
    for i in range(3):
        program.actor(read, unlocked[i], unlocked[(i + 1) % 3])
    return program


def _store_one(cell: Cell) -> Steps:
    yield cell.store(1)
