"""Programs that were called proved, or ended badly, until `python -m tests.fuzz_threads` met them.

Each is explored and held against every schedule of plain Python, as there.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.fuzz_threads import Program, check
from tests.thread_templates import Family


class Row(NamedTuple):
    """What two threads do with what `made` makes, each in statements one a line."""

    made: str
    one: str
    other: str
    end: str
    before: str = ""


_COMPARED = """class C:
    def __init__(self, a): self.a = a
    def __repr__(self): return f'C{self.a}'
    def __eq__(self, o): return self.a == o.a
    def __lt__(self, o): return self.a < o.a"""
ROWS = {
    "an iterator that was made before its list was shared":
        Row("d = [1, 2, 3]\ns = iter(d)", "note(next(s, None))", "d.clear()", "list(s), d"),
    "an iterator of one thread over the list of several":
        Row("d = [1, 2]", "it = iter(d)\nnote(next(it))\nnote(list(it))", "d.append(3)", "d"),
    "a generator expression that two go through":
        Row("d = [1, 2]\ns = (x + 1 for x in d)", "note(3 in s)", "note(sorted(s))", "list(s)"),
    "a generator expression over a list that another changes":
        Row("d = [1, 2]\ns = (x + 1 for x in d)", "note(next(s, None))", "d.pop()\nd.pop()", "list(s)"),
    "the iterator of items is given to dict": Row("d = {0: 1}\ns = iter(d.items())", "note(dict(s))", "d[2] = 3", "d"),
    "a map made earlier": Row("d = [1, 2]\ns = map(str, d)", "note(list(s))", "d.append(3)", "list(s)"),
    "a filter that looks twice in one step":
        Row("d = [0, 0, 1]\nc = [0]\ndef f(x): return c[0]\ns = filter(f, d)", "note(next(s, None))",
            "d[1] = 5\nc[0] = 1", "d"),
    "reversed is used later": Row("d = [1, 2]\ns = reversed(d)", "note(next(s, None))", "d.pop()", "list(s)"),
    "reversed items are listed later":
        Row("import collections\ns = collections.OrderedDict([(0, 1)])", "x = reversed(s.items())\nnote(list(x))",
            "s[2] = 3", "s"),
    "what is popped until zero": Row("d = [0, 1, 2]\ns = iter(d.pop, 0)", "note(next(s, None))", "note(len(d))", "d"),
    "a sum that goes through a generator":
        Row("s = gen()", "note(sum(s))", "note(next(s))", "list(s)", "def gen(): yield from (1, 2)"),
    "bytes are joined": Row("s = bytearray(b'ab')", "note(b''.join([s, s]))", "s.reverse()", "s"),
    "lists are added up": Row("s = ([1], [2])", "note(sum(s, []))", "s[1].append(3)", "s"),
    "a slot is set by its descriptor":
        Row("s = C()", "C.a.__set__(s, 1)", "C.a.__set__(s, 2)", "s.a", "class C: __slots__ = ('a',)"),
    "what a namespace shows": Row("import types\ns = types.SimpleNamespace(a=0)", "note(str(s))", "s.a = 1", "s"),
    "what an exception shows": Row("s = ValueError(1)", "note(str([s]))", "s.args = (2,)", "s.args"),
    "a view of memory is added up": Row("s = memoryview(bytearray(b'ab'))", "note(sum(s))", "s[0] = 5", "bytes(s)"),
    "a dict that changes between the beginning of a loop and its first round":
        Row("d = {0: 1}", "for k in d: note(k)", "d[2] = 3", "d"),
    "a set that changes before the first round": Row("d = {1}", "for k in d: note(k)", "d.add(3)", "d"),
    "items of a deque are replaced while it is gone through":
        Row("import collections\nd = collections.deque([1])", "for k in d: note(k)", "d[0] = 3", "d"),
    "bytes are replaced while they are gone through":
        Row("d = bytearray(b'a')", "for k in d: note(k)", "d[0] = 3", "d"),
    "an array is made of shared bytes":
        Row("import array\nd = bytearray(b'a')", "note(array.array('b', d))", "d[0] = 3", "d"),
    "the names of an object are listed":
        Row("s = C()", "note(dir(s)[-2:])", "s.b = 1", "sorted(vars(s))", "class C: pass"),
    "a list is looked for among lists": Row("s = ([1], [2])", "note([1] in s)", "s[0].append(3)", "s"),
    "a list is looked for in a list of lists":
        Row("s = [[1], [2]]", "note([1] in s, s.index([2]))", "s[0].append(3)", "s"),
    "a view of memory is made where another shortens it":
        Row("d = bytearray(b'abc')", "memoryview(d)[0] = 9", "del d[0]", "d"),
    "a view of memory is gone through":
        Row("d = bytearray(b'ab')\ns = memoryview(d)", "note([x for x in s])", "d[1] += 1", "d"),
    "whether a generator is at its end": Row("s = (x for x in (1,))", "note(s.gi_frame is None)", "note(*s)", "1"),
    "an array's method is kept":
        Row("import array\nd = array.array('i', [0])", "add = d.extend\nadd([1])", "note(list(d))", "list(d)"),
    "one list is added to another": Row("d, e = [1], [2]", "d.extend(e)", "e.append(3)\nd.append(4)", "d, e"),
    "a list is looked through by a method of the program's, and changed meanwhile":
        Row("s = C(1)\nd = [C(2), s]", "note(d.index(s))", "d.pop(0)", "d", _COMPARED),
    "a heap is made, with a method of the program's, and looked at meanwhile":
        Row("import heapq\ns = C(1)\nd = [C(2), s]", "heapq.heapify(d)", "note(d.index(s))", "d", _COMPARED),
    "the greatest is looked for by a function":
        Row("d = [1, 2]", "note(max(d, key=lambda x: -x))", "d.insert(0, 3)", "d"),
    "a list is looked for by a method of a tuple":
        Row("s = ([1], [2])", "note(s.index([2]))", "s[1].clear()", "s"),
    "an ordered dict is copied item by item":
        Row("import collections, copy\ns = collections.OrderedDict([(0, 1)])", "note(copy.copy(s))", "s[2] = 3", "s"),
    "a list is copied with all in it":
        Row("import copy\ns = [1, 2]", "note(copy.deepcopy(s))", "s[0] = 3\ns[1] = 4", "s"),
    "extended by an iterator": Row("d = [1]\ns = iter(d)\ne = []", "e.extend(s)", "d.append(2)", "e"),
}


LASTING = {
    "an array": Row("import array\ns = array.array('i', [1, 2])", "s.reverse()", "s[0] = 3", "list(s)"),
    "bytes that somebody has a view of":
        Row("d = bytearray(b'ab')\ns = memoryview(d)", "s[0] = 9", "note(bytes(s))", "d"),
    "an object in the place of another of its class":
        Row("s = [F(0)]", "note(s[0] == F(0))", "s[0] = F(1)", "s",
            "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass F: x: int"),
    "the arguments of an exception":
        Row("s = ValueError(1)", "s.args = (2,)", "s.args = (*s.args, 3)", "s.args"),
    "a key that is there in the first execution only":
        Row("import collections\ns = collections.ChainMap({0: 'a'}, {0: 'b', 1: 'c'})",
            "for _ in range(2): s.pop(0)", "s.pop(0)\ns[0] = 10", "s.maps"),
    "iterators that go on":
        Row("d = [1, 2, 3]\ns = enumerate(d)\nt = zip(s, d)", "note(next(s))", "note(next(t))", "list(t)"),
    "numbers that are counted on":
        Row("import itertools\ns = itertools.count()", "note(next(s))", "note(next(s))", "next(s)"),
}
"""Here what is shared is the module's, and one execution finds what another has left."""


def _program(row: Row, lasting: bool = False) -> Program:
    family = Family("", row.made, "", "", row.end, row.before)
    return Program(family, row.made, tuple(tuple(each.split("\n")) for each in (row.one, row.other)), lasting)


@pytest.mark.parametrize("what", ROWS)
def test_all_that_plain_python_comes_to_is_explored(what: str) -> None:
    answer = check(_program(ROWS[what]), most=100)
    assert answer.word in ("agreed", "more"), answer.told  # what goes through an iterator in C is several steps


@pytest.mark.parametrize("what", LASTING)
def test_each_execution_begins_as_the_first(what: str) -> None:
    answer = check(_program(LASTING[what], lasting=True), most=100)
    assert answer.word == "agreed", answer.told
