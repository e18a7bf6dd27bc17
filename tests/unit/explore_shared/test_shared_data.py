"""Plain shared data of unmodified code: every access is an operation, and classes are counted exactly."""

from __future__ import annotations

import contextvars
import dataclasses
import re
import sys
import threading
from collections import deque
from typing import Any

import pytest

import hocket
from tests.together import together


class Account:
    total = 0  # found on the class until an instance has its own

    def __init__(self, balance: int) -> None:
        self.balance = balance
        self.log: list[int] = []

    def deposit(self, amount: int) -> None:
        self.balance += amount


def proved(body: Any, classes: int, **options: Any) -> None:
    result = hocket.explore(body, **options)
    assert (result.verdict, result.classes, result.executions) == ("proved", classes, classes), str(result)


def failing(body: Any, **options: Any) -> Any:
    result = hocket.explore(body, **options)
    assert result.verdict == "failed", str(result)
    try:
        hocket.replay(body, str(result.failure.schedule))
    except type(result.failure.exception):
        return result.failure
    raise AssertionError("the schedule did not repeat the failure")


# two threads, each reads and writes once: of the 6 orders, 4 differ (c. 5 of the literature: (2!)^2)


def test_an_attribute_that_two_threads_increment_loses_an_update():
    def body() -> None:
        account = Account(0)
        together(lambda: account.deposit(1), lambda: account.deposit(1))
        assert account.balance == 2

    assert failing(body).kind == "assertion"


def test_two_increments_of_an_attribute_have_four_classes():
    def body() -> int:
        account = Account(0)
        together(lambda: account.deposit(1), lambda: account.deposit(1))
        return account.balance

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 4, {1: 2, 2: 2}), str(result)


def test_two_increments_under_a_lock_have_two_classes():
    def body() -> None:
        account, door = Account(0), threading.Lock()

        def task() -> None:
            with door:
                account.deposit(1)

        together(task, task)
        assert account.balance == 2

    proved(body, 2)


def test_two_accounts_are_independent():
    def body() -> None:
        first, second = Account(0), Account(0)
        together(lambda: first.deposit(1), lambda: second.deposit(1))
        assert (first.balance, second.balance) == (1, 1)

    proved(body, 1)


COUNT = 0


def test_a_global_that_two_threads_increment():
    def body() -> int:
        global COUNT
        COUNT = 0

        def task() -> None:
            global COUNT
            COUNT += 1

        together(task, task)
        return COUNT

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 4, {1: 2, 2: 2}), str(result)


def test_a_variable_of_an_enclosing_function():
    def body() -> int:
        count = 0

        def task() -> None:
            nonlocal count
            count += 1

        together(task, task)
        return count

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 4, {1: 2, 2: 2}), str(result)


def test_an_item_of_a_list():
    def body() -> int:
        items = [0, 0]

        def task() -> None:
            items[1] += 1

        together(task, task)
        return items[1]

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 4, {1: 2, 2: 2}), str(result)


def test_different_items_of_a_list_are_independent():
    def body() -> None:
        items = [0, 0]

        def task(index: int) -> None:
            items[index] += 1

        together(lambda: task(0), lambda: task(1))
        assert items == [1, 1]

    proved(body, 1)


def test_equal_keys_of_a_dict_are_one_place():
    def body() -> int:
        items = {1: 0}

        def task(key: Any) -> None:
            items[key] += 1

        together(lambda: task(1), lambda: task(True))
        return items[1]

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 4, {1: 2, 2: 2}), str(result)


def test_different_keys_of_a_dict_are_independent():
    def body() -> None:
        items = {"a": 0, "b": 0}

        def task(key: str) -> None:
            items[key] += 1

        together(lambda: task("a"), lambda: task("b"))
        assert items == {"a": 1, "b": 1}

    proved(body, 1)


def test_the_order_in_which_keys_come_is_seen():
    def body() -> tuple[str, ...]:
        items: dict[str, int] = {}

        def task(key: str) -> None:
            items[key] = 1

        together(lambda: task("a"), lambda: task("b"))
        return tuple(items)

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {("a", "b"): 1, ("b", "a"): 1}), str(result)


def test_appends_come_in_either_order():
    for make in (list, deque):
        def body(make: Any = make) -> tuple[int, ...]:
            items = make()
            together(lambda: items.append(1), lambda: items.append(2))
            return tuple(items)

        result = hocket.explore(body)
        assert (result.verdict, result.outcomes) == ("proved", {(1, 2): 1, (2, 1): 1}), str(result)


def test_check_then_act_on_a_dict_makes_two():
    def body() -> None:
        cache: dict[str, Any] = {}
        got: list[Any] = []

        def task() -> None:
            if "k" not in cache:
                cache["k"] = object()
            got.append(cache["k"])

        together(task, task)
        assert got[0] is got[1]

    assert failing(body).kind == "assertion"


def test_setdefault_makes_one():
    def body() -> None:
        cache: dict[str, Any] = {}
        got: list[Any] = []

        def task() -> None:
            got.append(cache.setdefault("k", object()))

        together(task, task)
        assert got[0] is got[1]

    result = hocket.explore(body)
    assert result.verdict == "proved", str(result)


def test_a_set_that_changes_while_it_is_iterated():
    def body() -> None:
        items = {1, 2}

        def look() -> None:
            for _ in items:
                pass

        together(look, lambda: items.add(3))

    assert type(failing(body).exception) is RuntimeError


