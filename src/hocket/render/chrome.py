"""A run as a trace that ui.perfetto.dev and chrome://tracing load: lanes of threads, slices of tasks, arrows of edges.

The format is the Trace Event Format: complete events (`X`) in microseconds, metadata
(`M`) that names the lanes, flows (`s` to `f`) for edges, instants (`i`) for tasks that
never ran. A slice that took no time gets a nanosecond, because an arrow must begin and
end inside of one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Slice", "chrome_trace"]

_PROCESS = 1
_SHORTEST = 0.001  # µs


@dataclass(frozen=True, slots=True)
class Slice:
    """A task on its lane. Times in nanoseconds from the beginning; `begin` is None for one that never ran."""

    name: str
    lane: str
    begin: int | None
    end: int
    outcome: str


def chrome_trace(slices: Sequence[Slice], edges: Iterable[tuple[int, int]] = (), title: str = "hocket") -> str:
    """JSON of a run: `edges` are pairs of indices into `slices`, the earlier first."""
    lanes = {lane: number for number, lane in enumerate(dict.fromkeys(slice.lane for slice in slices), 1)}
    events = [
        *_named_lanes(lanes, title),
        *(_slice(slice, lanes[slice.lane]) for slice in slices),
        *_arrows(slices, lanes, edges),
    ]
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ns"}, ensure_ascii=False, indent=None)


def _named_lanes(lanes: dict[str, int], title: str) -> Iterator[dict[str, Any]]:
    yield {"ph": "M", "name": "process_name", "pid": _PROCESS, "args": {"name": title}}
    for lane, number in lanes.items():
        yield {"ph": "M", "name": "thread_name", "pid": _PROCESS, "tid": number, "args": {"name": lane}}
        yield {"ph": "M", "name": "thread_sort_index", "pid": _PROCESS, "tid": number, "args": {"sort_index": number}}


def _slice(slice: Slice, lane: int) -> dict[str, Any]:
    told = {"name": slice.name, "cat": "task", "pid": _PROCESS, "tid": lane, "args": {"outcome": slice.outcome}}
    if slice.begin is None:
        return {**told, "ph": "i", "s": "t", "ts": slice.end / 1e3}
    return {**told, "ph": "X", "ts": slice.begin / 1e3, "dur": _length(slice)}


def _length(slice: Slice) -> float:
    return max((slice.end - (slice.begin or 0)) / 1e3, _SHORTEST)


def _arrows(
    slices: Sequence[Slice], lanes: dict[str, int], edges: Iterable[tuple[int, int]]
) -> Iterator[dict[str, Any]]:
    """One flow for each edge between two tasks that ran: from the end of the earlier to the beginning of the later."""
    for number, (one, other) in enumerate(edges, 1):
        earlier, later = slices[one], slices[other]
        if earlier.begin is None or later.begin is None:
            continue
        told = {"name": "after", "cat": "edge", "id": number, "pid": _PROCESS}
        yield {**told, "ph": "s", "tid": lanes[earlier.lane], "ts": earlier.begin / 1e3 + _length(earlier)}
        yield {**told, "ph": "f", "bp": "e", "tid": lanes[later.lane], "ts": later.begin / 1e3}
