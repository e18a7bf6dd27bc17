"""Containers that are shared: keys, indices, sizes, iteration, operators.

What a method touches is a row of containers.py. Keys are places of their own, so two
keys of one dict are independent; whether a key is there is a state of the engine, since it
decides what a store does. A key that means nothing in another execution (an object
that nobody else knows) stands for all such keys.
"""

from __future__ import annotations

import operator
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from functools import partial
from types import (
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

from hocket.explore.shared.announce import SHARING, Places, _is_plain, together
from hocket.explore.shared.containers import touch_of
from hocket.explore.shared.heap import SIZE, Thing
from hocket.explore.shared.iterating import _VIEWS, Iterating, _behind
from hocket.explore.shared.keys import OTHER, canonical
from hocket.explore.shared.names import stable_names
from hocket.explore.shared.parts import LIFE, WEAK, is_stepping, own_names, plainly
from hocket.explore.shared.stateful import is_stateful
from hocket.explore.threads.control import ACTORS, Actor
from hocket.explore.threads.pool import _get_ident
from hocket.explore.threads.primitives import ExploredLock, ExploredSimpleQueue

__all__ = ["Holding"]


_THROUGH = frozenset({*_VIEWS, MappingProxyType})
_ENTERED_AT_ONCE = frozenset({*_VIEWS, tuple, frozenset})
_COMPARING = frozenset({"__contains__", "index", "count", "remove", "sort"})  # what is held is compared as well
_SEEN_THROUGH = frozenset({memoryview, MappingProxyType})
_OF_C = {ExploredLock, ExploredSimpleQueue}  # what they stand for is made by C, in one go
_NESTING: tuple[Any, ...] = (dict, list, tuple, set, frozenset, deque)
_TOLD_BY_C = (SimpleNamespace, BaseException)  # C goes through what they have
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "<<": operator.lshift, ">>": operator.rshift, "|": operator.or_,
    "&": operator.and_, "^": operator.xor, "@": operator.matmul,
}
_INPLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.iadd, "-": operator.isub, "*": operator.imul, "/": operator.itruediv, "//": operator.ifloordiv,
    "%": operator.imod, "**": operator.ipow, "<<": operator.ilshift, ">>": operator.irshift, "|": operator.ior,
    "&": operator.iand, "^": operator.ixor, "@": operator.imatmul,
}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}
_METHODS = {"==": "__eq__", "!=": "__eq__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}
_DEEPEST_PATTERN = 4
_READING = {"read", "size", "look", "place", "view", "iterate"}
_OF_A_KEY = {"read", "put", "ensure", "drop"}


class Holding(Iterating):
    """The probes of items, iteration, truth and operators."""

    # -- items --------------------------------------------------------------------------------------------------------

    def item(self, o: Any, key: Any) -> Any:
        """`o[key]`"""
        thing = self._known.get(id(o))
        if type(o) in _SEEN_THROUGH:
            if type(o) is MappingProxyType:
                return self.item(_behind(o), key)
            self._looked((o,))
        if thing is None:
            return o[key]
        if not self._is_builtin(type(o), "__getitem__"):
            self._given(o, "__getitem__", (key,))
            return o[key]
        return self._used(thing, o, "__getitem__", (key,), {})

    def put(self, value: Any, o: Any, key: Any) -> None:
        """`o[key] = value`"""
        if type(o) is memoryview:
            self._through(o)
        thing = self._known.get(id(o))
        if thing is None or not self._is_builtin(type(o), "__setitem__"):
            self._given(o, "__setitem__", (key, value))
            o[key] = value
        else:
            self._used(thing, o, "__setitem__", (key, value), {})

    def _through(self, view: memoryview) -> None:
        """What lies under a memoryview is written."""
        thing = self._known.get(id(view.obj))
        actor = SHARING[_get_ident()] if thing is not None else None
        if thing is not None and actor is not None:
            self._touch(actor, thing, view.obj, "shape", ())

    def drop(self, o: Any, key: Any) -> None:
        """`del o[key]`"""
        thing = self._known.get(id(o))
        if thing is None or not self._is_builtin(type(o), "__delitem__"):
            self._given(o, "__delitem__", (key,))
            del o[key]
        else:
            self._used(thing, o, "__delitem__", (key,), {})

    def contained(self, item: Any, o: Any) -> bool:
        """`item in o`"""
        if type(o) in _ENTERED_AT_ONCE:
            return bool(self.in_step(operator.contains, o, item))
        if type(o) is MappingProxyType:
            return self.contained(item, _behind(o))
        thing = self._known.get(id(o))
        if thing is None or not self._is_builtin(type(o), "__contains__"):
            self._looked((item,), deep=True)
            self._given(o, "__contains__", (item,))
            return item in self.followed(o)
        return bool(self._used(thing, o, "__contains__", (item,), {}))

    def _given(self, o: Any, name: str, values: tuple[Any, ...]) -> None:
        """An operator calls a method of `o`, which is no built-in one; if it is foreign, that is a foreign call."""
        kind = type(o)
        if is_stateful(kind):
            return self._in_one_step(o, name)
        base, method = self._base(kind), getattr(kind, name, None)
        if kind.__module__ == "builtins" or self.mocks.has(o) or base is kind:
            return None
        if base is not None and method is getattr(base, name, None):  # which keeps nothing but what it puts in `o`
            return None
        if method is None or (issubclass(type(method), FunctionType) and self._is_rewritten(method.__code__)):
            return None
        actor = ACTORS.get(_get_ident())
        if actor is not None:
            self._suspect(actor, method, (o, *values))
            for value in (o, *values):
                self.heap.escape(value, actor)
        return None

    # -- iteration, truth, operators ----------------------------------------------------------------------------------

    def whole(self, o: Any) -> Any:
        """All of `o` is read at once."""
        if is_stepping(type(o)):
            return self.iterate(o)
        self._looked((o,), deep=True)
        if id(o) in self._known:
            self._generated("__repr__", o)
        return o

    def truth(self, o: Any) -> Any:
        """`if o`"""
        if type(o) is MappingProxyType:
            self.truth(_behind(o))
        thing = self._known.get(id(o))
        if thing is not None and self._base(type(o)) is not None:
            actor = SHARING[_get_ident()]
            if actor is not None:
                self._touch(actor, thing, o, "size", ())
        return o

    def compare(self, sign: str, a: Any, b: Any) -> Any:
        """`a == b`, `a < b`, …"""
        if _is_plain(a) and _is_plain(b):
            return _COMPARE[sign](a, b)
        return self.in_step(_COMPARE[sign], a, b, before=partial(self._compared, sign, a, b))

    def _compared(self, sign: str, a: Any, b: Any) -> None:
        if id(a) in self._known or id(b) in self._known:
            self._generated(_METHODS[sign], a, b)

    def in_step(self, f: Callable[..., Any], *args: Any, before: Callable[[], object] | None = None) -> Any:
        """`f(*args)`, which reads all of that in one step, unless it has to ask the program in between."""
        touched = self._places_in(args, deep=True)
        actor = SHARING[_get_ident()] if touched else ACTORS.get(_get_ident())
        if actor is not None and touched:
            self._announce(actor, "data.read", touched)
        if before is not None:
            before()
        return f(*args) if actor is None else self.in_company(actor, "data.read", touched, partial(f, *args))

    def _generated(self, name: str, *sides: Any) -> None:
        """A method without a source, such as a dataclass's `__eq__`, reads the attributes of both sides."""
        methods = [getattr(type(side), name, None) for side in sides]
        if not any(_is_generated(method) and not self._speaks_itself(method) for method in methods):
            return
        touched = [place for side in sides if (thing := self._known.get(id(side))) is not None
                   for place in self._attributes(thing)]
        actor = SHARING[_get_ident()] if touched else None
        if actor is not None:
            self._announce(actor, "data.read", touched)

    def _speaks_itself(self, method: Any) -> bool:
        return isinstance(method, FunctionType) and self._is_rewritten(method.__code__)

    def binary(self, sign: str, a: Any, b: Any) -> Any:
        """`a + b`, …"""
        if sign == "%":
            return self.in_step(operator.mod, a, b)
        self._looked((a, b))
        return _BINARY[sign](a, b)

    def inplace(self, sign: str, a: Any, b: Any) -> Any:
        """What `a += b` assigns to `a`."""
        b = self.followed(b)
        thing = self._known.get(id(a))
        actor = SHARING[_get_ident()] if thing is not None else None
        if thing is None or actor is None or self._base(type(a)) is None:
            self._looked((b,))
            return _INPLACE[sign](a, b)
        self._escaping(actor, thing, (list(b) if type(b) in (list, tuple, set, deque) else b,))
        self._touch(actor, thing, a, "shape", (), self._places_in((b,)))
        result = _INPLACE[sign](a, b)
        self._settle(actor, thing, a)
        return result

    def subject(self, o: Any) -> Any:
        """`match o`, where nobody comes in between: patterns may look at everything in it, and do so in one step."""
        touched: list[tuple[Thing, Any]] = []
        todo = [(o, _DEEPEST_PATTERN)]
        while todo:
            each, depth = todo.pop()
            thing, parts = self._known.get(id(each)), _entries(each)
            touched += self._places_in((each,))
            if thing is not None and self._base(type(each)) is None:
                touched += self._attributes(thing)
                parts = [self._loaded(part) for part in list(plainly(each, "__dict__", {}).values())]
            todo += [(part, depth - 1) for part in parts if depth and not _is_plain(part)]
        actor = SHARING[_get_ident()] if touched else None
        if actor is not None:
            self._announce(actor, "data.read", touched)
        return o

    # -- containers ---------------------------------------------------------------------------------------------------

    def _used(self, thing: Thing, o: Any, name: str, args: tuple[Any, ...], named: dict[str, Any],
              method: Any = None) -> Any:
        """A method of a shared container."""
        actor = SHARING[_get_ident()]
        base = self._base(type(o))
        method = method or getattr(o, name)
        if actor is None or base is None:
            return method(*args, **named)
        args = tuple(map(self.followed, args)) if args else args
        touch = touch_of(base, name)
        if base is set and name == "pop" and thing.is_older() and len(o) > 1:  # which one, goes by the last time
            self._left_changed(thing.name)
        if touch == "several":
            self.wanted[method.__module__] = None
            touch = "shape"
        if touch == "iterate":
            return self.iterate(o)
        if base is defaultdict and name == "__getitem__" and _makes(o):
            return self._made(actor, thing, o, args[0])
        if base is list and name == "sort" and type(o).sort is list.sort:
            return self._sorted(actor, thing, o, **named)
        more = self._places_in(args[1:]) if touch in _OF_A_KEY else self._places_in(
            (*args, *_entries(o)) if name in _COMPARING else args, name in _COMPARING)
        if touch not in _READING:
            self._escaping(actor, thing, (*args, *named.values()))
            if base in WEAK:
                for value in args:
                    self.heap.watch(thing, value)
        self._touch(actor, thing, o, touch, args, more)
        call = partial(method, *args, **named)
        if name in _COMPARING and touch not in _OF_A_KEY:  # a look for a key begins again after a change
            kind = "data.read" if touch in _READING else "data.write"
            result = self.in_company(actor, kind, self._everywhere(thing, o), call)
        else:
            result = call()
        if touch == "shape" or (touch in ("put", "ensure", "drop") and args and self._canonical(args[0]) is None):
            self._settle(actor, thing, o)
        if touch in ("view", "size"):
            return result
        if touch == "look" or (touch == "place" and type(args[0]) is slice):  # a container of its own, or a number
            self._met(result if issubclass(type(result), (list, dict, set, deque)) else ())
            return result
        return self._loaded(result, thing.name)

    def _made(self, actor: Actor, thing: Thing, o: Any, key: Any) -> Any:
        """A defaultdict asks the program for what it lacks; meanwhile somebody else may enter another."""
        self._touch(actor, thing, o, "read", (key,))
        if key in o:
            return self._loaded(o[key], thing.name)
        value = self.call(o.default_factory)
        self.put(value, o, key)
        return value

    def _sorted(self, actor: Actor, thing: Thing, o: Any, *, key: Any = None, reverse: bool = False) -> None:
        """`o.sort(…)`: in CPython a list is empty while it is sorted.

        Where code of the program is asked for the order, others may come and see it so; else nobody does.
        """
        self._touch(actor, thing, o, "shape", ())
        items = list(o)
        o.clear()
        before = len(actor.control.execution.events)
        try:
            items.sort(key=None if key is None else partial(self.call, key), reverse=reverse)
        finally:
            if len(actor.control.execution.events) != before or _asks(key, items):
                self._touch(actor, thing, o, "shape", ())
            changed = len(o) > 0
            o[:] = items
        if changed:
            raise ValueError("list modified during sort")

    def call(self, f: Any, /, *args: Any, **named: Any) -> Any:
        """`f(*args, **named)`"""
        raise NotImplementedError

    def _escaping(self, actor: Actor, thing: Thing, values: Iterable[Any]) -> None:
        for value in values:
            self.heap.escape(value, actor, "")

    def _touch(self, actor: Actor, thing: Thing, o: Any, touch: str, args: tuple[Any, ...], more: Places = ()) -> None:
        """Announce how a container is touched, and that in the same step `more` is read."""
        if self.heap.alone(actor.control):
            self.heap.read_alone([*([(thing, SIZE)] if touch in _READING else ()), *more])
            return
        if thing.lump:
            kind = "data.read" if touch in _READING else "data.write"
            self._announce(actor, *together(kind, [(thing, SIZE)], more))
            return
        if more and (touch in _OF_A_KEY or id(o) in self.heap.namespaces or self.heap.mortal):
            self._announce(actor, "data.read", list(more))
        if self.heap.mortal and self._base(type(o)) in WEAK:  # what it holds comes and goes by itself
            self._announce(actor, "data.write", [(thing, LIFE), *self._everywhere(thing, o)])
        elif id(o) in self.heap.namespaces:
            self._touch_namespace(actor, thing, touch, args)
        elif touch in _OF_A_KEY:
            self._touch_key(actor, thing, o, touch, args)
        elif touch in ("place", "replace") and not more and type(args[0]) is int and args[0] >= 0:
            places = [(thing, SIZE), (thing, (args[0],))]
            self._announce(actor, "data.read" if touch == "place" else "data.put_at", places)
        elif touch in ("size", "view"):
            if touch == "size":
                self._announce(actor, "data.read", [(thing, SIZE)])
        else:
            kind = "data.read" if touch in ("look", "place") else "data.write"
            self._announce(actor, *together(kind, self._everywhere(thing, o), more))

    def _touch_key(self, actor: Actor, thing: Thing, o: Any, touch: str, args: tuple[Any, ...]) -> None:
        key = self._canonical(args[0]) if args else None
        if key is None:  # it may equal any
            self._announce(actor, "data.read" if touch == "read" else "data.write", self._everywhere(thing, o))
            return
        if key is OTHER:
            places = [(thing, OTHER)] if touch == "read" else [(thing, OTHER), (thing, SIZE)]
            self._announce(actor, "data.read" if touch == "read" else "data.write", places)
            return
        there = self._has(o, args[0])
        if touch == "read":
            self._announce(actor, "data.read", [(thing, key)], there)
            return
        was_there = self._announce(actor, f"data.{touch}", [(thing, key), (thing, SIZE)], there)
        if was_there is not None and was_there != self._has(o, args[0]):
            self.findings.setdefault(f"{thing.name} was changed by code that is not tracked")

    def _has(self, o: Any, key: Any) -> bool:
        """Whether a container has it; no method that the program has put in place of the container's is asked."""
        base: Any = self._base(type(o))
        return bool(base.__contains__(o, key))

    def _touch_namespace(self, actor: Actor, thing: Thing, touch: str, args: tuple[Any, ...]) -> None:
        kind = "data.read" if touch in _READING else "data.write"
        if kind == "data.write" and type(thing.held) is ModuleType:
            known = _keys_given(touch, args)
            if known is None or not stable_names(thing.held).isdisjoint(known):
                self._report(f"globals of {thing.name} are written, which functions read without a step")
        if touch in _OF_A_KEY and args and type(args[0]) is str:
            self._announce(actor, kind, [(thing, args[0])])
        else:
            self._announce(actor, kind, self._attributes(thing))

    def _attributes(self, thing: Thing) -> list[tuple[Thing, Any]]:
        """All that anybody touches of an object; never nothing, so that the steps of a replay are the same."""
        return [(thing, SIZE), *((thing, key) for key in self.heap.keys_of(thing))]

    def _everywhere(self, thing: Thing, o: Any) -> list[tuple[Thing, Any]]:
        keys = self.heap.keys_of(thing)
        if keys and issubclass(type(o), (dict, set)):
            self._place_keys(thing, o, keys)
        return [(thing, SIZE), *((thing, key) for key in keys)]

    def _place_keys(self, thing: Thing, o: Any, keys: Iterable[Any]) -> None:
        unplaced = self.heap.unplaced(thing, keys)
        present = {self._canonical(key) for key in _keys_of(o)} if unplaced else ()
        for key in unplaced:
            self.heap.place(thing, key, key in present)

    def _settle(self, actor: Actor, thing: Thing, o: Any) -> None:
        """A container has changed as a whole: which of its keys are there now."""
        execution = actor.control.execution
        if not issubclass(type(o), (dict, set)) or thing.lump or not thing.places or self.heap.alone(actor.control):
            return
        present = {self._canonical(key) for key in _keys_of(o)}
        for key, index in thing.places.items():
            if type(key) is tuple and key is not OTHER and index in execution.states:
                execution.set(execution.states, index, key in present)

    def _canonical(self, key: Any) -> Any:
        """See `keys.canonical`."""
        return canonical(key, self._known, self.heap.identities)

    def _looked(self, values: Iterable[Any], deep: bool = False) -> None:
        """All of these are read at once, those that are shared containers; and what they hold, if `deep`."""
        touched = self._places_in(values, deep)
        actor = SHARING[_get_ident()] if touched else None
        if actor is not None:
            self._announce(actor, "data.read", touched)

    def _places_in(self, values: Iterable[Any], deep: bool = False) -> list[tuple[Thing, Any]]:
        """What is touched by who reads these; what they hold is met."""
        touched: list[tuple[Thing, Any]] = []
        for value in self._within(values) if deep else values:
            value = _behind(value) if type(value) in _THROUGH else value
            value = value.obj if type(value) is memoryview else value
            thing = self._known.get(id(value))
            if thing is not None and deep and issubclass(type(value), _TOLD_BY_C):
                touched += self._attributes(thing)
            if thing is None or self._base(type(value)) is None:
                continue
            touched += [(thing, SIZE)] if thing.lump else self._everywhere(thing, value)
            self._met(value)
        return touched

    def _within(self, values: Iterable[Any]) -> list[Any]:
        """`values`, and the containers in them, however deep."""
        found: dict[int, Any] = {}
        todo = list(values)[::-1]
        while todo:
            value = todo.pop()
            value = _behind(value) if type(value) in _THROUGH else value.obj if type(value) is memoryview else value
            if id(value) not in found and (
                    issubclass(type(value), (*_NESTING, *_TOLD_BY_C)) or self._base(type(value)) is not None):
                found[id(value)] = value
                todo += [part for part in _entries(value) if not _is_plain(part)]
        return list(found.values())


def _asks(key: Any, items: list[Any]) -> bool:
    """Whether sorting asks code of the program, so that others may come in between."""
    return isinstance(key, (FunctionType, MethodType)) or any(
        isinstance(type(item).__lt__, FunctionType) for item in items if not _is_plain(item))


def _makes(o: Any) -> bool:
    """Whether a defaultdict calls code of the program for a key that is not there."""
    factory = o.default_factory
    kind = factory if issubclass(type(factory), type) else type(factory)
    in_c = kind in _OF_C or (
        kind.__module__ in ("builtins", "collections") and not issubclass(type(factory), FunctionType))
    return factory is not None and type(o).__missing__ is defaultdict.__missing__ and not in_c


def _entries(value: Any) -> list[Any]:
    """What a built-in container holds, asked of no method that the program has written."""
    base = next((base for base in _NESTING if issubclass(type(value), base)), None)
    if base is dict:
        return [*dict.keys(value), *dict.values(value)]
    if issubclass(type(value), _TOLD_BY_C):
        return [*(own_names(value) or {}).values(), *plainly(value, "args", ())]
    return list(base.__iter__(value)) if base is not None else []


def _keys_of(o: Any) -> list[Any]:
    """Of a dict or set, whatever its class makes of them."""
    return list((dict if issubclass(type(o), dict) else set).__iter__(o))


def _is_generated(method: Any) -> bool:
    """Whether it has no source that could be rewritten, as a dataclass's."""
    return issubclass(type(method), FunctionType) and method.__code__.co_filename.startswith("<")


def _keys_given(touch: str, args: tuple[Any, ...]) -> Iterable[Any] | None:
    """Which keys of a dict are written; None if its arguments do not say."""
    if touch in _OF_A_KEY:
        return args[:1] or None
    return list(args[0]) if args and issubclass(type(args[0]), dict) else None
