"""One receiver's four queues, the rule by which it takes from them, and whoever waits for room in them.

The rule (Orchestra's, section 4.2 of the seeds): signals before messages; of
messages the unbounded before the priority before the bulk ones; each stamped with
the number of signals that its sender had heard, and held back (*pending*) until
the receiver has heard as many. While one is held back, only signals are taken.

Who finds a queue full leaves a ticket, and whoever takes an item out puts the
first ticket's in its place. So room is handed over in the order of asking, nobody
who is woken finds it gone, and a ticket is always in one of three states: waiting,
sent or lost. A send that is cancelled or runs out of time takes its ticket back,
and its message as well if that still lies in the queue. Signals leave tickets
too, which are never taken back: a broadcast is given to all at one moment, and
reaches each as soon as it has room.

All of it happens under one lock a mailbox, which is never held while anybody
waits or foreign code runs. `models/mailboxes.py` says what must hold of it, and
`proofs/` that it does.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from time import monotonic
from typing import Any, Final

from hocket.errors import Gone, NoPriority, Stalled, Terminated
from hocket.orchestra.meters import EVERY, Flights, Readout, Readouts
from hocket.orchestra.waiters import Waiter, deadline_in, until, waiter_here

__all__ = ["NOTHING", "UNLIMITED", "Fate", "Item", "Kind", "Lane", "Mailbox", "Ticket", "Undelivered"]

UNLIMITED: Final = sys.maxsize
NOTHING: Final = object()  # a message may be None

Item = tuple[int, Any, "float | None", str]  # stamp, message, time of departure if it is measured, who sent it


class Kind(IntEnum):
    """Which queue; the lower number is looked at first."""

    SIGNAL = 0
    UNBOUNDED = 1
    PRIORITY = 2
    BULK = 3


class Fate(IntEnum):
    WAITING = 0
    SENT = 1
    LOST = 2  # the receiver has ended


class Ticket:
    """An item that waits for room, and who waits for that."""

    __slots__ = ("fate", "item", "waiter")

    def __init__(self, item: Item, waiter: Waiter) -> None:
        self.item, self.waiter = item, waiter
        self.fate = Fate.WAITING


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that lay in the mailbox of a receiver that ended."""

    message: Any
    sender: str


class Lane:
    """One queue with its meter and those who wait for room; changed under its mailbox's lock only."""

    __slots__ = ("blocked", "capacity", "flights", "queue", "received", "sent", "waiting")

    def __init__(self, capacity: int, flights: Flights) -> None:
        self.capacity = capacity
        self.queue: deque[Item] = deque()
        self.waiting: deque[Ticket] = deque()  # only while the queue is full
        self.sent = self.received = self.blocked = 0
        self.flights = flights

    def pop(self) -> Item:
        item = self.queue.popleft()
        self.received += 1
        if item[2] is not None:
            self.flights.arrival(item[2])
        if self.waiting:
            self._admit()
        return item

    def _admit(self) -> None:
        ticket = self.waiting.popleft()
        ticket.fate = Fate.SENT
        self.sent += 1
        self.queue.append(ticket.item)
        ticket.waiter.wake()

    def retract(self, ticket: Ticket) -> bool:
        """Take back what has not been received; whether that was possible."""
        if ticket.fate is Fate.WAITING:
            self.waiting.remove(ticket)
        elif ticket.fate is Fate.SENT:
            place = next((n for n, item in enumerate(self.queue) if item is ticket.item), None)
            if place is None:
                return False
            del self.queue[place]
            self.sent -= 1
            if self.waiting:
                self._admit()
        ticket.fate = Fate.LOST
        return True

    def lose(self) -> list[Item]:
        """Nobody will receive from it any more: what lay in it, those who waited for room are told."""
        left = list(self.queue)
        self.queue.clear()
        for ticket in self.waiting:
            ticket.fate = Fate.LOST
            ticket.waiter.wake()
        self.waiting.clear()
        return left

    def read(self, place: int) -> tuple[int, Readout]:
        place, flights = self.flights.since(place)
        return place, Readout(self.sent, self.received, len(self.queue), self.blocked, flights)


