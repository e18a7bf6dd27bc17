"""A pattern looks at the length, then at the items: what others do in between is tried, and the pattern is Python's.

What stands in the place of a subject is held against the subject itself, for subjects and patterns of all kinds.
"""

from __future__ import annotations

import ast
import collections
import itertools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import hocket
from hocket.explore.shared.observed import Observing
from hocket.explore.shared.rewrite import rewrite
from tests.unit.explore_shared.plain_probes import PlainProbes


def both(one: Callable[[], object], other: Callable[[], object]) -> None:
    threads = [threading.Thread(target=task) for task in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Box:
    def __init__(self) -> None:
        self.items = [1, 2]


def pair(box: Box) -> object:
    match box.items:
        case [a, b]:
            return a, b
        case [a, *rest] if rest:
            return rest
    return None


def pair_within(box: Box) -> object:
    match box:
        case Box(items=[a, b]):
            return a, b
        case Box(items=items):
            return items is box.items
    return None


def pair_in_a_tuple(box: Box) -> object:
    match box.items, 1:
        case [a, b], 1:
            return a, b
    return None


def run(match: Callable[[Box], object], lock: Any = None) -> str:
    box, got = Box(), []

    def look() -> None:
        if lock is not None:
            lock.acquire()
        try:
            got.append(match(box))
        except ValueError as error:
            got.append(type(error))
        finally:
            if lock is not None:
                lock.release()

    def change() -> None:
        if lock is not None:
            lock.acquire()
        box.items.append(3)
        if lock is not None:
            lock.release()

    both(look, change)
    return repr(got)


@pytest.mark.parametrize("match", [pair, pair_within, pair_in_a_tuple])
def test_who_comes_between_length_and_items_makes_too_many(match: Any) -> None:
    result = hocket.explore(lambda: run(match))
    assert result.verdict == "proved"
    assert result.classes == 3
    assert "[<class 'ValueError'>]" in result.outcomes
    assert hocket.explore(lambda: run(match), model="gil").classes == 2
    guarded = hocket.explore(lambda: run(match, threading.Lock()))
    assert (guarded.verdict, guarded.classes) == ("proved", 2)
    assert "[<class 'ValueError'>]" not in guarded.outcomes


def test_who_comes_between_length_and_keys_takes_one_away() -> None:
    def body() -> object:
        table, got = {"a": 1, "b": 2}, []

        def look() -> None:
            match table:
                case {"a": a, "b": b}:
                    got.append((a, b))
                case {"b": b, **rest}:
                    got.append((b, rest))
                case _:
                    got.append(None)

        both(look, lambda: table.pop("a"))
        return repr(got)

    assert set(hocket.explore(body).outcomes) == {"[(1, 2)]", "[(2, {})]"}


# -- Python's own matching --------------------------------------------------------------------------------------------


class Row(NamedTuple):
    a: Any
    b: Any


class Held:
    __match_args__ = ("a", "b")

    def __init__(self, a: Any, b: Any) -> None:
        self.a, self.b = a, b

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and (self.a, self.b) == (other.a, other.b)

    __hash__ = None  # type: ignore[assignment]


class Line(collections.UserList[Any]):
    """A sequence that is no list."""


class Table(collections.UserDict[Any, Any]):
    """A mapping that is no dict."""


SUBJECTS = [
    [], [1], [1, 2], [1, [2, 3]], (1, 2), ([1], [2]), {}, {"a": 1}, {"a": [1, 2], "b": 2}, "ab", b"ab",
    bytearray(b"ab"), 1, 1.5, None, True, {1, 2}, range(2), Row(1, [2]), Held([1], {"a": 2}), Held(1, Held(1, 2)),
    Line([1, 2]), Table(a=1), collections.deque([1, 2]), collections.OrderedDict(a=1),
    collections.defaultdict(list, a=[1]), Row, [None], [Held(1, 2), {"a": (1, 2)}],
]
PATTERNS = [
    "[]", "[x]", "[_, _]", "[x, *y]", "[*_]", "[x, *_, y]", "[[x], [y]]", "[1, [x, y]]", "(1, x) as y",
    "[1, *x] | {'a': x}", "{}", "{'a': x}", "{'a': [x, y], **z}", "{**x}", "{'a': _, 'b': y}", "list()", "list(x)",
    "tuple([x, y])", "dict(x)",
    "str(x)", "int() | float() as x", "Row(x, y)", "Row(a=1, b=[x])", "Held([x], {'a': y})", "Held(1, Held(x, 2))",
    "Held(x, y) as z", "1", "None", "True", "'ab'", "CONST.one", "CONST.held", "[None]", "Line([x, y])", "Table() as x",
    "[Held() as x, {'a': (y, z)}]", "x if isinstance(x, list)", "[x, y] if x == 1", "Held(1, 2, 3)", "Held(1, a=2)",
    "CONST.wrong()", "[x, [y, *z]]", "set() as x", "bytearray(x)",
]
TEXT = """
def matched(v):
    x = y = z = '-'
    match v:
        case {pattern}:
            return 'yes', x, y, z
        case _ if v is None:
            return 'none'
    return 'no'
"""


class Const:
    one, held, wrong = 1, Held(1, Held(1, 2)), 3


class Observed(PlainProbes):
    """What is matched is observed, and nothing else happens."""

    stand_in, captured, size = Observing.stand_in, Observing.captured, Observing.size
    observed = Observing.stand_in

    def _base(self, kind: type) -> bool:
        return kind in (list, dict)

    def all_of(self, o: Any, every: Any) -> Any:
        return every(o)

    def compare(self, sign: str, a: Any, b: Any) -> Any:
        return a == b


def outcome(code: Any, subject: Any, names: dict[str, Any]) -> tuple[Any, Any]:
    exec(code, names)
    try:
        return names["matched"](subject), None
    except TypeError as error:
        return None, str(error)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_observed_matches_and_is_captured_as_it_is(pattern: str) -> None:
    text = TEXT.format(pattern=pattern)
    rewritten = compile(ast.fix_missing_locations(rewrite(ast.parse(text), direct=False)), "t", "exec")
    names: dict[str, Any] = {"Row": Row, "Held": Held, "Line": Line, "Table": Table, "CONST": Const}
    for subject in SUBJECTS:
        plain, told = outcome(compile(text, "t", "exec"), subject, dict(names))
        other = outcome(rewritten, subject, {**names, "__hocket__": Observed()})
        assert other == (plain, told), subject
        assert type(plain) is not tuple or _kinds(plain) == _kinds(other[0])


def _kinds(value: Any) -> list[Any]:
    inside = itertools.chain.from_iterable(map(_kinds, value)) if type(value) in (tuple, list) else ()
    return [type(value), *inside]
