"""One queue of a mailbox: what lies in it, its meter, and the tickets of those who found it full.

Whoever takes an item out puts the first ticket's in its place: room is handed over in
the order of asking, and nobody who is woken finds it gone. Labels and times are not
kept with each message (a tuple apiece would be one more thing to make and for the
collector to look at), but where they change.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from hocket.orchestra.meters import Flights, Readout
from hocket.orchestra.waiters import Waiter, waiter_here

__all__ = [
    "BULK",
    "NOTHING",
    "OUTSIDE",
    "PRIORITY",
    "SIGNAL",
    "UNBOUNDED",
    "UNLIMITED",
    "Fate",
    "Kind",
    "Label",
    "Lane",
    "Ticket",
    "Undelivered",
]

UNLIMITED: Final = sys.maxsize
OUTSIDE: Final = "outside"
NOTHING: Final = object()  # a message may be None

Label = tuple[int, str]
"""What a message carries: how many signals its sender had heard, and who that is."""


# which queue; the lower number is looked at first (an enum would cost a look-up in its class with each message)
Kind = int
SIGNAL: Final = 0
UNBOUNDED: Final = 1
PRIORITY: Final = 2
BULK: Final = 3


class Fate(IntEnum):
    WAITING = 0
    SENT = 1
    LOST = 2  # the receiver has ended


class Ticket:
    """A message that waits for room in a lane, and who waits for that."""

    __slots__ = ("fate", "label", "lane", "message", "waiter")

    def __init__(self, lane: Lane, label: Label, message: Any, waiter: Waiter) -> None:
        self.lane, self.label, self.message, self.waiter = lane, label, message, waiter
        self.fate = Fate.WAITING


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that lay in the mailbox of a receiver that ended."""

    message: Any
    sender: str


@dataclass(eq=False, slots=True)
class Mark:
    """A message of note: its `number`, counted as they are received, its `label`, and when it was `put` if that counts.

    Its label is also that of the messages after it, up to the next mark.
    """

    number: int
    label: Label
    put: float | None


class Lane:
    """One queue with its meter and those who wait for room; changed within its mailbox's guard only.

    Most messages carry the label of the one before them, and only every n-th is timed. So labels and times are kept
    for messages of note alone, and `due` is the number of the first of these.
    """

    __slots__ = (
        "blocked",
        "capacity",
        "clock",
        "due",
        "every",
        "flights",
        "label",
        "last",
        "marks",
        "queue",
        "received",
        "sent",
        "waiting",
    )

    def __init__(self, capacity: int, every: int, clock: Callable[[], float]) -> None:
        self.capacity = capacity
        self.queue: deque[Any] = deque()
        self.waiting: deque[Ticket] = deque()  # only while the queue is full
        self.sent = self.received = self.blocked = 0
        self.every, self.clock = every, clock
        self.flights = Flights(clock)
        self.marks: deque[Mark] = deque()
        self.due = -1
        self.label: Label = (0, "")  # of the message that was received last
        self.last = self.label  # of the message that was put last

    def push(self, label: Label, message: Any) -> None:
        self.queue.append(message)
        sent = self.sent
        if label is not self.last or not sent % self.every:
            self.note(sent, label)
        self.sent = sent + 1

    def note(self, number: int, label: Label) -> None:
        self.marks.append(Mark(number, label, None if number % self.every else self.clock()))
        self.due = self.marks[0].number
        self.last = label

    def pop(self) -> Any:
        """The next message; `label` is its own until another is popped."""
        received = self.received
        if received == self.due:
            self.pass_mark()
        self.received = received + 1
        message = self.queue.popleft()
        if self.waiting:
            self.admit()
        return message

    def pass_mark(self) -> None:
        mark = self.marks.popleft()
        self.label = mark.label
        if mark.put is not None:
            self.flights.arrival(mark.put)
        self.due = self.marks[0].number if self.marks else -1

    def labelled(self) -> list[tuple[Label, Any]]:
        """What lies here, in its order."""
        label, found = self.label, []
        marked = {mark.number: mark.label for mark in self.marks}
        for number, message in enumerate(self.queue, self.received):
            label = marked.get(number, label)
            found.append((label, message))
        return found

    # -- those who found it full

    def line_up(self, label: Label, message: Any) -> Ticket:
        self.blocked += 1
        ticket = Ticket(self, (label[0], label[1]), message, waiter_here())  # a label of its own, to find it again
        self.waiting.append(ticket)
        return ticket

    def admit(self) -> None:
        ticket = self.waiting.popleft()
        ticket.fate = Fate.SENT
        self.push(ticket.label, ticket.message)
        ticket.waiter.wake()

    def retract(self, ticket: Ticket) -> bool:
        """Take back what has not been received; whether that was possible."""
        if ticket.fate is Fate.WAITING:
            self.waiting.remove(ticket)
            ticket.waiter.wake()  # nobody else will
        elif ticket.fate is Fate.SENT:
            mark = next((mark for mark in self.marks if mark.label is ticket.label), None)
            if mark is None:
                return False
            self._take_out(mark)
            if self.waiting:
                self.admit()
        ticket.fate = Fate.LOST
        return True

    def _take_out(self, mark: Mark) -> None:
        """Remove a message whose label is its own: whatever is behind it, or comes next, is of note as well."""
        del self.queue[mark.number - self.received]
        self.sent -= 1
        self.marks.remove(mark)
        for other in self.marks:
            other.number -= other.number > mark.number
        self.due = self.marks[0].number if self.marks else -1

    def lose(self) -> list[tuple[Label, Any]]:
        """Nobody will receive from it any more: what lay in it; those who waited for room are told."""
        left = self.labelled()
        self.queue.clear()
        self.marks.clear()
        for ticket in self.waiting:
            ticket.fate = Fate.LOST
            ticket.waiter.wake()
        self.waiting.clear()
        return left

    def read(self, place: int) -> tuple[int, Readout]:
        place, flights = self.flights.since(place)
        return place, Readout(self.sent, self.received, len(self.queue), self.blocked, flights)
