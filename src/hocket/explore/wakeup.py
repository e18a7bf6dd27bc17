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

_NO, _ABSENT, _LAST = -3, -2, -1


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
    for (actor, alternative), footprint in sleep.items():
        if _place(order, events, race, actor, alternative, footprint) != _NO:
            return True
    return False


def insert(order: Order, tree: list[Node], events: int, race: Race) -> bool:
    """Plan the sequence: follow the branches that it can start with; where there is none, it is a new branch.

    Answers whether it was new.
    """
    last: Race | None = race
    first = 1 if tree else 0  # the branch being explored starts with an event that conflicts with the sequence's last
    while True:
        for child in tree[first:] if first else tree:
            place = _place(order, events, last, child.actor, child.alternative, child.footprint)
            if place != _NO:
                break
        else:
            _append(order, tree, events, last)
            return True
        if not child.children:
            return False  # nothing is prescribed behind it: it will be explored in full
        if place >= 0:
            events &= ~(1 << place)
        elif place == _LAST:
            last = None
        tree, first = child.children, 0


def _place(order: Order, events: int, last: Race | None, actor: Actor, alternative: int, footprint: Footprint) -> int:
    """How the sequence can start with this step: as which of its events, as its last, by being independent, or not."""
    if events:
        mine = order.actors.get(actor, 0) & events
        if mine:
            first = (mine & -mine).bit_length() - 1
            fits = order.events[first].alternative == alternative and not order.past[first] & events
            return first if fits else _NO
    if last is not None:
        if last.actor == actor:
            return _LAST if last.alternative == alternative and not last.direct & events else _NO
        other = last.footprint
        if (footprint.write & other.touch or footprint.touch & other.write) and not (
                footprint.freedom is not None and commute(footprint.freedom, other.freedom)):
            return _NO
    return _NO if events and order.conflicting(footprint) & events else _ABSENT


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
