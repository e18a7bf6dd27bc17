"""A slice of `python -m tests.fuzz_threads`, and what its oracle is worth on programs whose ends are known."""

from __future__ import annotations

from typing import Any

from tests.fuzz_threads import hunt, programs
from tests.thread_oracle import ends_of

HEAD = """
import threading

def together(*tasks):
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def _ends(text: str, **options: Any) -> tuple[set[Any], bool]:
    names: dict[str, Any] = {}
    code = compile(HEAD + text, "known", "exec")

    def once() -> Any:
        exec(code, names)
        return names["body"]()

    ends = ends_of(once, **options)
    return set(ends.found), ends.complete


COUNTER = """
class C: n = 0
def body():
    def work(): c.n += 1
    c = C()
    together(work, work)
    return c.n
"""
PHILOSOPHERS = """
def body():
    def work(first, second):
        with first:
            with second: pass
    a, b = threading.Lock(), threading.RLock()
    together(lambda: work(a, b), lambda: work(b, a))
    return "done"
"""
HANDED_ON = """
import queue
def body():
    q, got = queue.Queue(), []
    together(lambda: got.append(q.get()), lambda: q.put(1))
    return got
"""


def test_a_lost_update_has_two_ends_between_bytecodes_and_one_where_cpython_switches() -> None:
    assert _ends(COUNTER) == ({1, 2}, True)
    assert _ends(COUNTER, gil=True) == ({2}, True)
    assert _ends(COUNTER, preemptions=0) == ({2}, True)


def test_locks_taken_crosswise_may_end_in_a_deadlock() -> None:
    assert _ends(PHILOSOPHERS, preemptions=1) == ({"deadlock", "done"}, True)
    assert _ends(PHILOSOPHERS, preemptions=0) == ({"done"}, True)


def test_a_queue_hands_on() -> None:
    names: dict[str, Any] = {}
    code = compile(HEAD + HANDED_ON, "known", "exec")

    def once() -> str:
        exec(code, names)
        return repr(names["body"]())

    assert set(ends_of(once, most=100).found) == {"[1]"}


def test_random_programs_come_to_all_that_plain_python_comes_to() -> None:
    words = hunt(programs(4, 7, "attributes"), lambda number, program, answer: None, most=60)
    words += hunt(programs(4, 7, " a "), lambda number, program, answer: None, most=60)
    assert words.total() == 8
    assert not words.keys() & {"MISSED", "BROKEN", "FAILED", "senseless"}, words
