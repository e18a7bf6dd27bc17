"""Whether one claim holds: for each of its forms what would refute it, or show it, and where to look.

An order that the edges enforce is answered by reachability; only what conditions
decide goes to z3, and only with the part of the graph that matters. A run is shown
after `replay` went through it, and after the claim was seen to be false in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from hocket.errors import MissingExtra
from hocket.verify.assertions import Assertion
from hocket.verify.denials import Denial, Denied, denied
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import (
    FALSE,
    TRUE,
    Formula,
    Interrupted,
    Is,
    Not,
    Outcome,
    Runs,
    conjunction,
    disjunction,
    negation,
)
from hocket.verify.liveness import is_success
from hocket.verify.model import SUCCEEDED, Graph, Hold, Join, Task, Until
from hocket.verify.replay import Did, Mismatch, Run, replay
from hocket.verify.smt import Found, Never, Solver, Undecided, slice_of
from hocket.verify.structure import Shape, reaches
from hocket.verify.timeline import schedule

__all__ = ["ANSWERS", "LARGE", "Decided", "denial_of", "one_group", "shows"]

LARGE = 5_000  # tasks; of more, a run is of what comes before those that it is about


@dataclass(frozen=True)
class Decided:
    """The answer to one assertion: a finding if it is violated or undecided, else its reason for the certificate."""

    assertion: Assertion
    finding: Finding | None = None
    path: tuple[str, ...] = ()  # tasks that wait for one another: the order is enforced by edges
    run: Run | None = None  # the run that shows a "can"
    apart: bool = False  # because of a resource that both hold and of which there is not enough for both
    denied: Denied | None = None  # no run refutes it: conditions make it so
    ordered: bool = False  # by edges, as one pass over the whole graph shows (`order.enforced`)


def _before(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    path = _ordered(shape, a, b)
    if path:
        return Decided(assertion, path=path)
    both = _both_run(graph, shape, a, b)
    return _refute(
        graph,
        shape,
        assertion,
        (a, b),
        _Search((conjunction((both, _in_turn(b, a))), both), _held_back(a), graph.plain),
        lambda run: run.at(Did.STARTED, b.name) < run.at(Did.ENDED, a.name),
        f"{b.name!r} can start before {a.name!r} has ended",
    )


def _never_with(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    path = _ordered(shape, a, b) or _ordered(shape, b, a)
    if path:
        return Decided(assertion, path=path)
    apart = one_group(graph, a, b)
    if apart == TRUE:
        return Decided(assertion, apart=True)
    question = _both_run_with_room(graph, shape, a, b)
    late = frozenset({(Did.ENDED, a.name), (Did.ENDED, b.name)})
    return _refute(
        graph,
        shape,
        assertion,
        (a, b),
        _Search((question,), (late,), graph.plain and apart == FALSE),
        lambda run: _overlap(run, a.name, b.name),
        f"{a.name!r} and {b.name!r} can run at the same time",
    )


def _requires(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    path = _needed(graph, b, a)
    if path:
        return Decided(assertion, path=path)
    question = _runs_without(graph, shape, a, b)
    if not _ordered(shape, b, a):
        search = _Search((conjunction((question, _in_turn(a, b))), question), _held_back(b), graph.plain)
        message = f"{a.name!r} can start before {b.name!r} has ended"
    else:
        search = _Search((question,), (frozenset(),))
        message = f"{a.name!r} can run although {b.name!r} has not succeeded"
    return _refute(graph, shape, assertion, (a, b), search, lambda run: not _done_before(run, b.name, a.name), message)


def _can_before(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    path = _ordered(shape, b, a)
    if path:
        message = f"{a.name!r} can never run before {b.name!r}: it waits for it ({' → '.join(path)})"
        return Decided(assertion, Finding("G020", message, a.span, _along(graph, path)))
    question = conjunction((Runs(a.name), Runs(b.name), _in_turn(a, b)))
    late: _Late = frozenset({(Did.STARTED, b.name)})
    return _show(graph, assertion, (a, b), _Search((question,), (late,), graph.plain))


def _can_run(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    return _show(graph, assertion, (a,), _Search((Runs(a.name),), (frozenset(),), graph.plain))


def _always_runs(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    search = _Search((_does_not_run(graph, shape, a, b),), (frozenset(),), calm_only=True)
    return _refute(graph, shape, assertion, (a,), search, lambda run: run.at(Did.STARTED, a.name) < 0,
                   f"there is a run in which {a.name!r} does not run")  # fmt: skip


def _runs_unless_failed(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    search = _Search((_does_not_run_unharmed(graph, shape, a, b),), (frozenset(),), calm_only=True)
    return _refute(graph, shape, assertion, (a,), search, lambda run: run.at(Did.STARTED, a.name) < 0,
                   f"there is a run without a failure in which {a.name!r} does not run")  # fmt: skip


# -- what each form denies: the run that would refute it --------------------------------------------------------------


def _both_run(graph: Graph, shape: Shape, a: Task, b: Task) -> Formula:
    return conjunction((Runs(a.name), Runs(b.name)))


def _both_run_with_room(graph: Graph, shape: Shape, a: Task, b: Task) -> Formula:
    return conjunction((Runs(a.name), Runs(b.name), negation(one_group(graph, a, b))))


def _runs_without(graph: Graph, shape: Shape, a: Task, b: Task) -> Formula:
    """Where nothing makes b end first, any run of a refutes that it requires b, with b held back."""
    if not _ordered(shape, b, a):
        return Runs(a.name)
    return conjunction((Runs(a.name), Not(Is(b.name, SUCCEEDED))))


def _does_not_run(graph: Graph, shape: Shape, a: Task, b: Task) -> Formula:
    return Not(Runs(a.name))


def _does_not_run_unharmed(graph: Graph, shape: Shape, a: Task, b: Task) -> Formula:
    above = [name for name in slice_of(graph, [a.name]) if name != a.name]
    return conjunction((Not(Runs(a.name)), negation(disjunction(Is(name, _BAD) for name in above))))


_DENIED: dict[str, Callable[[Graph, Shape, Task, Task], Formula]] = {
    "before": _both_run,
    "never with": _both_run_with_room,
    "requires": _runs_without,
    "always runs": _does_not_run,
    "runs unless failed": _does_not_run_unharmed,
}
_CALM_ONLY = frozenset({"always runs", "runs unless failed"})  # a run that somebody cancels does not refute these


def denial_of(graph: Graph, shape: Shape, claim: Assertion, a: Task, b: Task) -> Denial | None:
    """What has to be denied for this claim to hold, if it is one that says "never" or "always"."""
    return _denial(graph, shape, claim, a, b) if claim.form in _DENIED else None


def _denial(graph: Graph, shape: Shape, claim: Assertion, a: Task, b: Task) -> Denial:
    roots = tuple(dict.fromkeys((a.name, b.name)))
    return Denial(str(claim), graph, roots, _DENIED[claim.form](graph, shape, a, b), claim.form in _CALM_ONLY)


def shows(assertion: Assertion, run: Run, graph: Graph) -> bool:
    """Whether a (replayed) run is an example of a "can": looked up in its events, nothing else."""
    names = {name.lower(): name for name in graph.tasks}
    first = names.get(assertion.first.lower(), "")
    if assertion.form == "can run":
        return run.at(Did.STARTED, first) >= 0
    ended = run.at(Did.ENDED, first)
    second = names.get(assertion.second.lower(), "")
    return assertion.form == "can run before" and -1 < ended < run.at(Did.STARTED, second)


ANSWERS: dict[str, Callable[[Graph, Shape, Assertion, Task, Task], Decided]] = {
    "before": _before,
    "never with": _never_with,
    "requires": _requires,
    "can run before": _can_before,
    "can run": _can_run,
    "always runs": _always_runs,
    "runs unless failed": _runs_unless_failed,
}


_Late = frozenset[tuple[Did, str]]
_BAD = frozenset({Outcome.FAILED, Outcome.CANCELLED})


@dataclass(frozen=True)
class _Search:
    """What run is looked for: questions from the plainest to the widest (the last decides), and timelines to try.

    `plain` says that nothing but edges decides here and every run will do, so that no solver is needed.
    """

    questions: tuple[Formula, ...]
    timelines: tuple[_Late, ...]
    plain: bool = False
    calm_only: bool = False  # a run that somebody cancels is no answer


def _held_back(task: Task) -> tuple[_Late, ...]:
    """Timelines in which this task is late: it starts late, or it only ends late."""
    return frozenset({(Did.STARTED, task.name)}), frozenset({(Did.ENDED, task.name)})


def _refute(
    graph: Graph,
    shape: Shape,
    assertion: Assertion,
    about: tuple[Task, ...],
    search: _Search,
    seen: Callable[[Run], bool],
    message: str,
) -> Decided:
    """Look for a run that refutes the assertion: it counts once it was replayed, and the violation `seen` in it."""
    span = about[-1].span if assertion.form == "before" else about[0].span
    answer = _ask(graph, search, about)
    if isinstance(answer, Never):
        denial = _denial(graph, shape, assertion, about[0], about[-1])
        return Decided(assertion, denied=denied(denial, partial(_text, denial)))
    run = _run(graph, answer, search, seen, about) if isinstance(answer, Found) else None
    if run is None:
        reason = answer.reason if isinstance(answer, Undecided) else "the counterexample could not be replayed"
        return Decided(assertion, Finding("G090", f"'{assertion}' is not decided: {reason}", span))
    notes = tuple(Note(task.span, f"{task.name!r} is here") for task in about)
    told = f"'{assertion}' does not hold: {message}"
    return Decided(assertion, Finding("G020", told, span, notes, run, about=(str(assertion),)))


def _text(denial: Denial) -> str:
    return Solver(denial.graph, denial.roots).text(denial.question, denial.calm)


def _show(graph: Graph, assertion: Assertion, about: tuple[Task, ...], search: _Search) -> Decided:
    """Look for a run that shows a "can"."""
    answer = _ask(graph, search, about)
    if isinstance(answer, Never):
        conditions = ((name, graph.tasks[name].condition) for name in answer.because)
        notes = tuple(Note(span, f"the condition of {name!r}") for name, span in conditions if span.line)
        return Decided(
            assertion, Finding("G020", f"'{assertion}' does not hold: there is no such run", about[0].span, notes)
        )
    run = None
    if isinstance(answer, Found):
        run = _run(graph, answer, search, lambda run: shows(assertion, run, graph), about)
    if run is None:
        reason = answer.reason if isinstance(answer, Undecided) else "the example could not be replayed"
        return Decided(assertion, Finding("G090", f"'{assertion}' is not decided: {reason}", about[0].span))
    return Decided(assertion, run=run)


def _ask(graph: Graph, search: _Search, about: Iterable[Task]) -> Found | Never | Undecided:
    """Each question, first with nobody cancelling the run, as the plainer answer; the last one decides."""
    if search.plain:
        return Found({}, {}, frozenset())
    try:
        solver = Solver(graph, [task.name for task in about])
    except MissingExtra as error:
        return Undecided(str(error))
    answer: Found | Never | Undecided = Undecided("nothing was asked")
    for calm in (True,) if search.calm_only else (True, False):
        for question in search.questions:
            answer = solver.ask(question, calm)
            if isinstance(answer, Found):
                return answer
    return answer


def _run(graph: Graph, found: Found, search: _Search, seen: Callable[[Run], bool], about: Iterable[Task]) -> Run | None:
    """The first of the timelines that is a run and in which it is seen; of a large graph only what matters to it."""
    if graph.plain and len(graph.tasks) > LARGE:
        graph = replace(graph, tasks=dict(slice_of(graph, [task.name for task in about])))
    for late in search.timelines:
        try:
            run = schedule(graph, found.values, found.outcomes, found.interrupted, late, unready=found.unready)
            replay(graph, run)
        except Mismatch:
            continue
        if seen(run):
            return run
    return None


def _needed(graph: Graph, before: Task, after: Task) -> tuple[str, ...]:
    """A way by edges each of which only accepts success: then whoever runs at its end had all of it succeed."""
    came: dict[str, str] = {after.name: ""}
    waiting = deque([after.name])
    while waiting and before.name not in came:
        name = waiting.popleft()
        task = graph.tasks[name]
        for edge in task.edges if task.join is Join.ALL else ():
            if is_success(edge) and edge.before not in came:
                came[edge.before] = name
                waiting.append(edge.before)
    if before.name not in came:
        return ()
    path = [before.name]
    while path[-1] != after.name:
        path.append(came[path[-1]])
    return tuple(path)


def _done_before(run: Run, before: str, after: str) -> bool:
    return -1 < run.at(Did.ENDED, before) < run.at(Did.STARTED, after) and _outcome(run, before) is Outcome.SUCCEEDED


def _ordered(shape: Shape, a: Task, b: Task) -> tuple[str, ...]:
    """The tasks on a way from the end of `a` to the start of `b`, each once."""
    points = reaches(shape, shape.closing[a.name], shape.opening[b.name])
    return tuple(dict.fromkeys(shape.names[point] for point in points))


def _in_turn(first: Task, later: Task) -> Formula:
    """What lets the first one's turn come before the other's: a cancellation before the first is before both."""
    return disjunction((Not(Interrupted(first.name)), Interrupted(later.name)))


def one_group(graph: Graph, a: Task, b: Task) -> Formula:
    """When what the two tasks hold, or what holds something around one of them, cannot be had at the same time."""
    mine, theirs = dict(_holds(graph, a)), dict(_holds(graph, b))
    of_both = mine.keys() & theirs.keys()  # of a parent of both: that keeps nothing apart
    return disjunction(
        conjunction((one.guard, other.guard)) if one.parts == other.parts else FALSE
        for here, hold in mine.items() if here not in of_both
        for there, held in theirs.items() if there not in of_both
        if hold.amount + held.amount > min(hold.group.capacity, held.group.capacity)
        for one in hold.group.cases for other in held.group.cases
    )  # fmt: skip


def _holds(graph: Graph, task: Task) -> Iterator[tuple[tuple[str, int], Hold]]:
    """What is held while a task runs: by itself and by what it runs within, each under its holder's name."""
    yield from (((task.name, place), hold) for place, hold in enumerate(task.holds))
    while task.parent:
        task = graph.tasks[task.parent]
        yield from (((task.name, place), hold) for place, hold in enumerate(task.holds) if hold.until is Until.SCOPE)


def _overlap(run: Run, one: str, other: str) -> bool:
    starts = max(run.at(Did.STARTED, one), run.at(Did.STARTED, other))
    return starts < min(run.at(Did.ENDED, one), run.at(Did.ENDED, other))


def _outcome(run: Run, name: str) -> Outcome | None:
    return next(
        (event.outcome for event in run.events if event.task == name and event.did in (Did.ENDED, Did.PASSED)), None
    )


def _along(graph: Graph, path: tuple[str, ...]) -> tuple[Note, ...]:
    notes = []
    for before, after in pairwise(path):
        for edge in graph.tasks[after].edges:
            if edge.before == before:
                notes.append(Note(edge.span, f"{after!r} waits for {before!r}"))
    return tuple(notes)
