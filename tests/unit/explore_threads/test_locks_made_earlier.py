"""Locks that were made before the exploration are controlled, wherever the program keeps them, and are put back."""

import functools
import queue
import threading
from types import SimpleNamespace

import pytest

import hocket


class Holder:
    """An instance that keeps its locks as attributes."""

    def __init__(self):
        self.first, self.second = threading.Lock(), threading.Lock()


class Slotted:
    """One that has them in slots, one of them with a private name."""

    __slots__ = ("__second", "first")

    def __init__(self):
        self.first, self.__second = threading.Lock(), threading.RLock()

    @property
    def second(self):
        return self.__second


class Kept:
    first, second = threading.Lock(), threading.RLock()


holder, slotted = Holder(), Slotted()
table = {"first": threading.Lock(), "second": [threading.Lock()]}
conditions = [threading.Condition(), threading.Condition(threading.Lock())]
ready, tickets, inbox, event = threading.Condition(), threading.Semaphore(2), queue.Queue(), threading.Event()


def enclosed():
    first, second = threading.Lock(), threading.Lock()
    return lambda: (first, second)


in_cells = enclosed()


def by_default(first=threading.Lock(), *, second=threading.Lock()):  # noqa: B008  # which is the point
    return first, second


def decorated(function):
    lock = threading.Lock()

    @functools.wraps(function)
    def locked():
        with lock:
            function()

    return locked


def both(one, other):
    threads = [threading.Thread(target=one), threading.Thread(target=other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


PLACES = {
    "an instance": lambda: (holder.first, holder.second),
    "slots": lambda: (slotted.first, slotted.second),
    "a class": lambda: (Kept.first, Kept.second),
    "containers": lambda: (table["first"], table["second"][0]),
    "closures": in_cells,
    "defaults": by_default,
    "Conditions": lambda: conditions,
}


@pytest.mark.parametrize("place", PLACES)
def test_two_locks_of_an_import_that_are_taken_in_both_orders_are_a_deadlock(place):
    """Of the two orders in which the first locks are taken (t1 alone, then t2; or both have one), one is fatal."""
    locks = PLACES[place]

    def crossed():
        def take(mine, other):
            with mine, other:
                pass

        first, second = locks()
        both(lambda: take(first, second), lambda: take(second, first))

    result = hocket.explore(crossed)
    assert (result.verdict, result.failure.kind) == ("failed", "deadlock")
    assert result.failure.preemptions == 1
    with pytest.raises(hocket.errors.DeadlockError):
        hocket.replay(crossed, result.failure.schedule)


@pytest.mark.parametrize("place", PLACES)
def test_taken_in_one_order_they_are_two_classes(place):
    locks = PLACES[place]
    before = tuple(locks())

    def ordered():
        def take():
            first, second = locks()
            with first, second:
                pass

        both(take, take)

    result = hocket.explore(ordered)
    assert (result.verdict, result.classes, result.executions) == ("proved", 2, 2)
    assert all(now is then for now, then in zip(locks(), before, strict=True)), "the locks are those of before"


def test_a_notification_that_comes_too_early_is_found_on_a_condition_of_an_import():
    def early():
        def notify():
            with ready:
                ready.notify()

        def wait():
            with ready:
                ready.wait()

        both(notify, wait)

    result = hocket.explore(early)
    assert (result.verdict, result.failure.kind) == ("failed", "deadlock")


def test_a_semaphore_of_an_import_can_run_dry():
    def greedy():
        def take_two():
            with tickets, tickets:
                pass

        both(take_two, take_two)

    result = hocket.explore(greedy)
    assert (result.verdict, result.failure.kind) == ("failed", "deadlock")


def test_a_queue_of_an_import_is_a_queue_like_any_other():
    """One puts, one asks whether it is empty: two orders, two answers."""
    def asked():
        answers = []
        both(lambda: inbox.put(1), lambda: answers.append(inbox.empty()))
        inbox.get()
        return answers[0]

    result = hocket.explore(asked)
    assert (result.verdict, result.outcomes) == ("proved", {True: 1, False: 1})


def test_an_event_of_an_import_is_what_one_made_inside_is():
    def looked(flag):
        flag.clear()
        seen = []
        both(flag.set, lambda: seen.append(flag.is_set()))
        return seen[0]

    earlier = hocket.explore(lambda: looked(event))
    inside = hocket.explore(lambda: looked(threading.Event()))
    assert earlier.verdict == inside.verdict == "proved"
    assert earlier.outcomes == inside.outcomes == {False: 1, True: 2}


def test_a_decorators_lock_guards_what_it_was_made_for():
    count = SimpleNamespace(value=0)

    @decorated
    def increment():
        count.value += 1

    def counted():
        count.value = 0
        both(increment, increment)
        assert count.value == 2

    result = hocket.explore(counted)
    assert (result.verdict, result.classes) == ("proved", 2)


def test_everything_is_put_back_and_works_for_those_who_are_no_actors():
    methods = vars(ready)["acquire"], inbox.mutex, table["second"][0], by_default.__kwdefaults__["second"]
    hocket.explore(lambda: both(lambda: ready.acquire() and ready.release(), lambda: None))
    assert (vars(ready)["acquire"], inbox.mutex, table["second"][0], by_default.__kwdefaults__["second"]) == methods
    assert type(ready._lock) is type(threading.RLock())
    inbox.put(1)
    assert inbox.get() == 1


def test_what_the_program_has_bound_anew_is_not_undone():
    rebound = threading.Lock()

    def rebinds():
        Kept.first = rebound
        both(lambda: None, lambda: None)

    before = Kept.first
    try:
        hocket.explore(rebinds)
        assert Kept.first is rebound
    finally:
        Kept.first = before


def test_a_lock_that_is_held_when_the_exploration_begins_is_never_certified():
    held = threading.Condition()
    held.acquire()
    try:
        result = hocket.explore(lambda: both(lambda: held.notify_all(), lambda: None))
        assert result.verdict != "proved"
    finally:
        held.release()


pair, post = (threading.Lock(), threading.Lock()), queue.SimpleQueue()


def test_a_lock_in_a_tuple_stays_real_and_is_never_certified():
    def crossed():
        def take(mine, other):
            with mine, other:
                pass

        both(lambda: take(*pair), lambda: take(*reversed(pair)))

    result = hocket.explore(crossed)
    assert result.verdict == "incomplete"
    assert "a lock is used that was made outside of the exploration" in result.untracked[0]


def test_a_simple_queue_of_an_import_is_explored():
    """It is looked into before the letter comes, or after; and in each execution it is empty at first."""
    result = hocket.explore(lambda: both(lambda: post.put(1), lambda: post.empty()))
    assert (result.verdict, result.classes) == ("proved", 2)
    assert type(post) is queue.SimpleQueue
    assert post.empty()


letters = (queue.SimpleQueue(),)


def test_a_simple_queue_in_a_tuple_is_never_certified():
    result = hocket.explore(lambda: both(lambda: letters[0].put(1), lambda: letters[0].empty()))
    assert result.verdict == "incomplete"
    assert "a SimpleQueue is used that was made outside of the exploration" in result.untracked[0]
