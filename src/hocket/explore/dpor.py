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

from collections.abc import Iterable, Sequence

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

_ONCE = (0,)  # the alternatives of an operation that has one


class Frame:
    """A state on the current path: the step taken from it, what is planned from it, and what sleeps there."""

    __slots__ = ("choice", "operation", "raced", "races", "sleep", "tree")

    def __init__(self, tree: list[Node], sleep: dict[Choice, Footprint]) -> None:
        self.tree = tree
        self.sleep = sleep  # perhaps that of the state before as well: it is replaced, never changed
        self.choice: Choice
        self.operation: Operation
        self.raced = 0  # the events with which the event that leaves this state has races
        self.races: Sequence[Race]  # these, if there are any


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
        frames = self.frames
        depth = len(frames) - 1
        while depth >= 0 and len(frames[depth].tree) < 2:
            depth -= 1
        del frames[depth + 1:]
        if depth < 0:
            return False
        frame = frames[depth]
        del frame.tree[0]  # the step taken from this state is explored: it sleeps from now on
        frame.sleep = {**frame.sleep, frame.choice: self.order.prints[depth]}
        self.order.truncate(depth)
        self.fixed = depth
        return True

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
            frame.choice, frame.operation = choice, operation = (node.actor, node.alternative), node.operation
            if execution.pending[node.actor] is not operation or not ROWS[operation[0]].always_possible:
                self._planned_is_possible(frame, execution, depth)
            return choice
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
            sleep = self._asleep_after(sleep, parent.choice[0], self.order.prints[-1])
        return Frame(parent.tree[0].children, sleep)

    @staticmethod
    def _asleep_after(sleep: dict[Choice, Footprint], actor: Actor, done: Footprint) -> dict[Choice, Footprint]:
        """Whoever sleeps on when this has happened: those that it does not conflict with."""
        touch, write, free = done.touch, done.write, done.freedom
        woken = [choice for choice, footprint in sleep.items()
                 if choice[0] == actor or ((footprint.write & touch or footprint.touch & write) and not (
                     free is not None and commute(free, footprint.freedom)))]
        if not woken:
            return sleep
        if len(woken) == len(sleep):
            return {}
        return {choice: footprint for choice, footprint in sleep.items() if choice not in woken}

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
        for alternative in _ONCE if ROWS[operation[0]].always_possible else execution.alternatives(actor, operation):
            choice = (actor, alternative)
            if choice not in frame.sleep:
                frame.tree.append(Node(actor, alternative, operation, self.order.footprints.of(operation, alternative)))
                frame.choice, frame.operation = choice, operation
                return True
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
            frame.raced = latest if row.never_blocks else sum({1 << race.at for race in frame.races})
        else:
            frame.raced = 0

    # -- plans

    def _plan_all(self, execution: Execution) -> None:
        """Plan the reversal of every race. Where nothing new is independent of it, the plan is that of last time."""
        fixed, loosened = self.fixed, self.order.loosened
        if loosened:
            for frame in self.frames[:fixed]:
                if frame.raced & loosened:
                    self._turn_round([race for race in frame.races if loosened >> race.at & 1])
        for frame in self.frames[fixed:]:
            if frame.raced:
                self._turn_round(frame.races)
        if self.order.forking or not execution.is_over():
            for race in self.races.late(execution):
                self._plan(self.races.kept(race.at, race.second, race.dropped), race)

    def _turn_round(self, races: Iterable[Race]) -> None:
        for race in races:
            self._plan(self.races.kept(race.at, race.second, race.dropped) if race.dropped
                       else self.order.apart(race.at), race)

    def _plan(self, events: int, race: Race) -> None:
        """See to it that some execution goes through `events` and then the race's operation, from its state."""
        frame = self.frames[race.at]
        if not covered_by_sleep(self.order, frame.sleep, events, race):
            insert(self.order, frame.tree, events, race)

    # -- what must hold

    def _same(self, frame: Frame, execution: Execution, depth: int) -> None:
        actor = frame.choice[0]
        now, then = execution.pending[actor], frame.operation
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
