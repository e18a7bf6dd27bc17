"""Who goes round a loop and changes nothing waits for others; what its rounds change, however hidden, is explored."""

from __future__ import annotations

import io
import itertools
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import hocket
from hocket.errors import ExplorationError


class Shared:
    def __init__(self) -> None:
        self.flag = False
        self.data = 0


def started(*targets: Callable[[], Any]) -> list[threading.Thread]:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    return threads


def joined(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()


# -- ways to poll, each with its exact number of classes --------------------------------------------------------------


def _on_an_attribute() -> None:
    shared = Shared()
    threads = started(lambda: setattr(shared, "flag", True))
    while not shared.flag:
        pass
    joined(threads)


def _and_sleeping() -> None:
    shared = Shared()
    threads = started(lambda: setattr(shared, "flag", True))
    while not shared.flag:
        time.sleep(0.01)
    joined(threads)


def _on_a_variable() -> None:
    flag = False

    def set_it() -> None:
        nonlocal flag
        flag = True

    threads = started(set_it)
    while not flag:
        pass
    joined(threads)


_set = False


def _on_a_global() -> None:
    global _set
    _set = False

    def set_it() -> None:
        global _set
        _set = True

    threads = started(set_it)
    while not _set:
        pass
    joined(threads)


def _on_a_size() -> None:
    items: list[int] = []
    threads = started(lambda: items.append(1))
    while len(items) < 1:
        pass
    joined(threads)


def _on_a_key() -> None:
    table: dict[str, int] = {}
    threads = started(lambda: table.update(key=1))
    while "key" not in table:
        pass
    joined(threads)


def _on_an_attribute_by_its_name() -> None:
    shared = Shared()
    threads = started(lambda: setattr(shared, "flag", True))
    while not getattr(shared, "flag"):  # noqa: B009
        pass
    joined(threads)


def _by_a_helper() -> None:
    shared = Shared()

    def wait_for(holds: Callable[[], bool]) -> None:
        while not holds():
            time.sleep(0.01)

    threads = started(lambda: setattr(shared, "flag", True))
    wait_for(lambda: shared.flag)
    joined(threads)


def _on_an_event() -> None:
    event = threading.Event()
    threads = started(event.set)
    while not event.is_set():
        time.sleep(0.01)
    joined(threads)


def _with_timeouts() -> None:
    event = threading.Event()
    threads = started(event.set)
    while not event.wait(0.1):
        pass
    joined(threads)


def _on_the_end_of_a_thread() -> None:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(1))
    thread.start()
    while thread.is_alive():
        time.sleep(0.01)
    assert found == [1]


def _for_an_item() -> None:
    items: queue.Queue[int] = queue.Queue()
    found: list[int] = []

    def take() -> None:
        while True:
            try:
                found.append(items.get_nowait())
            except queue.Empty:
                time.sleep(0.01)
            else:
                return

    threads = started(take)
    items.put(7)
    joined(threads)
    assert found == [7]


def _for_a_lock() -> None:
    lock, shared = threading.Lock(), Shared()

    def add() -> None:
        while not lock.acquire(blocking=False):
            time.sleep(0)
        shared.data += 1
        lock.release()

    joined(started(add, add))
    assert shared.data == 2


def _under_a_lock() -> None:
    lock, shared = threading.Lock(), Shared()

    def set_it() -> None:
        with lock:
            shared.flag = True

    threads = started(set_it)
    while True:
        with lock:
            if shared.flag:
                break
    joined(threads)


def _on_a_condition_without_a_notify() -> None:
    condition, shared = threading.Condition(), Shared()

    def set_it() -> None:
        with condition:
            shared.flag = True

    threads = started(set_it)
    with condition:
        while not shared.flag:
            condition.wait(0.1)
    joined(threads)


def _two_at_once() -> None:
    shared = Shared()

    def wait() -> None:
        while not shared.flag:
            time.sleep(0.1)

    joined(started(wait, wait, lambda: setattr(shared, "flag", True)))


