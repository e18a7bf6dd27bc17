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

_ANSWERED = 8  # questions
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
        if not _HAS_GENERATIONS:
            return None
        young = gc.get_objects(0)  # without itself: it would keep itself alive, and all the others
        young += gc.get_objects(1)
        return young if any(map(is_, young, repeat(self._witness))) else None


class _Question:
    """The functions that were found the last time that this was asked, and of those made since what belongs to them."""

    def __init__(self, wanted: Callable[[FunctionType], bool]) -> None:
        self._wanted = wanted
        self._found: dict[int, weakref.ref[FunctionType]] = {}

    def add(self, functions: Iterable[FunctionType]) -> None:
        self._found.update((id(each), weakref.ref(each)) for each in filter(self._wanted, functions))

    def alive(self) -> list[FunctionType]:
        alive = [each for each in [reference() for reference in self._found.values()] if each is not None]
        if len(alive) < len(self._found) // 2:
            self._found = {}
            self.add(alive)
        return alive


class Survey:
    """The answers to the last few questions, for the next time that one of them is asked.

    There are several because an exploration that begins again with more modules asks for more, and the next begins
    with the first question.
    """

    def __init__(self) -> None:
        self._questions: dict[tuple[weakref.ref[Any], ...], _Question] = {}  # the last one asked is the last
        self._moment = _Moment()

    def functions(self, of: Iterable[Any], find: Callable[[], list[FunctionType]],
                  wanted: Callable[[FunctionType], bool]) -> list[FunctionType]:
        """Those of what `find` answers, and of the functions made since it was called, that are `wanted`.

        Both depend on the objects `of`, and on nothing else.
        """
        try:
            asked = tuple(map(weakref.ref, of))
            self._bring_up_to_date()
            question = self._questions.pop(asked, None)
        except TypeError:  # something that stands for a module, and cannot be referred to weakly
            return list(filter(wanted, find()))
        if question is None:
            question = _Question(wanted)
            question.add(find())
        self._questions[asked] = question
        if len(self._questions) > _ANSWERED:
            del self._questions[next(iter(self._questions))]
        return question.alive()

    def freeze(self) -> None:
        """Take away from the collector what there is."""
        self._bring_up_to_date()
        gc.freeze()

    def thaw(self) -> None:
        """Give it back; if somebody else has, all there is counts as new (to ask whether walks through all of it)."""
        new = gc.get_objects()
        gc.unfreeze()
        self._add(functions_in(new))
        self._moment = _Moment()

    def _bring_up_to_date(self) -> None:
        """Add what was made since the last time; if nobody knows what that is, nothing is known."""
        moment = _Moment()  # before anything is looked at
        new = self._moment.since()
        if new is None:
            self._questions.clear()
        else:
            self._add(functions_in(new))
        self._moment = moment

    def _add(self, functions: list[FunctionType]) -> None:
        for question in self._questions.values():
            question.add(functions)
