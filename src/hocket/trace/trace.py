"""A trace: the happens-before order of one execution, and what all executions with the same order share.

Two executions belong to one class (a Mazurkiewicz trace) if they consist of the
same events and every two conflicting events come in the same order. `class_key`
is equal exactly then; it needs no clocks: what every actor did, and for every
object its writes in order with the sets of reads between them, say the same.
This module is told the footprints; it knows no semantics, so that an oracle and
an auditor can use it without trusting the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hocket.trace.clock import Clock, join, seen, tick

__all__ = ["ClassKey", "Mark", "Trace", "class_key"]

ClassKey = tuple[Any, ...]


class Mark(NamedTuple):
    """One event as an order sees it.

    Actors and objects may be numbers or anything that sorts. `label` is what makes it this event and not another
    (operation and alternative); `touched` its footprint, pairs of object and `r` or `w`; `after` the numbers of events
    that it follows irreversibly (spawn, join, notify).
    """

    actor: Any
    label: Any
    touched: tuple[tuple[Any, str], ...] = ()
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


def class_key(marks: Sequence[Mark]) -> ClassKey:
    """Equal for exactly the executions of one class.

    Irreversible edges need no mention: who starts or wakes whom follows from the rest.
    """
    actors: dict[Any, list[Any]] = {}
    objects: dict[Any, _Accesses] = {}
    for actor, label, touched, _ in marks:
        mine = actors.setdefault(actor, [])
        name = (actor, len(mine))
        mine.append(label)
        for item, mode in touched:
            objects.setdefault(item, _Accesses()).add(name, mode)
    return (
        tuple([(actor, tuple(actors[actor])) for actor in sorted(actors)]),
        tuple([(item, objects[item].key()) for item in sorted(objects)]),
    )


class _Accesses:
    """The accesses to one object: its writes in order, and the reads between two of them in no order."""

    __slots__ = ("order", "reads")

    def __init__(self) -> None:
        self.order: list[Any] = []
        self.reads: list[tuple[Any, int]] = []

    def add(self, name: tuple[Any, int], mode: str) -> None:
        if mode == "r":
            self.reads.append(name)
        else:
            self.order += [tuple(sorted(self.reads)), name] if self.reads else [name]
            self.reads = []

    def key(self) -> tuple[Any, ...]:
        return (*self.order, tuple(sorted(self.reads)))
