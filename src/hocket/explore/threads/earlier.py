"""Locks that were made before the exploration: in classes, instances, containers, closures, Conditions and queues.

A lock that an import made is the real thing: whoever waits for it waits in C, and whether it was taken is
nobody's operation, so a deadlock would never be found. Each one that nobody holds is exchanged, while the exploration
lasts, for a stand-in that outsiders use as the lock that it stands for (primitives.py). Looked at is what
the body and the modules under exploration hold. A `Condition` that only others hold is named when an actor
enters it (patch.py). Exchanging every one of the process was tried: a thread of the
test runner that is just between its `acquire` and its `release` loses the lock that it has.

Put back is only what is still there: what the program has bound anew is the program's. Refused:
exchanging every lock that the garbage collector knows (those of loggers, pools and plug-ins
belong to the test runner, and would be steps of every program).
"""

from __future__ import annotations

import builtins
import collections
import gc
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

from hocket.explore.threads.leftovers import is_awaited, is_pool, is_primitive
from hocket.explore.threads.primitives import (
    LOCKS,
    ExploredLock,
    ExploredRLock,
    ExploredSimpleQueue,
    is_real_lock,
    made_outside,
)
from hocket.explore.threads.spaces import space_of

__all__ = ["StandIns", "exchange"]

_STAND_INS = (ExploredLock, ExploredRLock, ExploredSimpleQueue)
_CONTAINERS = (dict, list, tuple, set, frozenset, collections.deque)
_WRAPPERS = (partial, property, staticmethod, classmethod)
_WORKING = object()  # what a place holds that cannot be looked at
_LOCK_LIKE = LOCKS | {BuiltinFunctionType, type, MethodType, FunctionType}  # what may have to be exchanged
_REPLACED_KINDS = LOCKS | {BuiltinFunctionType}  # besides what is told apart one by one
_PLAIN: frozenset[type] = frozenset({int, float, complex, str, bytes, bool, type(None)})  # in which no lock can be


class StandIns:
    """One stand-in for each lock, wherever it is found, and for each function of `replaced`, such as makes locks."""

    def __init__(self, replaced: Iterable[tuple[Any, Any]] = ()) -> None:
        pairs = list(replaced)
        originals, replacements = [original for original, _ in pairs], [replacement for _, replacement in pairs]
        self._by_lock: dict[int, Any] = {}
        self._replaced = dict(zip(map(id, originals), replacements, strict=True))
        self._originals = dict(zip(map(id, replacements), originals, strict=True))

    def replacements(self) -> Iterable[int]:
        """The functions that are in place of others, by `id`."""
        return self._originals

    def instead_of(self, value: Any, name: str = "") -> Any:
        """What to put where `value` is, under `name`; None if it may stay: it is no lock, or somebody holds it."""
        if id(value) in self._replaced:
            return self._replaced[id(value)]
        if type(value) in LOCKS:
            known = self._by_lock.get(id(value))
            if known is None and is_real_lock(value):
                known = self._by_lock[id(value)] = made_outside(value, name)
            return known
        if type(value) is BuiltinFunctionType and type(value.__self__) in LOCKS:  # a Condition keeps `lock.acquire`
            stand_in = self.instead_of(value.__self__, name)
            return None if stand_in is None else getattr(stand_in, value.__name__)
        return None

    def may_replace(self, values: list[Any]) -> bool:
        """Whether `instead_of` may have something for one of them."""
        return not (self._replaced.keys().isdisjoint(map(id, values)) and _REPLACED_KINDS.isdisjoint(map(type, values)))

    def original(self, value: Any) -> Any:
        """What to put back where `value` is; None if it is the program's own."""
        if id(value) in self._originals:
            return self._originals[id(value)]
        if issubclass(type(value), MethodType):
            lock = self.original(value.__self__)
            return None if lock is None else getattr(lock, value.__name__)
        lock = getattr(value, "real", None) if type(value) in _STAND_INS else None
        return lock if lock is not None and self._by_lock.get(id(lock)) is value else None


