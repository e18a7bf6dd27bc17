"""What generators and iterators say of themselves, and what moves on and cannot be put back."""

from __future__ import annotations

import asyncio
import inspect
import operator
import threading
from contextlib import suppress

import pytest

import hocket


def both(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def counting():
    yield 1
    yield 2


async def waiting():
    pass


def goes_on(o):
    with suppress(StopIteration):
        o.send(None)


ASKED = {
    "gi_running": (counting, lambda o: o.gi_running, {False, True}),
    "gi_suspended": (counting, lambda o: o.gi_suspended, {False, True}),
    "cr_running": (waiting, lambda o: o.cr_running, {False, True}),
    "getattr": (counting, lambda o: getattr(o, "gi_running"), {False, True}),  # noqa: B009
}


def asked(make, ask, guard):
    def body():
        made, lock, found = make(), threading.Lock(), []

        def asks():
            if guard:
                with lock:
                    found.append(ask(made))
            else:
                found.append(ask(made))

        def works():
            if guard:
                with lock:
                    goes_on(made)
            else:
                goes_on(made)

        both(works, asks)
        made.close()
        return found[0]

    return hocket.explore(body)


@pytest.mark.parametrize("what", ASKED)
def test_who_asks_may_find_another_thread_in_it(what):
    """Before, while, after: three classes."""
    make, ask, outcomes = ASKED[what]
    result = asked(make, ask, guard=False)
    assert (result.verdict, result.classes, set(result.outcomes)) == ("proved", 3, outcomes)


def test_under_a_lock_nobody_is_in_it():
    result = asked(counting, lambda o: o.gi_running, guard=True)
    assert (result.verdict, result.outcomes) == ("proved", {False: 2})


def test_inspect_is_told_the_same():
    assert inspect.GEN_RUNNING in asked(counting, inspect.getgeneratorstate, guard=False).outcomes
    assert inspect.GEN_RUNNING not in asked(counting, inspect.getgeneratorstate, guard=True).outcomes


# -- asynchronous generators ------------------------------------------------------------------------------------------


async def numbers():
    yield 1
    yield 2


OLD = [numbers(), numbers(), numbers()]


async def all_of(generator):
    return [number async for number in generator]


async def one_of(generator):
    return await anext(generator)


def stepped(generator):
    try:
        generator.asend(None).send(None)
    except StopIteration as found:
        return found.value


WAYS = {"async for": lambda o: asyncio.run(all_of(o)), "anext": lambda o: asyncio.run(one_of(o)), "asend": stepped}


@pytest.mark.parametrize("way", WAYS)
def test_an_asynchronous_generator_that_was_there_before_and_goes_on_leaves_nothing_proved(way):
    old = OLD[list(WAYS).index(way)]
    result = hocket.explore(lambda: both(lambda: WAYS[way](old)))
    assert result.verdict == "incomplete"
    assert "was there before and changes" in result.untracked[0]


@pytest.mark.parametrize("way", WAYS)
def test_an_asynchronous_generator_that_two_threads_go_on_with_leaves_nothing_proved(way):
    def body():
        shared = numbers()
        both(lambda: WAYS[way](shared), lambda: WAYS[way](shared))

    result = hocket.explore(body)
    assert result.verdict != "proved"
    assert result.failure is not None or "several threads go on with it" in result.untracked[0]


@pytest.mark.parametrize("way", WAYS)
def test_one_for_each_thread_is_proved(way):
    def body():
        both(lambda: WAYS[way](numbers()), lambda: WAYS[way](numbers()))

    assert hocket.explore(body).verdict == "proved"


# -- what was there before --------------------------------------------------------------------------------------------

SOME, ONE_BY_ONE = {1, 2}, iter([1, 2, 3])


def test_which_member_a_set_gives_away_goes_by_the_last_time_and_so_nothing_is_proved_of_one_that_was_there_before():
    def body():
        both(lambda: SOME.pop(), lambda: len(SOME))

    result = hocket.explore(body)
    assert result.verdict == "incomplete"
    assert "SOME was there before and changes" in result.untracked[0]


def test_of_a_set_that_the_body_makes_all_is_proved():
    def body():
        some = {1, 2}
        both(lambda: some.pop(), lambda: len(some))
        return len(some)

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 2, {1: 2})


def test_how_far_an_iterator_is_that_was_there_before_is_asked_of_the_one_that_moves():
    """Before its three steps, after each, and after it has come to its end: five classes."""
    def body():
        found = []
        both(lambda: sum(ONE_BY_ONE), lambda: found.append(operator.length_hint(ONE_BY_ONE)))
        return found[0]

    result = hocket.explore(body)
    assert (result.verdict, result.classes, set(result.outcomes)) == ("proved", 5, {0, 1, 2, 3})
