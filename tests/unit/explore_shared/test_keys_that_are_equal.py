"""Two keys of a dict or a set are independent only if they cannot be equal, whatever classes they are of.

Each program looks for a key and enters one that is equal to it, in two threads. 6 classes, in 4 of which both find
that it is not there; as many as with two strings.
"""

import datetime
import decimal
import enum
import http
import threading

import pytest

import hocket


class ByValue:
    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return self.value == other.value

    def __hash__(self):
        return hash(self.value)


class Text(str):
    pass


class Pair(tuple):
    pass


class Named(enum.StrEnum):
    A = "a"


class Anything:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash("a")


EQUAL = {
    "two strings": (lambda: "a", lambda: "a"),
    "objects with an equality of their own": (lambda: ByValue(1), lambda: ByValue(1)),
    "a string of a class of its own": (lambda: Text("a"), lambda: "a"),
    "a member that is a string": (lambda: Named.A, lambda: "a"),
    "a member that is a number": (lambda: http.HTTPStatus.OK, lambda: 200),
    "a tuple of a class of its own": (lambda: Pair((1,)), lambda: (1,)),
    "tuples of such objects": (lambda: (ByValue(1),), lambda: (ByValue(1),)),
    "true and one": (lambda: True, lambda: 1),
    "a large float and an int": (lambda: 1e301, lambda: int(1e301)),
    "a complex number and an int": (lambda: 1 + 0j, lambda: 1),
    "dates": (lambda: datetime.date(2020, 1, 1), lambda: datetime.date(2020, 1, 1)),
}
UNTOLD = {
    "whatever it is compared with": (Anything, lambda: "a"),
    "a decimal and an int": (lambda: decimal.Decimal(1), lambda: 1),
}


def entered_twice(first, second, table, enter):
    """Whether each of two threads looked and entered: how many found nothing there."""
    missing = []

    def look(key):
        if key not in table:
            enter(table, key)
            missing.append(key)

    threads = [threading.Thread(target=look, args=(make(),)) for make in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(missing)


@pytest.mark.parametrize("name", EQUAL)
@pytest.mark.parametrize(("make", "enter"), [(dict, lambda table, key: table.update({key: 1})),
                                         (dict, lambda table, key: table.__setitem__(key, 1)),
                                         (set, lambda table, key: table.add(key))], ids=["update", "dict", "set"])
def test_equal_keys_are_one_place(name, make, enter):
    result = hocket.explore(lambda: entered_twice(*EQUAL[name], make(), enter))
    assert result.verdict == "proved", result
    assert result.outcomes.keys() == {1, 2}
    if make is set:
        assert result.outcomes == {1: 2, 2: 4}


@pytest.mark.parametrize("name", UNTOLD)
def test_where_a_key_of_its_own_kind_equals_a_plain_one_both_are_seen_and_nothing_is_proved(name):
    result = hocket.explore(lambda: entered_twice(*UNTOLD[name], set(), lambda table, key: table.add(key)))
    assert result.verdict in ("incomplete", "proved"), result
    assert result.outcomes == {1: 2, 2: 4}


class Colour(enum.Enum):
    RED, GREEN = range(2)


@pytest.mark.parametrize(("first", "second"), [("a", "b"), (Colour.RED, Colour.GREEN), ((1, "a"), (1, "b")), (1, 1.5)])
def test_keys_that_cannot_be_equal_are_independent(first, second):
    """Each thread enters a key of its own, and reads what it has entered: 2 classes, for the order of entries."""
    def body():
        table = {}

        def enter(key):
            table[key] = 1
            return table[key]

        threads = [threading.Thread(target=enter, args=(key,)) for key in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(table) == 2

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2), result
