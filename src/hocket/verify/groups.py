"""Deadlocks over groups: one is taken while something around the taker holds the same one until the taker has ended.

The names of groups are expressions, so they are compared case by case, *by form*: the
same text around the same variables. Whether such a case can come up is a question of
runs, and the answer is one that is replayed until nothing can happen in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hocket.verify.budget import UNLIMITED, Budget, NoSolver
from hocket.verify.denials import Answered, Denial, denied
from hocket.verify.findings import Finding, Note, undecided
from hocket.verify.formula import Runs, conjunction, disjunction
from hocket.verify.model import Case, Graph, Hold, Task, Until
from hocket.verify.replay import Did, Mismatch, replay
from hocket.verify.smt import Found, Never, Solver, Undecided
from hocket.verify.timeline import schedule

__all__ = ["deadlocks", "denials"]


def deadlocks(graph: Graph, budget: Budget = UNLIMITED) -> Answered:
    """Groups that are taken while something around the taker holds the same group until the taker has ended.

    `asked` is how many pairs were compared; those that are denied have one name only where no run gets.
    """
    grouped = Answered(asked=sum(1 for _ in _pairs(graph)))
    for shared in _shared_groups(graph):
        _deadlock(graph, grouped, budget, *shared)
    return grouped


def denials(graph: Graph) -> list[Denial]:
    """What a certificate has to deny: that a group is taken which is held around the taker."""
    return [_denial(graph, *shared) for shared in _shared_groups(graph)]


def _denial(graph: Graph, task: Task, inner: Hold, outer: Hold, ways: list[tuple[Case, Case]]) -> Denial:
    question = conjunction((Runs(task.name), disjunction(conjunction((one.guard, other.guard)) for one, other in ways)))
    return Denial(f"{inner.label} and {outer.label} never share a group", graph, (task.name,), question)


def _shared_groups(graph: Graph) -> Iterator[tuple[Task, Hold, Hold, list[tuple[Case, Case]]]]:
    """What could deadlock: (taker, inner, outer, the cases in which both groups have one name)."""
    for task, inner, outer in _pairs(graph):
        ways = list(_equal_cases(outer, inner))
        if ways:
            yield task, inner, outer, ways


def _pairs(graph: Graph) -> Iterator[tuple[Task, Hold, Hold]]:
    """Every hold of a task with every hold that is taken before and given back after: (taker, inner, outer)."""
    if not graph.uses("holds"):
        return
    for task in graph.tasks.values():
        if not task.holds:
            continue
        outside = [*graph.holds, *_around(graph, task)]
        for place, inner in enumerate(task.holds):
            yield from ((task, inner, outer) for outer in (*outside, *task.holds[:place]))


def _around(graph: Graph, task: Task) -> list[Hold]:
    found: list[Hold] = []
    while task.parent:
        task = graph.tasks[task.parent]
        found[:0] = [hold for hold in task.holds if hold.until is Until.SCOPE]
    return found


def _equal_cases(outer: Hold, inner: Hold) -> Iterator[tuple[Case, Case]]:
    """The cases in which both are called the same *by form*: the same text around the same variables.

    Two different variables may happen to have one value; that is nobody's mistake in the file, and is not claimed.
    """
    if outer.group.capacity >= outer.amount + inner.amount:
        return
    for one in outer.group.cases:
        for other in inner.group.cases:
            if one.parts == other.parts:
                yield one, other


def _deadlock(
    graph: Graph, grouped: Answered, budget: Budget, task: Task, inner: Hold, outer: Hold, ways: list[tuple[Case, Case]]
) -> None:
    denial = _denial(graph, task, inner, outer, ways)
    question = denial.question
    what = f"a deadlock of {task.name!r} over its group"
    try:
        solver = Solver(graph, [task.name], budget)
    except NoSolver as error:
        grouped.findings.append(undecided(what, error, inner.span))
        return
    answer = solver.ask(question, calm=True)
    if isinstance(answer, Never):
        answer = solver.ask(question)
    match answer:
        case Never():
            grouped.unsat.append(denied(denial, partial(solver.text, question), budget))
        case Undecided(reason):
            grouped.findings.append(undecided(what, reason, inner.span))
        case Found():
            grouped.findings.append(_stuck(graph, answer, task, inner, outer, ways[0][0]))


def _stuck(graph: Graph, found: Found, task: Task, inner: Hold, outer: Hold, case: Case) -> Finding:
    what = f"a deadlock of {task.name!r} over its group"
    try:
        run = schedule(graph, found.values, found.outcomes, found.interrupted, until_stuck=True, unready=found.unready)
        replay(graph, run)
    except Mismatch as error:
        return undecided(what, f"the run that was found could not be replayed: {error}", inner.span)
    if not (run.events and run.events[-1].did is Did.STUCK):
        return undecided(what, "the run that was found does not stop", inner.span)
    notes = (
        Note(outer.span, f"{outer.label} holds the group until {task.name!r} has ended"),
        Note(inner.span, f"{inner.label} waits for the same group"),
    )
    message = f"{task.name!r} waits for ever for the group {str(case)!r}, which {outer.label} holds until it has ended"
    return Finding("G006", message, inner.span, notes, run, about=(task.name, str(case)))
