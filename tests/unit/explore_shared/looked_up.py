"""Programs whose mistake lies in what is looked up rather than read, or in what C reads in their place.

Each is a function of `fixed`: False is the mistake, True the same under a lock. None knows of an explorer. All of them
were proved once, although wrong.
"""

from __future__ import annotations

import collections
import contextvars
import copy
import dataclasses
import functools
import io
import operator
import struct
import threading
import types
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

DOOR = threading.RLock()


def door(fixed: bool) -> Any:
    return DOOR if fixed else nullcontext()


def failures(*tasks: Callable[[], Any]) -> list[Exception]:
    """What the tasks raise, each on a thread of its own."""
    found: list[Exception] = []

    def run(task: Callable[[], Any]) -> None:
        try:
            task()
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


class Plain:
    x = 0
    y = 0

    def value(self) -> int:
        return 1


def read_and_written(fixed: bool, read: Callable[[], Any], write: Callable[[], Any], *allowed: Any) -> None:
    """One thread reads, in several steps; what it finds is from before the other wrote, or from after."""
    seen: list[Any] = []

    def reader() -> None:
        with door(fixed):
            seen.append(read())

    def writer() -> None:
        with door(fixed):
            write()

    assert not failures(reader, writer)
    assert seen[0] in allowed, seen


def once(fixed: bool, is_there: Callable[[], Any], make: Callable[[], Any]) -> None:
    """Two threads make what is not there."""
    made: list[int] = []

    def work() -> None:
        with door(fixed):
            if not is_there():
                make()
                made.append(1)

    assert not failures(work, work)
    assert made == [1]


# -- what is looked up ------------------------------------------------------------------------------------------------


def a_class_that_is_exchanged(fixed: bool) -> None:
    class Open:
        def close(self) -> None:
            self.__class__ = Closed  # type: ignore[assignment]

    class Closed:
        def close(self) -> None:
            raise RuntimeError("closed twice")

    box = Open()

    def work() -> None:
        with door(fixed):
            if type(box) is Open:
                box.close()

    assert not failures(work, work)


def a_namespace_that_is_exchanged(fixed: bool) -> None:
    o = Plain()
    o.x = o.y = 1
    read_and_written(fixed, lambda: (o.x, o.y), lambda: setattr(o, "__dict__", {"x": 2, "y": 2}), (1, 1), (2, 2))


def a_namespace_that_all_share(fixed: bool) -> None:
    class Borg:
        state = {"n": 0}

        def __init__(self) -> None:
            self.__dict__ = self.state

    def add() -> None:
        mine: Any = Borg()
        with door(fixed):
            mine.n += 1

    assert not failures(add, add)
    assert Borg.state["n"] == 2


def a_dict_that_is_its_own_namespace(fixed: bool) -> None:
    class Attributes(dict[str, int]):
        def __init__(self, **values: int) -> None:
            super().__init__(values)
            self.__dict__ = self

    box: Any = Attributes(n=0)

    def add() -> None:
        with door(fixed):
            box.n = box["n"] + 1

    assert not failures(add, add)
    assert box.n == 2


def a_method_that_is_replaced(fixed: bool) -> None:
    class Box(Plain):
        pass

    box = Box()
    read_and_written(fixed, lambda: box.value() + box.value(), lambda: setattr(Box, "value", lambda self: 2), 2, 4)


def a_method_that_is_shadowed(fixed: bool) -> None:
    box: Any = Plain()
    read_and_written(fixed, lambda: box.value() + box.value(), lambda: setattr(box, "value", lambda: 2), 2, 4)


def a_property_that_is_replaced(fixed: bool) -> None:
    class Box:
        @property
        def value(self) -> int:
            return 1

    box = Box()
    read_and_written(fixed, lambda: box.value + box.value, lambda: setattr(Box, "value", property(lambda self: 2)),
                     2, 4)


def code_that_is_replaced(fixed: bool) -> None:
    def value() -> int:
        return 1

    def other() -> int:
        return 2

    read_and_written(fixed, lambda: value() + value(), lambda: setattr(value, "__code__", other.__code__), 2, 4)


def annotations_that_are_filled_in(fixed: bool) -> None:
    class Box:
        x: int

    once(fixed, lambda: "y" in Box.__annotations__, lambda: Box.__annotations__.update(y=int))


def arguments_of_an_exception(fixed: bool) -> None:
    error = ValueError(0)

    def add() -> None:
        with door(fixed):
            error.args = (error.args[0] + 1,)

    assert not failures(add, add)
    assert error.args == (2,)


# -- what is seen through something else ------------------------------------------------------------------------------


def a_dict_behind_a_proxy(fixed: bool) -> None:
    own: dict[str, int] = {}
    shown = types.MappingProxyType(own)
    once(fixed, lambda: "x" in shown, lambda: own.update(x=1))


def a_class_asked_for_its_names(fixed: bool) -> None:
    class Box:
        pass

    once(fixed, lambda: "x" in vars(Box), lambda: setattr(Box, "x", 1))


