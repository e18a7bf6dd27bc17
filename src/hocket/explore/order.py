"""The happens-before order of the execution under way, kept as sets of events, as bits of an int.

Event number k is bit k. `past[k]` are the events that happen before k; who else
touched an object, and which events an actor has, are sets too, so that "the
conflicting events that are not yet ordered", "the events that do not depend on
i" and "can this sequence start with p" are a few `&` each, whatever the length
of the sequence. Events are pushed and truncated at the end only, as a search
backtracks. `trace/trace.py` computes the same order with vector clocks; tests
hold the two against each other.

Refused: vector clocks here. A clock answers "is i before j" in one step as well,
but not "is anything of this set before j". The price is n²/8 bytes for n events:
2 MB at 4,000 steps, less than the events themselves take.
"""

from __future__ import annotations

from typing import Any

from hocket.explore.footprint import Footprint, Footprints
from hocket.explore.semantics import ROWS, Raise
from hocket.trace.event import Event
from hocket.trace.operation import Actor, Operation

__all__ = ["Order"]


class Order:
    """The events so far, their footprints, and what happens before what."""

    __slots__ = ("_apart", "_apart_until", "_wakers", "actors", "direct", "events", "footprints", "forced", "past",
                 "prints", "touchers", "writers")

    def __init__(self) -> None:
        self.footprints = Footprints()
        self.events: list[Event] = []
        self.prints: list[Footprint] = []
        self.past: list[int] = []
        self.forced: list[int] = []  # for each event the part of its past that no reversal can change
        self.direct: list[int] = []  # for each event its actor's previous event and whoever made it possible
        self.actors: dict[Actor, int] = {}
        self.touchers: dict[int, int] = {}
        self.writers: dict[int, int] = {}
        self._apart: list[int] = []  # for each event the later ones that do not depend on it, as far as was asked
        self._apart_until: list[int] = []
        self._wakers: dict[Actor, int] = {}  # the events that woke an actor, by start or by notify

    def push(self, event: Event) -> None:
        """Append the next event."""
        number = len(self.events)
        actor, operation, alternative, result, reads_only = event
        footprint = self.footprints.of(operation, alternative, reads_only)
        direct = self.direct_before(actor, operation, alternative)
        forced = self.closure(direct)
        past, left = forced, self.conflicting(footprint) & ~forced
        pasts = self.past
        while left:
            latest = left.bit_length() - 1
            past |= pasts[latest] | 1 << latest
            left &= ~past
        bit = 1 << number
        self.events.append(event)
        self.prints.append(footprint)
        pasts.append(past)
        self.forced.append(forced)
        self.direct.append(direct)
        self._apart.append(0)
        self._apart_until.append(number + 1)
        self.actors[actor] = self.actors.get(actor, 0) | bit
        self._touch(footprint, bit)
        if type(result) is not Raise:
            for woken in ROWS[operation.kind].wakes(operation.argument, result):
                self._wakers[woken] = self._wakers.get(woken, 0) | bit

    def truncate(self, length: int) -> None:
        """Forget all events from number `length` on."""
        keep = (1 << length) - 1
        for number in range(length, len(self.events)):
            footprint = self.prints[number]
            for index in footprint.writes:
                self.touchers[index] &= keep
                self.writers[index] &= keep
            for index in footprint.reads:
                self.touchers[index] &= keep
            self.actors[self.events[number].actor] &= keep
        columns: tuple[list[Any], ...] = (
            self.events, self.prints, self.past, self.forced, self.direct, self._apart, self._apart_until)
        for column in columns:
            del column[length:]
        for number, until in enumerate(self._apart_until):
            if until > length:
                self._apart_until[number] = length
                self._apart[number] &= keep
        for actor, wakers in self._wakers.items():
            self._wakers[actor] = wakers & keep

    def conflicting(self, footprint: Footprint) -> int:
        """The events so far that conflict with it (those of its own actor may be among them)."""
        found = 0
        for index in footprint.writes:
            found |= self.touchers.get(index, 0)
        for index in footprint.reads:
            found |= self.writers.get(index, 0)
        return found

    def direct_before(self, actor: Actor, operation: Operation, alternative: int, length: int | None = None) -> int:
        """What must precede an operation whatever is reversed: its actor's previous event, who woke it, whom it joins.

        `length`: as if only so many events had happened.
        """
        row = ROWS[operation.kind]
        own, wakers = self.actors.get(actor, 0), self._wakers.get(actor, 0)
        if length is not None:
            keep = (1 << length) - 1
            own, wakers = own & keep, wakers & keep
        direct = _latest(own)
        if wakers and (not own or "-" in row.modes_for(alternative)):
            waker = _latest(wakers)
            if waker > direct:  # an older one was for an earlier wait
                direct |= waker
        if row.follows:
            direct |= _latest(self.actors.get(operation.argument, 0))
        return direct

    def closure(self, events: int) -> int:
        """These events and all that happens before them."""
        closed, left = events, events
        while left:
            latest = left.bit_length() - 1
            closed |= self.past[latest]
            left &= ~(self.past[latest] | 1 << latest)
        return closed

    def apart(self, number: int) -> int:
        """The events after event `number` that do not depend on it."""
        found, since = self._apart[number], self._apart_until[number]
        length = len(self.past)
        if since < length:
            bit, past = 1 << number, self.past
            for later in range(since, length):
                if not past[later] & bit:
                    found |= 1 << later
            self._apart[number], self._apart_until[number] = found, length
        return found

    def _touch(self, footprint: Footprint, bit: int) -> None:
        touchers, writers = self.touchers, self.writers
        for index in footprint.writes:
            touchers[index] = touchers.get(index, 0) | bit
            writers[index] = writers.get(index, 0) | bit
        for index in footprint.reads:
            touchers[index] = touchers.get(index, 0) | bit


def _latest(events: int) -> int:
    return 1 << events.bit_length() - 1 if events else 0
