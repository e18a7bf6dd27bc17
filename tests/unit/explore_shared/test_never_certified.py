"""Programs whose race was once not seen: two threads, one access each, of which the order decides what comes out.

Each has exactly two outcomes. What cannot be tracked has to be said, and is then never "proved".
"""

import array
import collections
import enum
import functools
import itertools
import operator
import os
import threading
from collections import OrderedDict, defaultdict, deque

import pytest

import hocket


def both(one, other):
    threads = [threading.Thread(target=one), threading.Thread(target=other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Thing:
    def __init__(self, value=0):
        self.value = value


class ByHand(Thing):
    """Its attributes go through the methods of `object`."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)

    def __getattribute__(self, name):
        return super().__getattribute__(name)


class Colour(enum.Enum):
    RED = 1


READERS = {  # what it is read by, while somebody appends to the list within
    "repr of a list of lists": lambda inner: repr([inner]),
    "repr of a tuple": lambda inner: repr((inner,)),
    "an f-string": lambda inner: f"{[inner]}",
    "str.format": lambda inner: "{}".format(inner),  # noqa: UP032  # which is the point
    "str.format_map": lambda inner: "{a}".format_map({"a": inner}),
    "% of a string": lambda inner: "%s" % (inner,),  # noqa: UP031
    "a comparison of what is nested": lambda inner: [inner] == [[b"1"]],
    "bytes.join": lambda inner: b",".join(inner),
    "chain.from_iterable": lambda inner: tuple(itertools.chain.from_iterable([inner])),
    "reduce": lambda inner: functools.reduce(operator.add, inner),
    "a key function of C": lambda inner: len(max([[], inner, [1] * 1], key=len)),
    "list.__len__": lambda inner: list.__len__(inner),
}


@pytest.mark.parametrize("reader", READERS)
def test_reading_what_is_nested_or_given_to_c_is_before_or_after_a_change(reader):
    def body():
        inner, seen = [b"1"], []
        both(lambda: inner.append(b"2"), lambda: seen.append(READERS[reader](inner)))
        return str(seen[0])

    result = hocket.explore(body)
    assert (result.verdict, len(result.outcomes)) == ("proved", 2)


def _through_the_class(thing):
    object.__setattr__(thing, "value", object.__getattribute__(thing, "value") + 1)


def _of_a_class(thing):
    type.__setattr__(type(thing), "count", type.__getattribute__(type(thing), "count") + 1)


def _plain(thing):
    thing.value += 1


LOST = {  # an increment, the object, what it counts
    "object.__setattr__": (_through_the_class, Thing, lambda thing: thing.value),
    "super().__setattr__": (_plain, ByHand, lambda thing: thing.value),
    "type.__setattr__": (_of_a_class, lambda: type("Counted", (), {"count": 0})(), lambda thing: type(thing).count),
    "dict.__setitem__": (lambda d: dict.__setitem__(d, "a", dict.get(d, "a") + 1), lambda: {"a": 0}, lambda d: d["a"]),
    "an array": (lambda a: operator.setitem(a, 0, a[0] + 1), lambda: array.array("i", [0]), lambda a: a[0]),
    "a memoryview": (lambda m: m.__setitem__(0, m[0] + 1), lambda: memoryview(bytearray(1)), lambda m: m[0]),
}


@pytest.mark.parametrize("how", LOST)
def test_an_update_is_lost_however_it_is_written(how):
    increment, make, count = LOST[how]

    def body():
        shared = make()
        both(lambda: increment(shared), lambda: increment(shared))
        assert count(shared) == 2

    result = hocket.explore(body)
    assert result.verdict != "proved"
    assert result.verdict == "failed" or result.untracked


def test_a_partial_of_a_method_is_the_method():
    def body():
        items, seen = [], []
        add = functools.partial(items.append, 1)
        both(lambda: add(), lambda: seen.append(len(items)))
        return seen[0]

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {0: 1, 1: 1})


def test_a_defaultdict_asks_two_threads_for_the_same_key():
    def body():
        made = defaultdict(Thing)
        got = []
        both(lambda: got.append(made["key"]), lambda: got.append(made["key"]))
        assert got[0] is got[1]

    result = hocket.explore(body)
    assert (result.verdict, result.failure.kind, result.failure.preemptions) == ("failed", "assertion", 1)


def test_a_defaultdict_that_asks_nobody_makes_one():
    def body():
        made = defaultdict(list)
        both(lambda: made["key"].append(1), lambda: made["key"].append(2))
        return sorted(made["key"])

    assert hocket.explore(body).verdict == "proved"


SHARED_ITERATORS = {
    "deque": lambda: iter(deque([1, 2])), "enumerate": lambda: enumerate([1, 2]),
    "zip": lambda: zip([1, 2], "ab", strict=True),

    "map": lambda: map(abs, [1, 2]), "filter": lambda: filter(None, [1, 2]), "reversed": lambda: reversed([1, 2]),
    "OrderedDict": lambda: iter(OrderedDict(a=1, b=2)), "array": lambda: iter(array.array("i", [1, 2])),
    "values": lambda: iter(OrderedDict(a=1, b=2).values()), "bytearray": lambda: iter(bytearray(b"ab")),
    "callable": lambda: iter(itertools.count().__next__, 5), "keys backwards": lambda: reversed({"a": 1, "b": 2}),
}


@pytest.mark.parametrize("kind", SHARED_ITERATORS)
def test_two_threads_that_loop_over_one_iterator_share_what_comes(kind):
    def body():
        iterator, got = SHARED_ITERATORS[kind](), {}

        def first(name):
            for item in iterator:
                got[name] = item
                return

        both(lambda: first("one"), lambda: first("other"))
        return str(got["one"])

    result = hocket.explore(body)
    assert (result.verdict, len(result.outcomes)) == ("proved", 2)


@pytest.mark.parametrize("kind", [dict, OrderedDict, collections.Counter])
@pytest.mark.parametrize("view", ["keys", "values", "items"])
def test_a_view_is_read_before_or_after_a_key_goes(kind, view):
    def body():
        shared, seen = kind(a=1, b=2), []
        both(lambda: seen.append(len(list(getattr(shared, view)()))), lambda: shared.pop("a"))
        return seen[0]

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {1: 1, 2: 1})


def test_what_is_taken_for_unchangeable_is_named():
    def colours():
        Colour.RED.seen = 0
        both(lambda: setattr(Colour.RED, "seen", Colour.RED.seen + 1), lambda: setattr(Colour.RED, "seen", 5))

    result = hocket.explore(colours)
    assert result.verdict == "incomplete"
    assert result.untracked


def test_what_data_comes_into_the_hands_of_is_tracked_as_well():
    def environment():
        seen = []
        both(lambda: os.environ.__setitem__("HOCKET_TEST", "1"), lambda: seen.append(os.environ.get("HOCKET_TEST")))
        del os.environ["HOCKET_TEST"]
        return seen[0]

    result = hocket.explore(environment)
    assert (result.verdict, result.outcomes) == ("proved", {None: 1, "1": 1})
    assert result.notes == ("tracked as well, because shared data is in its hands: os",)
