"""What an object holds, for people and for the heap, and which objects hold nothing that could be changed.

Parts come in an order that does not depend on addresses, with names for reports.
Whoever has an instance reaches what the methods of its class close over, whoever has a generator or
a coroutine what is in its frame.
"""

from __future__ import annotations

import array
import functools
import gc
import re
import sys
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property, partial
from itertools import repeat
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CellType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from hocket.explore.shared.memo import CACHED
from hocket.explore.threads.control import Actor, Control
from hocket.explore.threads.pool import Voice, _allocate_lock

__all__ = [
    "ENVELOPES", "LIFE", "METHODS_OF_C", "OPEN", "WEAK", "given_to", "is_local", "is_made_by_python", "is_member",
    "is_settled", "is_stepping", "is_value", "parts", "plainly", "referred", "told_key",
]

LIFE = "\0life"
"""The place that stands for whether a thing is still there, which whoever refers to it weakly may ask."""

_LOCK = type(_allocate_lock())
_VALUES: set[type] = {
    int, float, complex, str, bytes, bool, type(None), type(Ellipsis), type(NotImplemented), range, slice, CodeType,
    WrapperDescriptorType, MemberDescriptorType, GetSetDescriptorType,
    property, ModuleType, FrameType, _LOCK, Voice, Control, Actor,
}  # have no parts that could be changed, or none that is anybody's but ours
METHODS_OF_C: frozenset[type] = frozenset({BuiltinFunctionType, type(re.compile("").match)})
"""The second are those that are told the class that defines them."""
ENVELOPES: set[type] = {*METHODS_OF_C, MethodWrapperType, tuple, frozenset, MethodType, partial,
                         MappingProxyType, memoryview, staticmethod, classmethod, weakref.ref}
_HEAP, _IMMUTABLE = 1 << 9, 1 << 8  # flags of a class: C makes more classes of the first kind with every version

_NAMED_VALUES = {  # found by name, so that their modules need not be loaded
    "re.Pattern", "re.Match", "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta",
    "datetime.timezone", "decimal.Decimal", "fractions.Fraction", "uuid.UUID", "pathlib.PosixPath",
    "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath", "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath", "builtins.ContextVar", "_contextvars.ContextVar", "_contextvars.Token",
    "builtins.Token", "_struct.Struct", "_json.Scanner", "_json.Encoder",
}


_values: dict[type, bool] = {}


def is_value(kind: type) -> bool:
    """Whether nothing in an instance can be changed that is not each thread's own."""
    found = _values.get(kind)
    if found is None:
        found = _values[kind] = _is_value(kind)
    return found


def is_member(kind: type) -> bool:
    """Whether its instances are the members of an enumeration."""
    enum = sys.modules.get("enum")
    return enum is not None and issubclass(kind, enum.Enum)


def _is_value(kind: type) -> bool:
    if kind in _VALUES or f"{plainly(kind, '__module__')}.{plainly(kind, '__qualname__')}" in _NAMED_VALUES:
        return True
    return is_member(kind)


_MANGLED = re.compile(r"_\w+?(__\w+)")  # a private name, as its class has it


def told_key(key: Any) -> str:
    """`[3]` or `.balance`, for the name of a place."""
    if key is LIFE:
        return "'s life"
    if type(key) is str:
        private = _MANGLED.fullmatch(key)
        return f".{private[1] if private and not key.endswith('__') else key}"
    inside = key[0] if type(key) is tuple and len(key) == 1 else key
    if type(inside) is str and inside == "\0other":
        return "[…]"
    text = _told(inside)
    return f"[{text if len(text) <= 30 else text[:27] + '...'}]"


def _told(key: Any) -> str:
    """As `repr` has it, which is not asked of what the program has made: that would run its code."""
    if type(key) is tuple:
        return f"({', '.join(map(_told, key))})"
    return repr(key) if type(key) in _VALUES else f"{type(key).__qualname__}()"


_MEMBERS = (list, tuple, deque, set, frozenset)


