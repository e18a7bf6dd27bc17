"""A livelock, for certain: a state that comes again while everybody who can go on has had a turn.

An execution that reached its limit of steps proves nothing: its loop may end in the
next round. It is certain that it never does if the state repeats, that is all
objects and where each actor stands (standing.py), and if the steps between were
fair: whoever could go on anywhere in them went on, with each of its alternatives. An unfair circle is what a
scheduler may do to any loop that polls, and no mistake of the program: then
everybody is given turns, whoever had the fewest first, and if even so a state repeats, nothing will ever end.

What is not certain stays "incomplete", and names what seems to repeat. Refused: fairness that lets an actor starve
which can go on only now and then; a lock that is passed by somebody in a circle would be called a livelock.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from hocket.explore.execution import Choice, Execution
from hocket.explore.failing.standing import Unsure, standing_of_frames, standing_of_generator, value_of
from hocket.explore.strategy import Replay, prefer_last
from hocket.explore.threads.control import ACTORS
from hocket.trace.event import Event
from hocket.trace.operation import Actor
from hocket.trace.schedule import Schedule

__all__ = ["Fair", "Look", "circle_of_model", "first_rounds", "period", "told"]

_ROUNDS = 3  # so often a piece must come one after the other to be called repeating
_LONGEST = 200  # steps of a piece


# -- what seems to repeat ---------------------------------------------------------------------------------------------


def period(events: Sequence[Event]) -> int:
    """The length of the shortest piece with which `events` end three times; 0 if there is none."""
    steps = [_step(event) for event in events[-_ROUNDS * _LONGEST:]]
    for length in range(1, min(_LONGEST, len(steps) // _ROUNDS) + 1):
        tail = steps[-length:]
        if all(steps[-(n + 1) * length:-n * length] == tail for n in range(1, _ROUNDS)):
            return length
    return 0


def first_rounds(events: Sequence[Event], length: int) -> int:
    """So many events lead to the end of the first three rounds of the piece with which `events` end."""
    start = len(events) - length
    while start > 0 and _step(events[start - 1]) == _step(events[start - 1 + length]):
        start -= 1
    return start + _ROUNDS * length


def told(events: Iterable[Event], actors: Sequence[str], objects: Sequence[str]) -> str:
    """A piece of an execution in words: `t1: x.load, t2: y.store(1)`, at most six steps of it."""
    steps = [f"{actors[event.actor]}: {event.operation.told(list(objects))}" for event in events]
    return ", ".join(steps[:6]) + (f" and {len(steps) - 6} more" if len(steps) > 6 else "")


def _step(event: Event) -> tuple[Any, ...]:
    return event.actor, event.operation.kind, event.operation.objects, event.alternative


def _starving(options: Iterable[Iterable[Choice]], events: Iterable[Event]) -> set[Choice]:
    """Who could go on at some point of a circle, with which alternative, and never does."""
    offered = {choice for choices in options for choice in choices}
    return offered - {(event.actor, event.alternative) for event in events}


class _Turns:
    """Of those that can go on the one with the fewest steps: so all keep in step, also those that begin late."""

    def __init__(self) -> None:
        self.counted = 0  # events
        self.steps: Counter[Actor] = Counter()

    def next(self, execution: Execution) -> Choice | None:
        self.steps.update(event.actor for event in execution.events[self.counted:])
        self.counted = len(execution.events)
        return min(execution.options(), key=lambda choice: (self.steps[choice[0]], *choice), default=None)


# -- real threads: replayed, with a look at their frames --------------------------------------------------------------


class Look(Replay):
    """A replay that, where its schedule ends with three rounds of a circle, goes round once more and compares.

    `circle` has the events of the circle if the state repeats and the circle is fair.
    """

    def __init__(self, schedule: Schedule) -> None:
        super().__init__(schedule)
        self.circle: tuple[Event, ...] = ()
        self._round: list[Choice] = []  # the steps of the circle, once it is looked at
        self._before: Hashable = None
        self._options: list[list[Choice]] = []

    def choose(self, execution: Execution) -> Choice | None:
        number = len(execution.events) - len(self.schedule)
        if number < 0 or not self.schedule.steps:
            return super().choose(execution)
        if number == 0:
            self._begin(execution)
        if number < len(self._round):
            options = execution.options()
            self._options.append(options)
            if self._round[number] in options:
                return self._round[number]
            self._round = []
        elif self._round and number == len(self._round) and self._has_closed(execution):
            self.circle = tuple(execution.events[-number:])
            return None
        return prefer_last(execution)

    def _begin(self, execution: Execution) -> None:
        length = period(execution.events)
        piece = execution.events[len(execution.events) - length:]
        try:
            self._before = _state(execution, {event.actor for event in piece})
        except Unsure:
            return
        self._round = [(event.actor, event.alternative) for event in piece]

    def _has_closed(self, execution: Execution) -> bool:
        piece = execution.events[-len(self._round):]
        try:
            after = _state(execution, {event.actor for event in piece})
        except Unsure:
            return False
        return after == self._before and not _starving(self._options, piece)


class Fair(Replay):
    """A replay that goes on by giving everybody a turn."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__(schedule)
        self._turns = _Turns()

    def choose(self, execution: Execution) -> Choice | None:
        if len(execution.events) < len(self.schedule):
            return super().choose(execution)
        return self._turns.next(execution)


