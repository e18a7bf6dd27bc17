"""The questions that are asked of every graph: cycles, tasks that can never run, deadlocks over groups.

Shape first, by linear passes; a graph with a cycle is asked nothing else, since
nothing runs in order there. Then "can it run?" for every task, with one solver
for all: each run found answers for every task that runs in it, so a workflow of a
thousand jobs takes a few runs. Then the groups, case by case.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hocket.errors import MissingExtra
from hocket.verify.cuts import Cut, smallest_cut
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import Formula, Outcome, Runs, conjunction, disjunction
from hocket.verify.model import Case, Edge, Graph, Hold, Point, Task, Until
from hocket.verify.replay import Did, Mismatch, Run, replay
from hocket.verify.smt import Found, Never, Solver, Undecided
from hocket.verify.structure import Shape, edge_between, knots, ranks, shortest
from hocket.verify.timeline import schedule

__all__ = [
    "Alive", "Grouped", "cycle_findings", "deadlocks", "is_plain", "is_success", "liveness", "shared_groups",
    "without_groups",
]  # fmt: skip


_SUCCEEDED = frozenset({Outcome.SUCCEEDED})


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


@dataclass
class Alive:
    """Which tasks can run: `runs` were replayed and show every task that can; `unsat` are the claims about the rest."""

    findings: list[Finding] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    unsat: list[tuple[str, str]] = field(default_factory=list)


def liveness(graph: Graph) -> Alive:
    """For every task a run in which it runs, or the finding that there is none."""
    alive = Alive()
    if is_plain(graph):
        return alive
    graph = without_groups(graph)  # who waits for a group still can run; whether it waits for ever is asked below
    remaining = dict.fromkeys(graph.tasks)
    _first_try(graph, alive, remaining)
    if not remaining:
        return alive
    try:
        solver = Solver(graph, graph.tasks)
    except MissingExtra as error:
        alive.findings.append(_undecided(graph, remaining, str(error)))
        return alive
    _search(graph, solver, alive, remaining)
    return alive


def is_plain(graph: Graph) -> bool:
    """Nothing but the edges decides, and each accepts success: where all succeed, all run, and no run need be shown."""
    if graph.conditional:
        return False
    works = Outcome.SUCCEEDED
    tasks = graph.tasks
    unready = {name for name, task in tasks.items() if not task.ready}
    return all(
        works in task.may and all(edge.accepts is None or works in edge.accepts for edge in task.edges)
        for task in tasks.values()
    ) and not (unready and any(_is_in_vain(edge, unready) for task in tasks.values() for edge in task.edges))


def _is_in_vain(edge: Edge, unready: set[str]) -> bool:
    return edge.point is Point.READY and edge.before in unready


def is_success(edge: Edge) -> bool:
    """Whether whoever comes after this edge runs only if its predecessor has succeeded."""
    return edge.accepts == _SUCCEEDED and not edge.optional and edge.point is Point.CLOSED


def without_groups(graph: Graph) -> Graph:
    if not graph.holds and not any(task.holds for task in graph.tasks.values()):
        return graph
    return replace(graph, holds=(), tasks={name: replace(task, holds=()) for name, task in graph.tasks.items()})


def _first_try(graph: Graph, alive: Alive, remaining: dict[str, None]) -> None:
    """The run in which nothing is out of the ordinary and all succeed: often enough, and it needs no solver."""
    try:
        run = schedule(graph, {})
        story = replay(graph, run)
    except Mismatch:
        return
    if story.ran:
        alive.runs.append(run)
        for name in story.ran:
            del remaining[name]


def _search(graph: Graph, solver: Solver, alive: Alive, remaining: dict[str, None]) -> None:
    while remaining:
        question = disjunction(Runs(name) for name in remaining)
        answer = solver.ask(question, calm=True)
        if isinstance(answer, Never):
            answer = solver.ask(question)
        match answer:
            case Undecided(reason):
                alive.findings.append(_undecided(graph, remaining, reason))
                return
            case Never():
                _dead(graph, solver, alive, remaining)
                return
            case Found() if not _covered(graph, answer, alive, remaining):
                alive.findings.append(_undecided(graph, remaining, "a run of the solver could not be replayed"))
                return


def _covered(graph: Graph, found: Found, alive: Alive, remaining: dict[str, None]) -> bool:
    """Replay a found run, and take off what runs in it; False if that did not get us further."""
    try:
        run = schedule(graph, found.values, found.outcomes, found.interrupted, unready=found.unready)
        story = replay(graph, run)
    except Mismatch:
        return False
    ran = [name for name in remaining if name in story.ran]
    if not ran:
        return False
    alive.runs.append(run)
    for name in ran:
        del remaining[name]
    return True


def _dead(graph: Graph, solver: Solver, alive: Alive, remaining: dict[str, None]) -> None:
    """No run has any of these: say so for each, with the conditions that make it so."""
    for name in remaining:
        question: Formula = Runs(name)
        answer = solver.ask(question)
        assert isinstance(answer, Never | Undecided), "what none of them can do, one of them cannot do"
        because = answer.because if isinstance(answer, Never) else ()
        alive.unsat.append((name, solver.text(question)))
        alive.findings.append(_never_runs(graph, graph.tasks[name], because, remaining))


def _never_runs(graph: Graph, task: Task, because: tuple[str, ...], dead: dict[str, None]) -> Finding:
    culprits = [name for name in because if name != task.name]
    roots = [name for name in culprits if name in dead]
    own = [task.name] if task.name in because else []
    if own and not culprits:
        why = "its condition is true in no configuration"
    elif roots:
        why = f"it depends on {_listed(roots)}, which can never run either"
    elif culprits:
        why = f"its condition contradicts {_listed(culprits, 'that of ')}"
    else:
        why = "nothing can start it"
    notes = tuple(
        Note(graph.tasks[name].condition, f"the condition of {name!r}")
        for name in (*own, *culprits)
        if graph.tasks[name].condition.line
    )
    span = task.condition if task.condition.line and own and not culprits else task.span
    return Finding("G004", f"{task.name!r} can never run: {why}", span, notes)


def _listed(names: list[str], before: str = "") -> str:
    return " and ".join(f"{before}{name!r}" for name in names)


def _undecided(graph: Graph, remaining: dict[str, None], reason: str) -> Finding:
    first = next(iter(remaining))
    return Finding(
        "G090", f"whether {_some(list(remaining))} can run is not decided: {reason}", graph.tasks[first].span
    )


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


# -- groups -----------------------------------------------------------------------------------------------------------


@dataclass
class Grouped:
    """What came out of comparing groups: `compared` pairs, of which `unsat` have one name only where no run gets."""

    findings: list[Finding] = field(default_factory=list)
    unsat: list[tuple[str, str]] = field(default_factory=list)
    compared: int = 0


def deadlocks(graph: Graph) -> Grouped:
    """Groups that are taken while something around the taker holds the same group until the taker has ended."""
    grouped = Grouped(compared=sum(1 for _ in _pairs(graph)))
    for task, inner, outer, ways in shared_groups(graph):
        _deadlock(graph, grouped, task, inner, outer, ways)
    return grouped


def shared_groups(graph: Graph) -> Iterator[tuple[Task, Hold, Hold, list[tuple[Case, Case]]]]:
    """What could deadlock: (taker, inner, outer, the cases in which both groups have one name)."""
    for task, inner, outer in _pairs(graph):
        ways = list(_equal_cases(outer, inner))
        if ways:
            yield task, inner, outer, ways


def _pairs(graph: Graph) -> Iterator[tuple[Task, Hold, Hold]]:
    """Every hold of a task with every hold that is taken before and given back after: (taker, inner, outer)."""
    for task in graph.tasks.values():
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
    graph: Graph, grouped: Grouped, task: Task, inner: Hold, outer: Hold, ways: list[tuple[Case, Case]]
) -> None:
    question = conjunction((Runs(task.name), disjunction(conjunction((one.guard, other.guard)) for one, other in ways)))
    try:
        solver = Solver(graph, [task.name])
    except MissingExtra as error:
        grouped.findings.append(
            Finding("G090", f"a deadlock of {task.name!r} over its group is not decided: {error}", inner.span)
        )
        return
    answer = solver.ask(question, calm=True)
    if isinstance(answer, Never):
        answer = solver.ask(question)
    match answer:
        case Never():
            grouped.unsat.append((f"{inner.label} and {outer.label} never share a group", solver.text(question)))
        case Undecided(reason):
            grouped.findings.append(
                Finding("G090", f"a deadlock of {task.name!r} over its group is not decided: {reason}", inner.span)
            )
        case Found():
            grouped.findings.append(_stuck(graph, answer, task, inner, outer, ways[0][0]))


def _stuck(graph: Graph, found: Found, task: Task, inner: Hold, outer: Hold, case: Case) -> Finding:
    try:
        run = schedule(graph, found.values, found.outcomes, found.interrupted, until_stuck=True, unready=found.unready)
        replay(graph, run)
    except Mismatch as error:
        return Finding("G090", f"a deadlock of {task.name!r} could not be replayed: {error}", inner.span)
    if not (run.events and run.events[-1].did is Did.STUCK):
        return Finding("G090", f"a deadlock of {task.name!r} could not be replayed: the run ends", inner.span)
    notes = (
        Note(outer.span, f"{outer.label} holds the group until {task.name!r} has ended"),
        Note(inner.span, f"{inner.label} waits for the same group"),
    )
    message = f"{task.name!r} waits for ever for the group {str(case)!r}, which {outer.label} holds until it has ended"
    return Finding("G006", message, inner.span, notes, run)
