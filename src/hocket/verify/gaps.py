"""Waits that cannot be fulfilled: for what never comes, for what is left out, and for what nothing leads to.

These are asked of the edges one by one, before anything is asked of runs, because
the answer names a line: "db can never be healthy" says more than "web can never run".
What is left out is a question over variables alone, and only where the predecessor
has a presence condition; the answer is a configuration, replayed as every run is.

A condition that a reader could not express is a `guess`; a finding here holds
whatever its value, or it is not made (`certainly`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hocket.verify.budget import UNLIMITED, Budget, NoSolver
from hocket.verify.denials import Answered, Denial, denied
from hocket.verify.findings import Finding, Note, undecided
from hocket.verify.formula import (
    FALSE,
    TRUE,
    All,
    Equal,
    Formula,
    Matches,
    Not,
    Outcome,
    Some,
    Value,
    atoms,
    conjunction,
    disjunction,
    negation,
)
from hocket.verify.model import Edge, Graph, Point, Task
from hocket.verify.replay import Mismatch, Run, Story, replay
from hocket.verify.smt import Found, Never, Solver, Undecided
from hocket.verify.timeline import schedule
from hocket.verify.wishes import IN_PASSING, MOST_SHOWN, Wishes

__all__ = ["certainly", "denials", "in_vain", "left_out", "orphans"]


def in_vain(graph: Graph) -> Iterator[Finding]:
    """Edges that wait for what their predecessor can never do (G012): linear, over the edges."""
    if graph.plain and not graph.uses("awaits"):
        return
    for task in graph.tasks.values():
        for edge in (*task.edges, *task.awaits):
            before = graph.tasks.get(edge.before)
            if before is not None and (why := _never_comes(graph, edge, before)):
                message = f"{task.name!r} waits for {before.name!r} to {why[0]}, but it {why[1]}"
                note = Note(before.span, f"{before.name!r} {why[1]}")
                yield Finding("G012", message, edge.span, (note,), about=(task.name, before.name))


def _never_comes(graph: Graph, edge: Edge, before: Task) -> tuple[str, str] | None:
    """(what is waited for, why it never comes), or None."""
    if edge.point is Point.READY:
        return None if before.ready else ("be ready", "can never be")
    if edge.point is Point.OPENED or edge.accepts is None:
        return None
    possible = before.may | {Outcome.SKIPPED, Outcome.CANCELLED}  # both can happen to whoever does not run
    if before.presence != TRUE or before.parent:
        possible |= {Outcome.ABSENT}
    if before.lost != FALSE or before.name in graph.children:
        possible |= {Outcome.FAILED, Outcome.SUCCEEDED}
    if edge.accepts & possible:
        return None
    wanted = " or ".join(way.value for way in Outcome if way in edge.accepts)
    return f"have {wanted}", f"can only have {' or '.join(way.value for way in Outcome if way in before.may)}"


def orphans(graph: Graph) -> Iterator[Finding]:
    """Tasks that nothing leads to from where runs begin (G014), or that lead to nothing for which runs are made.

    Both are only asked where the source says where runs begin, or what they are made for.
    """
    if graph.entries:
        after: dict[str, list[str]] = {}
        for task in graph.tasks.values():
            for edge in task.edges:
                after.setdefault(edge.before, []).append(task.name)
        yield from _aside(graph, graph.entries, after, "nothing leads to {} from {}")
    if graph.finals:
        before = {name: [edge.before for edge in (*task.edges, *task.awaits)] + [task.parent] * bool(task.parent)
                  for name, task in graph.tasks.items()}  # fmt: skip
        yield from _aside(graph, graph.finals, before, "{} leads to none of {}, for which the graph is run")


def _aside(graph: Graph, ends: tuple[str, ...], ways: dict[str, list[str]], words: str) -> Iterator[Finding]:
    """The tasks to which no way goes from any of these ends; of what lies within each other the outermost."""
    seen: dict[str, None] = dict.fromkeys(name for name in ends if name in graph.tasks)
    waiting = list(seen)
    while waiting:
        name = waiting.pop()
        for other in (*ways.get(name, ()), *graph.children.get(name, ())):
            if other not in seen and other in graph.tasks:
                seen[other] = None
                waiting.append(other)
    listed = " or ".join(map(repr, ends[:3]))
    for name, task in graph.tasks.items():
        if name not in seen and (not task.parent or task.parent in seen):
            yield Finding("G014", words.format(repr(name), listed), task.span, about=(name,))


# -- what is left out -------------------------------------------------------------------------------------------------


def left_out(graph: Graph, budget: Budget = UNLIMITED) -> Answered:
    """Needed tasks that a configuration leaves out while the one that needs them is in it (G013)."""
    gaps = Answered()
    asked = _questions(graph)
    if not asked:
        return gaps
    try:
        solver = Solver(graph, (), budget, also=[question for _, _, question in asked])
    except NoSolver as error:
        _, edge, _ = asked[0]
        gaps.findings.append(undecided(f"whether {edge.before!r} can be left out", error, edge.span))
        return gaps
    _decide(graph, gaps, solver, asked)
    return gaps


def _decide(graph: Graph, gaps: Answered, solver: Solver, asked: list[tuple[Task, Edge, Formula]]) -> None:
    """One question after the other; those that a run shows which was gone through before are not asked."""
    runs: list[tuple[Run, Story]] = []
    for place, (task, edge, question) in enumerate(asked):
        why = f"it was not looked at, after {len(runs)} runs of {len(graph.tasks)} tasks"
        if len(runs) * graph.weight > MOST_SHOWN or (why := solver.budget.is_over):
            what = f"whether {edge.before!r} and whatever comes after it in the file can be left out"
            gaps.findings.append(undecided(what, why, edge.span))
            return
        gaps.asked += 1
        if (known := _known(graph, runs, task, edge, question)) is not None:
            gaps.findings.append(_finding(graph, task, edge, known))
            continue
        answer = _configuration(graph, solver, question)
        if isinstance(answer, Never):
            gaps.unsat.append(
                denied(_denial(graph, task, edge, question), partial(solver.text, question), solver.budget)
            )
        elif isinstance(answer, Undecided):
            gaps.findings.append(undecided(f"whether {edge.before!r} can be left out", answer.reason, edge.span))
        else:
            values = _widened(graph, answer.values, question, asked[place + 1 :])
            gaps.findings.append(_judged(graph, task, edge, values, runs))


def _configuration(graph: Graph, solver: Solver, question: Formula) -> Found | Never | Undecided:
    """One of which the question is true: often it is plain which, and no solver is needed."""
    wishes = Wishes.near(graph, {})
    if wishes.grant(question, graph.given):
        return Found(wishes.values, {}, frozenset())
    return solver.ask(question)


def _questions(graph: Graph) -> list[tuple[Task, Edge, Formula]]:
    """(task, its edge, when the predecessor is left out and the task is not) wherever that is not plainly never."""
    rows = ((task, edge, _question(graph, task, edge)) for task, edge in _doubtful(graph))
    return [row for row in rows if row[2] != FALSE]


def denials(graph: Graph) -> list[Denial]:
    """What a certificate has to deny: that a needed task is left out."""
    return [_denial(graph, *row) for row in _questions(graph)]


def _denial(graph: Graph, task: Task, edge: Edge, question: Formula) -> Denial:
    return Denial(f"{edge.before} is never left out where {task.name} is in", graph, (), question)


def _doubtful(graph: Graph) -> Iterator[tuple[Task, Edge]]:
    """The edges whose predecessor has a presence condition that the task does not repeat."""
    if not graph.uses("presence"):
        return
    for task in graph.tasks.values():
        for edge in task.edges:
            before = graph.tasks.get(edge.before)
            if before is None or before.presence == TRUE or edge.optional or before.parent != task.parent:
                continue
            if edge.accepts is None or Outcome.ABSENT not in edge.accepts:
                yield task, edge


def _question(graph: Graph, task: Task, edge: Edge) -> Formula:
    """In a configuration that contains the task, the predecessor is left out: whatever the guesses are."""
    presence, other = task.presence, graph.tasks[edge.before].presence
    if any(graph.variables[name].owner for name in _variables(conjunction((presence, other)))):
        return FALSE  # that depends on what tasks do, and is a question of runs
    return certainly(graph, conjunction((presence, negation(other))))


def _variables(formula: Formula) -> Iterator[str]:
    return (atom.variable for atom in atoms(formula) if isinstance(atom, Equal | Matches))


def _known(graph: Graph, runs: list[tuple[Run, Story]], task: Task, edge: Edge, question: Formula) -> Run | None:
    """A run that was gone through and shows this as well, whatever the guesses are."""
    shown = (run for run, story in runs if story.holds(question) and _is_shown(graph, story, task, edge))
    return next(shown, None)


def _widened(
    graph: Graph, values: dict[str, Value], question: Formula, asked: list[tuple[Task, Edge, Formula]]
) -> dict[str, Value]:
    """Values of which this question is true, and as many of the others as can be."""
    wishes = Wishes.near(graph, values)
    if not wishes.grant(question, graph.given):
        return values
    for _, _, other in asked:
        wishes.grant(other, patience=IN_PASSING)
    return wishes.values


def _judged(graph: Graph, task: Task, edge: Edge, values: dict[str, Value], runs: list[tuple[Run, Story]]) -> Finding:
    """The run with these values, gone through; it joins the others, since it may show more than this."""
    shown = _shown(graph, values, task, edge)
    if shown is None:
        what = f"whether {edge.before!r} can be left out"
        return undecided(what, "the configuration that was found could not be replayed", edge.span)
    runs.append(shown)
    return _finding(graph, task, edge, shown[0])


def _finding(graph: Graph, task: Task, edge: Edge, run: Run) -> Finding:
    before = graph.tasks[edge.before]
    notes = [Note(edge.span, f"{task.name!r} needs it")]
    if before.condition.line:
        notes.append(Note(before.condition, f"what lets {before.name!r} in"))
    message = f"{task.name!r} needs {before.name!r}, which can be left out where {task.name!r} is not"
    return Finding("G013", message, edge.span, tuple(notes), run, about=(task.name, before.name))


def _shown(graph: Graph, values: dict[str, Value], task: Task, edge: Edge) -> tuple[Run, Story] | None:
    """The run with these values, if the one is in it and the other left out."""
    try:
        run = schedule(graph, values, until_stuck=True)
        story = replay(graph, run)
    except Mismatch:
        return None
    return (run, story) if _is_shown(graph, story, task, edge) else None


def _is_shown(graph: Graph, story: Story, task: Task, edge: Edge) -> bool:
    """Whether the one is in that run, and the other left out."""
    return story.holds(task.presence) and not story.holds(graph.tasks[edge.before].presence)


def certainly(graph: Graph, formula: Formula) -> Formula:
    """A formula that implies this one and holds whatever the guesses in it are: each guess counts as not being so."""
    return _settled(graph, formula, True)


def _settled(graph: Graph, formula: Formula, wanted: bool) -> Formula:
    """This formula (or its negation, if it is not wanted) without guesses, as strong as it has to be."""
    match formula:
        case Not(part):
            return _settled(graph, part, not wanted)
        case All(parts) | Some(parts):
            join = conjunction if isinstance(formula, All) is wanted else disjunction
            return join(_settled(graph, part, wanted) for part in parts)
        case Equal(variable, _) | Matches(variable, _, _) if graph.variables[variable].guess:
            return FALSE
    return formula if wanted else negation(formula)
