"""What an operation touches, in the form in which a search asks for it a million times.

Sets of objects are bits of an int, so that "do these two conflict" is two `&`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hocket.explore.reductions import UNKNOWN, Freedom, Question, commute, freedom
from hocket.explore.semantics import ROWS, modes_of
from hocket.trace.operation import Operation

__all__ = ["NOTHING", "Footprint", "Footprints", "conflict"]


class Footprint:
    """`touch` and `write` are sets of objects, as bits; `reads` and `writes` the same as numbers, apart.

    `exact`: an event has it whatever came of it, and whatever was before it.
    `freedom`: with what it commutes all the same, by the rules that are on; such an operation has one object.
    A value, and yet no tuple: the fields of a slotted class are read twice as fast, and that is all that happens here.
    """

    __slots__ = ("exact", "freedom", "reads", "touch", "write", "writes")

    def __init__(self, touch: int, write: int, reads: tuple[int, ...], writes: tuple[int, ...],
                 freedom: Freedom | None = None) -> None:
        self.touch, self.write, self.reads, self.writes, self.freedom = touch, write, reads, writes, freedom
        self.exact = False

    def __repr__(self) -> str:
        return f"Footprint(reads={self.reads}, writes={self.writes}, freedom={self.freedom})"


NOTHING = Footprint(0, 0, (), ())


def conflict(a: Footprint, b: Footprint) -> bool:
    """Whether two operations of different actors may not be swapped: they share an object, and one writes it."""
    if not (a.write & b.touch or a.touch & b.write):
        return False
    return a.freedom is None or not commute(a.freedom, b.freedom)


class Footprints:
    """Footprints by operation, computed once for each kind, objects and alternative; `rules` of reductions.py."""

    __slots__ = ("_known", "rules")

    def __init__(self, rules: Collection[str] = ()) -> None:
        self._known: dict[tuple[str, tuple[int, ...], int, bool], Footprint] = {}
        self.rules = frozenset(rules)

    def of(self, operation: Operation, alternative: int, reads_only: bool = False, before: Any = UNKNOWN) -> Footprint:
        """The footprint from intent; with `reads_only`, that of an event that turned out to change nothing.

        `before`: the state in which it happens, for the rules that look at it.
        """
        key = (operation[0], operation[1], alternative, reads_only)
        plain = self._known.get(key)
        if plain is None:
            plain = self._known[key] = _footprint(operation, alternative, reads_only)
            plain.exact = not self.rules and ROWS[operation[0]].always_changes
        if not self.rules:
            return plain
        more = freedom(operation, self.rules, before)
        if type(more) is Question:
            return Footprint(plain.touch, plain.touch, (), plain.reads, more)
        return plain if more is None else Footprint(plain.touch, plain.write, plain.reads, plain.writes, more)


def _footprint(operation: Operation, alternative: int, reads_only: bool) -> Footprint:
    modes = modes_of(operation, alternative, reads_only)
    writes = tuple(index for index, mode in modes if mode == "w")
    reads = tuple(index for index, mode in modes if mode == "r")
    write = sum(1 << index for index in writes)
    return Footprint(write | sum(1 << index for index in reads), write, reads, writes)
