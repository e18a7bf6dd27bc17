"""Each execution begins as the first one did: what a program leaves behind is noticed, and can be put back.

A singleton, a registry, a cache in a module or a class: the first execution fills it, the second finds it full, and
the race that only the first could have is never run in another order. So of all that was there before the
exploration and comes into the hands of several threads, the content is kept when it is first met, and what
a place holds when an execution first touches it is compared with what it held then in earlier ones. If they differ,
and somebody reads it, the exploration begins again, and puts everything back before each execution.

Refused: putting back always. Whoever collects outcomes in a list of his own, around all executions, wants to keep
them. Not put back is what no tracked code touches, and what has no content that could be set: a generator, a file, an
object of C (of other iterators a copy is used, see rewinding.py).
"""

from __future__ import annotations

import gc
import sys
from _random import Random
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache, partial
from io import BytesIO, StringIO
from itertools import filterfalse, islice, repeat
from operator import is_
from re import Pattern
from types import CellType, MemberDescriptorType, ModuleType
from typing import Any, NamedTuple

from hocket.explore.shared.parts import WEAK, is_made_by_python, is_member, is_value, own_names, parts, plainly
from hocket.explore.shared.reaching import is_trackable
from hocket.explore.shared.rewinding import Rewinding
from hocket.explore.shared.stateful import is_stateful, set_state, state_of
from hocket.explore.threads.control import ACTORS

__all__ = ["ABSENT", "Kept", "glimpse", "is_container"]

_absent = object()
_WHOLE = "\0size"  # the place that stands for all of an object (heap.py)
_PLAIN = (int, float, complex, str, bytes, bool, type(None))
_COMPARED = frozenset({range, Decimal, Pattern, datetime, date, time, timedelta, timezone})  # by C
_LOOKED_AT = 100  # entries of a container
_DEEPEST = 4  # tuples within tuples
_REACHED = 10_000  # objects whose content is kept before the first execution


class _Way(NamedTuple):
    """How the content of objects of some kinds is taken, as a list with names and keys first, and is put back."""

    applies: Callable[[type], bool]
    take: Callable[[Any], list[Any]]
    put: Callable[[Any, list[Any]], None]


class Kept:
    """The contents of objects, as they were when they were met."""

    def __init__(self) -> None:
        self._contents: dict[int, tuple[Any, list[tuple[_Way, list[Any]]]]] = {}  # by identity, with the object itself
        self._unlisted: dict[int, Any] = {}  # what it held that Python's collector does not list: most small dicts
        self._old: frozenset[int] = frozenset()  # by identity: what was there before the first execution
        self.is_cut = False  # whether there was more than is kept
        self.iterators = Rewinding()

    def keep(self, value: Any) -> None:
        """Remember what `value` holds, if it is not remembered yet."""
        if id(value) not in self._contents and value is not sys.modules and value is not ACTORS:
            kind: Any = type(value)
            contents = [(way, way.take(value)) for way in _ways_of(kind)]
            self._contents[id(value)] = (value, contents)
            self.iterators.keep(value)
            if not _holds_only_values(value):
                for _, content in contents:
                    for held in filterfalse(gc.is_tracked, content):
                        if not is_value(type(held)):
                            self._unlisted[id(held)] = held
            if _is_weak(kind):
                self.keep(vars(value).get("data"))

    def keep_all(self, values: Iterable[Any], enters: Callable[[type], bool]) -> None:
        """Remember what these hold, and what that holds, through objects of all kinds that `enters` accepts.

        And, as far as there is room, through those of modules that will be tracked should they come by shared data.
        """
        values = list(values)
        kept = 0
        for kept, value in enumerate(_reachable(values, enters)):  # how many it were
            if kept == _REACHED:
                self.is_cut = True
                break
            self.keep(value)
        for value in islice(_reachable(values, lambda kind: enters(kind) or _may_be_tracked(kind)), _REACHED - kept):
            self.keep(value)
        self._old = frozenset(self._contents) | frozenset(self._unlisted)

    def is_older(self, value: Any) -> bool:
        """Whether it was there when the exploration began: Python's own objects are frozen then, and not listed."""
        return self.was_held(value) or (
            gc.is_tracked(value) and not any(map(is_, gc.get_objects(), repeat(value))))

    def may_have_missed(self, value: Any) -> bool:
        """Whether it may have been there all the same: there was more than could be gone through."""
        has_content = is_container(value) or is_stateful(type(value))
        return self.is_cut and has_content and _is_unlisted(value) and not self.was_held(value)

    def is_old(self, value: Any) -> bool:
        """Whether it was there before the first execution, as far as could be gone through: the same in all of them."""
        return id(value) in self._old

    def was_held(self, value: Any) -> bool:
        """Whether it is older than the exploration, also where Python does not tell its age."""
        return id(value) in self._old or id(value) in self._unlisted

    def knows(self, value: Any) -> bool:
        return id(value) in self._contents

    def keep_anew(self, values: Iterable[Any]) -> None:
        """Forget everything, and remember these."""
        self._contents.clear()
        self._unlisted.clear()
        self.is_cut = False
        for value in values:
            self.keep(value)

    def put_back(self) -> None:
        """Everything holds again what it held."""
        for value, way, content in self._changed():
            way.put(value, content)

    def has_changed(self) -> bool:
        return next(self._changed(), None) is not None

    def _changed(self) -> Iterator[tuple[Any, _Way, list[Any]]]:
        for value, contents in list(self._contents.values()):
            for way, content in contents:
                if not _are_same(way.take(value), content):
                    yield value, way, content


