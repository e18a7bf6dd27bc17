"""Whether one claim holds: for each of its forms what would refute it, or show it, and where to look.

An order that the edges enforce is answered by reachability; only what conditions
decide goes to z3, and only with the part of the graph that matters. A run is shown
after `replay` went through it, and after the claim was seen to be false in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from hocket.verify.assertions import Assertion
from hocket.verify.budget import UNLIMITED, Budget, NoSolver
from hocket.verify.denials import Denial, Denied, denied
from hocket.verify.findings import Finding, Note, undecided
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
from hocket.verify.model import SUCCEEDED, Graph, Hold, Join, Span, Task, Until
from hocket.verify.replay import Did, Mismatch, Run, replay
from hocket.verify.smt import Found, Never, Solver, Undecided, slice_of
from hocket.verify.structure import Shape, reaches
from hocket.verify.timeline import schedule

__all__ = ["ANSWERS", "LARGE", "Asked", "Decided", "denial_of", "one_group", "shows"]

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


@dataclass(frozen=True)
class Asked:
    """One claim, and what it takes to decide it: `first` and `second` are one task where it speaks of one."""

    claim: Assertion
    graph: Graph
    shape: Shape
    first: Task
    second: Task
    budget: Budget = UNLIMITED

    @property
    def about(self) -> tuple[Task, ...]:
        return (self.first, self.second) if self.claim.second else (self.first,)

    @property
    def roots(self) -> list[str]:
        return [task.name for task in self.about]

    def path(self) -> tuple[str, ...]:
        """The tasks on a way of waits from the end of the first to the start of the second."""
        return _ordered(self.shape, self.first, self.second)

    def path_back(self) -> tuple[str, ...]:
        return _ordered(self.shape, self.second, self.first)


def _before(asked: Asked) -> Decided:
    a, b = asked.first, asked.second
    if path := asked.path():
        return Decided(asked.claim, path=path)
    both = _both_run(asked)
    search = _Search((conjunction((both, _in_turn(b, a))), both), _held_back(a), asked.graph.plain)
    message = f"{b.name!r} can start before {a.name!r} has ended"
    return _refute(asked, search, lambda run: run.at(Did.STARTED, b.name) < run.at(Did.ENDED, a.name), message)


def _never_with(asked: Asked) -> Decided:
    a, b = asked.first, asked.second
    if path := asked.path() or asked.path_back():
        return Decided(asked.claim, path=path)
    apart = one_group(asked.graph, a, b)
    if apart == TRUE:
        return Decided(asked.claim, apart=True)
    late = frozenset({(Did.ENDED, a.name), (Did.ENDED, b.name)})
    search = _Search((_both_run_with_room(asked),), (late,), asked.graph.plain and apart == FALSE)
    message = f"{a.name!r} and {b.name!r} can run at the same time"
    return _refute(asked, search, lambda run: _overlap(run, a.name, b.name), message)


def _requires(asked: Asked) -> Decided:
    a, b = asked.first, asked.second
    if path := _needed(asked.graph, b, a):
        return Decided(asked.claim, path=path)
    question = _runs_without(asked)
    if not asked.path_back():
        search = _Search((conjunction((question, _in_turn(a, b))), question), _held_back(b), asked.graph.plain)
        message = f"{a.name!r} can start before {b.name!r} has ended"
    else:
        search = _Search((question,), (frozenset(),))
        message = f"{a.name!r} can run although {b.name!r} has not succeeded"
    return _refute(asked, search, lambda run: not _done_before(run, b.name, a.name), message)


def _can_before(asked: Asked) -> Decided:
    a, b = asked.first, asked.second
    if path := asked.path_back():
        message = f"{a.name!r} can never run before {b.name!r}: it waits for it ({' → '.join(path)})"
        return Decided(asked.claim, Finding("G020", message, a.span, _along(asked.graph, path)))
    question = conjunction((Runs(a.name), Runs(b.name), _in_turn(a, b)))
    late: _Late = frozenset({(Did.STARTED, b.name)})
    return _show(asked, _Search((question,), (late,), asked.graph.plain))


def _can_run(asked: Asked) -> Decided:
    return _show(asked, _Search((Runs(asked.first.name),), (frozenset(),), asked.graph.plain))


def _always_runs(asked: Asked) -> Decided:
    return _idle(asked, _does_not_run(asked), "there is a run")


def _runs_unless_failed(asked: Asked) -> Decided:
    return _idle(asked, _does_not_run_unharmed(asked), "there is a run without a failure")


def _idle(asked: Asked, question: Formula, where: str) -> Decided:
    """A run in which the task does not run, if nobody cancels it."""
    name = asked.first.name
    search = _Search((question,), (frozenset(),), calm_only=True)
    message = f"{where} in which {name!r} does not run"
    return _refute(asked, search, lambda run: run.at(Did.STARTED, name) < 0, message)


ANSWERS: dict[str, Callable[[Asked], Decided]] = {
    "before": _before,
    "never with": _never_with,
    "requires": _requires,
    "can run before": _can_before,
    "can run": _can_run,
    "always runs": _always_runs,
    "runs unless failed": _runs_unless_failed,
}


# -- what each form denies: the run that would refute it --------------------------------------------------------------


def _both_run(asked: Asked) -> Formula:
    return conjunction((Runs(asked.first.name), Runs(asked.second.name)))


def _both_run_with_room(asked: Asked) -> Formula:
    return conjunction((_both_run(asked), negation(one_group(asked.graph, asked.first, asked.second))))


def _runs_without(asked: Asked) -> Formula:
    """Where nothing makes b end first, any run of a refutes that it requires b, with b held back."""
    if not asked.path_back():
        return Runs(asked.first.name)
    return conjunction((Runs(asked.first.name), Not(Is(asked.second.name, SUCCEEDED))))


def _does_not_run(asked: Asked) -> Formula:
    return Not(Runs(asked.first.name))


def _does_not_run_unharmed(asked: Asked) -> Formula:
    name = asked.first.name
    above = [one for one in slice_of(asked.graph, [name]) if one != name]
    return conjunction((Not(Runs(name)), negation(disjunction(Is(one, _BAD) for one in above))))


_DENIED: dict[str, Callable[[Asked], Formula]] = {
    "before": _both_run,
    "never with": _both_run_with_room,
    "requires": _runs_without,
    "always runs": _does_not_run,
    "runs unless failed": _does_not_run_unharmed,
}
_CALM_ONLY = frozenset({"always runs", "runs unless failed"})  # a run that somebody cancels does not refute these


def denial_of(asked: Asked) -> Denial | None:
    """What has to be denied for this claim to hold, if it is one that says "never" or "always"."""
    form = asked.claim.form
    if form not in _DENIED:
        return None
    return Denial(str(asked.claim), asked.graph, tuple(asked.roots), _DENIED[form](asked), form in _CALM_ONLY)


def shows(assertion: Assertion, run: Run, graph: Graph) -> bool:
    """Whether a (replayed) run is an example of a "can": looked up in its events, nothing else."""
    names = {name.lower(): name for name in graph.tasks}
    first = names.get(assertion.first.lower(), "")
    if assertion.form == "can run":
        return run.at(Did.STARTED, first) >= 0
    ended = run.at(Did.ENDED, first)
    second = names.get(assertion.second.lower(), "")
    return assertion.form == "can run before" and -1 < ended < run.at(Did.STARTED, second)


# -- runs -------------------------------------------------------------------------------------------------------------

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


def _refute(asked: Asked, search: _Search, seen: Callable[[Run], bool], message: str) -> Decided:
    """Look for a run that refutes the claim: it counts once it was replayed, and the violation `seen` in it."""
    claim, about = asked.claim, asked.about
    span = about[-1].span if claim.form == "before" else about[0].span
    answer = _ask(asked, search)
    if isinstance(answer, Never):
        denial = denial_of(asked)
        assert denial is not None, "only what denies something is refuted"
        return Decided(claim, denied=denied(denial, partial(_text, denial), asked.budget))
    run = _run(asked, answer, search, seen) if isinstance(answer, Found) else None
    if run is None:
        return _undecided(asked, answer, span, "the counterexample could not be replayed")
    notes = tuple(Note(task.span, f"{task.name!r} is here") for task in about)
    told = f"'{claim}' does not hold: {message}"
    return Decided(claim, Finding("G020", told, span, notes, run, about=(str(claim),)))


def _text(denial: Denial) -> str:
    return Solver(denial.graph, denial.roots).text(denial.question, denial.calm)


def _show(asked: Asked, search: _Search) -> Decided:
    """Look for a run that shows a "can"."""
    claim, graph, span = asked.claim, asked.graph, asked.first.span
    answer = _ask(asked, search)
    if isinstance(answer, Never):
        conditions = ((name, graph.tasks[name].condition) for name in answer.because)
        notes = tuple(Note(span, f"the condition of {name!r}") for name, span in conditions if span.line)
        return Decided(claim, Finding("G020", f"'{claim}' does not hold: there is no such run", span, notes))
    run = None
    if isinstance(answer, Found):
        run = _run(asked, answer, search, lambda run: shows(claim, run, graph))
    if run is None:
        return _undecided(asked, answer, span, "the example could not be replayed")
    return Decided(claim, run=run)


def _undecided(asked: Asked, answer: Found | Undecided, span: Span, otherwise: str) -> Decided:
    reason = answer.reason if isinstance(answer, Undecided) else otherwise
    return Decided(asked.claim, undecided(f"'{asked.claim}'", reason, span))


def _ask(asked: Asked, search: _Search) -> Found | Never | Undecided:
    """Each question, first with nobody cancelling the run, as the plainer answer; the last one decides."""
    if search.plain:
        return Found({}, {}, frozenset())
    try:
        solver = Solver(asked.graph, asked.roots, asked.budget)
    except NoSolver as error:
        return Undecided(str(error))
    answer: Found | Never | Undecided = Undecided("nothing was asked")
    for calm in (True,) if search.calm_only else (True, False):
        for question in search.questions:
            answer = solver.ask(question, calm)
            if isinstance(answer, Found):
                return answer
    return answer


def _run(asked: Asked, found: Found, search: _Search, seen: Callable[[Run], bool]) -> Run | None:
    """The first of the timelines that is a run and in which it is seen; of a large graph only what matters to it."""
    graph = asked.graph
    if graph.plain and len(graph.tasks) > LARGE:
        graph = replace(graph, tasks=dict(slice_of(graph, asked.roots)))
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
