"""A value in a few signs, without a line of the program's code.

Reports show what was read and written, and asking an object for its `repr` would run the code that is being
explained: it could take a lock, change what it tells about, or raise. So only what is exactly of a built-in type is
spelled out, to a bounded depth and length; of anything else its class is told, and the name that the report has for it.
The text is the same in every process: no addresses, and sets in the order of their texts.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from enum import Enum
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

__all__ = ["Naming", "brief", "class_name"]

_LONGEST = 60  # signs of the whole
_MOST = 6  # entries of a container
_SORTED = 100  # entries of a set that is shown: the first of them are known when all are
_DEEPEST = 3
_BITS = 200  # of a number that is written out
_PLAIN = (bool, float, complex, type(None), type(Ellipsis), type(NotImplemented), range)
_SEQUENCES: dict[type, str] = {list: "[]", tuple: "()", deque: "[]"}
_MAPPINGS: tuple[type, ...] = (dict, OrderedDict, defaultdict)
_EMPTY: dict[type, str] = {tuple: "()", set: "set()", frozenset: "frozenset()", **dict.fromkeys(_MAPPINGS, "{}")}
_type_name: Any = type.__dict__["__name__"]

Naming = Callable[[Any], str]
"""What a report calls an object, class and all; empty if it has no name for it."""


def _nameless(value: Any) -> str:
    return ""


def brief(value: Any, called: Naming = _nameless) -> str:
    """`value` in at most 60 signs: `[1, 'two']`, `{'a': <Account savings>}`, `<function f>`."""
    return _cut(_told(value, called, _DEEPEST), _LONGEST)


def _told(value: Any, called: Naming, depth: int) -> str:
    kind = type(value)
    if kind is int:
        return repr(value) if value.bit_length() <= _BITS else f"<int of {value.bit_length():,} bits>"
    if kind in _PLAIN:
        return repr(value)
    if kind is str or kind is bytes or kind is bytearray:
        return _text(value)
    if kind in _SEQUENCES or kind in _MAPPINGS or kind is set or kind is frozenset:
        return _container(kind, value, called, depth)
    return _object(kind, value, called)


def _text(value: Any) -> str:
    """The beginning of a text, in quotes."""
    return repr(value) if len(value) <= _LONGEST else repr(value[:_LONGEST])


def _container(kind: type, value: Any, called: Naming, depth: int) -> str:
    if not value:
        return _EMPTY.get(kind, "[]")
    if kind in _SEQUENCES:
        inside, signs = _entries(value, called, depth), _SEQUENCES[kind]
        return f"({inside},)" if kind is tuple and len(value) == 1 else f"{signs[0]}{inside}{signs[1]}"
    if kind in _MAPPINGS:
        return f"{{{_joined(_pairs(value, called, depth), len(value))}}}"
    some = value if depth and len(value) <= _SORTED else ()
    told = sorted(_told(entry, called, depth - 1) for entry in some)
    inside = f"{{{_joined(told[:_MOST], len(value))}}}"
    return inside if kind is set else f"frozenset({inside})"


def _entries(value: Any, called: Naming, depth: int) -> str:
    return _joined([_told(entry, called, depth - 1) for entry in islice(value, _MOST)] if depth else [], len(value))


def _pairs(value: Any, called: Naming, depth: int) -> list[str]:
    some = list(islice(value.items(), _MOST)) if depth else []
    return [f"{_told(key, called, depth - 1)}: {_told(held, called, depth - 1)}" for key, held in some]


def _joined(told: Iterable[str], count: int) -> str:
    """With a sign for what is left out."""
    shown = list(told)
    return ", ".join([*shown, "…"] if len(shown) < count else shown)


def _object(kind: type, value: Any, called: Naming) -> str:
    """What is of no type that is spelled out."""
    if issubclass(kind, type):
        return f"<class {class_name(value)}>"
    if kind is FunctionType or kind is BuiltinFunctionType:
        return f"<function {_plain(value.__name__)}>"
    if kind is MethodType:
        function = value.__func__
        return f"<method {_plain(function.__name__)}>" if type(function) is FunctionType else "<method>"
    if issubclass(kind, Enum):
        return _member(kind, value)
    return f"<{called(value) or class_name(kind)}>"


def _member(kind: type, value: Any) -> str:
    name = object.__getattribute__(value, "__dict__").get("_name_")
    return f"{class_name(kind)}.{name}" if type(name) is str else f"<{class_name(kind)}>"


def class_name(kind: type) -> str:
    """Asked of `type`, whatever a metaclass of the program makes of it."""
    return _plain(_type_name.__get__(kind))


def _plain(name: Any) -> str:
    """A text of a class of the program's would be formatted by its code."""
    return name if type(name) is str else "…"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[:room - 1]}…"