def test_truth_and_length_of_a_list_are_looked_at():
    def body() -> None:
        items = [1]

        def take() -> None:
            if items:
                items.pop()

        together(take, take)

    assert type(failing(body).exception) is IndexError


def test_an_iterator_that_two_threads_share_gives_each_item_once():
    def body() -> tuple[int, ...]:
        numbers = iter([1, 2])
        got: list[int] = []

        def task() -> None:
            got.append(next(numbers))

        together(task, task)
        return tuple(sorted(got))

    result = hocket.explore(body)
    assert (result.verdict, set(result.outcomes)) == ("proved", {(1, 2)}), str(result)


def test_an_attribute_of_an_item_of_a_list_is_seen():
    class Cell:
        def __init__(self) -> None:
            self.x = 0

    def body() -> int:
        cells = [Cell(), Cell()]

        def task() -> None:
            cells[1].x += 1

        together(task, task)
        return cells[1].x

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 4, {1: 2, 2: 2}), str(result)


def test_what_a_thread_keeps_to_itself_costs_no_step():
    def body() -> None:
        def task() -> None:
            mine = Account(0)
            for number in range(50):
                mine.deposit(number)
                mine.log.append(number)
            assert mine.balance == sum(mine.log)

        together(task, task)

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1), str(result)
    assert result.steps < 20


def test_a_race_is_shown_with_both_stacks():
    def body() -> None:
        account = Account(0)
        together(lambda: account.deposit(1), lambda: account.deposit(1))

    failure = hocket.explore(body, data="race-check").failure
    assert failure is not None
    assert failure.kind == "race"
    assert str(failure.message).count("in deposit <") == 2


def test_without_a_race_switches_at_locks_suffice():
    def body() -> None:
        account, door = Account(0), threading.Lock()

        def task() -> None:
            with door:
                account.deposit(1)

        together(task, task)
        assert account.balance == 2

    proved(body, 2, data="race-check")


def test_a_wait_in_an_if_does_not_survive_a_wake_up_for_no_reason_and_one_in_a_while_does():
    def body(again: Any) -> None:
        ready: list[int] = []
        door = threading.Condition()

        def wait() -> None:
            with door:
                if again:
                    while not ready:
                        door.wait()
                elif not ready:
                    door.wait()
                assert ready

        def tell() -> None:
            with door:
                ready.append(1)
                door.notify()

        together(wait, tell)

    proved(lambda: body(again=False), 2)  # without whims: who comes first
    failure = hocket.explore(lambda: body(again=False), spurious=1).failure
    assert failure is not None
    assert failure.kind == "assertion"
    with pytest.raises(AssertionError):
        hocket.replay(lambda: body(again=False), failure.schedule, spurious=1)
    assert hocket.explore(lambda: body(again=True), spurious=1).verdict == "proved"


@dataclasses.dataclass
class Point:
    x: int = 0
    y: int = 0


def test_what_a_dataclass_compares_is_read():
    def body() -> bool:
        point, seen = Point(), []

        def move() -> None:
            point.x = 1
            point.y = 1

        def look() -> None:
            seen.append(point == Point(1, 0))

        together(move, look)
        return bool(seen[0])

    result = hocket.explore(body)
    stops_at_a_difference = sys.version_info >= (3, 13)  # before, y is read as well where x differs
    different = 2 if stops_at_a_difference else 3
    assert (result.verdict, result.outcomes) == ("proved", {False: different, True: 1}), str(result)  # x, then y


def test_a_container_of_a_class_is_shared_by_its_instances():
    class Register:
        names: list[int] = []

        def add(self, number: int) -> None:
            self.names.append(number)

    def body() -> tuple[int, ...]:
        Register.names.clear()
        together(lambda: Register().add(1), lambda: Register().add(2))
        return tuple(Register.names)

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {(1, 2): 1, (2, 1): 1}), str(result)


LOCAL = threading.local()
CONTEXT = contextvars.ContextVar("context", default=0)
PATTERN = re.compile("a+")


def test_what_each_thread_has_for_itself_is_no_step():
    def body() -> None:
        def task() -> None:
            LOCAL.x = 1
            LOCAL.x += 1
            CONTEXT.set(CONTEXT.get() + 1)
            assert (LOCAL.x, CONTEXT.get()) == (2, 1)
            assert PATTERN.match("aa")

        together(task, task)

    proved(body, 1)


def test_the_names_of_an_executed_text_are_the_keys_of_its_dict():
    def body() -> int:
        names = {"n": 0}

        def task() -> None:
            exec("n += 1", names)

        together(task, task)
        return names["n"]

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 4, {1: 2, 2: 2}), str(result)


def test_a_default_argument_is_shared_by_all_calls():
    def collect(item: int, items: list[int] = []) -> int:  # noqa: B006
        items.append(item)
        return len(items)

    def body() -> tuple[int, ...]:
        collect.__defaults__[0].clear()
        got: list[int] = []
        together(lambda: got.append(collect(1)), lambda: got.append(collect(2)))
        return tuple(sorted(got))

    result = hocket.explore(body)
    assert (result.verdict, set(result.outcomes)) == ("proved", {(1, 2), (2, 2)}), str(result)


def test_methods_of_a_list_with_methods_of_its_own():
    class Counted(list):  # type: ignore[type-arg]
        count = 0

        def append(self, item: int) -> None:
            super().append(item)
            self.count = len(self)

    def body() -> None:
        items = Counted()
        together(lambda: items.append(1), lambda: items.append(2))
        assert items.count == 2

    assert failing(body).kind == "assertion"  # the one that saw one item writes last
