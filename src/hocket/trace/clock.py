"""Vector clocks: how much of every actor an event has seen.

A clock is a tuple, one number an actor: how many of that actor's events happen
before or are this one. Shorter clocks are padded with zeros, because actors may
appear in the middle of an execution.
Source: Mattern 1988, Fidge 1988; as used for races by FastTrack (PLDI 2009).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

__all__ = ["Clock", "join", "seen", "tick"]

Clock = tuple[int, ...]


def join(clocks: Iterable[Clock]) -> Clock:
    """The least clock that has seen everything the given ones have."""
    return tuple(max(column) for column in zip_longest(*clocks, fillvalue=0))


def tick(clock: Clock, actor: int) -> Clock:
    """The clock after one more event of `actor`."""
    padded = [*clock, *[0] * (actor + 1 - len(clock))]
    padded[actor] += 1
    return tuple(padded)


def seen(clock: Clock, actor: int) -> int:
    """How many events of `actor` this clock has seen."""
    return clock[actor] if actor < len(clock) else 0