def _are_same(now: list[Any], then: list[Any]) -> bool:
    """Whether these are the same objects; nobody is asked what is equal to what."""
    return len(now) == len(then) and all(map(is_, now, then))


def _in_pairs(content: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Names or keys, each with what is there."""
    return zip(content[:len(content) // 2], content[len(content) // 2:], strict=True)


def _is_unlisted(value: Any) -> bool:
    return not gc.is_tracked(value) and not is_value(type(value))


def _reachable(values: Iterable[Any], enters: Callable[[type], bool]) -> Iterator[Any]:
    """These objects, what they hold, and so on, each once; of other kinds than `enters` accepts not what they hold."""
    todo, seen = list(values), dict[int, Any]()
    entered: dict[type, bool] = {}
    while todo:
        value = todo.pop()
        kind = type(value)
        if not is_value(kind) and id(value) not in seen:
            seen[id(value)] = value
            yield value
            enter = entered.get(kind)
            if enter is None:
                enter = entered[kind] = enters(kind)
            if enter and not _holds_only_values(value):
                todo.extend(part for part, _ in parts(value, ""))


def _may_be_tracked(kind: type) -> bool:
    return is_made_by_python(kind) and is_trackable(sys.modules.get(plainly(kind, "__module__") or ""))


def _holds_only_values(value: Any) -> bool:
    """Whether it is a container, perhaps a large one, in which there is nothing to go on to."""
    base = _base(value)
    if base is None or type(value) is not base:
        return False
    kinds = set(map(type, value))
    if issubclass(base, dict):
        kinds.update(map(type, value.values()))
    return all(map(is_value, kinds))


# -- what objects hold ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _base_of(kind: type) -> Any:
    bases = (OrderedDict, dict, set, list, deque, bytearray, array)
    return next((base for base in bases if issubclass(kind, base)), None)


def _base(value: Any) -> Any:
    """The built-in class whose methods are asked, whatever a class of the program makes of them."""
    kind: Any = type(value)
    return _base_of(kind)


def _items(value: Any) -> list[Any]:
    base = _base(value)
    keys = list(base.__iter__(value))
    if base is OrderedDict:  # by identity: its own values() asks each key for its hash
        held = {id(key): item for key, item in dict.items(value)}
        return [*keys, *(held[id(key)] for key in keys)]
    return [*keys, *base.values(value)] if issubclass(base, dict) else keys


def _set_items(value: Any, content: list[Any]) -> None:
    base = _base(value)
    if base in (bytearray, array):  # in place, for somebody may have a view of it
        base.__setitem__(value, slice(None), array(value.typecode, content) if base is array else bytearray(content))
        return
    base.clear(value)
    if issubclass(base, dict):
        for key, item in _in_pairs(content):
            base.__setitem__(value, key, item)
    else:
        (set.update if base is set else base.extend)(value, content)


def _namespace(value: Any) -> dict[str, Any] | None:
    """The attributes of an object of its own; those of classes and modules are other people's as well."""
    if issubclass(type(value), (type, ModuleType)):
        return None
    try:
        own = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return None
    return own if type(own) is dict else None


def _flat(names: dict[Any, Any]) -> list[Any]:
    return [*names, *names.values()]


def _set_attributes(value: Any, content: list[Any]) -> None:
    own = _namespace(value)
    assert own is not None, "it had attributes when they were taken"
    own.clear()
    own.update(_in_pairs(content))


@lru_cache(maxsize=1024)
def _slots_of(kind: type) -> tuple[MemberDescriptorType, ...]:
    return tuple(slot for above in kind.__mro__ if "__slots__" in vars(above)
                 for slot in vars(above).values() if type(slot) is MemberDescriptorType)


def _slots(value: Any) -> tuple[MemberDescriptorType, ...]:
    kind: Any = type(value)
    return _slots_of(kind)


def _in_slots(value: Any) -> list[Any]:
    slots = _slots(value)
    return [*slots, *(_in_slot(value, slot) for slot in slots)]


def _in_slot(value: Any, slot: Any) -> Any:
    try:
        return slot.__get__(value)
    except AttributeError:
        return _absent


def _set_slots(value: Any, content: list[Any]) -> None:
    for slot, held in _in_pairs(content):
        if _in_slot(value, slot) is held:
            continue
        if held is not _absent:
            slot.__set__(value, held)
        else:
            slot.__delete__(value)


def _in_cell(cell: CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:
        return []


def _set_cell(cell: CellType, content: list[Any]) -> None:
    if content:
        cell.cell_contents = content[0]
    else:
        del cell.cell_contents


def _is_exception(value: Any) -> bool:
    return issubclass(type(value), BaseException)


def _set_args(value: Any, content: list[Any]) -> None:
    value.args = content[0]


def _named(value: Any) -> list[Any]:
    """The names of a class or module; what Python itself enters there is not the program's."""
    return _flat({name: held for name, held in list(own_names(value).items())
                  if name[:2] != "__" and name[:5] != "_abc_" and not issubclass(type(held), ModuleType)})


def _set_named(value: Any, content: list[Any]) -> None:
    kind: Any = type if issubclass(type(value), type) else ModuleType
    then = dict(_in_pairs(content))
    for name, held in _in_pairs(_named(value)):
        if name not in then:
            kind.__delattr__(value, name)
        elif then[name] is held:
            del then[name]
    for name, held in then.items():
        kind.__setattr__(value, name, held)


_WAYS = (
    _Way(lambda kind: _base_of(kind) is not None, _items, _set_items),
    _Way(lambda kind: _may_have_attributes(kind), lambda value: _flat(_namespace(value) or {}), _set_attributes),
    _Way(lambda kind: bool(_slots_of(kind)), _in_slots, _set_slots),
    _Way(lambda kind: kind is CellType, _in_cell, _set_cell),
    _Way(lambda kind: issubclass(kind, BaseException), lambda value: [value.args], _set_args),
    _Way(lambda kind: issubclass(kind, (StringIO, BytesIO, Random)), lambda value: [state_of(value)], set_state),
    _Way(lambda kind: issubclass(kind, (type, ModuleType)), _named, _set_named),
)


@lru_cache(maxsize=1024)
def _ways_of(kind: type) -> tuple[_Way, ...]:
    return tuple(way for way in _WAYS if way.applies(kind))


def _may_have_attributes(kind: type) -> bool:
    return not issubclass(kind, (type, ModuleType)) and any(
        "__dict__" in type.__getattribute__(above, "__dict__") for above in kind.__mro__)


@lru_cache(maxsize=1024)
def _is_weak(kind: type) -> bool:
    """Asked once for each class: those of `weakref` are abstract, which makes the question dear."""
    return issubclass(kind, WEAK)


# -- what a place shows -----------------------------------------------------------------------------------------------


def is_container(held: Any) -> bool:
    """Whether what is at one place of it is seen at others: by its length, and by who goes through it."""
    kind: Any = type(held)
    return _base_of(kind) is not None or _is_weak(kind)


def is_put_back(o: Any, name: str) -> bool:
    """Whether an attribute that is set by its name is among the contents that are kept."""
    kind: Any = type(o)
    if issubclass(kind, (type, ModuleType)):
        return name[:2] != "__"
    if kind is CellType or name == "__dict__" or (name == "args" and _is_exception(o)):
        return True
    if any(slot.__name__ == name for slot in _slots(o)):
        return True
    return _namespace(o) is not None and not (name[:2] == "__" and hasattr(kind, name))


def glimpse(held: Any, key: Any, is_old: Callable[[Any], bool]) -> Any:
    """What can be compared, from one execution to another, of what an object holds at a place.

    Plain values are themselves, and so is what was there before; of other objects it is no more than their classes:
    each execution may make its own.
    """
    shown = partial(_told, is_old=is_old)
    if type(held) is CellType:
        return tuple(map(shown, _in_cell(held)))
    if issubclass(type(held), WEAK):
        held = vars(held).get("data")
    if type(key) is str and key == _WHOLE and state_of(held) is not None:
        return state_of(held)
    if _base(held) is not None:
        items = _items(held)
        kind = type(held)
        if issubclass(kind, dict):
            pairs = list(_in_pairs(items))
            return len(pairs), tuple((shown(name), shown(there)) for name, there in pairs[:_LOOKED_AT])
        entries = map(shown, items[:_LOOKED_AT])
        return len(items), frozenset(entries) if issubclass(kind, set) else tuple(entries)
    if type(key) is not str:
        return None
    own = own_names(held) if issubclass(type(held), (type, ModuleType)) else _namespace(held) or {}
    if key == "args" and _is_exception(held):
        return tuple(map(shown, held.args))
    if key not in own:
        return next((shown(_in_slot(held, slot)) for slot in _slots(held) if slot.__name__ == key), ABSENT)
    return shown(own[key])


def _told(value: Any, is_old: Callable[[Any], bool], depth: int = _DEEPEST) -> Any:
    kind = type(value)
    if value is _absent:
        return ABSENT
    if kind in _PLAIN or kind in _COMPARED:
        return kind, value
    if kind is tuple and depth:
        return kind, tuple([_told(each, is_old, depth - 1) for each in value[:_LOOKED_AT]])
    if kind is frozenset and depth:
        return kind, frozenset([_told(each, is_old, depth - 1) for each in value])
    if is_member(kind):
        return kind, plainly(value, "_name_")
    if is_old(value) or (issubclass(kind, type) and not is_made_by_python(value)):
        return kind, id(value)
    return kind.__qualname__ if plainly(kind, "__module__") == "unittest.mock" else kind  # each mock has its own class


ABSENT = "\0absent"
"""What a place shows where there is nothing."""