class Mailbox:
    """What one subsystem receives: `receiver` is its name.

    Capacities are numbers of items; `priority` 0 means that there is no priority queue.
    """

    __slots__ = (
        "_awaiting",
        "_lanes",
        "_lock",
        "_messages",
        "_pending",
        "_signals",
        "delivered",
        "ending",
        "heard",
        "receiver",
        "undelivered",
    )

    def __init__(
        self, receiver: str, *, signals: int, bulk: int, priority: int = 0, every: int = EVERY, clock: Any = monotonic
    ) -> None:
        self.receiver = receiver
        self.heard = 0  # signals taken: the watermark
        self.delivered = 0  # messages taken
        self.ending = False  # nothing new is accepted; what is here is still received
        capacities = (signals, UNLIMITED, priority, bulk)
        self._lanes = [Lane(capacity, Flights(every, clock)) for capacity in capacities]
        self._signals, self._messages = self._lanes[0], [lane for lane in self._lanes[1:] if lane.capacity]
        self.undelivered: list[Undelivered] = []
        self._pending: Item | None = None
        self._awaiting: list[Waiter] = []  # receivers
        self._lock = threading.Lock()

    # -- giving -------------------------------------------------------------------------------------------------------

    def put(self, kind: Kind, stamp: int | None, message: Any, sender: str) -> bool:
        """Put a message into a queue if it has room; whether it had.

        `stamp` is how many signals the sender has heard; None stands for somebody outside, whose
        message comes after every signal that was given. Raises Gone or NoPriority.
        """
        with self._lock:
            lane = self._open(kind, message)
            if len(lane.queue) >= lane.capacity:
                return False
            self._push(lane, stamp, message, sender)
        return True

    async def send(
        self, kind: Kind, stamp: int | None, message: Any, sender: str, timeout: float | None = None
    ) -> None:
        """Put a message into a queue, when it has room; cancelled, it was not sent unless it was received already.

        Raises Gone, NoPriority, or Stalled when there was no room within `timeout` seconds.
        """
        with self._lock:
            lane = self._open(kind, message)
            if len(lane.queue) < lane.capacity:
                self._push(lane, stamp, message, sender)
                return
            lane.blocked += 1
            ticket = self._leave_ticket(lane, stamp, message, sender)
        await self._settle(lane, ticket, timeout)

    def give(self, signal: Any, sender: str) -> Ticket | None:
        """Give a signal, which arrives now or as soon as there is room; the ticket if it waits.

        Raises Gone.
        """
        lane = self._signals
        with self._lock:
            self._open(Kind.SIGNAL, signal)
            if len(lane.queue) < lane.capacity:
                self._push(lane, 0, signal, sender)
                return None
            lane.blocked += 1
            return self._leave_ticket(lane, 0, signal, sender)

    def withdraw(self, kind: Kind, ticket: Ticket) -> bool:
        """Take back an item that was not received; whether it could be."""
        with self._lock:
            return self._lanes[kind].retract(ticket)

    def _open(self, kind: Kind, message: Any) -> Lane:
        if self.ending:
            raise Gone(self.receiver, message)
        lane = self._lanes[kind]
        if not lane.capacity:
            raise NoPriority(self.receiver, message)
        return lane

    def _push(self, lane: Lane, stamp: int | None, message: Any, sender: str) -> None:
        lane.queue.append((self._given if stamp is None else stamp, message, lane.flights.departure(lane.sent), sender))
        lane.sent += 1
        if self._awaiting:
            self._wake()

    def _leave_ticket(self, lane: Lane, stamp: int | None, message: Any, sender: str) -> Ticket:
        item = (self._given if stamp is None else stamp, message, lane.flights.departure(lane.sent), sender)
        ticket = Ticket(item, waiter_here())
        lane.waiting.append(ticket)
        return ticket

    @property
    def _given(self) -> int:
        return self._signals.sent + len(self._signals.waiting)

    async def _settle(self, lane: Lane, ticket: Ticket, timeout: float | None) -> None:
        try:
            await ticket.waiter.wait(timeout)
        except BaseException:
            with self._lock:
                lane.retract(ticket)
            raise
        with self._lock:
            stalled = ticket.fate is Fate.WAITING and lane.retract(ticket)
        if stalled:
            raise Stalled(self.receiver, ticket.item[1], timeout or 0.0)
        if ticket.fate is Fate.LOST:
            raise Gone(self.receiver, ticket.item[1])

    # -- taking -------------------------------------------------------------------------------------------------------

    def take(self, signals_only: bool = False) -> Any:
        """The next signal or message that may be delivered now, or NOTHING; never waits.

        Raises Terminated when there will never be another.
        """
        with self._lock:
            return self._take(signals_only)

    async def receive(self, signals_only: bool = False, timeout: float | None = None) -> Any:
        """The next signal or message; cancelled, nothing was taken.

        Raises Terminated, or TimeoutError after `timeout` seconds.
        """
        deadline = deadline_in(timeout)
        while True:
            with self._lock:
                taken = self._take(signals_only)
                if taken is not NOTHING:
                    return taken
                waiter = waiter_here()
                self._awaiting.append(waiter)
            try:
                woken = await waiter.wait(until(deadline))
            finally:
                with self._lock:
                    if waiter in self._awaiting:
                        self._awaiting.remove(waiter)
            if not woken:
                raise TimeoutError(f"nothing came for {self.receiver!r} within {timeout} s")

    def _take(self, signals_only: bool) -> Any:
        pending = self._pending
        if not signals_only and pending is not None and pending[0] <= self.heard:
            self._pending = None
            self.delivered += 1
            return pending[1]
        if self._signals.queue:
            self.heard += 1
            return self._signals.pop()[1]
        if not signals_only and pending is None:
            for lane in self._messages:
                if lane.queue:
                    item = lane.pop()
                    if item[0] <= self.heard:
                        self.delivered += 1
                        return item[1]
                    self._pending = item
                    break
        if self.ending:
            raise Terminated(self.receiver)
        return NOTHING

    def _wake(self) -> None:
        for waiter in self._awaiting:
            waiter.wake()
        self._awaiting.clear()

    # -- ending -------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Nothing new comes; what is here is still received, and then Terminated is raised."""
        with self._lock:
            self.ending = True
            self._wake()

    def lose(self) -> None:
        """Nobody receives any more: what lies here is `undelivered`; whoever waits for room or an item is told."""
        with self._lock:
            self.ending = True
            left = [item for item in (self._pending,) if item is not None]
            self._pending = None
            self._signals.lose()
            for lane in self._messages:
                left += lane.lose()
            self.undelivered += [Undelivered(item[1], item[3]) for item in left]
            self._wake()

    def read(self, places: list[int]) -> Readouts:
        """The meters of all queues; `places` is how far its reader has seen the times of flight, and is moved on."""
        with self._lock:
            shown = [lane.read(place) for lane, place in zip(self._lanes, places, strict=True)]
        places[:] = [place for place, _ in shown]
        return Readouts(*(readout for _, readout in shown))
