"""Objects of the library that are written in C, or whose code was left alone: two steps on one of them can be torn.

Each row makes one and says what a thread does to it twice, and what it then is: without a lock it may be something
else, with one it is proved, with two orders.
"""

import array
import bz2
import contextlib
import csv
import decimal
import fractions
import hashlib
import io
import mmap
import pathlib
import pickle
import random
import re
import sys
import threading
import traceback
import weakref
import zlib
from contextlib import nullcontext

import pytest

import hocket
from tests.together import together


class Pair:
    def __init__(self):
        self.x = self.y = 0


def printed():
    out = io.StringIO()
    return lambda: print("a", end="", file=out), lambda: print("b", end="", file=out), lambda: out.getvalue() == "abab"


def written_through_another():
    raw = io.BytesIO()
    text = io.TextIOWrapper(raw, write_through=True)
    return lambda: text.write("a"), lambda: raw.write(b"b"), lambda: raw.getvalue() == b"abab"


def rows():
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=";")
    return lambda: writer.writerow("a"), lambda: writer.writerow("b"), lambda: out.getvalue() == "a;b;a;b;"


def hashed():
    found = hashlib.sha256()
    return lambda: found.update(b"a"), lambda: found.update(b"b"), lambda: (
        found.digest() == hashlib.sha256(b"abab").digest())


def compressed(kind, back):
    def make():
        parts, found = [], kind()

        def step(byte):
            parts.append(found.compress(byte))

        return lambda: step(b"a"), lambda: step(b"b"), lambda: (
            len(parts) == 4 and back(b"".join(parts) + found.flush()) == b"abab")

    return make


def mapped():
    memory, seen = mmap.mmap(-1, 1), []
    return lambda: seen.append(memory[0]), lambda: memory.__setitem__(0, seen[-1] + 1), lambda: memory[0] == 2


def drawn():
    numbers, found, expected = random.Random(1), [], random.Random(1)
    pairs = [[expected.random(), expected.random()] for _ in range(2)]

    def second():
        found.append([mine.first, numbers.random()])

    mine = threading.local()
    return lambda: setattr(mine, "first", numbers.random()), second, lambda: sorted(found) == sorted(pairs)


def scanned():
    scanner, found = re.compile(r"\d").scanner("1234"), []
    return lambda: found.append(scanner.match()[0]), lambda: found.append(-int(scanner.match()[0])), lambda: (
        [int(each) for each in found] == [1, -2, 3, -4])


def rounded():
    context, found = decimal.Context(), []

    def second():
        found.append(str(context.divide(1, 3)))
        context.prec = 3

    return lambda: setattr(context, "prec", 2), second, lambda: found == ["0.33", "0.33"]


def pickled():
    pair, found = Pair(), []

    def both():
        copy = pickle.loads(pickle.dumps(pair))
        found.append(copy.x == copy.y)
        pair.x = copy.x + 1

    return both, lambda: setattr(pair, "y", pair.x), lambda: found == [True, True]


PROGRAMS = {make.__name__: make for make in (
    printed, written_through_another, rows, hashed, mapped, drawn, scanned, rounded, pickled)} | {
    "zlib": compressed(zlib.compressobj, zlib.decompress), "bz2": compressed(bz2.BZ2Compressor, bz2.decompress)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_two_steps_without_a_lock_are_torn_and_with_one_are_not(name):
    def body(guard):
        first, second, is_whole = PROGRAMS[name]()

        def work():
            with guard:
                first()
                second()

        together(work, work)
        assert is_whole()

    result = hocket.explore(lambda: body(nullcontext()))
    assert (result.verdict, result.failure.replayed) == ("failed", True), result
    lock = threading.Lock()
    result = hocket.explore(lambda: body(lock))
    assert (result.verdict, result.classes) == ("proved", 2), result


def numbers_of_ones_own():
    own = random.Random(1)
    return own.random() + own.choice([1, 2]) + own.gauss(0, 1)


def told():
    try:
        raise KeyError
    except KeyError:
        return traceback.format_exc()


def left():
    with contextlib.ExitStack() as stack:
        stack.callback(int)
        stack.enter_context(nullcontext())


USES = [numbers_of_ones_own, told, left, lambda: random.sample([1, 2, 3], 2), lambda: pathlib.Path("a") / "b.c",
        lambda: fractions.Fraction(1, 3) + 1, lambda: decimal.localcontext().__enter__(), lambda: array.array("i", [1])]


def test_what_a_thread_does_with_its_own_is_no_reason_to_be_incomplete():
    def body():
        together(*[lambda: [use() for use in USES]] * 2)

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1), result


class Few(int):
    """A number of Python's making, as `count` of `re.sub` is by default from 3.13 on."""


class Counted(int):
    """One that computes what it is."""

    def __index__(self):
        return len(CALLS)


CALLS: list[int] = []


@pytest.mark.parametrize(("kind", "verdict"), [(Few, "proved"), (Counted, "incomplete")])
def test_a_pattern_asks_a_number_for_no_more_than_its_value(kind, verdict):
    few, seen = kind(1), []

    def body():
        together(lambda: seen.append(re.compile("a").sub("b", "aa", few)), lambda: setattr(few, "told", 1))
        assert seen.pop() in ("bb", "ba")

    result = hocket.explore(body)
    assert result.verdict == verdict, result
    told = "is given few, and what it reads of it is not tracked: use hocket.Atomic"
    assert (told in result.reason) == (verdict == "incomplete")


def test_what_is_printed_for_people_is_no_step(capsys, monkeypatch):
    with capsys.disabled(), monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", sys.__stdout__)  # in a worker of xdist it is another stream
        result = hocket.explore(lambda: together(lambda: print(end=""), lambda: print(end="")))
    assert (result.verdict, result.classes) == ("proved", 1), result


@pytest.mark.parametrize(("lock", "verdict"), [(nullcontext, "failed"), (threading.Lock, "proved")])
def test_what_pytest_raises_is_for_each_thread_to_see(lock, verdict):
    def body():
        guard, seen = lock(), [0]

        def refused():
            with guard:
                seen[0] = seen[0] + 1
            with pytest.raises(ValueError, match="x") as told:
                int("x")
            assert type(told.value) is ValueError

        together(refused, refused)
        assert seen == [pytest.approx(2)]

    result = hocket.explore(body)
    assert (result.verdict, result.untracked) == (verdict, ()), result


class Row(list):
    """A list with a name."""


def test_what_a_class_below_a_list_lets_go_of_lives_no_longer():
    def body():
        row, told = Row(), Row()
        alive = weakref.ref(told)
        row.append({"told": told})
        del row[:], told
        assert alive() is None

    assert hocket.explore(body).verdict == "proved"
