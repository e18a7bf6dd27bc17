"""Built-in functions that stand for what a program could also write: `getattr(o, "x")` for `o.x`, `len(o)`, `iter(o)`.

Each is a row: what the probes do when it is called.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from hocket.explore.shared.announce import SHARING
from hocket.explore.shared.clocks import CLOCKS
from hocket.explore.shared.heap import SIZE
from hocket.explore.shared.iterating import _VIEWS
from hocket.explore.shared.looking_back import FOR_THE_USER, LOOKING_BACK
from hocket.explore.threads.control import ACTORS
from hocket.explore.threads.pool import _get_ident

__all__ = ["RAW", "SPECIAL"]


def _getattr(probes: Any, o: Any, name: str, *default: Any) -> Any:
    try:
        return probes.get(o, name)
    except AttributeError:
        if default:
            return default[0]
        raise


def _hasattr(probes: Any, o: Any, name: str) -> bool:
    try:
        probes.get(o, name)
    except AttributeError:
        return False
    return True


def _vars(probes: Any, *of: Any) -> Any:
    return probes.get(of[0], "__dict__") if of else LOOKING_BACK[vars]()


def _dir(probes: Any, *of: Any) -> Any:
    actor = ACTORS.get(_get_ident())
    if of and actor is not None:
        things = [probes._known.get(id(o)) or probes._always_shared(o) for o in (of[0], *type(of[0]).__mro__)]
        probes._announce(actor, "data.read", [
            place for thing in things if thing is not None for place in probes._attributes(thing)])
    return LOOKING_BACK[dir](*of)


def _length(probes: Any, o: Any) -> int:
    if type(o) in _VIEWS:
        probes._looked((o,))
    probes.truth(o)
    return len(o)


def _length_hint(probes: Any, o: Any, default: int = 0) -> int:
    thing = probes._known.get(id(o))
    actor = SHARING[_get_ident()] if thing is not None else None
    if thing is not None and actor is not None and probes._base(type(o)) is None:
        probes._announce(actor, "data.read", [(thing, SIZE)])
    probes.truth(o)
    return operator.length_hint(probes.shown(o), default)


def _iter(probes: Any, o: Any, *more: Any) -> Any:
    return iter(probes.iterate(o)) if not more else iter(probes._speaking(o), *more)


def _bool(probes: Any, *args: Any) -> bool:
    return bool(probes.truth(args[0])) if args else False


def _type(probes: Any, *args: Any, **named: Any) -> Any:
    if len(args) != 1 or named:
        return FOR_THE_USER[type](probes, *args, **named)  # a class, that notes where it is made
    probes._look_at_class(args[0])
    return type(args[0])


def _isinstance(probes: Any, o: Any, kinds: Any) -> bool:
    probes._look_at_class(o)
    return isinstance(o, kinds)


def _inplace(sign: str) -> Callable[..., Any]:
    return lambda probes, a, b: probes.inplace(sign, a, b)


def _reduce(probes: Any, function: Any, values: Any, *initial: Any) -> Any:
    return functools.reduce(partial(probes.call, function), probes.iterate(values), *initial)


def _from_iterable(probes: Any, values: Any) -> Any:
    return itertools.chain.from_iterable(map(probes.iterate, probes.iterate(values)))


def _raw(method: str, plain: Any) -> Callable[..., Any]:
    """A method of `object` or `type` that reads or writes an attribute without asking anybody."""
    def touch(probes: Any, o: Any, *rest: Any) -> Any:
        return getattr(probes, method)(o, *rest, plain)

    return touch


RAW = {"__getattribute__": "get_raw", "__setattr__": "set_raw", "__delattr__": "delete_raw"}
_INPLACE_NAMES = {"iadd": "+", "iconcat": "+", "isub": "-", "imul": "*", "ior": "|", "iand": "&", "ixor": "^",
                  "itruediv": "/", "ifloordiv": "//", "imod": "%", "ilshift": "<<", "irshift": ">>", "ipow": "**",
                  "imatmul": "@"}
SPECIAL: dict[Any, Callable[..., Any]] = {
    isinstance: _isinstance, operator.getitem: lambda probes, o, key: probes.item(o, key),
    operator.length_hint: _length_hint, operator.contains: lambda probes, o, item: probes.contained(item, o),
    operator.not_: lambda probes, o: not probes.truth(o), operator.truth: lambda probes, o: bool(probes.truth(o)),
    **{getattr(operator, name): _inplace(sign) for name, sign in _INPLACE_NAMES.items()},
    **FOR_THE_USER, type: _type, getattr: _getattr, hasattr: _hasattr, vars: _vars, dir: _dir,
    len: _length, iter: _iter, bool: _bool,
    setattr: lambda probes, o, name, value: probes.set(value, o, name),
    delattr: lambda probes, o, name: probes.delete(o, name),
    **{getattr(base, name): _raw(method, getattr(base, name))
       for base in (object, type) for name, method in RAW.items()},
    aiter: lambda probes, o: aiter(probes.asynchronous(o)),
    anext: lambda probes, o, *default: anext(probes.asynchronous(o), *default),
    functools.reduce: _reduce, itertools.chain.from_iterable: _from_iterable, **CLOCKS,
}
