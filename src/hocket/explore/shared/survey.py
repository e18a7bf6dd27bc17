"""Which functions there are, without looking at all objects of the process each time.

An exploration exchanges functions for each of its runs, and a large test suite holds a million objects. The collector
keeps objects by age: as long as one that was made at some moment is young, so are all that were made later. What was
found once is remembered, weakly, and only what is younger is looked at again. An exploration freezes what is there
when it begins, and thaws it at its end: what was made between is asked for then, because thawed objects are old.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterable
from itertools import compress, repeat
from operator import is_
from types import FunctionType
from typing import Any

__all__ = ["Survey", "functions_in"]

_HAS_GENERATIONS = sys.version_info < (3, 14)  # later collectors move objects a few at a time


def functions_in(things: list[Any]) -> list[FunctionType]:
    """The functions among them; a loop over a million objects is ten times as dear."""
    return list(compress(things, map({FunctionType}.__contains__, map(type, things))))


class _Moment:
    """Tells what was made since, as long as its witness is young."""

    def __init__(self) -> None:
        self._witness: list[Any] = []

    def since(self) -> list[Any] | None:
        """All that was made since, and perhaps more; None if that can no longer be told."""
        young = [*gc.get_objects(0), *gc.get_objects(1)] if _HAS_GENERATIONS else []
        return young if any(map(is_, young, repeat(self._witness))) else None


class Survey:
    """The functions that were found the last time, for the next time that the same is asked."""

    def __init__(self) -> None:
        self._asked: tuple[weakref.ref[Any], ...] | None = None
        self._homes: frozenset[int] | None = None  # the globals, by identity, of the functions that are asked for
        self._found: dict[int, weakref.ref[FunctionType]] = {}
        self._moment = _Moment()

    def functions(self, of: Iterable[Any], find: Callable[[], list[FunctionType]],
                  homes: frozenset[int] | None = None) -> list[FunctionType]:
        """What `find` answers, which depends on the objects `of`, and perhaps functions made since it was called.

        `homes`, which depends on them as well: the identities of the globals that matter; None for all.
        """
        try:
            asked = tuple(map(weakref.ref, of))
        except TypeError:  # something that stands for a module, and cannot be referred to weakly
            return find()
        if asked != self._asked or not self._bring_up_to_date():
            moment = _Moment()  # before anything is looked at
            self._found, self._homes = {}, homes
            self._add(find())
            self._asked, self._moment = asked, moment
        alive = [each for each in (reference() for reference in self._found.values()) if each is not None]
        if len(alive) < len(self._found) // 2:
            self._found = {}
            self._add(alive)
        return alive

    def freeze(self) -> None:
        """Take away from the collector what there is."""
        if not self._bring_up_to_date():
            self._asked = None
        gc.freeze()

    def thaw(self) -> None:
        """Give it back; if somebody else has, all there is counts as new (to ask whether walks through all of it)."""
        new = gc.get_objects()
        gc.unfreeze()
        self._add(functions_in(new))
        self._moment = _Moment()

    def _bring_up_to_date(self) -> bool:
        """Add what was made since the last time; False if nobody knows what that is."""
        moment = _Moment()
        new = self._moment.since()
        if new is None:
            return False
        self._add(functions_in(new))
        self._moment = moment
        return True

    def _add(self, functions: Iterable[FunctionType]) -> None:
        homes = self._homes
        self._found.update((id(each), weakref.ref(each)) for each in functions
                           if homes is None or id(each.__globals__) in homes)
