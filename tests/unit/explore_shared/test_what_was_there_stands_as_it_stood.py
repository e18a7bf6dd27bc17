"""What was made before the exploration stands in each execution as it stood in the first, however deep it lies.

In every row one thread does something and the other looks whether it was done. The thread that the first execution
runs first is the one that does it, so only an execution that begins afresh can show that it was not.
"""

import asyncio
import collections
import queue
import threading
from concurrent.futures import Future

import pytest

import hocket


class Registry:
    """A dict that is empty has no age that Python would tell, nor has one of plain values."""

    def __init__(self):
        self.items = {}
        self.plain = {"made": 0}
        self.rows = [{}]
        self.bytes = bytearray()
        self.event = threading.Event()


class Outer:
    def __init__(self):
        self.inner = {"registry": Registry()}


class Slotted:
    __slots__ = ("made",)

    def __init__(self):
        self.made = False


def function():
    """What is kept as an attribute of a function."""


REGISTRY, OUTER, SLOTTED = Registry(), Outer(), Slotted()
EVENT, SEMAPHORE, QUEUE, BARRIER, FUTURE = (
    threading.Event(), threading.Semaphore(0), queue.Queue(), threading.Barrier(2), Future())
COUNTER = collections.Counter()
OF_A_LOOP, IN_TURN = asyncio.Event(), asyncio.Lock()

ROWS = {
    "an empty dict of an object": (lambda: REGISTRY.items.update(made=1), lambda: "made" in REGISTRY.items),
    "a dict of plain values": (lambda: REGISTRY.plain.update(made=1), lambda: REGISTRY.plain["made"] == 1),
    "a dict in a list of an object": (lambda: REGISTRY.rows[0].update(made=1), lambda: bool(REGISTRY.rows[0])),
    "a bytearray of an object": (lambda: REGISTRY.bytes.append(1), lambda: len(REGISTRY.bytes) > 0),
    "a dict two objects deep": (
        lambda: OUTER.inner["registry"].items.update(made=1), lambda: "made" in OUTER.inner["registry"].items),
    "a slot": (lambda: setattr(SLOTTED, "made", True), lambda: SLOTTED.made),
    "an attribute of a function": (lambda: setattr(function, "made", True), lambda: hasattr(function, "made")),
    "a Counter": (lambda: COUNTER.update(made=1), lambda: COUNTER["made"] > 0),
    "an event": (EVENT.set, EVENT.is_set),
    "an event of an object": (lambda: REGISTRY.event.set(), lambda: REGISTRY.event.is_set()),
    "a semaphore": (SEMAPHORE.release, lambda: SEMAPHORE.acquire(blocking=False)),
    "a queue": (lambda: QUEUE.put(1), lambda: not QUEUE.empty()),
    "a barrier": (BARRIER.abort, lambda: BARRIER.broken),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("swapped", [False, True])
def test_what_was_not_done_is_seen_however_often_it_was_done_before(name, swapped):
    do, look = ROWS[name]

    def body():
        seen = []
        tasks = [lambda: do(), lambda: seen.append(look())]
        threads = [threading.Thread(target=task) for task in (tasks[::-1] if swapped else tasks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [True]

    result = hocket.explore(body)
    assert (result.verdict, result.failure.kind) == ("failed", "assertion"), result
    assert not look(), "and so it stands after the exploration"


def test_events_stand_as_they_stood_where_data_is_off_too():
    def body():
        seen = []
        threads = [threading.Thread(target=lambda: seen.append(EVENT.is_set())), threading.Thread(target=EVENT.set)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return seen[0]

    result = hocket.explore(body, data="off")
    assert (result.verdict, result.outcomes) == ("proved", {True: 2, False: 1})


def test_a_future_and_a_thread_of_before_can_be_used_in_every_execution():
    """Else the second one would find the future done, and the thread started."""
    thread = threading.Thread(target=lambda: FUTURE.set_result(1))

    def body():
        thread.start()
        result = FUTURE.done()
        thread.join()
        assert FUTURE.result() == 1
        return result

    assert hocket.explore(body).outcomes == {True: 1, False: 1}
    assert not FUTURE.done()
    assert thread.ident is None


def test_what_asyncio_binds_to_its_loop_is_bound_anew_and_stands_as_it_stood():
    """A lock of a module is of the loop that first waited for it; each execution has a loop of its own."""
    async def body():
        seen = []

        async def do():
            async with IN_TURN:
                await asyncio.sleep(0)
                OF_A_LOOP.set()

        async def look():
            async with IN_TURN:
                seen.append(OF_A_LOOP.is_set())

        await asyncio.gather(do(), look())
        return seen[0]

    assert hocket.explore(body, order="any").outcomes.keys() == {True, False}
    assert not OF_A_LOOP.is_set()


def test_an_untouched_collection_of_outcomes_is_its_authors():
    """Nobody reads in an execution what earlier ones have left there, so it is not put back."""
    outcomes = []

    def body():
        hits = hocket.Atomic(0)
        thread = threading.Thread(target=lambda: hits.add(1))
        thread.start()
        seen = hits.load()
        thread.join()
        outcomes.append(seen)

    assert hocket.explore(body).verdict == "proved"
    assert sorted(set(outcomes)) == [0, 1]
