"""Data races of one execution: two accesses to one place, one of them a write, and nothing orders them.

For `data="race-check"`, where accesses are watched but are no operations. An access
stands after so many steps of its actor, so one happens before another exactly if the
other's actor has, before it, learnt of the first one's next step. If no execution has a
race, switching at synchronisation only has covered everything (the argument of CHESS,
Musuvathi et al., OSDI 2008, 3.1); a race is a failure.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from hocket.explore.execution import Execution
from hocket.explore.semantics import ROWS, modes_of
from hocket.explore.threads.values import Value
from hocket.trace.event import Event

__all__ = ["Access", "Race", "race_of", "unordered"]

Stack = tuple[tuple[str, int, str], ...]
Clock = dict[int, int]


class Access(NamedTuple):
    """`actor` reads or writes (`mode` r or w) a place, after so many events of the execution.

    `value` is what it read or wrote, in an execution that is shown.
    """

    actor: int
    events: int
    mode: str
    place: int
    stack: Stack
    value: Value = Value()


@dataclass(frozen=True, slots=True)
class Race:
    """Two accesses that nothing orders; `place` is their name."""

    place: str
    first: Access
    second: Access


def race_of(execution: Execution, accesses: list[Access]) -> Race | None:
    """The first race of an execution, in the order in which their second accesses were made."""
    found = unordered(execution, accesses)
    return Race(execution.cast.objects[found[0].place], *found) if found is not None else None


def unordered(execution: Execution, accesses: list[Access]) -> tuple[Access, Access] | None:
    """Two accesses to one place, one of them a write, that no operation of the execution orders."""
    suspects = _touched_by_several(accesses)
    clocks = _Clocks(execution.events if suspects else [])
    last: dict[int, dict[tuple[int, str], Access]] = {}  # of each place, by actor and mode
    for access in accesses:
        if access.place not in suspects:
            continue
        others = last.setdefault(access.place, {})
        for (actor, mode), earlier in others.items():
            if actor != access.actor and "w" in (mode, access.mode) and not clocks.ordered(earlier, access):
                return earlier, access
        others[access.actor, access.mode] = access
    return None


def _touched_by_several(accesses: list[Access]) -> set[int]:
    """The places that somebody writes and somebody else touches."""
    actors: dict[int, int] = {}
    shared: set[int] = set()
    written: set[int] = set()
    for actor, _, mode, place, *_ in accesses:
        if actors.setdefault(place, actor) != actor:
            shared.add(place)
        if mode == "w":
            written.add(place)
    return shared & written


class _Clocks:
    """For each event, how many steps of each actor happen before it or are it."""

    def __init__(self, events: list[Event]) -> None:
        self._steps: dict[int, list[int]] = {}  # of each actor: after how many events it made its steps
        self._after: dict[tuple[int, int], Clock] = {}  # after so many steps of an actor: what it knows
        latest: dict[int, Clock] = {}
        reads: dict[int, Clock] = {}
        writes: dict[int, Clock] = {}
        woken: dict[int, Clock] = {}
        for number, event in enumerate(events, 1):
            operation, actor = event.operation, event.actor
            row = ROWS[operation.kind]
            clock = dict(latest.get(actor, {}))
            _join(clock, woken.pop(actor, {}))
            if row.follows:
                ended = operation.argument
                _join(clock, latest.get(ended, {}))
                clock[ended] = clock.get(ended, 0) + 1  # also what it did after its last step
            elif operation.kind == "thread.join_timed" and event.alternative == 0:
                _join(clock, writes.get(operation.objects[0], {}))
            modes = modes_of(operation, event.alternative, event.reads_only)
            for index, mode in modes:
                _join(clock, writes.get(index, {}))
                if mode == "w":
                    _join(clock, reads.get(index, {}))
            clock[actor] = clock.get(actor, 0) + 1
            for index, mode in modes:
                _join((writes if mode == "w" else reads).setdefault(index, {}), clock)
            for other in row.wakes(operation.argument, event.result):
                _join(woken.setdefault(other, {}), clock)
            latest[actor] = clock
            self._steps.setdefault(actor, []).append(number)
            self._after[actor, clock[actor]] = clock

    def ordered(self, first: Access, second: Access) -> bool:
        """Whether `first`, which was made earlier, happens before `second`."""
        own = bisect_right(self._steps.get(first.actor, ()), first.events)
        step = bisect_right(self._steps.get(second.actor, ()), second.events)
        return self._after.get((second.actor, step), {}).get(first.actor, 0) > own


def _join(into: Clock, other: Clock) -> None:
    for actor, count in other.items():
        if count > into.get(actor, 0):
            into[actor] = count
