"""The happens-before order of the execution under way, kept as sets of events, as bits of an int.

Event number k is bit k. `past[k]` are the events that happen before k; who else
touched an object, and which events an actor has, are sets too, so that "the
conflicting events that are not yet ordered", "the events that do not depend on
i" and "can this sequence start with p" are a few `&` each, whatever the length
of the sequence. Events are pushed and truncated at the end only, as a search
backtracks. `trace/trace.py` computes the same order with vector clocks; tests
hold the two against each other.

Refused: vector clocks throughout. A clock answers "is i before j" in one step as well,
but not "is anything of this set before j". Sets of all n events would take n²/16 bytes;
so a deep execution keeps clocks, and makes a set of one when it is asked for (deep.py).
"""

from __future__ import annotations

from collections.abc import Collection

from hocket.explore.deep import DEEP, Few, Pasts
from hocket.explore.footprint import Footprint, Footprints
from hocket.explore.reductions import Freedom, commute
from hocket.explore.semantics import ROWS, Raise, Row
from hocket.trace.event import Event
from hocket.trace.operation import Actor, Operation

__all__ = ["Link", "Order", "Way"]


class Way:
    """What an actor does in one step: its operation, which alternative of it, and what that touches."""

    __slots__ = ("actor", "alternative", "footprint", "operation")

    def __init__(self, actor: Actor, alternative: int, operation: Operation, footprint: Footprint) -> None:
        self.actor, self.alternative = actor, alternative
        self.operation, self.footprint = operation, footprint


class Link(Way):
    """A step of an execution, and the step `before` it, for whoever needs them when the order has moved on."""

    __slots__ = ("before",)

    def __init__(self, actor: Actor, alternative: int, operation: Operation, footprint: Footprint,
                 before: Link | None) -> None:
        super().__init__(actor, alternative, operation, footprint)
        self.before = before


