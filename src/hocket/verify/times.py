"""Time limits, deadlines and makespans: how long a run can take, and along which tasks.

With as many workers as anybody wants a task starts when its last predecessor has
ended, so earliest and latest ends are one pass each in the order of the ranks. With
W workers the bounds are Graham's (1966): never faster than the critical path or than
all the work divided by W, and, if no worker is idle while something is ready, never
slower than (work − path) / W + path. Between the two bounds only a search over
schedules would tell, which is NP-hard; then the answer is "not decided".

A deadline that the latest end misses is a finding if the tasks on that path can all
run in one configuration. A wait of unknown length before a deadline is one as well.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hocket.verify.findings import Finding, Note, undecided
from hocket.verify.model import Graph, Span, Task
from hocket.verify.replay import Run
from hocket.verify.smt import slice_of
from hocket.verify.structure import Shape

__all__ = ["Spans", "deadlines", "limits", "makespan", "spans"]


@dataclass(frozen=True)
class Spans:
    """For each point when it is reached at the latest (or earliest), in seconds, and by which point before it."""

    ends: list[float]
    via: list[int]

    def path(self, point: int) -> list[int]:
        """The points that decide when this one is reached, from the first on."""
        found = [point]
        while self.via[found[-1]] >= 0:
            found.append(self.via[found[-1]])
        return found[::-1]


def is_timed(graph: Graph) -> bool:
    """Whether anything is said about time at all."""
    return graph.deadline < math.inf or graph.uses("timing")


def limits(graph: Graph) -> Iterator[Finding]:
    """Tasks whose time limit is shorter than the shortest time they take (G023)."""
    for task in graph.tasks.values():
        timing = task.timing
        if timing.least > timing.timeout:
            message = f"{task.name!r} takes at least {told(timing.least)} and is cut off after {told(timing.timeout)}"
            yield Finding("G023", message, _span(task), about=(task.name,))


def spans(
    graph: Graph, shape: Shape, rank: array[int], length: Callable[[Task], float], overlap: bool = False
) -> Spans:
    """When each point is reached if every task takes as long as `length` says, with workers enough.

    What a task awaits in the middle of its work can `overlap` with that work, or all comes before it.
    """
    ends, via = [0.0] * shape.size, [-1] * shape.size
    own = [0.0] * shape.size
    within: dict[int, tuple[int, float]] = {}  # opening -> its closing, and what lies between
    for name, point in shape.closing.items():
        if name not in graph.children:
            if overlap and shape.opening[name] != point:
                within[shape.opening[name]] = (point, length(graph.tasks[name]))
            else:
                own[point] = length(graph.tasks[name])
    offsets, targets = shape.offsets, shape.targets
    for point in sorted(range(shape.size), key=rank.__getitem__):
        ends[point] += own[point]
        closing, between = within.get(point, (-1, 0.0))
        for target in targets[offsets[point] : offsets[point + 1]]:
            end = ends[point] + (between if target == closing else 0.0)
            if end > ends[target] or via[target] < 0:
                ends[target], via[target] = max(end, ends[target]), point
    return Spans(ends, via)


def makespan(graph: Graph, shape: Shape, rank: array[int], workers: int | None) -> tuple[float, float]:
    """(shortest, longest) time of a run in which every task runs, in seconds; the longest may be infinite."""
    low = max(spans(graph, shape, rank, lambda task: task.timing.shortest, overlap=True).ends, default=0.0)
    high = max(spans(graph, shape, rank, lambda task: task.timing.longest).ends, default=0.0)
    if workers is None:
        return low, high
    leaves = [task for name, task in graph.tasks.items() if name not in graph.children]
    least, most = (sum(times) for times in zip(*((t.timing.shortest, t.timing.longest) for t in leaves), strict=True))
    if math.isinf(most):
        return max(low, least / workers), math.inf
    return max(low, least / workers), (most - high) / workers + high


def deadlines(
    graph: Graph, shape: Shape, rank: array[int], workers: int | None, together: Callable[[list[str]], Run | str]
) -> Iterator[Finding]:
    """Deadlines that can be missed (G022); `together` gives a run in which these tasks all run, or why it does not."""
    due = [(task.name, shape.closing[task.name], task.timing.deadline, _span(task))
           for task in graph.tasks.values() if task.timing.deadline < math.inf]  # fmt: skip
    if not due and graph.deadline == math.inf:
        return
    latest = spans(graph, shape, rank, lambda task: task.timing.longest)
    if graph.deadline < math.inf and shape.size:
        last = max(range(shape.size), key=latest.ends.__getitem__)
        due.append(("", last, graph.deadline, graph.tasks[shape.names[last]].span))
    slow = makespan(graph, shape, rank, workers)[1] if workers is not None else 0.0
    for name, point, deadline, span in due:
        who = repr(name) if name else "the run"
        if latest.ends[point] > deadline and shape.loose.keys().isdisjoint(latest.path(point)):
            yield _missed(graph, who, latest, shape, point, deadline, span, together)
        elif reason := _open(graph, name, latest.ends[point], slow, deadline):
            yield undecided(f"whether {who} is done after {told(deadline)}", reason, span)


def _open(graph: Graph, name: str, latest: float, slow: float, deadline: float) -> str:
    """Why a deadline that the waits alone keep may be missed all the same; or nothing."""
    if latest > deadline:
        return "a task on the way starts after any one of several others"
    if slow > deadline:
        return f"with so few workers the whole run can take {told(slow)}"
    on_the_way = slice_of(graph, [name]) if name else graph.tasks
    if any(task.holds for task in on_the_way.values()):
        return "how long tasks wait for resources is not counted"
    return ""


def _missed(
    graph: Graph, who: str, latest: Spans, shape: Shape, point: int, deadline: float, span: Span,
    together: Callable[[list[str]], Run | str],
) -> Finding:  # fmt: skip
    path = list(dict.fromkeys(shape.names[one] for one in latest.path(point)))
    place = graph.tasks[shape.names[point]].span
    run = together(path)
    if isinstance(run, str):
        return undecided(f"whether {who} is done after {told(deadline)}", run, place)
    notes = tuple(Note(_span(graph.tasks[name]), f"{name!r}: up to {told(graph.tasks[name].timing.longest)}")
                  for name in path if name not in graph.children)  # fmt: skip
    ends = latest.ends[point]
    when = f"can take {told(ends)}" if ends < math.inf else f"takes any time ({_endless(graph, path)} has no limit)"
    message = f"{who} has to be done after {told(deadline)}, but {when}: {' → '.join(path)}"
    return Finding("G022", message, _span(graph.tasks[shape.names[point]]), notes, run, about=(who, *path))


def _endless(graph: Graph, path: list[str]) -> str:
    leaves = (graph.tasks[name] for name in path if name not in graph.children)
    return repr(next(task.name for task in leaves if task.timing.longest == math.inf))


def _span(task: Task) -> Span:
    return task.timing.span if task.timing.span.line else task.span


def told(seconds: float) -> str:
    """A time as people say it."""
    if seconds == math.inf:
        return "any time"
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