def _petersons_lock() -> None:
    _mutual_exclusion(later=False)


def _mutual_exclusion(later: bool) -> None:
    wants, shared = [False, False], Shared()

    def add(me: int) -> None:
        if later:
            shared.flag = bool(1 - me)
            wants[me] = True
        else:
            wants[me] = True
            shared.flag = bool(1 - me)
        while wants[1 - me] and shared.flag == bool(1 - me):
            pass
        shared.data += 1
        wants[me] = False

    joined(started(lambda: add(0), lambda: add(1)))
    assert shared.data == 2


WAYS = [
    (_on_a_global, 3), (_on_a_size, 3), (_on_a_key, 3), (_on_an_attribute_by_its_name, 3),
    (_on_an_attribute, 3), (_and_sleeping, 3), (_on_a_variable, 3), (_by_a_helper, 3), (_on_an_event, 5),
    (_with_timeouts, 7), (_on_the_end_of_a_thread, 3), (_for_an_item, 3), (_for_a_lock, 6), (_under_a_lock, 3),
    (_on_a_condition_without_a_notify, 4), (_two_at_once, 9), (_petersons_lock, 20),
]


@pytest.mark.parametrize(("body", "classes"), WAYS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_loop_that_polls_is_proved(body, classes):
    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.executions) == ("proved", classes, classes)
    assert any(note.startswith("a loop polls") for note in result.notes)


# -- what goes wrong all the same -------------------------------------------------------------------------------------


def _seen_too_early() -> None:
    shared = Shared()

    def publish() -> None:
        shared.flag = True
        shared.data = 1

    threads = started(publish)
    while not shared.flag:
        pass
    assert shared.data == 1
    joined(threads)


def _petersons_lock_with_two_lines_swapped() -> None:
    _mutual_exclusion(later=True)


def _test_and_then_set() -> None:
    shared = Shared()

    def add() -> None:
        while shared.flag:
            pass
        shared.flag = True
        shared.data += 1
        shared.flag = False

    joined(started(add, add))
    assert shared.data == 2


def _somebody_sees_the_lock_held_twice() -> None:
    """It takes two rounds, and somebody who saw it free between."""
    lock, shared = threading.Lock(), Shared()

    def look() -> None:
        if lock.acquire(blocking=False):
            lock.release()
        elif not lock.locked():
            if lock.acquire(blocking=False):
                lock.release()
            else:
                shared.data = 1
        shared.flag = True

    threads = started(look)
    while True:
        with lock:
            if shared.flag:
                break
    joined(threads)
    assert shared.data == 0


def _for_what_nobody_sets() -> None:
    shared = Shared()
    threads = started(lambda: setattr(shared, "data", 1))
    while not shared.flag:
        time.sleep(0.1)
    joined(threads)


def _for_what_is_taken_back() -> None:
    shared = Shared()
    threads = started(lambda: setattr(shared, "flag", True), lambda: setattr(shared, "flag", False))
    while not shared.flag:
        time.sleep(0.1)
    joined(threads)


def _with_the_lock_of_whom_it_waits_for() -> None:
    lock, shared = threading.Lock(), Shared()

    def set_it() -> None:
        with lock:
            shared.flag = True

    threads = started(set_it)
    with lock:
        while not shared.flag:
            pass
    joined(threads)


WRONG = [(_seen_too_early, "assertion"), (_petersons_lock_with_two_lines_swapped, "assertion"),
         (_test_and_then_set, "assertion"), (_somebody_sees_the_lock_held_twice, "assertion"),
         (_for_what_nobody_sets, "livelock"), (_for_what_is_taken_back, "livelock"),
         (_with_the_lock_of_whom_it_waits_for, "livelock")]