def exchange(undo: ExitStack, roots: Iterable[Any], modules: Iterable[ModuleType], stand_ins: StandIns) -> list[Any]:
    """Exchange the locks in what `roots` hold, and in what `modules` define; answers the primitives that are there."""
    names = {module.__name__ for module in modules}
    everything = [*roots, *(value for module in modules for value in list(space_of(module).values()))]
    todo = list(filter(gc.is_tracked, everything))
    may_hold: dict[type, bool] = {FunctionType: True}
    primitives = []
    # every module has builtins, and they have no locks; what is in place of the real functions calls these
    seen: dict[int, Any] = dict.fromkeys((id(vars(builtins)), *stand_ins.replacements()))
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        kind = type(value)
        if kind not in may_hold:
            may_hold[kind] = _may_hold(kind, names)
        if not may_hold[kind] or (kind is FunctionType and _holds_nothing(value)):
            continue
        if is_primitive(value):
            primitives.append(value)
        if is_pool(value):
            _without_workers(undo, value)
        held = _held_by(value)
        if held is not None and not stand_ins.may_replace(held):
            todo.extend(filter(gc.is_tracked, held))
            continue
        for part, put in _places(value, names):
            replacement = stand_ins.instead_of(part, _name_of(put)) if type(part) in _LOCK_LIKE else None
            if replacement is None:
                if gc.is_tracked(part):
                    todo.append(part)
            elif put is not None:
                put(replacement)
                undo.callback(_put_back, value, names, stand_ins)
        if issubclass(kind, threading.Condition) and stand_ins.original(vars(value)["_lock"]) is not None:
            _own(undo, value)
    return primitives


def _may_hold(kind: type, names: set[str]) -> bool:
    """Whether an instance may be one of which `_places` tells something; most of what a module has is none."""
    return (issubclass(kind, (type, FunctionType, CellType, MethodType, *_WRAPPERS, *_CONTAINERS))
            or is_awaited(kind) or any(base.__module__ in names for base in kind.__mro__))


def _holds_nothing(function: FunctionType) -> bool:
    return not (function.__closure__ or function.__defaults__ or function.__kwdefaults__ or vars(function))


def _without_workers(undo: ExitStack, pool: Any) -> None:
    """Threads that a pool has started before are real, and get none of the jobs of the exploration."""
    own = vars(pool)
    for name, fresh in (("_threads", set()), ("_idle_semaphore", threading.Semaphore(0))):
        undo.callback(own.__setitem__, name, own[name])
        own[name] = fresh


def _name_of(put: Callable[[Any], None] | None) -> str:
    """What a place is called, if it is a name."""
    name = put.args[-1] if isinstance(put, partial) and put.args else ""
    return name if isinstance(name, str) and name != "cell_contents" else ""


def _put_back(value: Any, names: set[str], stand_ins: StandIns) -> None:
    for part, put in _places(value, names):
        original = stand_ins.original(part)
        if original is not None and put is not None:
            put(original)


def _own(undo: ExitStack, condition: threading.Condition) -> None:
    """A Condition finds out whether a plain lock is held by trying to take it: a step that nobody wrote."""
    own = vars(condition)
    if "_is_owned" not in own:
        own["_is_owned"] = own["_lock"]._is_owned
        undo.callback(own.pop, "_is_owned", None)


# -- where a lock can be ----------------------------------------------------------------------------------------------

_Place = tuple[Any, Callable[[Any], None] | None]  # what is there, and how to put something else there


