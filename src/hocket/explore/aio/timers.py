"""When the timers of a loop come. Time is virtual: computing takes none, and it passes when the loop rests.

Most of that is not open: timers come in the order of their times. A real clock leaves two things open, both within
microseconds. Timers of one time come in any order, and each next one may come at once, or in any turn of what the one
before has set off. And what comes from outside (a callback of another thread, a cancellation while the loop rests)
comes at any moment before the next timer, so also right before it: then this timer may come in any turn of what that
sets off. It is where time-outs meet what they time: a lock is released, and before its next owner runs, time is over.

A timer that may come is asked for after the other callbacks of a turn, because asyncio enters it behind them: now, or
later. If nothing was scheduled meanwhile, nothing could happen in between, and nobody is asked. A timer that was due
when it was made (`call_later(0, ...)`) comes in the very next turn, and so does one that is overdue.

Refused: at most one such coincidence in an execution, which would be cheaper, and prove nothing.
"""

from __future__ import annotations

import heapq
from typing import Any

from hocket.explore.aio.quiet import is_news

__all__ = ["SAME", "Timers"]

SAME = 1e-9  # seconds between two times that count as one

_TURNS = 16
"""How often timers that may come are asked for before the loop rests; one that never rests would be asked for ever."""


class Timers:
    """The timers of one loop: those that have to come now, and those that may."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._certain: list[Any] = []  # due when they were made
        self._asked = 0  # since time passed

    def made(self, handle: Any) -> None:
        """It is scheduled; if it is due, it comes in the next turn."""
        if handle.when() <= self._loop.time() + SAME:
            self._certain.append(handle)

    def next(self) -> Any:
        """The one that comes first, if any."""
        scheduled = self._loop._scheduled
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        return scheduled[0] if scheduled else None

    def is_due(self) -> bool:
        return bool(self._group())

    def pass_time(self) -> None:
        """It is the time of the next timer."""
        actor = self._loop.actor()
        self._loop.control.pass_time(actor, self._loop._scheduled[0].when() - actor.clock)
        self._asked = 0

    def follow_on_heels(self) -> None:
        """Something has come from outside; it may be that the next timer is just about to come."""
        handle = self.next()
        if handle is not None and not self.is_due() and self._loop.choose("loop.timer", 2):
            self.pass_time()

    def bring(self) -> None:
        """At the beginning of a turn: what has to come; if there is nothing else to do, also one that is due."""
        while group := [handle for handle in self._group() if self._has_to_come(handle)]:
            self._enter(self._one_of(group))
        if not self._loop.ready_as_known() and (group := self._group()):
            self._enter(self._one_of(group))

    def come_late(self) -> None:
        """At the end of a turn: those that may come now, as long as there is something that could run before them."""
        loop, came = self._loop, False
        while (came or is_news(loop.ready_as_known())) and self._asked < _TURNS:
            group = [handle for handle in self._group() if not self._has_to_come(handle)]
            if not group:
                return
            self._asked += 1
            chosen = loop.choose("loop.timer", len(group) + 1)
            if chosen == len(group):
                return
            came = True
            loop.run(self._taken(group[chosen]))

    def _enter(self, handle: Any) -> None:
        """Behind those that are known of; before what other threads have handed in without having been seen."""
        self._loop._ready.insert(len(self._loop.ready_as_known()), handle)

    def _one_of(self, group: list[Any]) -> Any:
        return self._taken(group[self._loop.choose("loop.timer", len(group))])

    def _group(self) -> list[Any]:
        """Those that are due, all of the earliest time."""
        first = self.next()
        if first is None or first.when() > self._loop.time() + SAME:
            return []
        return [handle for handle in self._loop._scheduled
                if not handle._cancelled and handle.when() - first.when() <= SAME]

    def _has_to_come(self, handle: Any) -> bool:
        return handle.when() < self._loop.time() - SAME or any(handle is sure for sure in self._certain)

    def _taken(self, handle: Any) -> Any:
        loop = self._loop
        loop._scheduled = [other for other in loop._scheduled if other is not handle]
        heapq.heapify(loop._scheduled)
        handle._scheduled = False
        self._certain = [other for other in self._certain if other is not handle]
        return handle
