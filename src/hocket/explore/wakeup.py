"""Wakeup trees: the sequences that must still be explored from one state.

A branch is taken as a whole: it leads to the other side of a race without
meeting an execution that was seen before, which a single first step cannot
promise. The tree is ordered, and a sequence is put where it fits first, from
left to right; another order would explore classes twice (explorer.md c.4.14).

A sequence here is not a list: it is a set of events of the current execution
(bits of an int) and, last, the operation that a race moves forward. A long one that
is planned is kept like this as well, as a *stretch*: which of the events of an
execution it has, and these are kept once for all that is planned beside them, and
for all executions that begin alike. It is made into steps where it is gone along or
where another sequence parts from it. So r races that lie d steps apart take r·d bits,
and not r·d steps of 170 bytes.
Refused: no trees at all, and each race explored when it is found, in polynomial
memory: another search to be right about.

Source: Abdulla, Aronis, Jonsson, Sagonas, JACM 2017, section 6 (insert, weak initials).
Without trees: Abdulla, Atig, Das, Jonsson, Sagonas, "Parsimonious Optimal DPOR" (CAV 2024).
"""

from __future__ import annotations

from collections.abc import Sequence

from hocket.explore.execution import Choice
from hocket.explore.footprint import Footprint
from hocket.explore.order import Link, Order, Way
from hocket.explore.races import Race
from hocket.explore.reductions import commute
from hocket.trace.operation import Actor, Operation

__all__ = ["Node", "covered_by_sleep", "insert", "insert_step", "sleeps"]

NOBODY = -1
SHORT = 48
"""So many steps are a stretch. Fewer are kept one by one: they are found faster, and take eight kilobytes at most."""


class Stretch:
    """A sequence of steps: those of an execution, up to `last`, which was its step `number`, that are in `chosen`."""

    __slots__ = ("chosen", "last", "number")

    def __init__(self, last: Link, number: int, chosen: int) -> None:
        self.last, self.number, self.chosen = last, number, chosen

    def steps(self) -> list[Link]:
        """The steps, first to last."""
        found: list[Link] = []
        link: Link | None = self.last
        number, least = self.number, (self.chosen & -self.chosen).bit_length() - 1
        while number >= least:
            assert link is not None, "an execution has as many steps before a step as its number says"
            if self.chosen >> number & 1:
                found.append(link)
            link = link.before
            number -= 1
        found.reverse()
        return found

    def parted(self, steps: int) -> tuple[Stretch | None, Stretch | None]:
        """So many steps of it, and what comes after the step that follows them."""
        left = self.chosen
        for _ in range(steps):
            left &= left - 1
        return self._only(self.chosen ^ left), self._only(left & left - 1)

    def _only(self, chosen: int) -> Stretch | None:
        return Stretch(self.last, self.number, chosen) if chosen else None


class Node(Way):
    """One step of a planned sequence, and what is planned after it, leftmost first.

    Between it and the `branches` may come a `stretch` without a fork. Who asks for `children` takes a step of that.
    """

    __slots__ = ("branches", "stretch")

    def __init__(self, actor: Actor, alternative: int, operation: Operation, footprint: Footprint,
                 stretch: Stretch | None = None) -> None:
        self.actor, self.alternative = actor, alternative
        self.operation, self.footprint = operation, footprint
        self.stretch = stretch
        self.branches: list[Node] = []

    @property
    def children(self) -> list[Node]:
        """What comes right after it."""
        return self.branches if self.stretch is None else self.parted(0)

    def parted(self, steps: int) -> list[Node]:
        """The place after so many steps of the stretch, which ends there; the step that followed is a branch."""
        assert self.stretch is not None, "only a stretch can be parted"
        step = self.stretch.steps()[steps]
        self.stretch, rest = self.stretch.parted(steps)
        node = Node(step.actor, step.alternative, step.operation, step.footprint, rest)
        node.branches, self.branches = self.branches, [node]
        return self.branches

    def run(self) -> Sequence[Way]:
        """Itself and the steps behind it up to the branches."""
        return [self] if self.stretch is None else [self, *self.stretch.steps()]


class _Along:
    """A place within the stretch of a node."""

    __slots__ = ("_passed", "_steps", "node")

    def __init__(self, node: Node, stretch: Stretch) -> None:
        self.node = node
        self._steps, self._passed = stretch.steps(), 0

    def next(self) -> Sequence[Way]:
        """The step that comes next, and go past it; at the end nothing."""
        step = self._steps[self._passed:self._passed + 1]
        self._passed += 1
        return step

    def fork(self) -> list[Node]:
        """Let there be branches at the last step asked for, and not that step alone."""
        return self.node.parted(self._passed - 1)


