"""Probes that do what Python does without them."""

from __future__ import annotations

import builtins
import operator
from typing import Any

from hocket.explore.shared.rewrite import unbound

BINARY = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "@": operator.matmul, "&": operator.and_, "|": operator.or_,
    "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
}
INPLACE = {
    "+": operator.iadd, "-": operator.isub, "*": operator.imul, "/": operator.itruediv, "//": operator.ifloordiv,
    "%": operator.imod, "**": operator.ipow, "@": operator.imatmul, "&": operator.iand, "|": operator.ior,
    "^": operator.ixor, "<<": operator.ilshift, ">>": operator.irshift,
}
COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "is": operator.is_, "is not": operator.is_not,
    "in": lambda a, b: a in b, "not in": lambda a, b: a not in b,
}


class Lazily:
    def __init__(self, fn: Any) -> None:
        self._fn = fn

    @property
    def value(self) -> Any:
        return self._fn()


class PlainProbes:
    """The object behind `__hocket__` when nobody explores."""

    slice = slice
    lazily = Lazily

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def get(self, o, a, /):
        return getattr(o, a)

    def set(self, v, o, a, /):
        setattr(o, a, v)

    def delete(self, o, a, /):
        delattr(o, a)

    def item(self, o, k, /):
        return o[k]

    def put(self, v, o, k, /):
        o[k] = v

    def drop(self, o, k, /):
        del o[k]

    def call(self, f, /, *args, **kwargs):
        return f(*args, **kwargs)

    def method(self, o, m, /, *args, **kwargs):
        return getattr(o, m)(*args, **kwargs)

    def same(self, v, /):
        return v

    told = lambda self, value, how: value  # noqa: E731
    whole = iterate = asynchronous = truth = subject = observed = captured = manager = answered = same

    def cell(self, name, fn, /):
        try:
            return fn.__closure__[0].cell_contents
        except ValueError:
            raise unbound(name, fn) from None

    def setcell(self, name, fn, v, /):
        assert fn.__code__.co_freevars == (name,)
        return v

    def delcell(self, name, fn, /):
        assert fn.__code__.co_freevars == (name,)

    def glob(self, names, x, /):
        try:
            return names[x]
        except KeyError:
            pass
        try:
            return vars(builtins)[x]  # getattr would make annotations for it
        except KeyError:
            raise NameError(f"name {x!r} is not defined", name=x) from None

    def setglob(self, names, x, v, /):
        return v

    def delglob(self, names, x, /):
        pass

    def name(self, inner, outer, x, /):
        try:
            return inner[x]
        except KeyError:
            return self.glob(outer, x)

    def contained(self, a, b, /):
        return a in b

    def compare(self, op, a, b, /):
        return COMPARE[op](a, b)

    def link(self, op, a, b, /):
        outcome = COMPARE[op](a, b)
        if not outcome:
            return outcome
        self.kept.append(b)
        return True

    def linked(self):
        return self.kept.pop()

    def binary(self, op, a, b, /):
        return BINARY[op](a, b)

    def inplace(self, op, a, b, /):
        return INPLACE[op](a, b)

    def code(self, text, mode, /):
        return text


class DirectProbes(PlainProbes):
    """The same, for calls that the caller makes itself."""

    def callee(self, f, /):
        return f

    def bound(self, o, m, /):
        return getattr(o, m)
