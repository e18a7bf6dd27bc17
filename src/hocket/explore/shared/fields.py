"""What a text reads of objects when it is formatted: `{0.balance}`, `{table[rows]:{table.width}}`.

`str.format` is code of C, and follows attributes and items by itself. The text says which, so each can be an access
like those that stand in a program. The parser is the one that `str.format` has, by way of the module that
`string.Formatter` takes it from. And what a pattern names, which C asks for by itself as well.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from types import MemberDescriptorType
from typing import Any

_string: Any = __import__("_string")

__all__ = ["Lazily", "read_fields"]

_HELD = (dict, list, tuple, OrderedDict, defaultdict, deque)  # read as a whole, with all that they hold


def read_fields(text: str, args: tuple[Any, ...], named: Any, get: Callable[[Any, str], Any]) -> None:
    """Call `get(o, name)` for the attributes that `text.format(*args, **named)` reads.

    Where code of the program would answer, be it a property or a `__getitem__`, nothing more is read: it speaks for
    itself when it is called. So is it where the call would raise.
    """
    with suppress(Exception):
        _read(text, args, named, get, count())


def _read(text: str, args: tuple[Any, ...], named: Any, get: Callable[[Any, str], Any], numbers: Iterator[int]) -> None:
    for _, field, within, _ in _string.formatter_parser(text):
        if field is None:
            continue
        first, rest = _string.formatter_field_name_split(field)
        value = args[next(numbers) if first == "" else first] if first == "" or type(first) is int else named[first]
        for is_attribute, key in rest:
            if not (_is_plain(value, key) if is_attribute else type(value) in _HELD):
                break
            value = get(value, key) if is_attribute else value[key]
        _read(within, args, named, get, numbers)


def _is_plain(value: Any, name: str) -> bool:
    """Whether an attribute is just there, in the object or in a class."""
    kind: Any = type(value)
    if kind.__getattribute__ not in (object.__getattribute__, type.__getattribute__):
        return False
    found = next((vars(above)[name] for above in kind.__mro__ if name in vars(above)), None)
    return type(found) is MemberDescriptorType or not hasattr(type(found), "__get__")


class Lazily:
    """What a pattern names: asked when the pattern is tried, by its only attribute."""

    __slots__ = ("_reader",)

    def __init__(self, reader: Callable[[], Any]) -> None:
        self._reader = reader

    @property
    def value(self) -> Any:
        return self._reader()