def covered_by_sleep(order: Order, sleep: dict[Choice, Footprint], events: int, race: Race) -> bool:
    """Whether the sequence can start with a step whose executions were all explored already.

    Of all questions of a search this is asked most often, so everything stands in the loop.
    """
    last, way, other = race.actor, race.alternative, race.footprint
    touch, write = other.touch, other.write
    actors, touchers, writers = order.actors, order.touchers, order.writers
    for (actor, alternative), footprint in sleep.items():
        mine = actors.get(actor, 0) & events if events else 0
        if mine:
            first = (mine & -mine).bit_length() - 1
            if not order.past[first] & events and order.events[first][2] == alternative:
                race.settled = first < race.second
                return True
        elif actor == last:
            if way == alternative and not (events and race.direct & events):
                race.settled = True
                return True
        elif (footprint.write & touch or footprint.touch & write) and not (
                footprint.freedom is not None and commute(footprint.freedom, other.freedom)):
            continue
        elif not events:
            return True
        elif footprint.freedom is not None:
            if not order.conflicting(footprint) & events:
                return True
        else:
            for index in footprint.writes:
                if touchers.get(index, 0) & events:
                    break
            else:
                for index in footprint.reads:
                    if writers.get(index, 0) & events:
                        break
                else:
                    return True
    return False


def sleeps(sleep: dict[Choice, Footprint], choice: Choice, footprint: Footprint) -> bool:
    """`covered_by_sleep` for a sequence of one step, before a race is made of it."""
    if choice in sleep:
        return True
    actor, touch, write = choice[0], footprint.touch, footprint.write
    for other, its in sleep.items():  # noqa: SIM110 - `any` would make a generator each time
        if not (its.write & touch or its.touch & write) and other[0] != actor:
            return True
    return False


def insert(order: Order, tree: list[Node], events: int, race: Race) -> bool:
    """Plan the sequence: follow the branches that it can start with; where there is none, it is a new branch.

    `tree` is without the branch being explored: that starts with an event that conflicts with the sequence's last.
    Answers whether it was new.
    """
    actors, past, second, settled = order.actors, order.past, race.second, True
    last, touch, write = race.actor, race.footprint.touch, race.footprint.write  # once it is taken: nobody, nothing
    at: Sequence[Way] = tree
    along: _Along | None = None
    while True:
        for child in at:
            actor = child.actor
            mine = actors.get(actor, 0) & events
            if mine:
                bit = mine & -mine
                first = bit.bit_length() - 1
                if not past[first] & events and order.events[first][2] == child.alternative:
                    events ^= bit
                    settled = settled and first < second
                    break
            elif actor == last:
                if child.alternative == race.alternative and not (events and race.direct & events):
                    last, touch, write = NOBODY, 0, 0
                    break
            else:
                other = child.footprint
                if (other.write & touch or other.touch & write) and not (
                        other.freedom is not None and commute(other.freedom, race.footprint.freedom)):
                    continue
                if not events or not order.conflicting(other) & events:
                    settled = False  # it is no part of the sequence, and may not commute with what follows next time
                    break
        else:
            _append(order, tree if along is None else along.fork(), events, race if last != NOBODY else None)
            return True
        if along is None and isinstance(child, Node) and child.stretch is None:
            at = tree = child.branches
        else:
            tree, at, along = _behind(child, along)
        if not at:
            race.settled = settled
            return False  # nothing is prescribed behind it: it will be explored in full


def insert_step(tree: list[Node], choice: Choice, operation: Operation, footprint: Footprint) -> None:
    """`insert` for a sequence of one step, which commutes by no rule."""
    touch, write = footprint.touch, footprint.write
    at: Sequence[Way] = tree
    along: _Along | None = None
    while True:
        for child in at:
            other = child.footprint
            if child.actor == choice[0]:
                if child.alternative == choice[1]:
                    return  # what is prescribed behind it, something of it will be explored
            elif not (other.write & touch or other.touch & write):
                break
        else:
            (tree if along is None else along.fork()).append(Node(choice[0], choice[1], operation, footprint))
            return
        if along is None and isinstance(child, Node) and child.stretch is None:
            at = tree = child.branches
        else:
            tree, at, along = _behind(child, along)
        if not at:
            return


def _behind(step: Way, along: _Along | None) -> tuple[list[Node], Sequence[Way], _Along | None]:
    """Where a walk stands that goes along a stretch: the branches behind it, the next step, and the place."""
    if along is None:
        assert isinstance(step, Node), "a stretch begins behind a node"
        assert step.stretch is not None, "only who has one is gone along"
        along = _Along(step, step.stretch)
    tree, ahead = along.node.branches, along.next()
    return (tree, ahead, along) if ahead else (tree, tree, None)


def _append(order: Order, tree: list[Node], events: int, last: Race | None) -> None:
    if events.bit_count() >= SHORT:
        tree.append(_kept(order, events, last))
        return
    while events:
        number = (events & -events).bit_length() - 1
        events &= events - 1
        event = order.events[number]
        node = Node(event.actor, event.alternative, event.operation, order.prints[number])
        tree.append(node)
        tree = node.branches
    if last is not None:
        tree.append(Node(last.actor, last.alternative, last.operation, last.footprint))


def _kept(order: Order, events: int, last: Race | None) -> Node:
    """The first of these events with the others as a stretch behind it."""
    number = events.bit_length() - 1
    link = order.link(number)
    first = order.link((events & -events).bit_length() - 1)
    events &= events - 1
    if last is not None:
        link = Link(last.actor, last.alternative, last.operation, last.footprint, link)
        number += 1
        events |= 1 << number
    return Node(first.actor, first.alternative, first.operation, first.footprint, Stretch(link, number, events))
