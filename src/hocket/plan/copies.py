"""How payloads are copied: what `value`, `copy_prev` and the staging of a fan-out mean by a copy.

A copy is independent of what it was made from, so it is deep (`copy.deepcopy`, which a type may define as
`__deepcopy__`); what cannot be changed is its own copy. A type that must not be copied says `__deepcopy__ = None`, as
one that must not be hashed says `__hash__ = None`. Refused: `copy.copy`, whose results share their inner lists, so that
a task with a copy of its own could still change what its siblings read.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from copy import deepcopy
from fractions import Fraction
from typing import Any

__all__ = ["copy_of", "is_immutable", "may_be_copied"]

_IMMUTABLE: frozenset[type] = frozenset(
    {type(None), bool, int, float, complex, str, bytes, range, type, Fraction, type(...), type(len), type(lambda: 0)}
)
_FLAT: dict[type, Callable[[Any], Any]] = {bytearray: bytearray, array: lambda items: items[:]}


def copy_of(payload: Any) -> Any:
    """An independent copy; the thing itself where nobody could tell.

    Raises TypeError for what must not be copied, and what its `__deepcopy__` raises.
    """
    kind = payload.__class__
    if kind in _IMMUTABLE:
        return payload
    flat = _FLAT.get(kind)
    if flat is not None:
        return flat(payload)
    if not may_be_copied(kind):
        raise TypeError(f"a {kind.__name__} must not be copied: it says __deepcopy__ = None")
    return deepcopy(payload)


def may_be_copied(kind: Any) -> bool:
    """Whether a type does not forbid it: `__deepcopy__ = None`."""
    return getattr(kind, "__deepcopy__", may_be_copied) is not None


def is_immutable(kind: Any) -> bool:
    """Whether values of this very type can be shared without a thought."""
    return kind in _IMMUTABLE