def names_that_come_while_they_are_gone_through(fixed: bool) -> None:
    class Box:
        pass

    def read() -> bool:
        return all(name for name in vars(Box))

    read_and_written(fixed, read, lambda: setattr(Box, "x", 1), True)


def registered_with_singledispatch(fixed: bool) -> None:
    @functools.singledispatch
    def told(value: object) -> str:
        return "object"

    once(fixed, lambda: int in told.registry, lambda: told.register(int, str))


# -- what C asks for --------------------------------------------------------------------------------------------------


def gotten_by_attrgetter(fixed: bool) -> None:
    low, high = Plain(), Plain()
    low.x, high.x = 1, 2

    def write() -> None:
        low.x = 10
        high.x = 20

    read_and_written(fixed, lambda: max([low, high], key=operator.attrgetter("x")) is high, write, True)


def gotten_by_itemgetter(fixed: bool) -> None:
    rows = [{"k": 1}, {"k": 1}]

    def write() -> None:
        for row in rows:
            row["k"] = 2

    read_and_written(fixed, lambda: list(map(operator.itemgetter("k"), rows)), write, [1, 1], [2, 2])


def gotten_by_getattr_for_each(fixed: bool) -> None:
    pair = [Plain(), Plain()]

    def write() -> None:
        for each in pair:
            each.x = 1

    read_and_written(fixed, lambda: list(map(getattr, pair, "xx")), write, [0, 0], [1, 1])


def a_list_that_is_empty_while_it_is_sorted(fixed: bool) -> None:
    items = [2, 1]
    read_and_written(fixed, lambda: items.sort(key=lambda item: item), lambda: items.append(0), None)
    assert len(items) == 3


@dataclasses.dataclass
class Point:
    x: int = 1
    y: int = 1


def _moved(point: Point) -> Callable[[], None]:
    def move() -> None:
        point.x = 2
        point.y = 2

    return move


def a_dataclass_compared(fixed: bool) -> None:
    point = Point()
    read_and_written(fixed, lambda: point == Point(1, 2), _moved(point), False)


def a_dataclass_told(fixed: bool) -> None:
    point = Point()
    read_and_written(fixed, lambda: repr([point]), _moved(point), "[Point(x=1, y=1)]", "[Point(x=2, y=2)]")


def a_dataclass_of_the_moment_told(fixed: bool) -> None:
    @dataclasses.dataclass
    class Local:
        x: int = 1
        y: int = 1

    point: Any = Local()
    told = f"{Local.__qualname__}(x={{0}}, y={{0}})"
    read_and_written(fixed, lambda: f"{point}", _moved(point), told.format(1), told.format(2))


def a_simple_namespace_compared(fixed: bool) -> None:
    point = types.SimpleNamespace(x=1)
    read_and_written(fixed, lambda: (point == types.SimpleNamespace(x=1), point.x), lambda: setattr(point, "x", 2),
                     (True, 1), (False, 2))


def copied_while_it_changes(fixed: bool) -> None:
    point = Plain()
    point.x = point.y = 1

    def read() -> tuple[int, int, int]:
        copied = copy.copy(point)
        return copied.x, copied.y, point.x

    def write() -> None:
        point.x = point.y = 2

    read_and_written(fixed, read, write, (1, 1, 1), (2, 2, 2))


# -- state of C -------------------------------------------------------------------------------------------------------


def a_context_that_two_enter(fixed: bool) -> None:
    context = contextvars.copy_context()

    def work() -> None:
        with door(fixed):
            context.run(len, ())

    assert not failures(work, work)


def a_text_that_two_write(fixed: bool) -> None:
    text = io.StringIO()
    once(fixed, text.tell, lambda: text.write("x"))


def lines_that_two_read(fixed: bool) -> None:
    text, got = io.StringIO("a\nb\nc\nd\n"), []

    def work() -> None:
        with door(fixed):
            got.append(next(text) + next(text))

    assert not failures(work, work)
    assert sorted(got) == ["a\nb\n", "c\nd\n"]


def a_number_packed_into_bytes(fixed: bool) -> None:
    buffer = bytearray(1)

    def add() -> None:
        with door(fixed):
            (number,) = struct.unpack_from("b", buffer)
            struct.pack_into("b", buffer, 0, number + 1)

    assert not failures(add, add)
    assert buffer == b"\2"


def counted_by_operator(fixed: bool) -> None:
    counts = collections.Counter(a=0)

    def add() -> None:
        with door(fixed):
            operator.setitem(counts, "a", operator.getitem(counts, "a") + 1)

    assert not failures(add, add)
    assert counts["a"] == 2


PROGRAMS: tuple[Callable[[bool], None], ...] = tuple(
    value for name, value in list(globals().items())
    if type(value) is types.FunctionType and value.__module__ == __name__ and name[0] != "_"
    and name not in ("door", "failures", "once", "read_and_written"))