class Order:
    """The events so far, their footprints, and what happens before what."""

    __slots__ = ("_apart", "_clocked", "_deep", "_links", "_wakers", "actors", "events", "footprints", "forking",
                 "kept", "loosened", "past", "prints", "raced", "touchers", "writers")

    def __init__(self, rules: Collection[str] = (), deep: int = DEEP) -> None:
        self.footprints = Footprints(rules)
        self.events: list[Event] = []
        self.prints: list[Footprint] = []
        self.past: list[int] | Pasts = []
        self.raced: list[int] | Few = []  # with which an event races, or its latest conflicts: see `extend`
        self.actors: dict[Actor, int] = {}
        self.touchers: dict[int, int] = {}
        self.writers: dict[int, int] = {}
        self.loosened = 0  # the events that some event pushed since the last truncation does not depend on
        self.forking: list[int] = []  # the events that had alternatives
        self.kept = 0  # the length at the last truncation: what is older was there in the execution before
        self._apart: dict[int, tuple[int, int]] = {}  # see `apart`: what was found, and up to which event
        self._deep, self._clocked = deep, False  # with so many events `past` and `raced` are kept in the other form
        self._wakers: dict[Actor, int] = {}  # the events that woke an actor, by start or by notify
        self._links: list[Link] = []  # the events as links, as far as somebody has asked

    def push(self, event: Event, footprint: Footprint) -> int:
        """Append the next event; answers its latest conflicts."""
        self.events.append(event)
        self.prints.append(footprint)
        self.extend()
        return self.raced[-1]

    def extend(self) -> bool:
        """Put in order the events that were appended to `events`, with their `prints`; answers whether to look first.

        The latest conflicts are the conflicting events with nothing in between: each is not ordered before it
        through another one, or through what must precede it. Each of them is a race, unless it depends on the states
        whether the event could have come first: then this stops behind it and answers True, so that its races can be
        found while nothing follows; call it again. All new events of an execution are taken in by one call as a rule,
        and all that happens to one of them stands in this loop, because it runs for every new event of a search.
        """
        if len(self.prints) >= self._deep and not self._clocked:
            self.past, self.raced, self._clocked = Pasts(self.actors, self.past), Few(self.raced), True
        events, past_of, actors, wakers = self.events, self.past, self.actors, self._wakers
        touchers, writers = self.touchers, self.writers
        number = len(past_of)
        bit = 1 << number
        for footprint in self.prints[number:]:
            event = events[number]
            actor, operation, alternative, _, _ = event
            row = ROWS[operation[0]]
            own = actors.get(actor, 0)
            past = found = 0
            if row.follows or (wakers and actor in wakers):
                past = self.closure(self.direct_before(actor, operation, alternative))
            elif own:
                last = own.bit_length() - 1
                past = past_of[last] | 1 << last
            for index in footprint.writes:
                before = touchers.get(index, 0)
                found |= before
                touchers[index] = before | bit
                writers[index] = writers.get(index, 0) | bit
            for index in footprint.reads:
                found |= writers.get(index, 0)
                touchers[index] = touchers.get(index, 0) | bit
            if footprint.freedom is not None:
                found = self._without(found, footprint.freedom)
            left, latest = found & ~past, 0
            while left:
                top = left.bit_length() - 1
                last = 1 << top
                latest |= last
                past |= past_of[top] | last
                left &= ~past
            if past != bit - 1:
                self.loosened |= bit - 1 ^ past
            past_of.append(past)
            self.raced.append(latest)
            actors[actor] = own | bit
            if not row.plain:
                self._enter(event, row, number)
            if latest and (not row.always_same or footprint.freedom is not None):
                return True
            number += 1
            bit += bit
        return False

    def _enter(self, event: Event, row: Row, number: int) -> None:
        """What an event is to others besides its accesses: it had alternatives, or woke somebody."""
        if not row.always_once:
            self.forking.append(number)
        if not row.wakes_nobody and type(event.result) is not Raise:
            for woken in row.wakes(event.operation.argument, event.result):
                self._wakers[woken] = self._wakers.get(woken, 0) | 1 << number

    def truncate(self, length: int) -> None:
        """Forget all events from number `length` on."""
        keep = (1 << length) - 1
        for sets in (self.touchers, self.writers, self.actors):
            for key, events in sets.items():
                if events > keep:
                    sets[key] = events & keep
        del self.events[length:], self.prints[length:], self.past[length:], self.raced[length:]
        del self._links[length:]
        self.loosened, self.kept = 0, length
        if self._clocked and length < self._deep // 2:
            self.past, self.raced, self._clocked = list(self.past), list(self.raced), False
        while self.forking and self.forking[-1] >= length:
            self.forking.pop()
        if self._apart:
            self._apart = {number: (found & keep, until if until < length else length)
                           for number, (found, until) in self._apart.items() if number < length}
        if self._wakers:
            self._wakers = {actor: wakers & keep for actor, wakers in self._wakers.items() if wakers & keep}

    def conflicting(self, footprint: Footprint) -> int:
        """The events so far that conflict with it (those of its own actor may be among them)."""
        found = 0
        for index in footprint.writes:
            found |= self.touchers.get(index, 0)
        for index in footprint.reads:
            found |= self.writers.get(index, 0)
        return found if footprint.freedom is None else self._without(found, footprint.freedom)

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
        # a time-out leaves the queue, and owes nothing to the notify that it comes before: it touches the condition
        if wakers and (not own or row.modes_for(alternative).startswith("-")):
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
        if not self.loosened >> number & 1 and number >= self.kept - 1:
            return 0  # all later events are new, and depend on it
        found, since = self._apart.get(number, (0, number + 1))
        length = len(self.past)
        if since < length:
            if isinstance(self.past, Pasts):
                if len(self._apart) >= self._deep:
                    self._apart.clear()  # each is as long as the execution
                found |= self.past.apart(number, since)
            else:
                bit, later = 1 << number, 1 << since
                for past in self.past[since:]:
                    if not past & bit:
                        found |= later
                    later <<= 1
            self._apart[number] = found, length
        return found

    def link(self, number: int) -> Link:
        """The event of this number; executions that begin alike share what stands before it."""
        links = self._links
        before = links[-1] if links else None
        for made in range(len(links), number + 1):
            actor, operation, alternative, _, _ = self.events[made]
            before = Link(actor, alternative, operation, self.prints[made], before)
            links.append(before)
        return links[number]

    def _without(self, events: int, free: Freedom) -> int:
        """These events, less those that it commutes with all the same."""
        left = events
        while left:
            bit = left & -left
            left ^= bit
            if commute(free, self.prints[bit.bit_length() - 1].freedom):
                events ^= bit
        return events


def _latest(events: int) -> int:
    return 1 << events.bit_length() - 1 if events else 0
