"""What an actor is about to do: a kind, the objects it concerns, an argument.

An operation is a value that hosts make by the million, so it is a tuple. Actors
and objects are small numbers that mean the same in every execution of one
exploration (who created it, as its how-many-th), because an explorer compares
operations of different executions; `id()` and creation time would not survive a
change of order. Refused: the name of an object in the operation; names are for
people, and are kept once, beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hocket.trace.brief import brief

__all__ = ["Actor", "Operation"]

Actor = int
"""The number of an actor; 0 is the one that runs the body."""


class Operation(NamedTuple):
    """One visible step that an actor wants to take: `kind` is a row of the table of semantics, e.g. "lock.acquire"."""

    kind: str
    objects: tuple[int, ...] = ()
    argument: Any = None

    def same_as(self, other: Operation) -> bool:
        """Whether both are the same step of a program; arguments are the user's and need not be comparable."""
        return self.kind == other.kind and self.objects == other.objects

    def told(self, names: Sequence[str] = ()) -> str:
        """The operation for people: `counter.load`, `door.acquire`, `choose(3)`; `names` is indexed by object."""
        family, _, verb = self.kind.rpartition(".")
        if not self.objects:
            return f"{self.kind}({_short(self.argument)})"
        index = self.objects[0]
        name = names[index] if index < len(names) else f"{family}{index}"
        return f"{name}.{verb}" + ("" if self.argument is None else f"({_short(self.argument)})")

    def __str__(self) -> str:
        return self.told()


def _short(argument: Any) -> str:
    if callable(argument):
        return str(getattr(argument, "__name__", type(argument).__name__))
    if type(argument) is tuple:
        return ", ".join(map(_short, argument))
    return brief(argument)
