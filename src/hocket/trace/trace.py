"""A trace: the happens-before order of one execution, and what all executions with the same order share.

Two executions belong to one class (a Mazurkiewicz trace) if they consist of the
same events and every two conflicting events come in the same order. `class_key`
is equal exactly then. This module is told the footprints; it knows no semantics,
so that an oracle and an auditor can use it without trusting the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hocket.trace.clock import Clock, join, seen, tick

__all__ = ["Mark", "Trace"]


class Mark(NamedTuple):
    """One event as an order sees it.

    `label` is what makes it this event and not another (operation and alternative); `touched` its footprint,
    pairs of object and `r` or `w`; `after` the numbers of events it follows irreversibly (spawn, join, notify).
    """

    actor: int
    label: Any
    touched: tuple[tuple[int, str], ...] = ()
    after: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """The events of an execution in order, each with its vector clock."""

    marks: tuple[Mark, ...]
    clocks: tuple[Clock, ...]

    @staticmethod
    def of(marks: Sequence[Mark]) -> Trace:
        """The order that the marks imply: same actor, conflict, irreversible edges, and their closure."""
        history = _History()
        clocks = [history.add(mark) for mark in marks]
        return Trace(tuple(marks), tuple(clocks))

    def happens_before(self, first: int, second: int) -> bool:
        """Whether event number `first` is ordered before event number `second`, by whatever chain."""
        actor = self.marks[first].actor
        return first < second and seen(self.clocks[second], actor) >= seen(self.clocks[first], actor)

    def class_key(self) -> tuple[Any, ...]:
        """Equal for exactly the executions of one class: who did what, having seen what."""
        named = ((mark.actor, seen(clock, mark.actor), mark.label, _trimmed(clock))
                 for mark, clock in zip(self.marks, self.clocks, strict=True))
        return tuple(sorted(named, key=lambda entry: entry[:2]))


class _History:
    """What the events so far leave behind for the next: the clocks that it must join."""

    def __init__(self) -> None:
        self.clocks: list[Clock] = []
        self.actors: dict[int, Clock] = {}
        self.written: dict[int, Clock] = {}
        self.touched: dict[int, Clock] = {}

    def add(self, mark: Mark) -> Clock:
        before = [self.actors.get(mark.actor, ()), *(self.clocks[number] for number in mark.after)]
        before += [(self.touched if mode == "w" else self.written).get(item, ()) for item, mode in mark.touched]
        clock = self.actors[mark.actor] = tick(join(before), mark.actor)
        self.clocks.append(clock)
        for item, mode in mark.touched:
            self.touched[item] = join([self.touched.get(item, ()), clock])
            if mode == "w":
                self.written[item] = clock
        return clock


def _trimmed(clock: Clock) -> Clock:
    size = len(clock)
    while size and not clock[size - 1]:
        size -= 1
    return clock[:size]
