"""Wakeup trees: the sequences that must still be explored from one state.

A branch is taken as a whole: it leads to the other side of a race without
meeting an execution that was seen before, which a single first step cannot
promise. The tree is ordered, and a sequence is put where it fits first, from
left to right; another order would explore classes twice (explorer.md c.4.14).

A sequence here is not a list: it is a set of events of the current execution
(bits of an int) and, last, the operation that a race moves forward. What is planned
is kept step by step, about 170 bytes each. So r races that lie d steps apart take
r·d steps: 8 races over 2,000 steps 16,036 of them (5 MB at the peak), twice as many
as over 1,000; 160 races over 1,120 steps 136,092 (23 MB), four times as many as half
of that. Where it grows like this, classes grow faster: 160 independent races have
2^160, and no memory is what such a search lacks. Refused: no trees at all, and each
race explored when it is found, in polynomial memory: another search to be right about.

Source: Abdulla, Aronis, Jonsson, Sagonas, JACM 2017, section 6 (insert, weak initials).
Without trees: Abdulla, Atig, Das, Jonsson, Sagonas, "Parsimonious Optimal DPOR" (CAV 2024).
"""

from __future__ import annotations

from hocket.explore.execution import Choice
from hocket.explore.footprint import Footprint
from hocket.explore.order import Order
from hocket.explore.races import Race
from hocket.explore.reductions import commute
from hocket.trace.operation import Actor, Operation

__all__ = ["Node", "covered_by_sleep", "insert", "insert_step", "sleeps"]

NOBODY = -1


class Node:
    """One step of a planned sequence, and what is planned after it, leftmost first."""

    __slots__ = ("actor", "alternative", "children", "footprint", "operation")

    def __init__(self, actor: Actor, alternative: int, operation: Operation, footprint: Footprint) -> None:
        self.actor, self.alternative = actor, alternative
        self.operation, self.footprint = operation, footprint
        self.children: list[Node] = []


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
    while True:
        for child in tree:
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
            _append(order, tree, events, race if last != NOBODY else None)
            return True
        tree = child.children
        if not tree:
            race.settled = settled
            return False  # nothing is prescribed behind it: it will be explored in full


def insert_step(tree: list[Node], choice: Choice, operation: Operation, footprint: Footprint) -> None:
    """`insert` for a sequence of one step, which commutes by no rule."""
    touch, write = footprint.touch, footprint.write
    at = tree
    while True:
        for child in at:
            other = child.footprint
            if child.actor == choice[0]:
                if child.alternative == choice[1]:
                    return  # what is prescribed behind it, something of it will be explored
            elif not (other.write & touch or other.touch & write):
                break
        else:
            at.append(Node(choice[0], choice[1], operation, footprint))
            return
        at = child.children
        if not at:
            return


def _append(order: Order, tree: list[Node], events: int, last: Race | None) -> None:
    while events:
        number = (events & -events).bit_length() - 1
        events &= events - 1
        event = order.events[number]
        node = Node(event.actor, event.alternative, event.operation, order.prints[number])
        tree.append(node)
        tree = node.children
    if last is not None:
        tree.append(Node(last.actor, last.alternative, last.operation, last.footprint))
