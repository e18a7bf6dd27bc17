"""For each kind of access: a program that must fail, and its twin under a lock that must be proved, class by class.

The twins have as many classes as there are orders of their critical sections: two threads, one section each, 2.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict, defaultdict, deque
from contextlib import nullcontext
from typing import Any

import pytest

import hocket

TOTAL = 0
TABLE: dict[str, int] = {}


class Box:
    shared = 0

    def __init__(self) -> None:
        self.value = 0
        self._hidden = 0

    @property
    def managed(self) -> int:
        return self._hidden

    @managed.setter
    def managed(self, value: int) -> None:
        self._hidden = value


class Slotted:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


def twice(task: Any) -> None:
    threads = [threading.Thread(target=task) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def attribute(door: Any) -> None:
    box = Box()

    def task() -> None:
        with door():
            box.value = box.value + 1

    twice(task)
    assert box.value == 2


def augmented_attribute(door: Any) -> None:
    box = Box()

    def task() -> None:
        with door():
            box.value += 1

    twice(task)
    assert box.value == 2


def class_attribute(door: Any) -> None:
    Box.shared = 0

    def task() -> None:
        with door():
            Box.shared += 1

    twice(task)
    assert Box.shared == 2


def attribute_found_on_the_class(door: Any) -> None:
    Box.shared = 0
    box = Box()

    def task() -> None:
        with door():
            box.shared += 1

    twice(task)
    assert box.shared == 2


def slot(door: Any) -> None:
    box = Slotted()

    def task() -> None:
        with door():
            box.value += 1

    twice(task)
    assert box.value == 2


def managed_attribute(door: Any) -> None:
    box = Box()

    def task() -> None:
        with door():
            box.managed += 1

    twice(task)
    assert box.managed == 2


def by_name(door: Any) -> None:
    box = Box()

    def task() -> None:
        with door():
            setattr(box, "value", getattr(box, "value") + 1)  # noqa: B009, B010

    twice(task)
    assert box.value == 2


def namespace(door: Any) -> None:
    box = Box()

    def task() -> None:
        with door():
            box.__dict__["value"] = box.value + 1

    twice(task)
    assert box.value == 2


def attribute_of_a_function(door: Any) -> None:
    def count() -> None: ...

    count.calls = 0  # type: ignore[attr-defined]

    def task() -> None:
        with door():
            count.calls += 1  # type: ignore[attr-defined]

    twice(task)
    assert count.calls == 2  # type: ignore[attr-defined]


def item_of_a_list(door: Any) -> None:
    items = [0]

    def task() -> None:
        with door():
            items[0] += 1

    twice(task)
    assert items == [2]


def item_from_the_end(door: Any) -> None:
    items = [7, 0]

    def task() -> None:
        with door():
            items[-1] = items[1] + 1

    twice(task)
    assert items == [7, 2]


def item_of_a_dict(door: Any) -> None:
    items = {"a": 0}

    def task() -> None:
        with door():
            items["a"] += 1

    twice(task)
    assert items == {"a": 2}


def equal_keys(door: Any) -> None:
    items: dict[Any, int] = {1: 0}
    keys = iter([1, 1.0])

    def task() -> None:
        with door():
            key = next(keys)
            items[key] = items[True] + 1

    twice(task)
    assert items == {1: 2}


def item_of_a_bytearray(door: Any) -> None:
    items = bytearray(1)

    def task() -> None:
        with door():
            items[0] += 1

    twice(task)
    assert items[0] == 2


def slices(door: Any) -> None:
    items = [1]

    def task() -> None:
        with door():
            items[:] = [item + 1 for item in items[:]]

    twice(task)
    assert items == [3]


def global_variable(door: Any) -> None:
    global TOTAL
    TOTAL = 0

    def task() -> None:
        global TOTAL
        with door():
            TOTAL += 1

    twice(task)
    assert TOTAL == 2


def global_table(door: Any) -> None:
    TABLE.clear()
    TABLE["a"] = 0

    def task() -> None:
        with door():
            TABLE["a"] += 1

    twice(task)
    assert TABLE["a"] == 2


def enclosing_variable(door: Any) -> None:
    count = 0

    def task() -> None:
        nonlocal count
        with door():
            count += 1

    twice(task)
    assert count == 2


def membership(door: Any) -> None:
    items: set[int] = set()
    came: list[int] = []

    def task() -> None:
        with door():
            if 1 not in items:
                items.add(1)
                came.append(1)

    twice(task)
    assert came == [1]


def truth(door: Any) -> None:
    items = [1]

    def task() -> None:
        with door():
            if items:
                items.pop()

    twice(task)


def length(door: Any) -> None:
    items: list[int] = []

    def task() -> None:
        with door():
            if len(items) < 1:
                items.append(1)

    twice(task)
    assert len(items) == 1


def iteration(door: Any) -> None:
    items = {1, 2}
    numbers = itertools.count(10)

    def task() -> None:
        with door():
            for item in items:
                if item > 100:
                    return
            items.add(next(numbers))

    twice(task)


def values_of_a_dict(door: Any) -> None:
    items = {"a": 0, "b": 0}

    def task() -> None:
        with door():
            items["a"] = sum(items.values()) + 1

    twice(task)
    assert items["a"] == 2


def deletion(door: Any) -> None:
    items = {"a": 1}

    def task() -> None:
        with door():
            if "a" in items:
                del items["a"]  # noqa: RUF051

    twice(task)


def deleted_attribute(door: Any) -> None:
    box = Box()

    def task() -> None:
        with door():
            if hasattr(box, "value"):
                del box.value

    twice(task)


def unpacking(door: Any) -> None:
    pair = [0, 0]

    def task() -> None:
        with door():
            first, second = pair
            pair[0], pair[1] = first + 1, second + 1

    twice(task)
    assert pair == [2, 2]


def matching(door: Any) -> None:
    items: dict[str, int] = {}
    came: list[int] = []

    def task() -> None:
        with door():
            match items:
                case {"a": _}:
                    pass
                case _:
                    items["a"] = 1
                    came.append(1)

    twice(task)
    assert came == [1]


def matched_attribute(door: Any) -> None:
    box = Box()

    def task() -> None:
        with door():
            match box:
                case Box(value=0):
                    box.value = 1
                    box._hidden += 1

    twice(task)
    assert box._hidden == 1


def generator(door: Any) -> None:
    def numbers() -> Any:
        yield 1
        yield 2

    source = numbers()
    got: list[int] = []

    def task() -> None:
        with door():
            got.append(next(source) if not got else got[0] + 1)

    twice(task)
    assert got == [1, 2]


def methods_of_a_list(door: Any) -> None:
    items = [3]

    def task() -> None:
        with door():
            items.append(items.pop() + 1)

    twice(task)
    assert items == [5]


def methods_of_a_dict(door: Any) -> None:
    items = {"a": 0}

    def task() -> None:
        with door():
            items.update(a=items.get("a", 0) + 1)

    twice(task)
    assert items == {"a": 2}


def methods_of_a_set(door: Any) -> None:
    items = {0}

    def task() -> None:
        with door():
            items.add(max(items) + 1)

    twice(task)
    assert items == {0, 1, 2}


def methods_of_a_deque(door: Any) -> None:
    items = deque([3])

    def task() -> None:
        with door():
            items.append(items.popleft() + 1)

    twice(task)
    assert list(items) == [5]


def ordered_dict(door: Any) -> None:
    items = OrderedDict(a=1, b=2)

    def task() -> None:
        with door():
            items.move_to_end(next(iter(items)))

    twice(task)
    assert list(items) == ["a", "b"]


def default_dict(door: Any) -> None:
    items: defaultdict[str, int] = defaultdict(int)

    def task() -> None:
        with door():
            items["a"] += 1

    twice(task)
    assert items["a"] == 2


def container_in_a_container(door: Any) -> None:
    items: dict[str, list[int]] = {"a": [0]}

    def task() -> None:
        with door():
            items["a"][0] += 1

    twice(task)
    assert items == {"a": [2]}


def comprehension(door: Any) -> None:
    items = [0, 0]

    def task() -> None:
        with door():
            items[0] = sum([item for item in items]) + 1  # noqa: C416

    twice(task)
    assert items == [2, 0]


def in_place(door: Any) -> None:
    items: list[int] = []

    def task() -> None:
        with door():
            if items == []:
                more = items
                more += [1]

    twice(task)
    assert items == [1]


def text_of_it(door: Any) -> None:
    items = [0]

    def task() -> None:
        with door():
            items[0] = int(f"{items}".strip("[]")) + 1

    twice(task)
    assert items == [2]


KINDS = [
    attribute, augmented_attribute, class_attribute, attribute_found_on_the_class, slot, managed_attribute, by_name,
    namespace, attribute_of_a_function, item_of_a_list, item_from_the_end, item_of_a_dict, equal_keys,
    item_of_a_bytearray, slices, global_variable, global_table, enclosing_variable, membership, truth, length,
    iteration, values_of_a_dict, deletion, deleted_attribute, unpacking, matching, matched_attribute, generator,
    methods_of_a_list, methods_of_a_dict, methods_of_a_set, methods_of_a_deque, ordered_dict, default_dict,
    container_in_a_container, comprehension, in_place, text_of_it,
]


@pytest.mark.parametrize("program", KINDS, ids=lambda program: program.__name__)
def test_without_a_lock_it_fails_and_the_schedule_replays(program: Any) -> None:
    def body() -> None:
        program(nullcontext)

    result = hocket.explore(body)
    assert result.verdict == "failed", str(result)
    assert result.failure is not None
    with pytest.raises(type(result.failure.exception)):
        hocket.replay(body, str(result.failure.schedule))


@pytest.mark.parametrize("program", KINDS, ids=lambda program: program.__name__)
def test_under_a_lock_it_is_proved_in_two_classes(program: Any) -> None:
    def body() -> None:
        door = threading.Lock()
        program(lambda: door)

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.executions) == ("proved", 2, 2), str(result)


@pytest.mark.parametrize("program", KINDS, ids=lambda program: program.__name__)
def test_without_a_lock_the_accesses_are_a_race(program: Any) -> None:
    def body() -> None:
        program(nullcontext)

    failure = hocket.explore(body, data="race-check").failure
    assert failure is not None
    assert failure.kind == "race", str(failure)
