"""What in an interleaving depends on what across actors, and which of these conflicts was the one that mattered.

An *arrow* goes from a step to the next one of another actor that has to come after it: the
next use of what the first one wrote, the next write of what it read, the first step of
who was started, the end of who is joined. What follows from two arrows is not drawn.

The one that mattered is looked for in this order: an update that was lost (read,
written by somebody else, written back), a look that was out of date when it was acted upon (read, written
by somebody else, and the reader went on). It is a reading of the failing interleaving
for people, and no proof of a cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hocket.explore.semantics import modes_of
from hocket.explore.threads.values import ABSENT, Value
from hocket.trace.event import Event

__all__ = ["Access", "Told", "arrows_of", "conflict_of"]

_SHORT = 24  # signs of a value in a sentence

Told = tuple[int, Event]
"""The number that a row has in the lanes, and the event that it tells."""


class Access(NamedTuple):
    """What a row does to data: the names of the places that it reads and writes, and the value at one of them."""

    number: int
    who: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    about: str
    value: Value

    @property
    def touched(self) -> tuple[str, ...]:
        return (*self.reads, *self.writes)



def arrows_of(told: Iterable[Told]) -> tuple[tuple[int, int], ...]:
    """Pairs of row numbers, of different actors, the earlier first."""
    writer: dict[int, Told] = {}
    readers: dict[int, list[Told]] = {}
    started: dict[int, Told] = {}
    latest: dict[int, Told] = {}
    found: dict[tuple[int, int], None] = {}

    def draw(before: Told | None, row: Told) -> None:
        if before is not None and before[1].actor != row[1].actor:
            found[before[0], row[0]] = None

    for row in told:
        _, event = row
        if event.actor not in latest:
            draw(started.get(event.actor), row)
        if event.operation.kind == "thread.spawn" and event.operation.argument is not None:
            started[event.operation.argument] = row
        elif event.operation.kind.startswith("thread.join") and event.operation.argument is not None:
            draw(latest.get(event.operation.argument), row)
        else:
            for place, mode in modes_of(event.operation, event.alternative, event.reads_only):
                if mode == "r":
                    draw(writer.get(place), row)
                    readers.setdefault(place, []).append(row)
                    continue
                for before in (*readers.pop(place, ()), writer.get(place)):
                    draw(before, row)
                writer[place] = row
        latest[event.actor] = row
    return tuple(found)


def conflict_of(accesses: Sequence[Access]) -> str:
    """One sentence; empty where nothing of this kind is there."""
    stale = ""
    for index, access in enumerate(accesses):
        for place in access.reads:
            between = _overtaken(accesses, index, place)
            if between is None:
                continue
            other, later = between
            head = (f"{other.who} {_written(other, place)} (step {other.number}) "
                    f"after {access.who} {_had_read(access, place)} (step {access.number})")
            if place in later.writes:
                back = f"before {access.who} {_written_back(later, place)} (step {later.number})"
                return f"{head} and {back}: an update is lost"
            stale = stale or f"{head}, and {access.who} {_went_on(later, place)} (step {later.number})"
    return stale


def _overtaken(accesses: Sequence[Access], index: int, place: str) -> tuple[Access, Access] | None:
    """After a read: the first write of somebody else, and what the reader did next with the place, or at all."""
    reader = accesses[index].who
    other: Access | None = None
    for number, access in enumerate(accesses[index + 1:], index + 1):
        if access.who != reader:
            other = access if other is None and place in access.writes else other
        elif other is None and place in access.touched:
            return None  # looked again, or wrote in time
        elif other is not None:
            again = next((later for later in accesses[number:] if later.who == reader and place in later.touched),
                         access)
            return other, again if place in again.writes else access
    return None


def _known(access: Access, place: str) -> str:
    """The value, if it is that of this place, and short enough for a sentence."""
    text = access.value.text
    return text if access.about == place and len(text) <= _SHORT else ""


def _written(access: Access, place: str) -> str:
    value = _known(access, place)
    return f"removed {place}" if value == ABSENT else f"wrote {value} to {place}" if value else f"wrote {place}"


def _written_back(access: Access, place: str) -> str:
    value = _known(access, place)
    return "removed it" if value == ABSENT else f"wrote {value} over it" if value else "wrote it back"


def _had_read(access: Access, place: str) -> str:
    value = _known(access, place)
    return "had found it absent" if value == ABSENT else f"had read {value} there" if value else "had read it"


def _went_on(access: Access, place: str) -> str:
    value = _known(access, place) if place in access.reads else ""
    if not value:
        return "went on with what it had read"
    return "then found it absent" if value == ABSENT else f"then found {value} there"
