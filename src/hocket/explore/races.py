"""Which events could have happened the other way round.

A race (i, j): event j conflicts with the earlier event i, and could have run
before it. "Could" is asked of the objects as they stand after everything before i
and everything since that does not depend on i: if j's operation is not enabled
there (an acquire moved before the release that made it possible), the pair is no
race, and *the search goes on further left*, where the real one is (the previous
acquire). What must precede j in any case (its actor's previous event, who started
or notified it) is never reversed. An event that was reversed covers everything
that happens before it: those reversals will be found from the other side.

Three kinds of step take part: the events themselves; the operations that are
still blocked when an execution ends (a deadlock's acquire could have come first);
and the alternatives that an event did not take (another choice, a time-out).

Source: Abdulla, Aronis, Jonsson, Sagonas, "Source Sets" (JACM 2017) for races and
notdep; the enabledness test to the left is ours to say (explorer.md c.2, c.3):
theirs assumes that no operation blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hocket.explore.deep import DEEP, among, numbers
from hocket.explore.execution import Execution
from hocket.explore.footprint import Footprint
from hocket.explore.order import Order
from hocket.explore.reductions import ADDS, Alike, Change
from hocket.explore.semantics import ROWS, Row
from hocket.trace.operation import Actor, Operation

__all__ = ["Race", "Races"]


class Race:
    """A reversal: at event `at`, first what does not depend on it, then this operation of `actor`.

    `second` is the event that it reverses (it may be `at` itself, for another alternative), or the number of
    events if the operation is still blocked. `direct` are the events that directly precede the operation in the
    reversed sequence, as far as they are part of it. `dropped`: events that commute with `at` and are left out as well,
    since the operation is possible only without them. `settled`: what was explored or planned when it was last planned
    is all that it asks for, whatever follows `second`.
    """

    __slots__ = ("_direct", "actor", "alternative", "at", "dropped", "footprint", "operation", "second", "settled")

    def __init__(self, at: int, second: int, actor: Actor, operation: Operation, alternative: int,
                 footprint: Footprint, direct: int, dropped: int = 0) -> None:
        self.at, self.second, self.dropped = at, second, dropped
        self.actor, self.operation, self.alternative = actor, operation, alternative
        self.footprint, self.settled = footprint, False
        self._direct: int | tuple[int, ...] = direct if second < DEEP else tuple(numbers(direct))

    @property
    def direct(self) -> int:
        """The events that directly precede the operation."""
        direct = self._direct
        return among(direct) if isinstance(direct, tuple) else direct


class Races:
    """Finds the races of an execution, given its order."""

    __slots__ = ("order",)

    def __init__(self, order: Order) -> None:
        self.order = order

    def of_event(self, execution: Execution, number: int, latest: int) -> list[Race]:
        """The races of an event with earlier ones; they stay the same whatever follows. `latest`: of `Order.raced`."""
        if not latest:
            return []
        order = self.order
        actor, operation, alternative, _, _ = order.events[number]
        footprint, row = order.prints[number], ROWS[operation[0]]
        direct = order.direct_before(actor, operation, alternative, number)
        if row.always_same and type(footprint.freedom) is not Change:  # so each latest conflict is a race
            direct |= latest
            if not latest & latest - 1:
                return [Race(latest.bit_length() - 1, number, actor, operation, alternative, footprint, direct)]
            return [Race(at, number, actor, operation, alternative, footprint, direct) for at in numbers(latest)]
        covered = order.closure(direct)
        left = order.conflicting(footprint) & ~(covered | 1 << number)
        return list(self._scan(execution, row, number, actor, operation, alternative,
                               footprint, left, covered, direct | left))

    def late(self, execution: Execution) -> Iterator[Race]:
        """The races of a complete execution that depend on all of it: alternatives not taken, and who is blocked."""
        moved = _moved(execution)
        for number in self.order.forking:
            event, state = self.order.events[number], execution.before[number]
            for way in _others_within_reach(event.actor, event.operation, event.alternative, state, moved):
                yield from self._attempt(execution, number, event.actor, event.operation, way)
        length = len(self.order.events)
        for actor in execution.blocked():
            operation = execution.pending[actor]
            assert operation is not None
            for way in _others_within_reach(actor, operation, -1, execution.state_of(operation), moved):
                yield from self._attempt(execution, length, actor, operation, way)

    def _attempt(self, execution: Execution, number: int, actor: Actor, operation: Operation, way: int
                 ) -> Iterator[Race]:
        """An operation that did not happen: in place of event `number`, or earlier."""
        order, row = self.order, ROWS[operation.kind]
        footprint = order.footprints.of(operation, way)
        direct = order.direct_before(actor, operation, way, number)
        if row.never_blocks and not operation.objects:  # a choice, with which nothing interferes
            if number < len(order.events):  # else the execution was cut short before it
                yield Race(number, number, actor, operation, way, footprint, direct)
            return
        covered = order.closure(direct)
        conflicts = order.conflicting(footprint)
        left = conflicts & ((1 << number) - 1) & ~covered
        if number < len(order.events):
            left |= 1 << number
        direct |= conflicts
        yield from self._scan(execution, row, number, actor, operation, way, footprint, left, covered, direct)

    def _scan(self, execution: Execution, row: Row, number: int, actor: Actor, operation: Operation, way: int,
              footprint: Footprint, left: int, covered: int, direct: int) -> Iterator[Race]:
        order, forced = self.order, covered
        while left:
            at = left.bit_length() - 1
            left &= ~(1 << at)
            for dropped in self._drops(row, at, number, footprint, forced):
                state = self._state(execution, operation, at, self.kept(at, number, dropped))
                if row.enabled(state, actor, operation.argument, way):
                    sharper = self._sharpened(row, state, actor, operation, way, footprint)
                    before = direct
                    if sharper is not footprint:  # it conflicts with less there, perhaps with nothing that remains
                        before = order.direct_before(actor, operation, way, number) | order.conflicting(sharper)
                    yield Race(at, number, actor, operation, way, sharper, before, dropped)
                    if row.never_blocks or type(order.prints[at].freedom) is not Alike:
                        covered |= order.past[at] | 1 << at  # not if, from there, those are possible only together
            left &= ~covered

    def _drops(self, row: Row, at: int, number: int, footprint: Footprint, forced: int) -> Iterable[int]:
        """What may be left out besides `at`: nothing, or some of the events that commute with it and block as it does.

        Events that conflict with an operation that blocks are in order as a rule, so that the later ones go with the
        first. By a rule of reductions.py they may be in none; then each alone may be what stands in the way. Of equal
        writes one does what all do, so it is all or nothing.
        """
        if not self.order.footprints.rules or row.never_blocks:
            return (0,)
        others = self.order.conflicting(footprint) & self.kept(at, number) & ~forced
        if not others:
            return (0,)
        kin = self.order.prints[at].freedom
        return _subsets(others) if type(kin) is Alike and kin.value == ADDS else (0, others)

    def kept(self, at: int, second: int, dropped: int = 0) -> int:
        """The events after `at` that remain when `second` is moved before it: those that depend on neither.

        Nor on what is `dropped`. `second` may be the number of events: then nothing depends on it.
        """
        order = self.order
        apart = order.apart(at)
        if second < len(order.events) and second != at and apart >> second:
            apart &= (1 << second) - 1 | order.apart(second)
        while dropped:
            other = dropped.bit_length() - 1
            dropped ^= 1 << other
            apart &= (1 << other) - 1 | order.apart(other)
        return apart

    def _sharpened(self, row: Row, state: Any, actor: Actor, operation: Operation, way: int, footprint: Footprint
                   ) -> Footprint:
        """The footprint that the operation will have there: a compare-exchange that must fail only reads."""
        if row.always_changes or row.changed(row.perform(state, actor, operation.argument, way)[1]):
            return self.order.footprints.of(operation, way, False, state)
        return self.order.footprints.of(operation, way, True)

    def _state(self, execution: Execution, operation: Operation, at: int, kept: int) -> Any:
        """The states of the operation's objects after all that precedes event `at`, and then the events `kept`."""
        objects = operation.objects
        before = [self._before(execution, item, at, kept) for item in objects]
        if None not in before:
            known = tuple([found[0] for found in before if found is not None])
            return known[0] if len(objects) == 1 else known
        states = self._states(execution, at)
        while kept:
            number = (kept & -kept).bit_length() - 1
            kept &= kept - 1
            _replay(states, execution, number)
        return states[objects[0]] if len(objects) == 1 else tuple(states[index] for index in objects)

    def _before(self, execution: Execution, item: int, at: int, kept: int) -> tuple[Any] | None:
        """The state of an object before event `at`, if no event kept can change it.

        If that event concerns it, none can: whoever writes it after `at` depends on `at`, unless `at` touches it in no
        way that can be seen, or commutes. Else its state is what the next event that has to do with it has found.
        """
        footprint, events, number = self.order.prints[at], execution.events, at
        if not footprint.touch >> item & 1 or footprint.freedom is not None:
            concerned = [number for number in range(at, len(events)) if item in events[number][1][1]]
            if not concerned:
                return (execution.states[item],)
            if any(kept >> number & 1 for number in concerned):
                return None
            number = concerned[0]
        objects = events[number][1][1]
        state = execution.before[number]
        return (state,) if len(objects) == 1 else (state[objects.index(item)],)

    def _states(self, execution: Execution, at: int) -> dict[int, Any]:
        """All states before event `at`."""
        states = dict(execution.states)
        for number in range(len(execution.events) - 1, at - 1, -1):
            if not self.order.prints[number].write:
                continue  # it has changed nothing, however much it has looked at
            objects, before = execution.events[number].operation.objects, execution.before[number]
            if len(objects) == 1:
                states[objects[0]] = before
            else:
                states.update(zip(objects, before, strict=True))
        return states