def _places(value: Any, names: set[str]) -> Iterator[_Place]:
    """What `value` holds and where, if it is something of the program's."""
    if issubclass(type(value), type):
        if value.__module__ in names:
            yield from ((part, partial(setattr, value, name)) for name, part in list(vars(value).items()))
    elif issubclass(type(value), FunctionType):
        yield from _places_of_function(value)
    elif issubclass(type(value), CellType):
        with suppress(ValueError):  # empty as yet
            yield value.cell_contents, partial(setattr, value, "cell_contents")
    elif issubclass(type(value), MethodType):
        yield from ((value.__self__, None), (value.__func__, None))
    elif issubclass(type(value), _WRAPPERS):
        if issubclass(type(value), partial):
            yield value.func, partial(_set_function, value)
        yield from ((part, None) for part in gc.get_referents(value))
    else:
        if issubclass(type(value), collections.defaultdict):
            yield value.default_factory, partial(setattr, value, "default_factory")
        if issubclass(type(value), _CONTAINERS):
            yield from _places_of_container(value)
        if is_primitive(value) or any(base.__module__ in names for base in type(value).__mro__):
            yield from _places_of_instance(value)


def _held_by(value: Any) -> list[Any] | None:
    """What `_places` finds in the commonest of them, without where; None of others."""
    kind = type(value)
    if kind is dict:
        return list(value.values())
    if kind is list or kind is tuple:
        return list(value)
    if kind is FunctionType:
        return [*(value.__closure__ or ()), *vars(value).values(), *(value.__kwdefaults__ or {}).values(),
                *(value.__defaults__ or ())]
    return None


def _places_of_function(function: FunctionType) -> Iterator[_Place]:
    yield from ((cell, None) for cell in function.__closure__ or ())
    wrapped = vars(function)
    yield from ((part, partial(wrapped.__setitem__, name)) for name, part in list(wrapped.items()))
    keywords = function.__kwdefaults__ or {}
    yield from ((part, partial(keywords.__setitem__, name)) for name, part in list(keywords.items()))
    defaults = function.__defaults__ or ()
    yield from ((part, partial(_set_default, function, index)) for index, part in enumerate(defaults))


def _set_function(value: Any, function: Any) -> None:
    value.__setstate__((function, value.args, value.keywords, vars(value)))


def _set_default(function: FunctionType, index: int, value: Any) -> None:
    before = function.__defaults__ or ()
    function.__defaults__ = (*before[:index], value, *before[index + 1:])


def _places_of_container(value: Any) -> Iterator[_Place]:
    """Where something can be in it; what is plain is left out, because a container of it may be large."""
    held = list(dict.values(value) if issubclass(type(value), dict) else value)
    if _PLAIN.issuperset(map(type, held)):
        return
    if issubclass(type(value), dict):
        yield from ((part, partial(dict.__setitem__, value, key)) for key, part in list(dict.items(value))
                    if type(part) not in _PLAIN)
    elif issubclass(type(value), (list, collections.deque)):
        yield from ((part, partial(value.__setitem__, index)) for index, part in enumerate(held)
                    if type(part) not in _PLAIN)
    else:  # a tuple stays what it is: the lock within is reported when it is used
        yield from ((part, None) for part in held if type(part) not in _PLAIN)


def _places_of_instance(value: Any) -> Iterator[_Place]:
    own = getattr(value, "__dict__", None)
    if type(own) is dict:
        yield from ((part, partial(own.__setitem__, name)) for name, part in list(own.items()))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if issubclass(type(slots), str) else tuple(slots):
            member = vars(kind).get(_mangled(kind, name))
            part = member.__get__(value) if member is not None and _is_set(member, value) else _WORKING
            if part is not _WORKING:
                yield part, partial(_member_set, member, value)


def _mangled(kind: type, name: str) -> str:
    hidden = name[:2] == "__" and name[-2:] != "__"
    return f"_{kind.__name__.lstrip('_')}{name}" if hidden else name


def _is_set(member: Any, value: Any) -> bool:
    try:
        member.__get__(value)
    except AttributeError:
        return False
    return True


def _member_set(member: Any, value: Any, part: Any) -> None:
    member.__set__(value, part)
