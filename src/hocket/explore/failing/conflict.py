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

from hocket.explore.semantics import modes_of
from hocket.trace.event import Event

__all__ = ["Told", "arrows_of", "conflict_of"]

Told = tuple[int, Event]
"""The number that a row has in the lanes, and the event that it tells."""


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


def conflict_of(told: Sequence[Told], names: Sequence[str], objects: Sequence[str]) -> str:
    """One sentence; empty where nothing of this kind is there."""
    stale = ""
    for index, (number, event) in enumerate(told):
        for place in _places(event, "r"):
            between = _overtaken(told, index, place)
            if between is None:
                continue
            other, later = between
            who, whom = names[event.actor], names[other[1].actor]
            head = f"{whom} wrote {objects[place]} (step {other[0]}) after {who} had read it (step {number})"
            if place in _places(later[1], "w"):
                return f"{head} and before {who} wrote it back (step {later[0]}): an update is lost"
            stale = stale or f"{head}, and {who} went on with what it had read (step {later[0]})"
    return stale


def _overtaken(told: Sequence[Told], index: int, place: int) -> tuple[Told, Told] | None:
    """After a read: the first write of somebody else, and what the reader did next with the place, or at all."""
    reader = told[index][1].actor
    other: Told | None = None
    for row in told[index + 1:]:
        event = row[1]
        if event.actor != reader and other is None and place in _places(event, "w"):
            other = row
        elif event.actor == reader and other is None and place in (*_places(event, "r"), *_places(event, "w")):
            return None  # looked again, or wrote in time
        elif event.actor == reader and other is not None:
            again = next((later for later in told[told.index(row):] if later[1].actor == reader
                          and place in (*_places(later[1], "r"), *_places(later[1], "w"))), row)
            return other, again if place in _places(again[1], "w") else row
    return None


def _places(event: Event, mode: str) -> list[int]:
    if not event.operation.kind.startswith(("data.", "cell.")):
        return []
    touched = modes_of(event.operation, event.alternative, event.reads_only)
    return [place for place, found in touched if found == mode]
