"""Loops of a thread that is alone, and that gets on with them: nothing that it does to data is an operation then, so
whether a round has changed something is seen by looking. Each was told to be a livelock, or would be if it were not."""

import collections
import threading
import time
from collections.abc import Callable
from unittest.mock import Mock

import pytest

import hocket

ROUNDS = 3
tried = 0
log: list[int] = []


class Shop:
    tries = 0

    def __init__(self) -> None:
        self.tried = 0

    def asks(self) -> bool:
        self.tried += 1
        return self.tried > ROUNDS


shop = Shop()


def on_a_global() -> None:
    global tried
    tried = 0
    while tried < ROUNDS:
        tried += 1
        time.sleep(1)


def on_an_attribute_of_a_global() -> None:
    shop.tried = 0
    while shop.tried < ROUNDS:
        shop.tried += 1
        time.sleep(1)


def on_an_attribute_of_a_class() -> None:
    Shop.tries = 0
    while Shop.tries < ROUNDS:
        Shop.tries += 1
        time.sleep(1)


def by_a_method() -> None:
    mine = Shop()
    while not mine.asks():
        time.sleep(1)
    thread = threading.Thread(target=mine.asks)
    thread.start()
    thread.join()


def on_the_size_of_a_list() -> None:
    log.clear()
    while len(log) < ROUNDS:
        log.append(1)
        time.sleep(1)


def on_a_counter() -> None:
    counted: collections.Counter[str] = collections.Counter()
    while counted["rounds"] < ROUNDS:
        counted["rounds"] += 1
        time.sleep(1)


def on_an_object_of_the_library() -> None:
    kept = collections.UserDict(rounds=0)
    while kept["rounds"] < ROUNDS:
        kept["rounds"] += 1
        time.sleep(1)


def on_a_mock() -> None:
    answer = Mock(side_effect=[False, False, True])
    while not answer():
        time.sleep(1)


def when_others_have_ended() -> None:
    thread = threading.Thread(target=shop.asks)
    thread.start()
    thread.join()
    on_an_attribute_of_a_global()


ALONE: list[Callable[[], None]] = [
    on_a_global, on_an_attribute_of_a_global, on_an_attribute_of_a_class, by_a_method, on_the_size_of_a_list,
    on_a_counter, on_an_object_of_the_library, on_a_mock, when_others_have_ended]


@pytest.mark.parametrize("body", ALONE, ids=lambda body: body.__name__)
def test_a_loop_that_gets_somewhere_is_no_livelock(body):
    result = hocket.explore(body, steps=200)
    assert (result.verdict, result.classes) == ("proved", 1)


def test_a_loop_that_gets_nowhere_is_one():
    def waits():
        while Shop.tries < 1:
            time.sleep(1)

    Shop.tries = 0
    result = hocket.explore(waits, steps=200)
    assert (result.verdict, result.failure.kind) == ("failed", "livelock")