def _state(execution: Execution, movers: set[Actor]) -> Hashable:
    """All objects, and where those stand that move; whoever does not move stands where it stood."""
    frames = sys._current_frames()
    here = {actor.number: (frames.get(ident), actor) for ident, actor in ACTORS.items()
            if actor.control.execution is execution}
    standing = []
    for mover in sorted(movers):
        frame, actor = here[mover]
        standing.append((mover, actor.clock, standing_of_frames(frame)))
    return value_of(dict(execution.states)), tuple(standing), _kinds(execution)


def _kinds(execution: Execution) -> Hashable:
    return tuple([None if operation is None else operation.kind for operation in execution.pending])


# -- pure models: run once more, with a look at their generators ------------------------------------------------------


class Host(Protocol):
    """What is needed of the host of a pure model."""

    execution: Execution

    @property
    def steps(self) -> Mapping[Actor, Any]: ...

    def go(self, choice: Choice) -> None: ...


def circle_of_model(host: Host, choices: Iterable[Choice], limit: int) -> tuple[Schedule, tuple[Event, ...]]:
    """Along `choices` until a state repeats; if that was not fair, on with turns for everybody.

    Answers the schedule that leads once round, and the events of the circle; none if nothing is certain within `limit`
    more steps.
    """
    try:
        path = _Path(host)
        for choice in choices:
            if path.closes():
                break
            path.go(choice)
        turns = _Turns()
        for _ in range(limit):
            if path.closes() and path.is_fair():
                return host.execution.schedule(), path.circle()
            following = turns.next(host.execution)
            if following is None:
                break
            path.go(following)
    except Unsure:
        pass
    return Schedule(), ()


class _Path:
    """The states along an execution of a model."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.states: dict[int, Any] = {}  # of the objects, as they are
        self.objects: dict[int, Hashable] = {}  # and as values
        self.standing = {actor: standing_of_generator(steps) for actor, steps in host.steps.items()}
        self.seen: dict[Hashable, int] = {}
        self.options: list[list[Choice]] = []
        self.start = -1  # of the circle: so many events before it
        self._note()

    def go(self, choice: Choice) -> None:
        execution = self.host.execution
        self.options.append(execution.options())
        self.host.go(choice)
        for actor in {choice[0], *(set(self.host.steps) - set(self.standing))}:
            self.standing[actor] = standing_of_generator(self.host.steps[actor])
        self._note()

    def _note(self) -> None:
        execution = self.host.execution
        for index, state in execution.states.items():
            if index not in self.states or self.states[index] is not state:
                self.states[index], self.objects[index] = state, value_of(state)
        whole = (frozenset(self.objects.items()), frozenset(self.standing.items()), _kinds(execution))
        self.start = self.seen.get(whole, -1)
        self.seen[whole] = len(execution.events)

    def closes(self) -> bool:
        """Whether the present state was there before."""
        return self.start >= 0

    def circle(self) -> tuple[Event, ...]:
        return tuple(self.host.execution.events[self.start:])

    def is_fair(self) -> bool:
        return not _starving(self.options[self.start:], self.circle())
