"""Iterators that were there before the exploration: each execution goes through a copy, taken when they were met.

An iterator that has moved cannot be put back, so it does not move: what stands in its place begins where it stood, and
the program's own stays there. Who goes on with another (`enumerate` of an iterator) is copied with it, and two that
share one share its copy. Not copied are generators, and iterators that know more than Python tells of them (those of
dicts, sets and deques, `tee`, `groupby`): who takes from such a one is reported.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

from hocket.explore.shared.parts import METHODS_OF_C, is_stepping
from hocket.explore.shared.stateful import is_stateful, state_of

__all__ = ["Rewinding"]

_SEQUENCES: tuple[Any, ...] = ([], (), range(0), range(1 << 99), "", "\u0100", b"", bytearray())
_OF_ITERTOOLS = {
    itertools.chain, itertools.cycle, itertools.islice, itertools.accumulate, itertools.takewhile, itertools.dropwhile,
    itertools.zip_longest, itertools.repeat, itertools.starmap, itertools.compress, itertools.filterfalse}
_COPIED: frozenset[type] = frozenset({
    *(type(iter(each)) for each in _SEQUENCES), type(reversed([])), type(iter(int, 0)), enumerate, zip, map, filter,
    itertools.count, *(_OF_ITERTOOLS if sys.version_info < (3, 12) else ())})  # from then on those are not to be asked


class Rewinding:
    """What iterators were when they were met, and what stands for them in this execution."""

    def __init__(self) -> None:
        self._met: dict[int, tuple[Any, Any]] = {}  # by identity: the iterator, and a copy that nobody moves
        self._copies: dict[int, Any] = {}  # of those that others go on with, by their identity
        self._here: dict[int, Any] = {}  # what stands for each, or for its copy, in this execution

    def keep(self, iterator: Any) -> None:
        """Remember where it stands; of one that cannot be copied, nothing."""
        if type(iterator) in _COPIED and id(iterator) not in self._met:
            self._met[id(iterator)] = (iterator, _copied(iterator, self._copies, _same))

    def begin(self) -> None:
        self._here.clear()

    def stands_for(self, iterator: Any, speaking: Callable[[Any], Any]) -> Any:
        """What is to be used in its place; None if there is nothing. `speaking` makes methods tell what they do."""
        kept = self._met.get(id(iterator))
        return None if kept is None or kept[1] is None else _copied(kept[1], self._here, speaking)


def _same(value: Any) -> Any:
    return value


def _copied(value: Any, copies: dict[int, Any], speaking: Callable[[Any], Any]) -> Any:
    """A copy of an iterator and all that it goes on with, each of these copied once; None if one cannot be."""
    try:
        return _again(value, copies, speaking)
    except (TypeError, ValueError):  # a count of something that is no number
        return None


def _again(value: Any, copies: dict[int, Any], speaking: Callable[[Any], Any]) -> Any:
    kind = type(value)
    if kind is tuple:
        return tuple([_again(part, copies, speaking) for part in value])
    if kind in METHODS_OF_C:
        if is_stateful(type(value.__self__)) and state_of(value.__self__) is None:
            raise TypeError(f"a {type(value.__self__).__name__} is not put back")
        return speaking(value)
    if not is_stepping(kind):
        return value
    if id(value) not in copies:
        if kind not in _COPIED:
            raise TypeError(f"a {kind.__name__} is not copied")
        made, given, *state = value.__reduce__() if kind is not itertools.count else _of_a_count(value)
        if kind is itertools.cycle:  # which goes on writing down what it has seen
            state = [(list(state[0][0]), state[0][1])]
        new = made(*(_again(part, copies, speaking) for part in given))
        if state and state[0] is not None:
            new.__setstate__(_again(state[0], copies, speaking))
        copies[id(value)] = new
    return copies[id(value)]


def _of_a_count(value: Any) -> tuple[Any, tuple[Any, ...]]:
    """How it would be made, by the text that it shows."""
    return itertools.count, tuple(map(int, repr(value)[len("count("):-1].split(",")))
