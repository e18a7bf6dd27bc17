"""Tasks that wait for each other: for each knot a shortest cycle, with the lines that form it and what has to go.

A graph with a cycle is asked nothing else: nothing runs in order there. Waits in both
directions of a nested task count as well (a parent closes after its children), which
is how a step that waits for its own group comes out.
"""

from __future__ import annotations

from array import array

from hocket.verify.cuts import Cut, smallest_cut
from hocket.verify.findings import Finding, Note
from hocket.verify.model import Graph
from hocket.verify.structure import Shape, edge_between, knots, ranks, shortest

__all__ = ["cycle_findings"]


def cycle_findings(graph: Graph, shape: Shape) -> tuple[list[Finding], array[int]]:
    """A shortest cycle for each knot of tasks that wait for each other; or the rank of every point if there is none."""
    rank = ranks(shape)
    return [_cycle(graph, shape, part) for part in knots(shape, rank)], rank


def _cycle(graph: Graph, shape: Shape, part: list[int]) -> Finding:
    """Read aloud from the first in the source: each waits for the next, and the last one for the first."""
    names = tuple(dict.fromkeys(shape.names[point] for point in shortest(shape, part)))
    waits = tuple(reversed(names))  # arrows go to who waits; people say who is waited for
    start = min(range(len(waits)), key=lambda place: graph.tasks[waits[place]].span)
    waits = waits[start:] + waits[:start]
    notes = tuple(_step(graph, after, before) for after, before in zip(waits, (*waits[1:], waits[0]), strict=True))
    span = next((note.span for note in notes if note.span.line), graph.tasks[waits[0]].span)
    if len(waits) == 1:
        return Finding("G005", f"{waits[0]!r} waits for itself", span, notes, waits)
    path = " → ".join((*waits, waits[0]))
    cure = _to_cut(graph, smallest_cut(graph, shape, part))
    return Finding("G001", f"these tasks wait for each other: {path}", span, notes, waits, cure)


def _step(graph: Graph, after: str, before: str) -> Note:
    """Why one task of a cycle waits for the next: an edge, or that one lies within the other."""
    edge = edge_between(graph, before, after)
    if edge is not None:
        return Note(edge.span, f"{after!r} waits for {before!r}")
    if graph.tasks[after].parent == before:
        return Note(graph.tasks[after].span, f"{after!r} is within {before!r}")
    return Note(graph.tasks[before].span, f"{after!r} closes after {before!r}, which is within it")


def _to_cut(graph: Graph, cut: Cut) -> str:
    if not cut.exact:
        return f"at least {cut.least} of the waits between these tasks and those around them have to go"
    if cut.any_one:
        return ""
    told = [_wait(graph, after, before) for after, before in cut.waits]
    if len(told) == 1:
        return f"without the wait of {told[0]} no cycle is left"
    return f"no fewer than {len(told)} waits have to go: of {'; of '.join(told)}"


def _wait(graph: Graph, after: str, before: str) -> str:
    edge = edge_between(graph, before, after)
    line = f" (line {edge.span.line})" if edge is not None and edge.span.line else ""
    return f"{after!r} for {before!r}{line}"
