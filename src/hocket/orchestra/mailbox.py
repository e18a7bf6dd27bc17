"""One receiver's four queues, and the rule by which it takes from them.

The rule (Orchestra's, section 4.2 of the seeds): signals before messages; of
messages the unbounded before the priority before the bulk ones; each stamped with
the number of signals that its sender had heard, and held back (*pending*) until
the receiver has heard as many. While one is held back, only signals are taken.

Who finds a queue full leaves a ticket, which is always in one of three states:
waiting, sent or lost. A send that is cancelled or runs out of time takes its ticket
back, and its message as well if that still lies in the queue. Signals leave tickets
too, which are never taken back: a broadcast is given to all at one moment, and
reaches each as soon as it has room.

All of it happens in steps within one guard a mailbox (a lock, or one thread alone),
during which nobody waits and no foreign code runs. `models/watermark.py` says what
must hold of it, and `proofs/` that it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import get_ident
from time import monotonic
from typing import Any

from hocket.errors import Gone, NoPriority, Stalled, Terminated
from hocket.orchestra.guard import Guard
from hocket.orchestra.lane import (
    NOTHING,
    OUTSIDE,
    SIGNAL,
    UNBOUNDED,
    UNLIMITED,
    Fate,
    Kind,
    Label,
    Lane,
    Ticket,
    Undelivered,
)
from hocket.orchestra.meters import EVERY, Readouts
from hocket.orchestra.waiters import Waiter, deadline_in, wait_among, waiter_here

__all__ = ["Mailbox"]


class Mailbox:
    """What one subsystem receives: `receiver` is its name.

    Capacities are numbers of items; `priority` 0 means that there is no priority queue. One that is not `shared`
    belongs to the thread that makes it, until it is.
    """

    __slots__ = (
        "_awaiting",
        "_guard",
        "_lanes",
        "_messages",
        "_pending",
        "_signals",
        "ending",
        "heard",
        "label",
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
        shared: bool = True,
        every: int = EVERY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.receiver = receiver
        self.heard = 0  # signals taken: the watermark
        self.label: Label = (0, receiver)  # what a message of this receiver carries now
        self.ending = False  # nothing new is accepted; what is here is still received
        capacities = (signals, UNLIMITED, priority, bulk)
        self._lanes = [Lane(capacity, every, clock) for capacity in capacities]
        self._signals, self._messages = self._lanes[0], [lane for lane in self._lanes[1:] if lane.capacity]
        self.undelivered: list[Undelivered] = []
        self._pending: tuple[Label, Any] | None = None
        self._awaiting: list[Waiter] = []  # receivers
        self._guard = Guard(receiver, shared)

    def share(self) -> None:
        """From now on any thread may use it. Raises Refused in one that may not yet."""
        self._guard.share()

    # -- giving -------------------------------------------------------------------------------------------------------

    def put(self, kind: Kind, label: Label | None, message: Any) -> bool:
        """Put a message into a queue if it has room; whether it had.

        `label` None stands for somebody outside, whose message comes after every signal that was given before it.
        Raises Gone or NoPriority.
        """
        guard = self._guard
        if guard.lock is None:
            if get_ident() != guard.home:
                guard.alone()
            return self._put(kind, label, message)
        with guard.lock:
            return self._put(kind, label, message)

    async def send(self, kind: Kind, label: Label | None, message: Any, timeout: float | None = None) -> None:
        """Put a message into a queue, when it has room; cancelled, it was not sent unless it was received already.

        Raises Gone, NoPriority, or Stalled when there was no room within `timeout` seconds.
        """
        ticket = self.enter(kind, label, message)
        if ticket is not None:
            await self.settle(ticket, timeout)

    def enter(self, kind: Kind, label: Label | None, message: Any) -> Ticket | None:
        """Put a message into a queue, or into the line of those who wait for room: then its ticket.

        Raises Gone or NoPriority.
        """
        guard = self._guard
        if guard.lock is None:
            if get_ident() != guard.home:
                guard.alone()
            return None if self._put(kind, label, message) else self._line_up(kind, label, message)
        with guard.lock:
            return None if self._put(kind, label, message) else self._line_up(kind, label, message)

    def give(self, signal: Any, sender: str) -> Ticket | None:
        """Give a signal, which arrives now or as soon as there is room; the ticket if it waits.

        Raises Gone.
        """
        return self.enter(SIGNAL, (0, sender), signal)

    def _put(self, kind: Kind, label: Label | None, message: Any) -> bool:
        lane = self._lanes[kind]
        if self.ending:
            raise Gone(self.receiver, message)
        queue = lane.queue
        if len(queue) >= lane.capacity:
            if not lane.capacity:
                raise NoPriority(self.receiver, message)
            return False
        if label is None:
            label = self._outside()
        queue.append(message)  # as `Lane.push`, written out: every message comes this way
        sent = lane.sent
        if label is not lane.last or not sent % lane.every:
            lane.note(sent, label)
        lane.sent = sent + 1
        if self._awaiting:
            self._wake()
        return True

    def _line_up(self, kind: Kind, label: Label | None, message: Any) -> Ticket:
        return self._lanes[kind].line_up(label or self._outside(), message)

    def _outside(self) -> Label:
        return self._signals.sent + len(self._signals.waiting), OUTSIDE

    async def settle(self, ticket: Ticket, timeout: float | None) -> None:
        """Wait until a ticket's message is in its queue. Raises Gone, or Stalled after `timeout` seconds."""
        try:
            in_time = await ticket.waiter.wait(timeout)
        except BaseException:
            with self._guard:
                ticket.lane.retract(ticket)
            raise
        if not in_time:
            with self._guard:
                stalled = ticket.fate is Fate.WAITING and ticket.lane.retract(ticket)
            if stalled:
                raise Stalled(self.receiver, ticket.message, timeout or 0.0)
        if ticket.fate is Fate.LOST:
            raise Gone(self.receiver, ticket.message)

    # -- taking -------------------------------------------------------------------------------------------------------

    def take(self, signals_only: bool = False) -> Any:
        """The next signal or message that may be delivered now, or NOTHING; never waits.

        Raises Terminated when there will never be another.
        """
        guard = self._guard
        if guard.lock is None:
            if get_ident() != guard.home:
                guard.alone()
            return self._take(signals_only)
        with guard.lock:
            return self._take(signals_only)

    async def receive(self, signals_only: bool = False, timeout: float | None = None) -> Any:
        """The next signal or message; cancelled, nothing was taken.

        Raises Terminated, or TimeoutError after `timeout` seconds.
        """
        guard = self._guard
        if guard.lock is None and get_ident() == guard.home:  # nobody else can be here
            taken = self._take(signals_only)
            if taken is not NOTHING:
                return taken
        deadline = None
        while True:
            with guard.lock or guard:
                taken = self._take(signals_only)
                if taken is not NOTHING:
                    return taken
                waiter = waiter_here()
                self._awaiting.append(waiter)
            if deadline is None:
                deadline = deadline_in(timeout)
            if not await wait_among(waiter, self._awaiting, guard, deadline):
                raise TimeoutError(f"nothing came for {self.receiver!r} within {timeout} s")

    def _take(self, signals_only: bool) -> Any:
        pending = self._pending
        if pending is not None and pending[0][0] <= self.heard and not signals_only:
            self._pending = None
            return pending[1]
        if self._signals.queue:
            self.heard += 1
            self.label = (self.heard, self.receiver)
            return self._signals.pop()
        if pending is None and not signals_only:
            for lane in self._messages:
                if lane.queue:
                    received = lane.received  # as `Lane.pop`, written out: every message comes this way
                    if received == lane.due:
                        lane.pass_mark()
                    lane.received = received + 1
                    message = lane.queue.popleft()
                    if lane.waiting:
                        lane.admit()
                    if lane.label[0] <= self.heard:
                        return message
                    self._pending = (lane.label, message)
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
        with self._guard:
            self.ending = True
            self._wake()

    def lose(self) -> None:
        """Nobody receives any more: what lies here is `undelivered`; whoever waits for room or an item is told."""
        with self._guard:
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
        with self._guard:
            lane = self._lanes[UNBOUNDED]
            if len(lane.queue) <= limit:
                return None
            senders = Counter(sender for (_, sender), _ in lane.labelled())
        return senders.total(), senders.most_common(1)[0][0]

    def read(self, places: list[int]) -> Readouts:
        """The meters of all queues; `places` is how far its reader has seen the times of flight, and is moved on."""
        with self._guard:
            shown = [lane.read(place) for lane, place in zip(self._lanes, places, strict=True)]
        places[:] = [place for place, _ in shown]
        return Readouts(*(readout for _, readout in shown))
