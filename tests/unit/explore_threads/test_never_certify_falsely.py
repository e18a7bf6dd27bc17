"""What is shared and not tracked is listed, and the verdict is then never "proved"; what is private is let alone.

The first half are the false properties that explorer.md 2.16 saw certified by a rival: each must fail or be refused.
"""

from __future__ import annotations

import functools
import itertools
import queue
import threading
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

import hocket
from hocket import Atomic
from tests.together import together

TOTAL = 0


class Box:
    def __init__(self, value=None):
        self.value = value


# -- false properties -------------------------------------------------------------------------------------------------


def guarded_appends():
    lock, seen = threading.Lock(), []

    def append(i):
        with lock:
            seen.append(i)

    together(functools.partial(append, 0), functools.partial(append, 1))
    assert seen == [0, 1]


def three_lock_orders():
    lock, order = threading.Lock(), Atomic(())

    def enter(i):
        with lock:
            order.store((*order.load(), i))

    together(*[functools.partial(enter, i) for i in range(3)])
    assert order.load() != (2, 1, 0)


def reader_under_the_lock():
    lock, box = threading.Lock(), Box(0)

    def write():
        with lock:
            box.value = 1

    def read():
        with lock:
            assert box.value == 1

    together(write, read)


def locked_is_seen():
    lock, seen = threading.Lock(), Atomic(False)

    def hold():
        with lock:
            pass

    together(hold, lambda: seen.store(lock.locked()))
    assert not seen.load()


def trylock_combination():
    lock, seen = threading.Lock(), [Atomic(""), Atomic("")]

    def attempt(i):
        if lock.acquire(blocking=False):
            seen[i].store("got")
            lock.release()
        else:
            seen[i].store("miss")

    together(functools.partial(attempt, 0), functools.partial(attempt, 1))
    assert (seen[0].load(), seen[1].load()) != ("miss", "got")


def semaphore_order():
    semaphore, order = threading.Semaphore(1), Atomic(())

    def enter(i):
        with semaphore:
            order.store((*order.load(), i))

    together(functools.partial(enter, 0), functools.partial(enter, 1))
    assert order.load() == (0, 1)


def two_producers():
    items = queue.Queue()
    together(functools.partial(items.put, 0), functools.partial(items.put, 1))
    assert items.get() == 0


def attribute_of_a_list_element():
    cells = [Box(0) for _ in range(3)]

    def write(j):
        cells[j].value = cells[j - 1].value + 1

    together(functools.partial(write, 1), functools.partial(write, 2))
    assert cells[2].value == 2


def membership():
    found, table = Atomic(False), {}

    def put():
        table["k"] = 1

    together(put, lambda: found.store("k" in table))
    assert found.load()


def truth_of_a_dict():
    seen, table = Atomic(False), {}
    together(lambda: table.update(k=1), lambda: seen.store(bool(table)))
    assert seen.load()


def shared_iterator():
    numbers, seen = iter([1, 2]), [Atomic(0), Atomic(0)]

    def take(i):
        for number in numbers:
            seen[i].store(number)
            break

    together(functools.partial(take, 0), functools.partial(take, 1))
    assert seen[0].load() == 1


def iterator_in_an_attribute():
    box, seen = Box(iter([1, 2])), [Atomic(0), Atomic(0)]

    def take(i):
        for number in box.value:
            seen[i].store(number)
            break

    together(functools.partial(take, 0), functools.partial(take, 1))
    assert seen[0].load() == 1


def shared_count():
    numbers, seen = itertools.count(), [Atomic(0), Atomic(0)]

    def take(i):
        seen[i].store(next(numbers))

    together(functools.partial(take, 0), functools.partial(take, 1))
    assert seen[0].load() == 0


def nonlocal_cell():
    n = 0

    def increment():
        nonlocal n
        value = n
        n = value + 1

    together(increment, increment)
    assert n == 2


def thread_in_a_thread():
    x = Atomic(0)

    def inner():
        x.store(x.load() + 1)

    def outer():
        thread = threading.Thread(target=inner)
        thread.start()
        inner()
        thread.join()

    together(outer)
    assert x.load() == 2


def global_increment():
    def increment():
        global TOTAL
        TOTAL = TOTAL + 1

    together(increment, increment)


def builtin_as_a_target():
    seen = []
    together(functools.partial(seen.append, 1), functools.partial(seen.append, 2))
    assert seen == [1, 2]


def builtin_in_a_pool():
    seen = []
    with ThreadPoolExecutor(2) as pool:
        pool.submit(seen.append, 1)
        pool.submit(seen.append, 2)
    assert seen == [1, 2]


def through_map():
    seen = []
    together(lambda: list(map(seen.append, [1])), lambda: list(map(seen.append, [2])))


def by_setattr():
    box = Box()
    together(lambda: setattr(box, "value", 1), lambda: setattr(box, "value", 2))


def in_place():
    seen = []

    def extend(items):
        items += [1]

    together(lambda: extend(seen), lambda: extend(seen))


def deque_of_jobs():
    jobs = deque([1, 2])
    together(jobs.pop, jobs.popleft)


