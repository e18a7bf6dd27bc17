"""Optimal dynamic partial-order reduction: exactly one execution for each class, and none in vain.

Two interleavings that differ only in the order of independent operations are one
class, and one of them is enough. After each execution its races are turned
round; what leads there is planned as a whole in the wakeup tree of the state
where the race begins. Steps whose executions were all seen *sleep* until
something conflicts with them. The two together give the theorem: every class
once, and never an execution that ends because everybody able to go on sleeps. The
latter is asserted here at every state.

`Source` is the lighter variant: it remembers single steps instead of sequences,
misses nothing, but pays with executions that are given up half-way (`given_up`).

Refused: race analysis of new events only. Sequences contain what follows a race
and does not depend on it, so another continuation is another sequence. An old race
is left out only if nothing new is independent of it: its sequence is then part of
one that was planned, v = u + s, where no event of s comes before one of u; so a
step that can start v can start u, branch by branch, and u is covered as well.

Source: Abdulla, Aronis, Jonsson, Sagonas, "Source Sets: A Foundation for Optimal
Dynamic Partial Order Reduction" (POPL 2014, JACM 2017); blocking operations,
alternatives and refined footprints as explorer.md c.2-c.4.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from hocket.errors import NondeterminismError
from hocket.explore.execution import Choice, Execution
from hocket.explore.footprint import Footprint
from hocket.explore.order import Order
from hocket.explore.races import Race, Races
from hocket.explore.reductions import checked, commute
from hocket.explore.semantics import ROWS
from hocket.explore.wakeup import Node, covered_by_sleep, insert, insert_step, sleeps
from hocket.trace.operation import Actor, Operation

__all__ = ["Optimal", "Source"]


class Frame:
    """A state on the current path: the step taken from it, what else is planned from it, and what sleeps there."""

    __slots__ = ("below", "choice", "footprint", "operation", "planned", "races", "sleep")

    def __init__(self, planned: list[Node] | None, sleep: dict[Choice, Footprint]) -> None:
        self.planned = planned  # what is still to be done from here, leftmost first
        self.sleep = sleep  # perhaps that of the state before as well: it is replaced, never changed
        self.choice: Choice  # the step, what it does, what it touches from intent, and what is planned behind it
        self.operation: Operation
        self.footprint: Footprint
        self.below: list[Node] | None = None
        self.races: Sequence[Race] | None = None  # of the event that leaves this state, once somebody has asked

    def take_planned(self) -> None:
        """The step is the first that is planned."""
        assert self.planned
        node = self.planned.pop(0)
        self.choice, self.operation, self.footprint = (node.actor, node.alternative), node.operation, node.footprint
        self.below, self.races = node.children, None


class Optimal:
    """The strategy that runs each class exactly once.

    `youngest_first`: where nobody is preferred, go on with the actor that was created last. An old one, main above
    all, soon waits for it; with real threads that saves switches. The classes are the same.
    `reductions`: rules of reductions.py by which more is independent, so that a class is larger.
    """

    exhaustive = True
    own_from = 0  # the first state from which `_plan_step` may stand for `_plan`

    def __init__(self, youngest_first: bool = False, reductions: Iterable[str] = ()) -> None:
        self.youngest_first = youngest_first
        self.reductions = checked(reductions)
        self.order = Order(self.reductions)
        self.races = self._new_races()
        self.frames: list[Frame] = []
        self.given: list[Frame] = []  # the states of a path to begin with, the last one first (see stack.py)
        self.fixed = 0  # so many steps are as in the execution before
        self._started = False
        self.given_up = 0  # executions that ended because all that could go on slept: 0, or this is not optimal

    def _new_races(self) -> Races:
        return Races(self.order)

    # -- the three methods

    def begin(self) -> bool:
        """Step back to the last state with something left to do."""
        if not self._started:
            self._started = True
            return True
        frames = self.frames
        while frames and not frames[-1].planned:
            frames.pop()
        if not frames:
            return False
        self.fixed = depth = len(frames) - 1
        frame = frames[depth]
        # the step taken from this state is explored: it sleeps from now on
        frame.sleep = {**frame.sleep, frame.choice: self.order.prints[depth]}
        frame.take_planned()
        self.order.truncate(depth)
        return True

    def choose(self, execution: Execution) -> Choice | None:
        """Along the path as before; then along the plan; then freely."""
        depth, frames = len(execution.events), self.frames
        if depth < len(frames):
            frame = frames[depth]
            if execution.pending[frame.choice[0]] is not frame.operation:
                self._same(frame, execution, depth)
            if depth >= self.fixed and not ROWS[frame.operation[0]].always_possible:
                self._must_be_possible(frame, execution)
            return frame.choice
        if depth:
            above = frames[-1]
            footprint = above.footprint
            if not footprint.exact:
                footprint = self._refined(execution)
            self.order.prints.append(footprint)
            sleep = above.sleep
            if sleep:
                sleep = self._asleep_after(sleep, above.choice[0], footprint)
            frame = Frame(above.below, sleep)
        else:
            frame = Frame(None, {})
        if self.given:
            frame = self.given.pop()
        if frame.planned:
            frame.take_planned()
            if execution.pending[frame.choice[0]] is not frame.operation:
                self._same(frame, execution, depth)
            if not ROWS[frame.operation[0]].always_possible:
                self._must_be_possible(frame, execution)
        elif not self._free_choice(frame, execution):
            return None
        frames.append(frame)
        return frame.choice

    def ended(self, execution: Execution) -> None:
        """Turn the races of the execution round."""
        length, frames = len(execution.events), self.frames
        del frames[length:]
        if length > len(self.order.prints):
            self.order.prints.append(self._refined(execution))
        self._learn(execution)
        self._plan_all(execution)

    # -- states

    def _refined(self, execution: Execution) -> Footprint:
        """What the event that has just happened did touch, and not only might: who sleeps on depends on it."""
        event = execution.events[-1]
        return self.order.footprints.of(event[1], event[2], event[4], execution.before[-1])

    def _asleep_after(self, sleep: dict[Choice, Footprint], actor: Actor, done: Footprint) -> dict[Choice, Footprint]:
        """Who sleeps on when this has happened: those that it does not conflict with."""
        touch, write, free = done.touch, done.write, done.freedom
        if free is not None:
            return {choice: mine for choice, mine in sleep.items() if choice[0] != actor and not (
                (mine.write & touch or mine.touch & write) and not commute(free, mine.freedom))}
        for choice, mine in sleep.items():
            if choice[0] == actor or mine.write & touch or mine.touch & write:
                return {choice: mine for choice, mine in sleep.items()
                        if choice[0] != actor and not (mine.write & touch or mine.touch & write)}
        return sleep

    def _free_choice(self, frame: Frame, execution: Execution) -> bool:
        """Nothing is planned: go on with whoever ran last, else with the first that does not sleep."""
        pending, last = execution.pending, execution.last
        operation = pending[last]
        if operation is not None and self._take(frame, execution, last, operation):
            return True
        for actor in range(len(pending) - 1, -1, -1) if self.youngest_first else range(len(pending)):
            operation = pending[actor]
            if operation is not None and actor != last and self._take(frame, execution, actor, operation):
                return True
        if frame.sleep and execution.options():
            self._all_sleep(execution)
        return False

    def _take(self, frame: Frame, execution: Execution, actor: Actor, operation: Operation) -> bool:
        """Go on with this actor, if there is a way for it that does not sleep."""
        sleep = frame.sleep
        if ROWS[operation[0]].always_possible:
            choice = (actor, 0)
            if choice in sleep:
                return False
            frame.choice, frame.operation, frame.footprint = choice, operation, self.order.footprints.of(operation, 0)
            return True
        for alternative in execution.alternatives(actor, operation):
            choice = (actor, alternative)
            if choice not in sleep:
                frame.choice, frame.operation = choice, operation
                frame.footprint = self.order.footprints.of(operation, alternative)
                return True
        return False

    def _all_sleep(self, execution: Execution) -> None:
        raise AssertionError(f"optimal search went in vain, which is our error: {execution.schedule()}")

    def _learn(self, execution: Execution) -> None:
        """Take in the events that are new, and with what they race."""
        order = self.order
        order.events += execution.events[len(order.events):]
        while order.extend():  # the races of the event that is now the last have to be looked for
            last = len(order.past) - 1
            races = self.races.of_event(execution, last, order.raced[last])
            self.frames[last].races = races
            if not ROWS[order.events[last][1][0]].never_blocks:
                order.raced[last] = sum({1 << race.at for race in races})

    # -- plans

    def _plan_all(self, execution: Execution) -> None:
        """Plan the reversal of every race. Where nothing new is independent of it, the plan is that of last time."""
        order, fixed, frames = self.order, self.order.kept, self.frames
        loosened, raced = order.loosened, order.raced
        if loosened:
            for number in range(min(fixed, len(frames))):
                if raced[number] & loosened:
                    self._plan_again(execution, number)
        for number in range(fixed, len(frames)):
            found = raced[number]
            if found:
                at = found.bit_length() - 1
                # the commonest case: one race, and all that comes behind it is new and depends on it
                if at >= fixed - 1 and at >= self.own_from and found == 1 << at and not loosened & found:
                    frame = frames[number]
                    if frame.races is None:
                        self._plan_step(frames[at], frame, order.prints[number])
                        continue
                for race in self._races_of(execution, number):
                    self._plan(self._sequence(race) if loosened >> race.at & 1 or race.at < fixed - 1 else 0, race)
        if order.forking or not execution.is_over():
            for race in self.races.late(execution):
                self._plan(self.races.kept(race.at, race.second, race.dropped), race)

    def _plan_again(self, execution: Execution, number: int) -> None:
        """Plan the races of an event of the execution before, as far as this may be another plan than it was there."""
        order, races, settled = self.order, self._races_of(execution, number), False
        for race in races:
            if not race.settled and order.loosened >> race.at & 1:
                self._plan(self._sequence(race), race)
            settled = settled or race.settled
        if settled:  # they need not be looked at as long as this event is there
            left = self.frames[number].races = [race for race in races if not race.settled]
            order.raced[number] = sum({1 << race.at for race in left})

    @staticmethod
    def _plan_step(frame: Frame, later: Frame, footprint: Footprint) -> None:
        """`_plan` for the step of a later state alone, without the words for a race."""
        choice, sleep, planned = later.choice, frame.sleep, frame.planned
        if sleep and sleeps(sleep, choice, footprint):
            return
        if not planned:
            frame.planned = [Node(choice[0], choice[1], later.operation, footprint)]
        else:
            insert_step(planned, choice, later.operation, footprint)

    def _races_of(self, execution: Execution, number: int) -> Sequence[Race]:
        """The races of an event; they stay the same whatever follows."""
        order, frame = self.order, self.frames[number]
        races = frame.races
        if races is None:
            races = frame.races = self.races.of_event(execution, number, order.raced[number])
        return races

    def _sequence(self, race: Race) -> int:
        """The events that go before the operation of a race."""
        return self.races.kept(race.at, race.second, race.dropped) if race.dropped else self.order.apart(race.at)

    def _plan(self, events: int, race: Race) -> None:
        """See to it that some execution goes through `events` and then the race's operation, from its state."""
        frame = self.frames[race.at]
        sleep = frame.sleep
        if not sleep or not covered_by_sleep(self.order, sleep, events, race):
            if frame.planned is None:
                frame.planned = []
            insert(self.order, frame.planned, events, race)

    # -- what must hold

    def _same(self, frame: Frame, execution: Execution, depth: int) -> None:
        actor = frame.choice[0]
        now, then = execution.pending[actor], frame.operation
        if now is None or not now.same_as(then):
            names = execution.cast
            raise NondeterminismError(
                depth + 1, names.actors[actor], then.told(names.objects),
                now.told(names.objects) if now is not None else "nothing: it has ended")

    def _must_be_possible(self, frame: Frame, execution: Execution) -> None:
        actor, alternative = frame.choice
        operation = execution.pending[actor]  # that of the frame may come from a file, without its argument
        assert operation is not None
        if not ROWS[operation[0]].always_possible and alternative not in execution.alternatives(actor, operation):
            names = execution.cast
            told = operation.told(names.objects)
            raise NondeterminismError(
                len(execution.events) + 1, names.actors[actor], told, f"{told}, which is not possible")


class Source(Optimal):
    """The variant that remembers steps instead of sequences: never misses a class, may give up executions."""

    own_from = sys.maxsize

    def _all_sleep(self, execution: Execution) -> None:
        self.given_up += 1

    def _plan(self, events: int, race: Race) -> None:
        """Unless one of the sequence's first steps is taken or asleep already, take one of them."""
        frame = self.frames[race.at]
        starts = list(self._initials(events, race))
        if frame.planned is None:
            frame.planned = []
        known = {(node.actor, node.alternative) for node in frame.planned} | set(frame.sleep) | {frame.choice}
        if not any((node.actor, node.alternative) in known for node in starts):
            frame.planned.append(starts[0])

    def _initials(self, events: int, race: Race) -> list[Node]:
        order, found, left = self.order, [], events
        while left:
            number = (left & -left).bit_length() - 1
            left &= left - 1
            if not order.past[number] & events:
                event = order.events[number]
                found.append(Node(event.actor, event.alternative, event.operation, order.prints[number]))
        if not race.direct & events:
            found.append(Node(race.actor, race.alternative, race.operation, race.footprint))
        return found
