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

from collections.abc import Iterable, Iterator, Sequence

from hocket.errors import NondeterminismError
from hocket.explore.execution import Choice, Execution
from hocket.explore.footprint import Footprint
from hocket.explore.order import Order
from hocket.explore.races import Race, Races
from hocket.explore.reductions import checked, commute
from hocket.explore.semantics import ROWS
from hocket.explore.wakeup import Node, covered_by_sleep, insert
from hocket.trace.operation import Actor, Operation

__all__ = ["Optimal", "Source"]


class Frame:
    """A state on the current path: the step taken from it, what is planned from it, and what sleeps there."""

    __slots__ = ("choice", "operation", "raced", "races", "sleep", "tree")

    def __init__(self, tree: list[Node], sleep: dict[Choice, Footprint]) -> None:
        self.tree, self.sleep = tree, sleep
        self.choice: Choice = (-1, 0)
        self.operation: Operation | None = None
        self.races: Sequence[Race] = ()  # of the event that leaves this state, with earlier ones
        self.raced = 0  # the events that these begin with


class Optimal:
    """The strategy that runs each class exactly once.

    `youngest_first`: where nobody is preferred, go on with the actor that was created last. An old one, main above
    all, soon waits for it; with real threads that saves switches. The classes are the same.
    `reductions`: rules of reductions.py by which more is independent, so that a class is larger.
    """

    exhaustive = True

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
        frames, prints = self.frames, self.order.prints
        while frames:
            frame = frames[-1]
            depth = len(frames) - 1
            frame.tree.pop(0)  # the step taken from this state is explored: it sleeps from now on
            frame.sleep[frame.choice] = prints[depth]
            if frame.tree:
                self.fixed = depth
                self.order.truncate(depth)
                return True
            frames.pop()
        return False

    def choose(self, execution: Execution) -> Choice | None:
        """Along the path as before; then along the plan; then freely."""
        depth = len(execution.events)
        if depth < self.fixed:
            frame = self.frames[depth]
            if execution.pending[frame.choice[0]] is not frame.operation:
                self._same(frame, execution, depth)
            return frame.choice
        frames = self.frames
        if depth == len(frames):
            if depth:
                self._learn(execution, depth - 1)
            frames.append(self._next_frame())
        frame = frames[depth]
        if frame.tree:
            node = frame.tree[0]
            frame.choice, frame.operation = choice = (node.actor, node.alternative), node.operation
            self._planned_is_possible(frame, execution, depth)
            return choice[0]
        if self._free_choice(frame, execution):
            return frame.choice
        frames.pop()
        return None

    def ended(self, execution: Execution) -> None:
        """Turn the races of the execution round."""
        if len(execution.events) > len(self.order.events):
            self._learn(execution, len(self.order.events))
        del self.frames[len(execution.events):]
        self._plan_all(execution)

    # -- states

    def _next_frame(self) -> Frame:
        if self.given:
            return self.given.pop()
        if not self.frames:
            return Frame([], {})
        parent = self.frames[-1]
        sleep = parent.sleep
        if sleep:
            actor, (touch, write, _, _, free) = parent.choice[0], self.order.prints[-1]
            sleep = {
                choice: footprint for choice, footprint in sleep.items()
                if choice[0] != actor and not ((footprint[1] & touch or footprint[0] & write) and not (
                    free is not None and commute(free, footprint[4])))
            }
        else:
            sleep = {}
        return Frame(parent.tree[0].children, sleep)

    def _free_choice(self, frame: Frame, execution: Execution) -> bool:
        """Nothing is planned: go on with whoever ran last, else with the first that does not sleep."""
        pending, sleep, last = execution.pending, frame.sleep, execution.last
        for actor, operation in _from(last, pending, self.youngest_first):
            for alternative in execution.alternatives(actor, operation):
                if (actor, alternative) not in sleep:
                    footprint = self.order.footprints.of(operation, alternative)
                    frame.tree.append(Node(actor, alternative, operation, footprint))
                    frame.choice, frame.operation = (actor, alternative), operation
                    return True
        if sleep and execution.options():
            self._all_sleep(execution)
        return False

    def _all_sleep(self, execution: Execution) -> None:
        raise AssertionError(f"optimal search went in vain, which is our error: {execution.schedule()}")

    def _learn(self, execution: Execution, number: int) -> None:
        """Take in the event that has just happened, and its races."""
        order = self.order
        event, frame = execution.events[number], self.frames[number]
        row, footprint = ROWS[event[1][0]], frame.tree[0].footprint
        if self.reductions or not row.always_changes:
            footprint = order.footprints.of(
                event.operation, event.alternative, event.reads_only, execution.before[number])
        direct, latest = order.push(event, row, footprint)
        if latest:
            frame.races = self.races.of_event(execution, number, direct, latest)
            frame.raced = latest
            if not row.never_blocks:
                frame.raced = sum({1 << race.at for race in frame.races})
        elif frame.raced:
            frame.races, frame.raced = (), 0

    # -- plans

    def _plan_all(self, execution: Execution) -> None:
        """Plan the reversal of every race. Where nothing new is independent of it, the plan is that of last time."""
        fixed, apart, loosened = self.fixed, self.order.apart, self.order.loosened
        for number, frame in enumerate(self.frames):
            if not (frame.raced if number >= fixed else frame.raced & loosened):
                continue
            for race in frame.races:
                if number >= fixed or loosened >> race.at & 1:
                    again = self.races.kept(race.at, race.second, race.dropped) if race.dropped else apart(race.at)
                    self._plan(again, race)
        for race in self.races.late(execution):
            self._plan(self.races.kept(race.at, race.second, race.dropped), race)

    def _plan(self, events: int, race: Race) -> None:
        """See to it that some execution goes through `events` and then the race's operation, from its state."""
        frame = self.frames[race.at]
        if not covered_by_sleep(self.order, frame.sleep, events, race):
            insert(self.order, frame.tree, events, race)

    # -- what must hold

    def _same(self, frame: Frame, execution: Execution, depth: int) -> None:
        actor = frame.choice[0]
        now, then = execution.pending[actor], frame.operation
        assert then is not None
        if now is None or not now.same_as(then):
            names = execution.cast
            raise NondeterminismError(
                depth + 1, names.actors[actor], then.told(names.objects),
                now.told(names.objects) if now is not None else "nothing: it has ended")

    def _planned_is_possible(self, frame: Frame, execution: Execution, depth: int) -> None:
        self._same(frame, execution, depth)
        actor, alternative = frame.choice
        operation = execution.pending[actor]
        assert operation is not None
        assert alternative in execution.alternatives(actor, operation), (
            f"step {depth + 1} was planned for {execution.cast.actors[actor]}, but {operation} is not possible there")


class Source(Optimal):
    """The variant that remembers steps instead of sequences: never misses a class, may give up executions."""

    def _all_sleep(self, execution: Execution) -> None:
        self.given_up += 1

    def _plan(self, events: int, race: Race) -> None:
        """Unless one of the sequence's first steps is taken or asleep already, take one of them."""
        frame = self.frames[race.at]
        starts = list(self._initials(events, race))
        known = {(node.actor, node.alternative) for node in frame.tree} | set(frame.sleep)
        if not any((node.actor, node.alternative) in known for node in starts):
            frame.tree.append(starts[0])

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


def _from(first: Actor, pending: list[Operation | None], youngest_first: bool) -> Iterator[tuple[Actor, Operation]]:
    """The actors with an operation pending: `first`, then the others."""
    operation = pending[first]
    if operation is not None:
        yield first, operation
    for actor in range(len(pending) - 1, -1, -1) if youngest_first else range(len(pending)):
        operation = pending[actor]
        if operation is not None and actor != first:
            yield actor, operation