def deleted_key():
    table = {1: 1}

    def drop():
        del table[1]

    together(drop)


def real_lock_in_a_box():
    together(lambda: REAL.box[0].acquire(False))


class REAL:
    box = (threading.Lock(),)


FALSE = [guarded_appends, three_lock_orders, reader_under_the_lock, locked_is_seen, trylock_combination,
         semaphore_order,
         two_producers, attribute_of_a_list_element, membership, truth_of_a_dict, shared_iterator, shared_count,
         iterator_in_an_attribute,
         nonlocal_cell, thread_in_a_thread, builtin_as_a_target, builtin_in_a_pool, real_lock_in_a_box]


@pytest.mark.parametrize("body", FALSE, ids=lambda body: body.__name__)
def test_a_false_or_unseen_property_is_never_proved(body):
    result = hocket.explore(body)
    assert result.verdict in ("failed", "incomplete")
    assert result.failure is not None or result.untracked


@pytest.mark.parametrize("body", [
    three_lock_orders, locked_is_seen, trylock_combination, semaphore_order, two_producers, thread_in_a_thread,
    guarded_appends], ids=lambda body: body.__name__)
def test_what_only_synchronisation_decides_is_found(body):
    assert hocket.explore(body).failure.kind == "assertion"


@pytest.mark.parametrize(("body", "classes"), [
    (global_increment, 4),  # read and write of each: (2!)^2
    (through_map, 2), (by_setattr, 2), (in_place, 2),  # one write each, in either order
    (deque_of_jobs, 2), (deleted_key, 1)], ids=lambda value: getattr(value, "__name__", ""))
def test_what_asserts_nothing_of_shared_data_is_proved_in_all_its_classes(body, classes):
    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.executions, result.untracked) == ("proved", classes, classes, ())


def by_a_checksum():
    seen = bytearray(1)
    together(lambda: zlib.crc32(seen), lambda: zlib.crc32(seen))


def test_shared_data_in_code_that_is_not_tracked_is_named_with_file_and_line_and_a_cure():
    result = hocket.explore(by_a_checksum)
    assert result.verdict == "incomplete"
    assert result.untracked[0].startswith("test_never_certify_falsely.py:")
    assert "zlib.crc32 is given seen, and what it reads of it is not tracked" in result.untracked[0]


def test_data_off_takes_the_callers_word():
    assert hocket.explore(by_a_checksum, data="off").verdict == "proved"


# -- true properties, of private data ---------------------------------------------------------------------------------


def private_containers():
    total = Atomic(0)

    def work():
        items = []
        for i in range(3):
            items.append(i)
        table = {"a": 1}
        table["b"] = 2
        table.update(c=3)
        count = 0
        for item in items:
            count += item
        squares = [item * item for item in items]
        total.add(count + len(squares) + len(sorted(table)))

    together(work, work)
    return total.load()


def built_before_and_read_after():
    box = Box(Atomic(0))
    box.extra = []
    box.extra.append(1)
    threads = [threading.Thread(target=lambda: box.value.add(1)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = {}
    report["value"] = box.value.load()
    box.extra.append(2)
    box.done = True
    return report["value"]


def objects_made_in_a_thread():
    total = Atomic(0)
    together(lambda: total.add(Box(1).value), lambda: total.add(Box(2).value))
    return total.load()


def results_through_a_pool():
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(lambda i=i: i * i) for i in range(2)]
        return tuple(future.result() for future in futures)


@pytest.mark.parametrize(("body", "outcome"), [
    (private_containers, 2 * (3 + 3 + 3)), (built_before_and_read_after, 2), (objects_made_in_a_thread, 3),
    (results_through_a_pool, (0, 1))], ids=lambda value: getattr(value, "__name__", ""))
def test_private_data_is_let_alone(body, outcome):
    result = hocket.explore(body)
    assert (result.verdict, result.untracked, set(result.outcomes)) == ("proved", (), {outcome})


def test_a_write_between_the_first_start_and_the_last_end_is_no_race_if_nobody_reads():
    def body():
        box = Box()
        box.early = 1
        thread = threading.Thread(target=lambda: None)
        thread.start()
        box.meanwhile = 2
        thread.join()
        box.late = 3

    result = hocket.explore(body, data="race-check")
    assert (result.verdict, result.classes) == ("proved", 1)  # nobody else touches it


def test_an_init_that_starts_a_thread_and_then_writes_is_seen():
    class Server:
        def __init__(self):
            self.thread = threading.Thread(target=self.run)
            self.thread.start()
            self.ready = True

        def run(self):
            assert self.ready

    def body():
        together(lambda: Server().thread.join())

    failure = hocket.explore(body).failure
    assert failure.kind == "exception"
    assert "'Server' object has no attribute 'ready'" in failure.message


def test_the_stdlib_may_look_at_its_own_state_but_a_program_may_not():
    def body():
        items = queue.Queue()
        thread = threading.Thread(target=lambda: items.put(1))
        thread.start()
        seen = items.unfinished_tasks
        thread.join()
        return seen

    assert "attribute 'unfinished_tasks' of items is read, and queue touches it unseen" in hocket.explore(
        body).untracked[0]
