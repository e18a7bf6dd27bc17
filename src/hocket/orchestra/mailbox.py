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
waits or foreign code runs. `models/watermark.py` says what must hold of it, and
`proofs/` that it does.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from time import monotonic
from typing import Any, Final, NoReturn

from hocket.errors import Gone, NoPriority, Stalled, Terminated
from hocket.orchestra.meters import EVERY, Flights, Readout, Readouts
from hocket.orchestra.waiters import Waiter, deadline_in, wait_among, waiter_here

__all__ = [
    "BULK",
    "NOTHING",
    "PRIORITY",
    "SIGNAL",
    "UNBOUNDED",
    "UNLIMITED",
    "Fate",
    "Kind",
    "Label",
    "Lane",
    "Mailbox",
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
    """A message that waits for room, and who waits for that."""

    __slots__ = ("fate", "label", "message", "waiter")

    def __init__(self, label: Label, message: Any, waiter: Waiter) -> None:
        self.label, self.message, self.waiter = label, message, waiter
        self.fate = Fate.WAITING


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that lay in the mailbox of a receiver that ended."""

    message: Any
    sender: str


class Lane:
    """One queue with its meter and those who wait for room; changed under its mailbox's lock only.

    Messages and labels are two queues of equal length, because a tuple for each message would be one more thing for
    the collector to look at. A departure is the number of a message, counted as they are received, with its time.
    """

    __slots__ = (
        "blocked",
        "capacity",
        "clock",
        "departures",
        "every",
        "flights",
        "labels",
        "queue",
        "received",
        "sent",
        "waiting",
    )

    def __init__(self, capacity: int, every: int, clock: Callable[[], float]) -> None:
        self.capacity = capacity
        self.queue: deque[Any] = deque()
        self.labels: deque[Label] = deque()
        self.waiting: deque[Ticket] = deque()  # only while the queue is full
        self.sent = self.received = self.blocked = 0
        self.every, self.clock = every, clock  # the time of every n-th message is taken
        self.departures: deque[tuple[int, float]] = deque()
        self.flights = Flights(clock)

    def push(self, label: Label, message: Any) -> None:
        self.queue.append(message)
        self.labels.append(label)
        if not self.sent % self.every:
            self.departures.append((self.sent, self.clock()))
        self.sent += 1

    def pop(self) -> tuple[Label, Any]:
        if self.departures and self.departures[0][0] == self.received:
            self.flights.arrival(self.departures.popleft()[1])
        self.received += 1
        message, label = self.queue.popleft(), self.labels.popleft()
        if self.waiting:
            self.admit()
        return label, message

    def admit(self) -> None:
        ticket = self.waiting.popleft()
        ticket.fate = Fate.SENT
        self.push(ticket.label, ticket.message)
        ticket.waiter.wake()

    def retract(self, ticket: Ticket) -> bool:
        """Take back what has not been received; whether that was possible."""
        if ticket.fate is Fate.WAITING:
            self.waiting.remove(ticket)
        elif ticket.fate is Fate.SENT:
            place = next((n for n, label in enumerate(self.labels) if label is ticket.label), None)
            if place is None:
                return False
            self._take_out(place)
            if self.waiting:
                self.admit()
        ticket.fate = Fate.LOST
        return True

    def _take_out(self, place: int) -> None:
        del self.queue[place], self.labels[place]
        self.sent -= 1
        number = self.received + place
        others = [(n - (n > number), time) for n, time in self.departures if n != number]
        self.departures = deque(others)

    def lose(self) -> list[tuple[Label, Any]]:
        """Nobody will receive from it any more: what lay in it; those who waited for room are told."""
        left = list(zip(self.labels, self.queue, strict=True))
        for queue in (self.labels, self.queue, self.departures):
            queue.clear()
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
        "ending",
        "heard",
        "receiver",
        "undelivered",
    )

    def __init__(
        self,
        receiver: str,
        *,
        signals: int,
        bulk: int,
        priority: int = 0,
        every: int = EVERY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.receiver = receiver
        self.heard = 0  # signals taken: the watermark
        self.ending = False  # nothing new is accepted; what is here is still received
        capacities = (signals, UNLIMITED, priority, bulk)
        self._lanes = [Lane(capacity, every, clock) for capacity in capacities]
        self._signals, self._messages = self._lanes[0], [lane for lane in self._lanes[1:] if lane.capacity]
        self.undelivered: list[Undelivered] = []
        self._pending: tuple[Label, Any] | None = None
        self._awaiting: list[Waiter] = []  # receivers
        self._lock = threading.Lock()

    # -- giving -------------------------------------------------------------------------------------------------------

    def put(self, kind: Kind, label: Label | None, message: Any) -> bool:
        """Put a message into a queue if it has room; whether it had.

        `label` None stands for somebody outside, whose message comes after every signal that was given before it.
        Raises Gone or NoPriority.
        """
        with self._lock:
            lane = self._lanes[kind]
            if self.ending or not lane.capacity:
                self._refuse(message)
            queue = lane.queue
            if len(queue) >= lane.capacity:
                return False
            queue.append(message)  # as `Lane.push`, written out: every message comes this way
            lane.labels.append(label or self._outside())
            sent = lane.sent
            if not sent % lane.every:
                lane.departures.append((sent, lane.clock()))
            lane.sent = sent + 1
            if self._awaiting:
                self._wake()
        return True

    async def send(self, kind: Kind, label: Label | None, message: Any, timeout: float | None = None) -> None:
        """Put a message into a queue, when it has room; cancelled, it was not sent unless it was received already.

        Raises Gone, NoPriority, or Stalled when there was no room within `timeout` seconds.
        """
        with self._lock:
            lane = self._lanes[kind]
            if self.ending or not lane.capacity:
                self._refuse(message)
            ticket = self._put_or_wait(lane, label or self._outside(), message)
        if ticket is not None:
            await self._settle(lane, ticket, timeout)

    def give(self, signal: Any, sender: str) -> Ticket | None:
        """Give a signal, which arrives now or as soon as there is room; the ticket if it waits.

        Raises Gone.
        """
        with self._lock:
            if self.ending:
                self._refuse(signal)
            return self._put_or_wait(self._signals, (0, sender), signal)

    def _refuse(self, message: Any) -> NoReturn:
        raise Gone(self.receiver, message) if self.ending else NoPriority(self.receiver, message)

    def _outside(self) -> Label:
        return self._signals.sent + len(self._signals.waiting), OUTSIDE

    def _put_or_wait(self, lane: Lane, label: Label, message: Any) -> Ticket | None:
        if len(lane.queue) < lane.capacity:
            lane.push(label, message)
            if self._awaiting:
                self._wake()
            return None
        lane.blocked += 1
        ticket = Ticket((label[0], label[1]), message, waiter_here())  # a label of its own, to find it again
        lane.waiting.append(ticket)
        return ticket

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
            raise Stalled(self.receiver, ticket.message, timeout or 0.0)
        if ticket.fate is Fate.LOST:
            raise Gone(self.receiver, ticket.message)

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
        deadline = None
        while True:
            with self._lock:
                taken = self._take(signals_only)
                if taken is not NOTHING:
                    return taken
                waiter = waiter_here()
                self._awaiting.append(waiter)
            if deadline is None:
                deadline = deadline_in(timeout)
            if not await wait_among(waiter, self._awaiting, self._lock, deadline):
                raise TimeoutError(f"nothing came for {self.receiver!r} within {timeout} s")

    def _take(self, signals_only: bool) -> Any:
        pending = self._pending
        if pending is not None and pending[0][0] <= self.heard and not signals_only:
            self._pending = None
            return pending[1]
        if self._signals.queue:
            self.heard += 1
            return self._signals.pop()[1]
        if pending is None and not signals_only:
            for lane in self._messages:
                if lane.queue:
                    received = lane.received  # as `Lane.pop`, written out: every message comes this way
                    if lane.departures and lane.departures[0][0] == received:
                        lane.flights.arrival(lane.departures.popleft()[1])
                    lane.received = received + 1
                    message, label = lane.queue.popleft(), lane.labels.popleft()
                    if lane.waiting:
                        lane.admit()
                    if label[0] <= self.heard:
                        return message
                    self._pending = (label, message)
                    break
        if self.ending:
            raise Terminated(self.receiver)
        return NOTHING

    @property
    def delivered(self) -> int:
        """How many messages were taken."""
        return sum(lane.received for lane in self._messages) - (self._pending is not None)

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
            self.undelivered += [Undelivered(message, label[1]) for label, message in left]
            self._wake()

    def flood(self, limit: int) -> tuple[int, str] | None:
        """If more than `limit` messages lie in the unbounded queue: how many, and who sent the most of them."""
        with self._lock:
            labels = self._lanes[UNBOUNDED].labels
            if len(labels) <= limit:
                return None
            senders = Counter(sender for _, sender in labels)
        return senders.total(), senders.most_common(1)[0][0]

    def read(self, places: list[int]) -> Readouts:
        """The meters of all queues; `places` is how far its reader has seen the times of flight, and is moved on."""
        with self._lock:
            shown = [lane.read(place) for lane, place in zip(self._lanes, places, strict=True)]
        places[:] = [place for place, _ in shown]
        return Readouts(*(readout for _, readout in shown))
