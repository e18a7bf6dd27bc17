"""What an OS thread has in each `threading.local`, to be forgotten when another actor begins on it.

A new thread has no value in any of them. The threads of an exploration are old ones, so
what one actor left there the next would find, and executions would differ. Until 3.12 the
interpreter keeps the values of a thread in one dict, which is cleared; from 3.13 on each
`threading.local` has a dict by thread, from which the thread is dropped. Refused: a
stand-in for the class, because instances that modules made on import are not of it.
"""

from __future__ import annotations

import _thread
import ctypes
import gc
import sys
from itertools import compress
from typing import Any, Protocol

__all__ = ["FORGETS_ALL", "Kept", "find_all", "kept_here"]

FORGETS_ALL = sys.version_info < (3, 13)
"""Whether a thread can forget what it has in locals that were made since `find_all`, in the execution that goes on."""

_Local: type = _thread._local
_by_thread: list[dict[Any, Any]] = []  # of each local that was found, from 3.13 on
_address_of_locals = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThreadState_GetDict", ctypes.pythonapi))


class Kept(Protocol):
    """The values that one OS thread has; only this thread may clear them."""

    def clear(self) -> None: ...


class _Key:
    """From 3.13 on: the object by which each local knows an OS thread."""

    __slots__ = ("key",)

    def __init__(self) -> None:
        probe = _Local()
        probe.here = True
        (self.key,) = (key for values in _dicts_of(probe) for key in values)

    def clear(self) -> None:
        for values in _by_thread:
            values.pop(self.key, None)


def kept_here() -> Kept:
    """What the calling OS thread has."""
    if not FORGETS_ALL:
        return _Key()
    kept: dict[str, Any] = ctypes.cast(_address_of_locals(), ctypes.py_object).value
    return kept


def find_all() -> None:
    """Look for the locals that there are, if they have to be known one by one: once for an exploration."""
    if not FORGETS_ALL:
        kinds = {_Local, *_subclasses(_Local)}
        things = gc.get_objects()
        found = compress(things, map(kinds.__contains__, map(type, things)))  # a loop over them is ten times as dear
        _by_thread[:] = [values for thing in found for values in _dicts_of(thing)]


def _dicts_of(local: Any) -> list[dict[Any, Any]]:
    """The dicts that the C structure points to: its values by thread, and perhaps its arguments, which lack our key."""
    return [found for found in gc.get_referents(local) if type(found) is dict]


def _subclasses(kind: type) -> set[type]:
    direct: list[type] = kind.__subclasses__()
    return {*direct, *(deeper for sub in direct for deeper in _subclasses(sub))}