@pytest.mark.parametrize(("body", "kind"), WRONG, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_mistake_around_a_loop_that_polls_is_found_and_replays(body, kind):
    result = hocket.explore(body)
    assert (result.verdict, result.failure.kind, result.failure.replayed) == ("failed", kind, True)
    with pytest.raises((AssertionError, ExplorationError)):
        hocket.replay(body, str(result.failure.schedule))


# -- rounds that change something that no operation shows -------------------------------------------------------------

_own = threading.local()
_numbers = itertools.count()


def _counted(add: Callable[[], int]) -> Callable[[], None]:
    """A body that fails in the fifth round of its loop."""

    def body() -> None:
        shared = Shared()
        threads = started(lambda: setattr(shared, "flag", True))
        first = add()
        while not shared.flag:
            if add() > first + 4:
                raise RuntimeError("too often")
        joined(threads)

    return body


def _in_a_list() -> Callable[[], int]:
    found: list[int] = []
    return lambda: found.append(1) or len(found)


def _in_a_variable() -> Callable[[], int]:
    count = 0

    def add() -> int:
        nonlocal count
        count += 1
        return count

    return add


def _in_an_object() -> Callable[[], int]:
    mine = Shared()

    def add() -> int:
        mine.data += 1
        return mine.data

    return add


def _of_the_thread() -> Callable[[], int]:
    _own.count = 0

    def add() -> int:
        _own.count += 1
        return _own.count

    return add


def _in_a_queue() -> Callable[[], int]:
    mine: queue.Queue[int] = queue.Queue()

    def add() -> int:
        mine.put(1)
        return mine.qsize()

    return add


def _in_a_text() -> Callable[[], int]:
    text = io.StringIO()

    def add() -> int:
        text.write("x")
        return len(text.getvalue())

    return add


def _in_a_generator() -> Callable[[], int]:
    def count() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    return count().__next__


def _in_an_iterator() -> Callable[[], int]:
    numbers = itertools.count()
    return lambda: next(numbers)


def _in_a_global_iterator() -> Callable[[], int]:
    return lambda: next(_numbers)


def _by_chance() -> Callable[[], int]:
    chance = random.Random(3)
    return lambda: 0 if chance.random() < 0.8 else 9


HIDDEN = [_in_a_list, _in_a_variable, _in_an_object, _of_the_thread, _in_a_queue, _in_a_text, _in_a_generator,
          _in_an_iterator, _in_a_global_iterator, _by_chance]


@pytest.mark.parametrize("make", HIDDEN, ids=lambda make: make.__name__)
def test_a_round_that_counts_somewhere_is_not_taken_for_the_one_before(make):
    result = hocket.explore(lambda: _counted(make())())
    assert (result.verdict, type(result.failure.exception)) == ("failed", RuntimeError)


def test_how_long_it_has_slept_is_not_explored_and_said_where_the_program_asks():
    def body() -> None:
        shared = Shared()
        threads = started(lambda: setattr(shared, "flag", True))
        began = time.monotonic()
        while not shared.flag:
            time.sleep(1)
        joined(threads)
        assert time.monotonic() - began < 5

    result = hocket.explore(body)
    assert result.verdict == "incomplete"
    assert "how long it has slept is not explored" in result.reason


def test_a_loop_that_looks_for_a_file_is_left_as_it_is(tmp_path):
    path = tmp_path / "made"

    def body() -> None:
        path.unlink(missing_ok=True)
        threads = started(path.touch)
        while not path.exists():
            time.sleep(0.01)
        joined(threads)

    result = hocket.explore(body, steps=200)
    assert (result.verdict, result.failure) == ("incomplete", None)


def test_a_loop_with_a_deadline_is_gone_round_as_often_as_it_may():
    def body() -> None:
        shared = Shared()
        threads = started(lambda: setattr(shared, "flag", True))
        end = time.monotonic() + 1
        while not shared.flag and time.monotonic() < end:
            time.sleep(0.25)
        joined(threads)

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 6)


def test_a_daemon_that_polls_for_ever_is_an_end_like_any_other():
    def body() -> None:
        shared = Shared()

        def serve() -> None:
            while not shared.flag:
                time.sleep(0.1)

        threading.Thread(target=serve, daemon=True).start()

    assert hocket.explore(body).verdict == "proved"
