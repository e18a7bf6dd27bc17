"""States that C keeps: a cell that is written through a closure, hashes, scanners, contexts and iterators made before.

The first two are faces of one thing: `read.__closure__[0].cell_contents = 1` is what `nonlocal` does under a name. Of
what was made before the exploration and is changed by an execution, each is put back, or named, and nothing is proved.
"""

from __future__ import annotations

import array
import asyncio
import bz2
import collections
import csv
import decimal
import hashlib
import itertools
import mmap
import re
import struct
import threading
import zlib
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import pytest

import hocket


def both(one: Callable[[], object], other: Callable[[], object]) -> None:
    threads = [threading.Thread(target=task) for task in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# -- cells ------------------------------------------------------------------------------------------------------------


def by_cell(write: Callable[[Any, int], None], lock: Any) -> list[int]:
    value, got = 0, []

    def read() -> int:
        return value

    def reads() -> None:
        with lock:
            got.extend((read(), read()))

    def writes() -> None:
        with lock:
            write(read.__closure__[0], 1)

    both(reads, writes)
    return got


def assign(cell: Any, value: int) -> None:
    cell.cell_contents = value


def assign_by_name(cell: Any, value: int) -> None:
    setattr(cell, "cell_" + "contents", value)


def assign_by_descriptor(cell: Any, value: int) -> None:
    type(cell).cell_contents.__set__(cell, value)


@pytest.mark.parametrize("model", ["free", "gil"])
@pytest.mark.parametrize("write", [assign, assign_by_name, assign_by_descriptor])
def test_what_is_written_through_a_closure_is_read_before_between_and_after(write: Any, model: Any) -> None:
    def racy() -> object:
        return tuple(by_cell(write, _Open()))

    def guarded() -> object:
        return tuple(by_cell(write, threading.Lock()))

    result = hocket.explore(racy, model=model)
    assert (result.verdict, result.outcomes) == ("proved", {(0, 0): 1, (0, 1): 1, (1, 1): 1})
    result = hocket.explore(guarded, model=model)
    assert (result.verdict, result.outcomes) == ("proved", {(0, 0): 1, (1, 1): 1})


class _Open:
    """A lock that keeps nobody out."""

    def __enter__(self) -> None:
        """Come in."""

    def __exit__(self, *_: object) -> None:
        """Go."""


# -- what was made before ---------------------------------------------------------------------------------------------


class Step(Enum):
    FIRST, LATER = 1, 2


class Kept(NamedTuple):
    """What was there, and a deed that answers True the first time that it is done, and never again."""

    held: Any
    first: Callable[[Any], bool]


class Box:
    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held


def hashed(made: Any) -> bool:
    before = made.digest()
    made.update(b"x")
    return before == hashlib.new(made.name).digest()


def replaced(box: Any, by: Any) -> bool:
    before, box.held = box.held, by
    return before is not by and before != by


def narrowed(context: Any) -> bool:
    before, context.prec = context.prec, 9
    return bool(before == 5)


def given_defaults(function: Any) -> bool:
    before, function.__defaults__ = function.__defaults__, (1,)
    return before is None


def written(view: Any) -> bool:
    before, view[0] = view[0], 1
    return bool(before == 0)


PACKED = bz2.compress(b"a")
NAMED = {
    "hash": Kept(hashlib.md5(), hashed),
    "compressor": Kept(zlib.compressobj(), lambda made: len(made.compress(b"x")) == 2),
    "decompressor": Kept(bz2.BZ2Decompressor(), lambda made: not made.eof and made.decompress(PACKED) == b"a"),
    "context": Kept(decimal.Context(prec=5), narrowed),
    "packed numbers": Kept(struct.iter_unpack("b", b"abc"), lambda made: next(made, None) == (97,)),
    "scanner": Kept(re.compile(".").scanner("abc"), lambda made: made.match()[0] == "a"),  # type: ignore[attr-defined]
    "matches": Kept(re.finditer(".", "a" * 99), lambda made: next(made).start() == 0),
    "memory": Kept(mmap.mmap(-1, 10), written),
    "rows of text": Kept(csv.reader(map(str, range(99))), lambda made: next(made) == ["0"]),
    "pairs": Kept(itertools.pairwise(range(99)), lambda made: next(made) == (0, 1)),
    "defaults": Kept(lambda given: given, given_defaults),
}
PUT_BACK = {
    "array": Kept(array.array("i", [0]), written),
    "bytes with a view": Kept(memoryview(bytearray(1)), written),
    "one object for another of its class": Kept(Box(Box(0)), partial(replaced, by=Box(1))),
    "member": Kept(Box(Step.FIRST), partial(replaced, by=Step.LATER)),
    "tuple": Kept(Box((1, 2)), partial(replaced, by=(1, 3))),
    "date": Kept(Box(decimal.Decimal(1)), partial(replaced, by=decimal.Decimal(2))),
    "class": Kept(Box(int), partial(replaced, by=float)),
}


def twice(kept: Kept) -> int:
    """How many of two were the first."""
    got: list[bool] = []

    def deed() -> None:
        got.append(kept.first(kept.held))

    both(deed, deed)
    return sum(got)


@pytest.mark.parametrize("what", NAMED)
def test_what_cannot_be_put_back_is_named_and_nothing_is_proved(what: str) -> None:
    result = hocket.explore(partial(twice, NAMED[what]))
    assert result.verdict != "proved"
    assert any("cannot be put back" in each for each in result.untracked), result


@pytest.mark.parametrize("what", PUT_BACK)
def test_what_is_put_back_is_found_by_both_before_either_changes_it(what: str) -> None:
    result = hocket.explore(partial(twice, PUT_BACK[what]))
    assert (result.verdict, sorted(result.outcomes)) == ("proved", [1, 2])
    assert result.outcomes[1] == result.outcomes[2]


def test_a_hash_that_is_only_fed_does_no_harm() -> None:
    fed = hashlib.md5()

    def body() -> None:
        both(lambda: fed.update(b"x"), lambda: fed.update(b"y"))

    assert hocket.explore(body).verdict == "proved"


def test_a_hash_that_is_made_in_the_body_is_proved() -> None:
    def body() -> bytes:
        made = hashlib.md5()
        both(lambda: made.update(b"x"), lambda: made.update(b"y"))
        return made.digest()

    assert (hocket.explore(body).verdict, hocket.explore(body).classes) == ("proved", 2)


def test_a_method_that_tasks_of_c_call_at_their_end_says_then_what_it_does() -> None:
    def body() -> int:
        pending: collections.deque[asyncio.Task[None]] = collections.deque()
        seen: list[int] = []

        async def nothing() -> None:
            pass

        async def main() -> None:
            thread = threading.Thread(target=lambda: seen.append(len(pending)))
            thread.start()
            for _ in range(2):
                task = asyncio.create_task(nothing())
                pending.append(task)
                task.add_done_callback(pending.remove)
            while pending:
                await asyncio.sleep(0)
            thread.join()

        asyncio.run(main())
        return seen[0]

    result = hocket.explore(body)
    # the thread looks before, between and after two that are added and two that are removed
    assert (result.verdict, result.untracked, result.outcomes) == ("proved", (), {0: 2, 1: 2, 2: 1})
