"""What is worth knowing and wrong in no way: waits that others imply, and tasks that are skipped without a failure.

Both are common and often meant, so they are notes, which only who asks for them is
shown. A redundant wait is an edge of the graph that its transitive reduction lacks;
in GitHub and GitLab it may still grant outputs and artifacts, and the cure says so.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from hocket.verify.budget import UNLIMITED, Budget, NoSolver
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import Is, Outcome, conjunction, disjunction, negation
from hocket.verify.model import Edge, Graph, Join, Point, Task
from hocket.verify.order import enforced
from hocket.verify.replay import Mismatch, replay
from hocket.verify.smt import Found, Solver
from hocket.verify.structure import Shape
from hocket.verify.timeline import schedule

__all__ = ["redundant", "skipped"]


def redundant(graph: Graph, shape: Shape, rank: array[int]) -> Iterator[Finding]:
    """Waits for a task that another predecessor comes after anyway (G026)."""
    rows: list[tuple[Task, Edge, Edge]] = []
    for task in graph.tasks.values():
        edges = [edge for edge in task.edges if edge.point is Point.CLOSED and edge.before in graph.tasks]
        if len(edges) > 1 and task.join is Join.ALL:
            rows += [(task, edge, other) for edge in edges for other in edges if edge.before != other.before]
    pairs = [(shape.closing[edge.before], shape.opening[other.before]) for _, edge, other in rows]
    told: set[tuple[str, str]] = set()
    for (task, edge, other), implied in zip(rows, enforced(shape, rank, pairs), strict=True):
        if implied and (task.name, edge.before) not in told:
            told.add((task.name, edge.before))
            message = f"{task.name!r} waits for {edge.before!r}, which {other.before!r} comes after anyway"
            note = Note(other.span, f"{other.before!r} comes after {edge.before!r}")
            yield Finding("G026", message, edge.span, (note,), about=(task.name, edge.before))


def skipped(graph: Graph, budget: Budget = UNLIMITED) -> Iterator[Finding]:
    """Tasks without a condition of their own that are skipped in a run in which nothing fails (G016)."""
    quiet = [task for task in graph.tasks.values() if task.edges and not task.condition.line]
    if not graph.conditional or not quiet:
        return
    try:
        solver = Solver(graph, graph.tasks, budget)
    except NoSolver:
        return
    bad = frozenset({Outcome.FAILED, Outcome.CANCELLED})
    fine = negation(disjunction(Is(name, bad) for name in graph.tasks))
    for task in quiet:
        answer = solver.ask(conjunction((fine, Is(task.name, frozenset({Outcome.SKIPPED})))), calm=True)
        if isinstance(answer, Found) and (finding := _skipped(graph, task, answer)) is not None:
            yield finding


def _skipped(graph: Graph, task: Task, found: Found) -> Finding | None:
    try:
        run = schedule(graph, found.values, found.outcomes, until_stuck=True, unready=found.unready)
        story = replay(graph, run)
    except Mismatch:
        return None
    causes = [edge for edge in task.edges if story.closed.get(edge.before) is Outcome.SKIPPED]
    if story.closed.get(task.name) is not Outcome.SKIPPED or not causes:
        return None
    names = " and ".join(repr(edge.before) for edge in causes)
    message = f"{task.name!r} is skipped without any failure where {names} is"
    notes = tuple(Note(edge.span, f"{edge.before!r} can be skipped") for edge in causes)
    return Finding("G016", message, task.span, notes, run, about=(task.name,))
