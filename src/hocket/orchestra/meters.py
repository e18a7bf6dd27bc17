"""What a queue has seen: counts that are exact, and how long messages waited, measured on a sample.

`sent` counts what is or was in the queue: a send that was refused, given up or
cancelled while it waited was never sent. So sent - received = length, until the
receiver ends: then what lay there is undelivered, and the length is 0.
Every sixteenth item carries the time at which it was put, which costs one look at
the clock each time; the last hundred times of flight are kept. Readers have a
place of their own in that list, so that two of them see the same samples (O-B7:
in the seed reading took them away).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from time import monotonic

__all__ = ["Flights", "MeterReader", "Readout", "Readouts"]

KEPT = 100
EVERY = 16


@dataclass(frozen=True, slots=True)
class Readout:
    """One queue at one moment; `flights` are the times of flight (seconds) that its reader had not seen yet."""

    sent: int
    received: int
    length: int
    blocked: int  # sends that found it full
    flights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Readouts:
    """All the queues of one subsystem."""

    signals: Readout
    unbounded: Readout
    priority: Readout
    bulk: Readout

    @property
    def bounded(self) -> Readout:
        """Priority and bulk together, as the seed shows them."""
        one, two = self.priority, self.bulk
        return Readout(
            one.sent + two.sent,
            one.received + two.received,
            one.length + two.length,
            one.blocked + two.blocked,
            one.flights + two.flights,
        )


class Flights:
    """The last times of flight, and how many there have been."""

    __slots__ = ("_clock", "_taken", "_times")

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=KEPT)
        self._taken = 0  # samples so far, those that are no longer kept included

    def arrival(self, departed: float) -> None:
        self._taken += 1
        self._times.append(self._clock() - departed)

    def since(self, place: int) -> tuple[int, tuple[float, ...]]:
        """A reader's new place, and the samples that came after its old one, as far as they are kept."""
        new = min(self._taken - place, len(self._times))
        return self._taken, tuple(islice(self._times, len(self._times) - new, None))


class MeterReader:
    """Somebody who looks at the queues of one mailbox, again and again."""

    def __init__(self, read: Callable[[list[int]], Readouts]) -> None:
        self._read = read
        self._places = [0, 0, 0, 0]

    def read(self) -> Readouts:
        """Counts as they are now, and the times of flight since this reader's last look."""
        return self._read(self._places)