def items_of(value: Any) -> list[tuple[Any, Any]]:
    """The keys and values of a dict, asked of no method that a class of the program has put in place of dict's.

    Nor of OrderedDict's, which asks each key for its hash.
    """
    return list(dict.items(value))


def members_of(value: Any) -> list[Any]:
    """The members of a list, tuple, deque or set, asked in the same way; what else can be gone through is."""
    base: Any = next((base for base in _MEMBERS if issubclass(type(value), base)), type(value))
    return list(base.__iter__(value))


def parts(value: Any, name: str) -> Iterator[tuple[Any, str]]:
    """What `value` holds, in an order that does not depend on addresses; with names for people."""
    kind: Any = type(value)
    if kind is FunctionType:
        yield from _parts_of_function(value)
        return
    if issubclass(kind, (dict, OrderedDict, defaultdict)):
        for key, item in items_of(value):
            yield key, ""
            yield item, f"{name}{told_key((key,))}"
    if issubclass(kind, _MEMBERS):
        for item in members_of(value):
            yield item, ""
    if kind in METHODS_OF_C or kind is MethodWrapperType:
        yield value.__self__, ""
    elif kind is memoryview:
        yield value.obj, name
    elif kind is MethodType:
        yield value.__self__, ""
        yield value.__func__, ""
    elif kind is CellType:
        with suppress(ValueError):  # empty as yet
            yield value.cell_contents, name
    elif kind is partial:
        yield from ((part, "") for part in (value.func, *value.args, *value.keywords.values()))
    elif kind in _RUNNING:
        yield from ((part, "") for part in gc.get_referents(value))
    elif kind is weakref.ref:
        yield value(), name
    elif kind is CACHED:
        yield value.__wrapped__, name
    elif issubclass(kind, type):
        yield from _parts_of_class(value, name)
    elif kind not in _BARE:
        yield from _attributes(value, name)


def given_to(f: partial[Any], args: tuple[Any, ...]) -> list[Any]:
    """All that a partial function hands on by position: from 3.14 on it may have left places for `args`."""
    coming = iter(args)
    filled = [next(coming, kept) if kept is _PLACE else kept for kept in f.args]
    return [*filled, *coming]


_PLACE: Any = getattr(functools, "Placeholder", object())
_BARE: set[type] = {CellType, list, dict, set, deque, bytearray, tuple, frozenset, OrderedDict, defaultdict}
_RUNNING: set[type] = {GeneratorType, CoroutineType, AsyncGeneratorType}  # what their frames hold, they hold


class _Old:
    """Iterated by index, as anything with a `__getitem__` is."""

    def __getitem__(self, index: int) -> int:
        raise IndexError


_DICTS: tuple[Any, ...] = ({}, OrderedDict())
_ORDERED: tuple[Any, ...] = ([], (), range(0), range(1 << 99), deque(), *_DICTS, *(each.values() for each in _DICTS),
                             *(each.items() for each in _DICTS))
_SEQUENCES: tuple[Any, ...] = (*_ORDERED, set(), "", "\u0100", b"", bytearray(), array.array("i"), memoryview(b""))
_STEPPING: set[type] = {enumerate, zip, map, filter}
_ITERATORS = frozenset({*(type(iter(each)) for each in _SEQUENCES), *(type(reversed(each)) for each in _ORDERED),
                        type(iter(int, 0)), type(iter(_Old())), GeneratorType, *_STEPPING})
OPEN = _BARE | _RUNNING | _STEPPING | {CACHED}


def is_stepping(kind: type) -> bool:
    """Whether it is a generator, or an iterator whose steps C takes."""
    return kind in _ITERATORS or kind.__module__ == "itertools"


def _parts_of_function(function: FunctionType) -> Iterator[tuple[Any, str]]:
    if function.__closure__:
        yield from zip(function.__closure__, function.__code__.co_freevars, strict=True)
    for values in (function.__defaults__ or (), (function.__kwdefaults__ or {}).values(), function.__dict__.values()):
        if values:
            yield from zip(values, repeat(""))


