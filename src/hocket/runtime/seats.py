"""Where executors sleep: who is parked, who is on its way, and who is woken next.

One sleeper is woken at a time; when it has come and taken work, it wakes the next
if more is left: so a flood of small tasks costs one wake-up for each executor, not
one for each task. Everything here is entered and left with the scheduler's lock
held.
"""

from __future__ import annotations

from hocket.runtime.handle import Built
from hocket.runtime.primitives import Condition, Thread

__all__ = ["Seat", "Seats"]


class Seat:
    """A thread's place: where it sleeps, and what it is in the middle of (a helper inside a body has two)."""

    __slots__ = ("alive", "called", "condition", "name", "owner", "stack", "thread")

    def __init__(self, name: str, condition: Condition) -> None:
        self.name, self.condition = name, condition
        self.alive = True
        self.called = False  # something happened that it waits for; read without the lock between two bodies
        self.owner = 0  # the thread that sits here
        self.stack: list[Built] = []
        self.thread: Thread | None = None


class Seats:
    """The executors that sleep, and what they sleep for.

    Invariant: where work is left and somebody is parked, one is coming, or whoever holds the lock goes on to take it.
    """

    def __init__(self) -> None:
        self.parked: list[Seat] = []  # each once
        self._coming: Seat | None = None  # woken for work, and not here yet

    def park(self, seat: Seat, longest: float | None = None) -> None:
        """Sleep until there is work, or what this one in particular waits for; `longest` seconds at most."""
        self.parked.append(seat)
        try:
            seat.condition.wait(longest)
        finally:
            if seat in self.parked:  # woken by nothing at all, or by the time
                self.parked.remove(seat)
            if self._coming is seat:
                self._coming = None

    def wake(self) -> None:
        """There is work for one more."""
        if self._coming is None and self.parked:
            self._coming = self.parked.pop()
            self._coming.condition.notify()

    def rouse(self, seat: Seat) -> None:
        """Something happened that this one in particular waits for."""
        seat.called = True
        if seat in self.parked:
            self.parked.remove(seat)
        seat.condition.notify()
