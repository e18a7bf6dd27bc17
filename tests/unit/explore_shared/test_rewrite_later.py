"""Syntax that came after 3.11."""

from __future__ import annotations

import sys

import pytest

from tests.unit.explore_shared.side_by_side import probes, ran

GENERIC = """
type Pair[T] = tuple[T, T]
class Box[T: (int, str)](dict):
    n = 0
    def put[U](self, v: T, *more: U) -> U:
        self.n += 1
        self['v'] = v
        return more, U.__name__, T.__name__, __class__.__name__
def first[T](xs: list[T], default=s_default) -> T:
    def inner(): return T.__name__, xs[0]
    return inner
def run(s, log):
    x = 1
    def cell[T](y=x):
        nonlocal x
        x += 1
        return x, T.__name__
    type Local = x
    class Inner[T]:
        z = x
        def m(self): return T.__name__, x
    T = 5
    def other(): return T
    T = 6
    type x_ = T
    return (Box().put(1, 2), first([s.a])(), cell(), cell(), Inner().m(), other(), Inner.z, Local.__value__,
            Pair.__type_params__[0].__name__, [f'{x + 1!r:>{x}} {'nested' + f"{[*'ab']}"}'])
"""
TEMPLATE = """
def run(s, log):
    x = 1
    t = t'a{s.b!r:>{x}}c{x}'
    return t.strings, [(part.value, part.expression, part.conversion, part.format_spec) for part in t.interpolations]
"""


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("executed", [False, True])
@pytest.mark.parametrize("source", [
    pytest.param("s_default = 1\n" + GENERIC, marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="3.12")),
    pytest.param(TEMPLATE, marks=pytest.mark.skipif(sys.version_info < (3, 14), reason="3.14")),
], ids=["generic", "template"])
def test_it_does_the_same_rewritten(source, executed, direct):
    plain = ran(source, again=False)
    with probes():
        assert ran(source, again=True, executed=executed, direct=direct) == plain