WEAK = (weakref.WeakValueDictionary, weakref.WeakKeyDictionary, weakref.WeakSet)
"""Containers that do not keep what they hold."""


def referred(value: Any) -> list[Any]:
    """What `value` refers to weakly; asked of its own dictionary, because `weakref` may be tracked itself."""
    if issubclass(type(value), weakref.ref):
        found = [value()]
    else:
        own = vars(value).get("data", {})  # nothing, while the container is being made
        references = own.values() if issubclass(type(value), weakref.WeakValueDictionary) else own
        found = [reference() for reference in list(references)]
    return [each for each in found if each is not None and not is_value(type(each))]


def _parts_of_class(kind: type, name: str) -> Iterator[tuple[Any, str]]:
    """What code of a class holds on to, and its data: who has an instance reaches it."""
    for attribute, value in list(vars(kind).items()):
        for code in _codes(value):
            yield from _parts_of_function(code)
        if attribute[:2] != "__" and not issubclass(type(value), _CODE):
            yield value, f"{name}.{attribute}"
    yield from ((base, base.__name__) for base in kind.__bases__)
    yield type(kind), type(kind).__name__


_CODE = (FunctionType, staticmethod, classmethod, property, cached_property)


def _codes(attribute: Any) -> Iterator[FunctionType]:
    """The functions behind an attribute of a class."""
    wrapped = {staticmethod: ("__func__",), classmethod: ("__func__",), property: ("fget", "fset", "fdel"),
               cached_property: ("func",)}.get(type(attribute), ())
    codes = [getattr(attribute, part) for part in wrapped] or [attribute]
    return (code for code in codes if type(code) is FunctionType)


def is_made_by_python(kind: type) -> bool:
    """Whether its attributes can be changed, as a class statement makes it; a metaclass of the program that has a
    `__getattribute__` is not asked."""
    return bool(type.__getattribute__(kind, "__flags__") & (_HEAP | _IMMUTABLE) == _HEAP)


def plainly(value: Any, name: str, default: Any = None) -> Any:
    """`getattr`, but no `__getattr__` or `__getattribute__` of the program is asked, such as a proxy has."""
    kind = type(value)
    if not is_made_by_python(kind):
        return getattr(value, name, default)
    try:
        return (type if issubclass(kind, type) else object).__getattribute__(value, name)
    except AttributeError:
        return default


def own_names(value: Any) -> Any:
    """Its `__dict__`, if it has one; a property of that name that the program has written is not asked.

    `class Mine(Mixin, asyncio.Task)` has a descriptor that refuses: its base of C keeps the namespace to itself.
    """
    for kind in type(value).__mro__:
        own = type.__getattribute__(kind, "__dict__").get("__dict__")
        if type(own) in (GetSetDescriptorType, MemberDescriptorType):
            with suppress(TypeError):
                return own.__get__(value)
            return None
    return None


def is_settled(value: Any) -> bool:
    """Whether a class or function is one of a module: it was there before, and what it holds is found by its name.

    So it has the same number in every execution, whoever comes by it first.
    """
    home, name, path = (plainly(value, each) for each in ("__module__", "__name__", "__qualname__"))
    module: Any = sys.modules.get(home or "")
    return module is not None and path == name and (own_names(module) or {}).get(name) is value


def is_local(value: Any) -> bool:
    """Whether it is a function that a function has made, and no method: a value like others, till it is given away."""
    if type(value) is not FunctionType:
        return False
    code = value.__code__
    return code.co_qualname[:-len(code.co_name)].endswith("<locals>.")


def _attributes(value: Any, name: str) -> Iterator[tuple[Any, str]]:
    own = own_names(value)
    if type(own) is dict:
        yield from ((item, f"{name}.{attribute}") for attribute, item in list(own.items()))
    if own is None or hasattr(type(value), "__slots__"):
        held = [part for part in gc.get_referents(value) if part is not own and not issubclass(type(part), type)]
        yield from ((part, "") for part in held)
