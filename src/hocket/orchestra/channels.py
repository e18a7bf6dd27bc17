"""Metered channels by themselves: the queues of a mailbox, for whoever wants no orchestra.

A channel ends when all its senders are closed, and only then, and only when *both*
its queues are empty (O-B6: in the seed the empty priority queue ended it, and the
backlog was lost). Its receiver waits for either queue (O-B5: there it waited for
the bulk queue alone).
"""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from queue import Empty
from typing import Any

from hocket.errors import Full
from hocket.orchestra.lane import BULK, NOTHING, PRIORITY, UNBOUNDED, Kind, Undelivered
from hocket.orchestra.mailbox import Mailbox
from hocket.orchestra.meters import EVERY, MeterReader, Readout

__all__ = ["Meter", "Receiver", "Sender", "channel", "channel_with_priority", "unbounded"]


_LABEL = (0, "")  # there are no signals here


class Meter:
    """One look at a channel after another; each reader has its own place among the times of flight."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._reader = MeterReader(mailbox.read)

    def read(self) -> Readout:
        """Counts over all queues of the channel, and the times of flight since this reader's last look."""
        readouts = self._reader.read()
        bounded, free = readouts.bounded, readouts.unbounded
        return free if free.sent else bounded


class Sender:
    """One of a channel's senders; close it, or use it in a `with` block."""

    def __init__(self, mailbox: Mailbox, kind: Kind, living: list[int], lock: threading.Lock) -> None:
        self._mailbox, self._kind = mailbox, kind
        self._living, self._lock = living, lock
        self._open = True
        with lock:
            living[0] += 1

    async def send(self, value: Any, *, priority: bool = False, timeout: float | None = None) -> None:
        """Send a value; waits while there is no room. Raises Gone, NoPriority, Stalled after `timeout` seconds."""
        kind = PRIORITY if priority else self._kind
        await self._mailbox.send(kind, _LABEL, value, timeout)

    def try_send(self, value: Any, *, priority: bool = False) -> None:
        """Send a value without waiting. Raises Full, Gone, NoPriority."""
        if not self._mailbox.put(PRIORITY if priority else self._kind, _LABEL, value):
            raise Full(self._mailbox.receiver, value)

    def clone(self) -> Sender:
        """Another sender of the same channel."""
        return Sender(self._mailbox, self._kind, self._living, self._lock)

    def close(self) -> None:
        """Send no more; when the last sender closes, the channel ends once it is empty."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            self._living[0] -= 1
            last = not self._living[0]
        if last:
            self._mailbox.end()

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Receiver:
    """A channel's receiving end."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def recv(self, timeout: float | None = None) -> Coroutine[Any, Any, Any]:
        """The next value, priority first. Raises Terminated when it has ended; TimeoutError after `timeout` seconds."""
        return self._mailbox.receive(False, timeout)

    def try_next(self) -> Any:
        """The next value if there is one. Raises queue.Empty if there is none now, Terminated if it has ended."""
        taken = self._mailbox.take()
        if taken is NOTHING:
            raise Empty
        return taken

    def close(self) -> list[Undelivered]:
        """Receive no more: what lay in the channel; senders get Gone."""
        self._mailbox.lose()
        return self._mailbox.undelivered

    def meter(self) -> Meter:
        """A reader of the channel's meter."""
        return Meter(self._mailbox)


def channel(capacity: int, *, name: str = "channel", every: int = EVERY) -> tuple[Sender, Receiver]:
    """A channel with room for `capacity` values; every `every`-th has its time of flight measured.

    >>> sender, receiver = channel(2)
    >>> sender.try_send("a")
    >>> receiver.try_next(), receiver.meter().read().received
    ('a', 1)
    """
    return _ends(Mailbox(name, signals=1, bulk=capacity, every=every), BULK)


def channel_with_priority(
    bulk: int, priority: int, *, name: str = "channel", every: int = EVERY
) -> tuple[Sender, Receiver]:
    """A channel with two queues, with room for so many values each; priority values are received first."""
    return _ends(Mailbox(name, signals=1, bulk=bulk, priority=priority, every=every), BULK)


def unbounded(*, name: str = "channel", every: int = EVERY) -> tuple[Sender, Receiver]:
    """A channel that is never full."""
    return _ends(Mailbox(name, signals=1, bulk=1, every=every), UNBOUNDED)


def _ends(mailbox: Mailbox, kind: Kind) -> tuple[Sender, Receiver]:
    return Sender(mailbox, kind, [0], threading.Lock()), Receiver(mailbox)
