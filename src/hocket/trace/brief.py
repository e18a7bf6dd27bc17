"""A value in a few signs, without a line of the program's code.

Reports show what was read and written, and asking an object for its `repr` would run the code that is being
explained: it could take a lock, change what it tells about, or raise. So only what is exactly of a built-in type is
spelled out, to a bounded depth and length; of anything else its class is told, and the name that the report has for it.
The text is the same in every process: no addresses, and sets in the order of their texts.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from enum import Enum
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, NamedTuple

__all__ = ["Naming", "brief", "class_name"]

_LONGEST = 48  # signs of the whole
_MOST = (6, 3, 1)  # entries of a container, as many as there is room for
_SORTED = 100  # entries of a set that is shown: the first of them are known when all are
_DEEPEST = 3
_BITS = 200  # of a number that is written out
_PLAIN = (bool, float, complex, type(None), type(Ellipsis), type(NotImplemented), range)
_SEQUENCES: dict[type, str] = {list: "[]", tuple: "()", deque: "[]"}
_MAPPINGS: tuple[type, ...] = (dict, OrderedDict, defaultdict)
_type_name: Any = type.__dict__["__name__"]

Naming = Callable[[Any], str]
"""What a report calls an object, class and all; empty if it has no name for it."""


def _nameless(value: Any) -> str:
    return ""


class _How(NamedTuple):
    """How a value is told: what objects are called, and how many entries of a container are spelled out."""

    called: Naming
    most: int


def brief(value: Any, called: Naming = _nameless) -> str:
    """`value` in at most 48 signs: `[1, 'two']`, `{'a': <Account savings>}`, `<function f>`."""
    told = ""
    for most in _MOST:
        told = _told(value, _How(called, most), _DEEPEST)
        if len(told) <= _LONGEST:
            return told
    return f"{told[:_LONGEST - 1]}…"


def _told(value: Any, how: _How, depth: int) -> str:
    kind = type(value)
    if kind is int:
        return repr(value) if value.bit_length() <= _BITS else f"<int of {value.bit_length():,} bits>"
    if kind in _PLAIN:
        return repr(value)
    if kind is str or kind is bytes or kind is bytearray:
        return repr(value) if len(value) <= _LONGEST else repr(value[:_LONGEST])
    if kind in _SEQUENCES:
        inside, signs = _entries(value, how, depth), _SEQUENCES[kind]
        return f"({inside},)" if kind is tuple and len(value) == 1 else f"{signs[0]}{inside}{signs[1]}"
    if kind in _MAPPINGS:
        return f"{{{_joined(_pairs(value, how, depth), len(value))}}}"
    if kind is set or kind is frozenset:
        return _set(kind, value, how, depth)
    return _object(kind, value, how.called)


def _entries(value: Any, how: _How, depth: int) -> str:
    """Of many, the first ones and the last, which was perhaps appended."""
    count = len(value)
    if not depth:
        return "…" if count else ""
    if count <= how.most:
        return ", ".join(_told(entry, how, depth - 1) for entry in value)
    first = [_told(value[place], how, depth - 1) for place in range(how.most - 1)]
    return ", ".join([*first, "…", _told(value[count - 1], how, depth - 1)])


def _pairs(value: Any, how: _How, depth: int) -> list[str]:
    some = islice(dict.items(value), how.most) if depth else ()  # an OrderedDict would ask its keys for their hash
    return [f"{_told(key, how, depth - 1)}: {_told(held, how, depth - 1)}" for key, held in some]


def _set(kind: type, value: Any, how: _How, depth: int) -> str:
    if not value:
        return f"{kind.__name__}()"
    told = sorted(_told(entry, how, depth - 1) for entry in value) if depth and len(value) <= _SORTED else []
    inside = f"{{{_joined(told[:how.most], len(value))}}}"
    return inside if kind is set else f"frozenset({inside})"


def _joined(told: list[str], count: int) -> str:
    """With a sign for what is left out."""
    return ", ".join([*told, "…"] if len(told) < count else told)


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
