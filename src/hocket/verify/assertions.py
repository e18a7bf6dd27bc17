"""What a user claims about an order, in one line: read, decided, and either proved or refuted by a run.

    build before deploy        whenever both run, build has ended when deploy starts
    migrate never with deploy  the two never run at the same time
    deploy requires test       whenever deploy runs, test has ended before, and succeeded
    build can run before lint  there is a run in which build has ended when lint starts
    nightly can run            there is a run in which it runs

An order that the edges enforce is answered by reachability; only what conditions
decide goes to z3, and only with the part of the graph that matters. A run is shown
after `replay` went through it, and after the claim was seen to be false in it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise

from hocket.errors import MissingExtra, SourceError
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import (
    FALSE,
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
from hocket.verify.model import Graph, Join, Task
from hocket.verify.questions import is_plain, is_success
from hocket.verify.replay import Did, Mismatch, Run, replay
from hocket.verify.smt import Found, Never, Solver, Undecided
from hocket.verify.structure import Shape, reaches
from hocket.verify.timeline import schedule

__all__ = ["Assertion", "Decided", "decide", "parse_assertion", "shows"]

_FORMS: tuple[tuple[str, str], ...] = (
    ("can run before", r"(?P<a>.+?)\s+can\s+run\s+before\s+(?P<b>.+)"),
    ("never with", r"(?P<a>.+?)\s+never\s+(?:together\s+)?with\s+(?P<b>.+)"),
    ("requires", r"(?P<a>.+?)\s+requires\s+(?P<b>.+)"),
    ("before", r"(?P<a>.+?)\s+(?:always\s+)?before\s+(?P<b>.+)"),
    ("can run", r"(?P<a>.+?)\s+can\s+run(?P<b>)"),
)
_CURE = "write 'A before B', 'A never with B', 'A requires B', 'A can run before B' or 'A can run'"


@dataclass(frozen=True, slots=True)
class Assertion:
    """One claim: its form (a key of the table above), and the tasks it is about (`second` may be empty)."""

    form: str
    first: str
    second: str = ""

    def __str__(self) -> str:
        return f"{self.first} {self.form} {self.second}".strip()


@dataclass(frozen=True)
class Decided:
    """The answer to one assertion: a finding if it is violated or undecided, else its reason for the certificate."""

    assertion: Assertion
    finding: Finding | None = None
    path: tuple[str, ...] = ()  # tasks that wait for one another: the order is enforced by edges
    run: Run | None = None  # the run that shows a "can"
    unsat: str = ""  # SMT-LIB text that has no model: the order is enforced by conditions


def parse_assertion(text: str) -> Assertion:
    """Read one assertion; raises SourceError with the forms there are."""
    for form, pattern in _FORMS:
        match = re.fullmatch(pattern, text.strip(), re.IGNORECASE)
        if match:
            return Assertion(form, match["a"].strip(), match["b"].strip())
    raise SourceError(f"{text!r} is no assertion", cure=_CURE)


def decide(graph: Graph, shape: Shape, assertion: Assertion) -> Decided:
    """Prove or refute one assertion about an acyclic graph."""
    names = {name.lower(): name for name in graph.tasks}
    for word in filter(None, (assertion.first, assertion.second)):
        if word.lower() not in names:
            near = get_close_matches(word, list(graph.tasks), n=1)
            cure = f"did you mean {near[0]!r}?" if near else f"the tasks are {', '.join(list(graph.tasks)[:20])}"
            return Decided(
                assertion, Finding("G021", f"'{assertion}' speaks of {word!r}, which is not defined", cure=cure)
            )
    a = graph.tasks[names[assertion.first.lower()]]
    b = graph.tasks[names[assertion.second.lower()]] if assertion.second else a
    if a is b and assertion.second:
        return Decided(assertion, Finding("G021", f"'{assertion}' compares a task with itself", a.span, cure=_CURE))
    return _ANSWERS[assertion.form](graph, shape, assertion, a, b)


def _before(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    path = _ordered(shape, a, b)
    if path:
        return Decided(assertion, path=path)
    both = conjunction((Runs(a.name), Runs(b.name)))
    return _refute(
        graph,
        assertion,
        (a, b),
        _Search((conjunction((both, _in_turn(b, a))), both), _held_back(a), is_plain(graph)),
        lambda run: run.at(Did.STARTED, b.name) < run.at(Did.ENDED, a.name),
        f"{b.name!r} can start before {a.name!r} has ended",
    )


def _never_with(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    path = _ordered(shape, a, b) or _ordered(shape, b, a)
    if path:
        return Decided(assertion, path=path)
    apart = _one_group(a, b)
    question = conjunction((Runs(a.name), Runs(b.name), negation(apart)))
    late = frozenset({(Did.ENDED, a.name), (Did.ENDED, b.name)})
    return _refute(
        graph,
        assertion,
        (a, b),
        _Search((question,), (late,), is_plain(graph) and apart == FALSE),
        lambda run: _overlap(run, a.name, b.name),
        f"{a.name!r} and {b.name!r} can run at the same time",
    )


def _requires(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    path = _needed(graph, b, a)
    if path:
        return Decided(assertion, path=path)
    if not _ordered(shape, b, a):  # then nothing makes b end first: any run of a, with b held back, refutes it
        search = _Search((conjunction((Runs(a.name), _in_turn(a, b))), Runs(a.name)), _held_back(b), is_plain(graph))
        message = f"{a.name!r} can start before {b.name!r} has ended"
    else:
        search = _Search((conjunction((Runs(a.name), Not(Is(b.name, _SUCCEEDED)))),), (frozenset(),))
        message = f"{a.name!r} can run although {b.name!r} has not succeeded"
    return _refute(graph, assertion, (a, b), search, lambda run: not _done_before(run, b.name, a.name), message)


def _can_before(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    path = _ordered(shape, b, a)
    if path:
        message = f"{a.name!r} can never run before {b.name!r}: it waits for it ({' → '.join(path)})"
        return Decided(assertion, Finding("G020", message, a.span, _along(graph, path)))
    question = conjunction((Runs(a.name), Runs(b.name), _in_turn(a, b)))
    late: _Late = frozenset({(Did.STARTED, b.name)})
    return _show(graph, assertion, (a, b), _Search((question,), (late,), is_plain(graph)))


def _can_run(graph: Graph, shape: Shape, assertion: Assertion, a: Task, b: Task) -> Decided:
    return _show(graph, assertion, (a,), _Search((Runs(a.name),), (frozenset(),), is_plain(graph)))


def shows(assertion: Assertion, run: Run, graph: Graph) -> bool:
    """Whether a (replayed) run is an example of a "can": looked up in its events, nothing else."""
    names = {name.lower(): name for name in graph.tasks}
    first = names.get(assertion.first.lower(), "")
    if assertion.form == "can run":
        return run.at(Did.STARTED, first) >= 0
    ended = run.at(Did.ENDED, first)
    second = names.get(assertion.second.lower(), "")
    return assertion.form == "can run before" and -1 < ended < run.at(Did.STARTED, second)


_ANSWERS: dict[str, Callable[[Graph, Shape, Assertion, Task, Task], Decided]] = {
    "before": _before,
    "never with": _never_with,
    "requires": _requires,
    "can run before": _can_before,
    "can run": _can_run,
}


_Late = frozenset[tuple[Did, str]]
_SUCCEEDED = frozenset({Outcome.SUCCEEDED})


@dataclass(frozen=True)
class _Search:
    """What run is looked for: questions from the plainest to the widest (the last decides), and timelines to try.

    `plain` says that nothing but edges decides here and every run will do, so that no solver is needed.
    """

    questions: tuple[Formula, ...]
    timelines: tuple[_Late, ...]
    plain: bool = False


def _held_back(task: Task) -> tuple[_Late, ...]:
    """Timelines in which this task is late: it starts late, or it only ends late."""
    return frozenset({(Did.STARTED, task.name)}), frozenset({(Did.ENDED, task.name)})


def _refute(
    graph: Graph,
    assertion: Assertion,
    about: tuple[Task, Task],
    search: _Search,
    seen: Callable[[Run], bool],
    message: str,
) -> Decided:
    """Look for a run that refutes the assertion: it counts once it was replayed, and the violation `seen` in it."""
    span = about[1].span if assertion.form == "before" else about[0].span
    answer = _ask(graph, search, about)
    if isinstance(answer, Never):
        return Decided(assertion, unsat=Solver(graph, [task.name for task in about]).text(search.questions[-1]))
    run = _run(graph, answer, search, seen) if isinstance(answer, Found) else None
    if run is None:
        reason = answer.reason if isinstance(answer, Undecided) else "the counterexample could not be replayed"
        return Decided(assertion, Finding("G090", f"'{assertion}' is not decided: {reason}", span))
    notes = tuple(Note(task.span, f"{task.name!r} is here") for task in about)
    return Decided(assertion, Finding("G020", f"'{assertion}' does not hold: {message}", span, notes, run))


def _show(graph: Graph, assertion: Assertion, about: tuple[Task, ...], search: _Search) -> Decided:
    """Look for a run that shows a "can"."""
    answer = _ask(graph, search, about)
    if isinstance(answer, Never):
        conditions = ((name, graph.tasks[name].condition) for name in answer.because)
        notes = tuple(Note(span, f"the condition of {name!r}") for name, span in conditions if span.line)
        return Decided(
            assertion, Finding("G020", f"'{assertion}' does not hold: there is no such run", about[0].span, notes)
        )
    run = _run(graph, answer, search, lambda run: shows(assertion, run, graph)) if isinstance(answer, Found) else None
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
    for calm in (True, False):
        for question in search.questions:
            answer = solver.ask(question, calm)
            if isinstance(answer, Found):
                return answer
    return answer


def _run(graph: Graph, found: Found, search: _Search, seen: Callable[[Run], bool]) -> Run | None:
    """The first of the timelines that is a run and in which it is seen."""
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


def _one_group(a: Task, b: Task) -> Formula:
    """When the two tasks must take one and the same group, of which there is one."""
    return disjunction(
        conjunction((one.guard, other.guard)) if one.parts == other.parts else FALSE
        for mine in a.holds if mine.group.capacity == 1 for theirs in b.holds
        for one in mine.group.cases for other in theirs.group.cases
    )  # fmt: skip


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
