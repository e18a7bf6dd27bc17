"""Wakeup trees: the sequences that must still be explored from one state.

A branch is taken as a whole: it leads to the other side of a race without
meeting an execution that was seen before, which a single first step cannot
promise. The tree is ordered, and a sequence is put where it fits first, from
left to right; another order would explore classes twice (explorer.md c.4.14).

A sequence here is not a list: it is a set of events of the current execution
(bits of an int) and, last, the operation that a race moves forward.

Source: Abdulla, Aronis, Jonsson, Sagonas, JACM 2017, section 6 (insert, weak initials).
"""

from __future__ import annotations

from hocket.explore.execution import Choice
from hocket.explore.footprint import Footprint
from hocket.explore.order import Order
from hocket.explore.races import Race
from hocket.explore.reductions import commute
from hocket.trace.operation import Actor, Operation

__all__ = ["Node", "covered_by_sleep", "insert"]

class Node:
    """One step of a planned sequence, and what is planned after it, leftmost first."""

    __slots__ = ("actor", "alternative", "children", "footprint", "operation")

    def __init__(self, actor: Actor, alternative: int, operation: Operation, footprint: Footprint) -> None:
        self.actor, self.alternative = actor, alternative
        self.operation, self.footprint = operation, footprint
        self.children: list[Node] = []


def covered_by_sleep(order: Order, sleep: dict[Choice, Footprint], events: int, race: Race) -> bool:
    """Whether the sequence can start with a step whose executions were all explored already."""
    if not sleep:
        return False
    if not events and (race.actor, race.alternative) in sleep:
        return True
    actors, past = order.actors, order.past
    for (actor, alternative), footprint in sleep.items():
        mine = actors.get(actor, 0) & events
        if mine:
            first = (mine & -mine).bit_length() - 1
            if not past[first] & events and order.events[first][2] == alternative:
                return True
        elif _fits(order, events, race, actor, alternative, footprint):
            return True
    return False


def insert(order: Order, tree: list[Node], events: int, race: Race) -> bool:
    """Plan the sequence: follow the branches that it can start with; where there is none, it is a new branch.

    Answers whether it was new.
    """
    last: Race | None = race
    actors, past = order.actors, order.past
    # the branch being explored starts with an event that conflicts with the sequence's last
    candidates = tree[1:]
    while True:
        for child in candidates:
            mine = actors.get(child.actor, 0) & events
            if mine:
                bit = mine & -mine
                first = bit.bit_length() - 1
                if not past[first] & events and order.events[first][2] == child.alternative:
                    events ^= bit
                    break
            elif _fits(order, events, last, child.actor, child.alternative, child.footprint):
                if last is not None and last.actor == child.actor:
                    last = None
                break
        else:
            _append(order, tree, events, last)
            return True
        candidates = tree = child.children
        if not tree:
            return False  # nothing is prescribed behind it: it will be explored in full


def _fits(order: Order, events: int, last: Race | None, actor: Actor, alternative: int, footprint: Footprint) -> bool:
    """Whether the sequence can start with a step of an actor that has none of its events: as its last, or outside."""
    if last is not None:
        if last.actor == actor:
            return last.alternative == alternative and not last.direct & events
        other = last.footprint
        if (footprint.write & other.touch or footprint.touch & other.write) and not (
                footprint.freedom is not None and commute(footprint.freedom, other.freedom)):
            return False
    return not events or not order.conflicting(footprint) & events


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
