"""A value in a few signs: spelled out if it is exactly of a built-in type, else named; no code of its class is run."""

from __future__ import annotations

import enum
from collections import OrderedDict, deque

from hocket.trace.brief import brief


class Colour(enum.Enum):
    RED = 1


class Text(str):
    __slots__ = ()

    def __repr__(self):
        raise AssertionError("asked")


class Meta(type):
    def __getattribute__(cls, name):
        raise AssertionError("asked")


class Strange(metaclass=Meta):
    pass


_ITSELF: list = []
_ITSELF.append(_ITSELF)


def test_a_value_is_told_in_a_few_signs_by_its_exact_type():
    rows = [
        (1, "1"), (True, "True"), (None, "None"), (1.5, "1.5"),
        ("a\x1b[31m", "'a\\x1b[31m'"), (b"a", "b'a'"), ([], "[]"),
        ((), "()"), ((1,), "(1,)"), ([1, "two"], "[1, 'two']"), ({"a": [1]}, "{'a': [1]}"), (set(), "set()"),
        ({"b", "a"}, "{'a', 'b'}"), (frozenset({1}), "frozenset({1})"), (deque([1]), "[1]"),
        (OrderedDict(a=1), "{'a': 1}"),
        (list(range(20)), "[0, 1, 2, 3, 4, …, 19]"), (["a" * 20] * 9 + ["z"], "[…, 'z']"),
        ("x" * 100, "'" + "x" * 46 + "…"), (10**5000, "<int of 16,610 bits>"), (_ITSELF, "[[[[…]]]]"),
        (Colour.RED, "Colour.RED"), (Text("a"), "<Text>"), ([Text("a")], "[<Text>]"), (Strange, "<class Strange>"),
        (len, "<function len>"), (brief, "<function brief>"), ("\udc80", "'\\udc80'"),
    ]
    assert [brief(value) for value, _ in rows] == [text for _, text in rows]


class Hostile:
    """Answers nothing."""

    def __getattribute__(self, name):
        raise AssertionError("asked")

    __repr__ = __str__ = __len__ = __bool__ = __hash__ = __getattribute__


def test_an_instance_of_a_class_that_answers_for_itself_is_its_class_only():
    assert brief(type.__call__(Strange)) == "<Strange>"
    assert brief([Hostile()], lambda value: "Hostile one") == "[<Hostile one>]"
