"""Which keys of a dict or a set are the same: a value for each that means the same in every execution.

Equal keys are one place, whatever their classes: a string of a class of the program's, a member of an enumeration that
is a number, `1.0`. A class that compares as a built-in one does is told by its value, one that compares by identity by
the number of the object; and so is what `id` says of an object that is known, be it within a name. Where an
equality is written in the program, a key may equal any other, and has no value.
Refused: asking keys whether they are equal, which runs code of the program that it has not called.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hocket.explore.shared.parts import is_member

if TYPE_CHECKING:
    from hocket.explore.shared.heap import Thing

__all__ = ["OTHER", "Identities", "canonical", "steady"]

OTHER = ("\0other",)
"""The key that stands for all that can only be themselves, and have no name."""

_UNKNOWN: Any = object()


_LARGE = 1 << 32
_DIGITS = re.compile(r"[0-9]{10,}")


class Identities:
    """What large numbers stand for: an object that is known, or themselves. Once said it is so for the execution."""

    def __init__(self, known: Mapping[int, Thing]) -> None:
        self._known = known
        self._said: dict[int, Any] = {}

    def begin(self) -> None:
        """What one execution has numbered, the next numbers anew."""
        self._said.clear()

    def of(self, number: int) -> Any:
        """A value for it that means the same in every execution."""
        said = self._said.get(number)
        if said is None:
            thing = self._known.get(number)
            said = self._said[number] = number if thing is None or thing.lump else (
                "id", thing.creator, thing.number)
        return said


def steady(name: str, identities: Identities) -> str:
    """The name of an attribute, without the number that `id` gives an object in this execution."""
    return _DIGITS.sub(lambda found: str(identities.of(int(found[0]))), name)


def canonical(key: Any, known: Mapping[int, Thing], identities: Identities) -> Any:
    """The key as a value, equal for equal keys; `OTHER`; or None if it may equal any."""
    plain = _plain(key, known, identities)
    return None if plain is _UNKNOWN else OTHER if plain is OTHER else (plain,)


def _plain(key: Any, known: Mapping[int, Thing], identities: Identities) -> Any:
    plain = _value(key, known, identities)
    return identities.of(plain) if type(plain) is int and plain >= _LARGE else plain


def _value(key: Any, known: Mapping[int, Thing], identities: Identities) -> Any:
    kind: Any = type(key)
    if kind is str or kind is int or key is None or kind is bytes:
        return key
    equal = kind.__eq__
    if equal is tuple.__eq__:
        parts = tuple([_plain(part, known, identities) for part in tuple.__iter__(key)])
        return next((each for each in (_UNKNOWN, OTHER) if each in parts), ("()", *parts))
    if equal is not object.__eq__:
        of_a_value = _EQUAL.get(equal)
        return _UNKNOWN if of_a_value is None else of_a_value(key)
    if issubclass(kind, type):
        return ("class", key.__module__, key.__qualname__)
    if is_member(kind):
        return ("member", kind.__module__, kind.__qualname__, key.name)
    thing = known.get(id(key))
    if thing is None:  # nobody else has it, or it is one of a few that are not counted
        return OTHER
    return _UNKNOWN if thing.lump else ("thing", thing.creator, thing.number)


def _number(value: float) -> Any:
    """Equal for equal numbers: 1.0 is 1."""
    whole = value == value and abs(value) != math.inf and value == int(value)
    return int(value) if whole else repr(value)


_EQUAL: dict[Any, Callable[[Any], Any]] = {  # keys that are compared as these are, be they of classes of the program's
    str.__eq__: lambda key: str.__add__(key, ""),
    bytes.__eq__: lambda key: bytes.__add__(key, b""),
    int.__eq__: lambda key: int.__add__(key, 0),
    float.__eq__: lambda key: _number(float.__add__(key, 0.0)),
    complex.__eq__: lambda key: _number(key.real) if key.imag == 0 else ("j", _number(key.real), _number(key.imag)),
}
