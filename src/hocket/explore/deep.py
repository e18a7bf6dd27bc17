"""Sets of events that are kept small where an execution is deep.

A set of events is an int with one bit for each event, which is fast, and small as
long as an execution has some hundreds of them. One set for every one of n events
would take n²/16 bytes, so from some depth on sets are kept otherwise, and made when
they are asked for:

- what happens before an event is, of each actor, all up to some event: a vector
  clock, four bytes an actor;
- the events with which one races are few: their numbers.

Both are sequences that are read and cut like the lists that they stand for.
Refused: clocks for all events. Most executions are short, and a set that has to be made
first would be what a search waits for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["DEEP", "Few", "Pasts", "among", "numbers"]

DEEP = 1024
"""So many events are a deep execution: the sets of all that are shallower take 64 kB."""


def numbers(events: int) -> Iterator[int]:
    """The numbers in a set of events, latest first."""
    while events:
        number = events.bit_length() - 1
        yield number
        events ^= 1 << number


def among(chosen: Iterable[int]) -> int:
    """The set of the events with these numbers."""
    found = 0
    for number in chosen:
        found |= 1 << number
    return found


class Pasts(Sequence[int]):
    """For each event the events that happen before it.

    `actors`: the events of each actor, as a search goes on to keep them; the order of its keys must not change.
    """

    __slots__ = ("_actors", "_clocks")

    def __init__(self, actors: Mapping[int, int], pasts: Iterable[int] = ()) -> None:
        self._actors = actors
        self._clocks: list[bytes] = []  # for each event, how far back its latest of each actor lies: its number + 1
        for past in pasts:
            self.append(past)

    def __len__(self) -> int:
        return len(self._clocks)

    def __getitem__(self, number: Any) -> Any:
        past = 0
        for events, seen in zip(self._actors.values(), array("I", self._clocks[number]), strict=False):
            past |= events & (1 << seen) - 1
        return past

    def __delitem__(self, some: Any) -> None:
        del self._clocks[some]

    def append(self, past: int) -> None:
        """The past of the next event."""
        self._clocks.append(array("I", [(past & events).bit_length() for events in self._actors.values()]).tobytes())

    def apart(self, number: int, since: int) -> int:
        """The events from `since` on before which event `number` does not happen."""
        place = next(at for at, events in enumerate(self._actors.values()) if events >> number & 1)
        found, bit = 0, 1 << since
        for clock in self._clocks[since:]:
            seen = array("I", clock)
            if place >= len(seen) or seen[place] <= number:
                found |= bit
            bit <<= 1
        return found


class Few(Sequence[int]):
    """Sets of a few events each."""

    __slots__ = ("_sets",)

    def __init__(self, sets: Iterable[int] = ()) -> None:
        self._sets = [tuple(numbers(events)) for events in sets]

    def __len__(self) -> int:
        return len(self._sets)

    def __getitem__(self, number: Any) -> Any:
        return among(self._sets[number])

    def __setitem__(self, number: int, events: int) -> None:
        self._sets[number] = tuple(numbers(events))

    def __delitem__(self, some: Any) -> None:
        del self._sets[some]

    def append(self, events: int) -> None:
        """The next set."""
        self._sets.append(tuple(numbers(events)))