def _moved(execution: Execution) -> set[int]:
    """The objects that have not been in one and the same state throughout."""
    initial, states = execution.initial, execution.states
    moved = {item for item in states if states[item] is not initial[item]}
    for event, state in zip(execution.events, execution.before, strict=True):
        objects = event[1][1]
        if len(objects) == 1:
            if state is not initial[objects[0]]:
                moved.add(objects[0])
        else:
            moved.update([item for item, each in zip(objects, state, strict=True) if each is not initial[item]])
    return moved


def _others_within_reach(actor: Actor, operation: Operation, taken: int, state: Any, moved: set[int]) -> list[int]:
    """The alternatives not `taken` that may be possible somewhere.

    What is not possible in `state` is possible nowhere if no event has changed that: whatever is left out of an
    execution, the events that remain do to the objects what they did there.
    """
    row = ROWS[operation.kind]
    others = [way for way in range(row.alternatives(operation.argument)) if way != taken]
    if not moved.isdisjoint(operation.objects):
        return others
    return [way for way in others if row.enabled(state, actor, operation.argument, way)]


def _replay(states: dict[int, Any], execution: Execution, number: int) -> None:
    actor, operation, alternative, _, _ = execution.events[number]
    row, objects = ROWS[operation.kind], operation.objects
    if len(objects) == 1:
        states[objects[0]] = row.perform(states[objects[0]], actor, operation.argument, alternative)[0]
    else:
        state = tuple(states[index] for index in objects)
        states.update(zip(objects, row.perform(state, actor, operation.argument, alternative)[0], strict=True))


def _subsets(events: int) -> Iterator[int]:
    """All sets of some events, the empty one first."""
    chosen = 0
    while True:
        yield chosen
        if chosen == events:
            return
        chosen = chosen - events & events
