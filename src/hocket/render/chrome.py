"""A run as a trace that ui.perfetto.dev and chrome://tracing load: lanes of threads, slices of tasks, arrows of edges.

The format is the Trace Event Format: complete events (`X`) in microseconds, metadata
(`M`) that names the lanes, flows (`s` to `f`) for edges, instants (`i`) for tasks that
never ran. A slice that took no time gets a nanosecond, because an arrow must begin and
end inside of one.

Perfetto gives an arrow to the slice of the lane that it has read last, whether that one is
over or not, and reads slices first of what is at one time. So an arrow leaves its slice a
nanosecond before the next one of the lane begins, where that lies within.

Complete events of one lane have to nest, for a viewer takes them for calls. So a lane is
split where slices cross: a task of many bodies that was begun by one worker and ended by
another, bodies that take turns on an event loop. Those of a loop never nest, as none
calls another: they lie side by side.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

__all__ = ["Slice", "chrome_trace"]

_PROCESS = 1  # no lane has its number, for Perfetto would call that one the main thread
_SHORTEST = 0.001  # µs


@dataclass(frozen=True, slots=True)
class Slice:
    """A task on its lane. Times in nanoseconds from the beginning; `begin` is None for one that never ran."""

    name: str
    lane: str
    begin: int | None
    end: int
    outcome: str
    nests: bool = True  # where it lies within another on its lane, it was begun by that one
    more: Mapping[str, object] = field(default_factory=dict)  # what a viewer shows of it besides


def chrome_trace(slices: Sequence[Slice], edges: Iterable[tuple[int, int]] = (), title: str = "hocket") -> str:
    """JSON of a run: `edges` are pairs of indices into `slices`, the earlier first."""
    lanes = _lanes(slices)
    numbers = {lane: number for number, lane in enumerate(dict.fromkeys(lanes), _PROCESS + 1)}
    places = [numbers[lane] for lane in lanes]
    happened = [
        *(_slice(slice, place) for slice, place in zip(slices, places, strict=True)),
        *_arrows(slices, places, edges),
    ]
    happened.sort(key=_when)
    events = [*_named_lanes(numbers, title), *happened]
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ns"}, ensure_ascii=False, indent=None)


def _when(event: dict[str, Any]) -> tuple[float, int, int, float]:
    """In the order of time; of what begins at once, slices before their arrows, and on each lane the outer first."""
    return event["ts"], "Xisf".index(event["ph"]), event["tid"], -event.get("dur", 0.0)


def _lanes(slices: Sequence[Slice]) -> list[str]:
    """By slice, its lane: the first of those of that name in which it lies within, or beside, all that are there."""
    lanes = [slice.lane for slice in slices]
    open_until: dict[str, list[list[float]]] = {}  # by name, for each of its lanes: the ends of what is open
    ran = [number for number, slice in enumerate(slices) if slice.begin is not None]
    for number in sorted(ran, key=lambda each: (slices[each].begin, -_length(slices[each]))):
        slice = slices[number]
        split = open_until.setdefault(slice.lane, [])
        place = _first_that_takes(slice, split)
        split[place].append(_end(slice))
        if place:
            lanes[number] = f"{slice.lane} ({place + 1})"
    return lanes


def _first_that_takes(slice: Slice, split: list[list[float]]) -> int:
    for place, ends in enumerate(split):
        while ends and ends[-1] <= _begin(slice):
            ends.pop()
        if not ends or (slice.nests and _end(slice) <= ends[-1]):
            return place
    split.append([])
    return len(split) - 1


def _begin(slice: Slice) -> float:
    """In microseconds, as it is written."""
    return (slice.begin or 0) / 1e3


def _end(slice: Slice) -> float:
    return _begin(slice) + _length(slice)


def _named_lanes(lanes: dict[str, int], title: str) -> Iterator[dict[str, Any]]:
    yield {"ph": "M", "name": "process_name", "pid": _PROCESS, "args": {"name": title}}
    for lane, number in lanes.items():
        yield {"ph": "M", "name": "thread_name", "pid": _PROCESS, "tid": number, "args": {"name": lane}}
        yield {"ph": "M", "name": "thread_sort_index", "pid": _PROCESS, "tid": number, "args": {"sort_index": number}}


def _slice(slice: Slice, lane: int) -> dict[str, Any]:
    facts = {**({"outcome": slice.outcome} if slice.outcome else {}), **slice.more}
    told = {"name": slice.name, "cat": "task", "pid": _PROCESS, "tid": lane, "args": facts}
    if slice.begin is None:
        return {**told, "ph": "i", "s": "t", "ts": slice.end / 1e3}
    return {**told, "ph": "X", "ts": _begin(slice), "dur": _length(slice)}


def _length(slice: Slice) -> float:
    return max((slice.end - (slice.begin or 0)) / 1e3, _SHORTEST)


def _arrows(
    slices: Sequence[Slice], lanes: Sequence[int], edges: Iterable[tuple[int, int]]
) -> Iterator[dict[str, Any]]:
    """One flow for each edge between two tasks that ran: from the end of the earlier to the beginning of the later."""
    leaves = _departures(slices, lanes)
    for number, (one, other) in enumerate(edges, 1):
        earlier, later = slices[one], slices[other]
        if earlier.begin is None or later.begin is None:
            continue
        told = {"name": "after", "cat": "edge", "id": number, "pid": _PROCESS}
        yield {**told, "ph": "s", "tid": lanes[one], "ts": leaves[one]}
        yield {**told, "ph": "f", "bp": "e", "tid": lanes[other], "ts": _begin(later)}


def _departures(slices: Sequence[Slice], lanes: Sequence[int]) -> list[float]:
    """By slice, when its arrows leave: at its end, or before the next of its lane begins."""
    leaves = [_end(slice) for slice in slices]
    next_begins: dict[int, float] = {}
    ran = [number for number, slice in enumerate(slices) if slice.begin is not None]
    for number in sorted(ran, key=lambda each: (slices[each].begin, -_length(slices[each])), reverse=True):
        begin, lane = _begin(slices[number]), lanes[number]
        leaves[number] = max(begin, min(leaves[number], next_begins.get(lane, inf) - _SHORTEST))
        next_begins[lane] = begin
    return leaves
