"""Bodies that other processes can import: what is explored by test_parallel.py."""

from __future__ import annotations

import os
import signal
import threading
import zlib

import hocket


def _together(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def counter():
    """Three actors: v = x; x = v + 1; 36 classes."""
    x = hocket.Atomic(0)
    _together(*[lambda: x.store(x.load() + 1)] * 3)
    return x.load()


def nested():
    """Threads that start threads, and locks made in threads: numbers are given where nobody else sees it."""
    x = hocket.Atomic(())

    def child(name):
        lock = threading.Lock()
        with lock:
            x.store((*x.load(), name))

    def parent(name):
        _together(lambda: child(name), lambda: child(name.upper()))

    _together(lambda: parent("a"), lambda: parent("b"))
    return "".join(x.load())


def deadlock():
    a, b = threading.Lock(), threading.Lock()

    def work(first, second):
        with first, second:
            pass

    _together(lambda: work(a, b), lambda: work(b, a))


def ends_are_seen():
    thread = threading.Thread(target=hocket.Atomic(0).load)
    thread.start()
    return thread.is_alive(), thread.join()


SHARED = bytearray(1)


def untracked():
    _together(*[lambda: zlib.crc32(SHARED)] * 2)


def reached():
    hocket.sometimes(counter() == 1, "lost")


def polls():
    x = hocket.Atomic(0)

    def poll():
        while not x.load():
            pass

    _together(poll, lambda: x.store(1))


def dies_in_a_worker():
    if os.environ.get("HOCKET_TEST_DIES") and os.getpid() != int(os.environ["HOCKET_TEST_DIES"]):
        os.kill(os.getpid(), signal.SIGKILL)
    return counter()


ONE, TWO = hocket.Atomic(0), hocket.Atomic(0)


def outside():
    _together(*[lambda: ONE.store(TWO.load())] * 2)


def two_ways_to_fail(number=2):
    """An assertion that one preemption breaks, and a deadlock that one brings about: whoever finds which first."""
    x, a, b = hocket.Atomic(0), threading.Lock(), threading.Lock()

    def work(first, second):
        seen = x.load()
        with first, second:
            x.store(seen + 1)

    _together(lambda: work(a, b), lambda: work(b, a))
    assert x.load() == number
