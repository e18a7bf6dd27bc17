"""Can it run? For every task a run in which it does, or the reason why there is none.

Each run answers for every task that runs in it, and values are chosen so that many do
(`wishes`): a workflow of a thousand jobs takes a few runs. Whoever is left is asked
about, with one solver for all. What is left then can never run; its
reason is a minimal set of conditions, in the user's words. Where each of two branches
can run and never both, the reason for their join is just that (G015).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations

from hocket.verify.budget import UNLIMITED, Budget, NoSolver
from hocket.verify.findings import Finding, Note, undecided
from hocket.verify.formula import Formula, Outcome, Runs, conjunction, disjunction
from hocket.verify.model import Edge, Graph, Idle, Join, Point, Task
from hocket.verify.replay import Mismatch, Run, replay
from hocket.verify.smt import Found, Never, Solver, Undecided
from hocket.verify.timeline import schedule
from hocket.verify.wishes import MOST_SHOWN, Wishes

__all__ = ["Alive", "is_success", "liveness", "without_groups"]

_SUCCEEDED = frozenset({Outcome.SUCCEEDED})
_MOST_BRANCHES = 12  # predecessors of one join of which every two are asked about
_MOST_IN_VAIN = 8  # proposals that came to nothing, before a solver is asked


@dataclass
class Alive:
    """Which tasks can run: `runs` were replayed, and show every task that can."""

    findings: list[Finding] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)


def liveness(graph: Graph, budget: Budget = UNLIMITED) -> Alive:
    """For every task a run in which it runs, or the finding that there is none."""
    alive = Alive()
    if graph.plain:
        return alive
    graph = without_groups(graph)  # who waits for a group still can run; whether it waits for ever is asked below
    remaining = dict.fromkeys(graph.tasks)
    _first_try(graph, alive, remaining)
    _propose(graph, alive, remaining, budget)
    if not remaining:
        return alive
    try:
        solver = Solver(graph, graph.tasks, budget)
    except NoSolver as error:
        alive.findings.append(_doubt(graph, remaining, str(error)))
        return alive
    _search(graph, solver, alive, remaining)
    return alive


def is_success(edge: Edge) -> bool:
    """Whether whoever comes after this edge runs only if its predecessor has succeeded."""
    return edge.accepts == _SUCCEEDED and not edge.optional and edge.point is Point.CLOSED


def without_groups(graph: Graph) -> Graph:
    if not graph.holds and not graph.uses("holds"):
        return graph
    return replace(graph, holds=(), tasks={name: replace(task, holds=()) for name, task in graph.tasks.items()})


def _first_try(graph: Graph, alive: Alive, remaining: dict[str, None]) -> None:
    """The run in which nothing is out of the ordinary and all succeed: often enough, and it needs no solver."""
    _covered(graph, Found({}, {}, frozenset()), alive, remaining)


def _propose(graph: Graph, alive: Alive, remaining: dict[str, None], budget: Budget) -> None:
    """Runs with values chosen for one task that is left and as many others as can be; all succeed."""
    in_vain = 0
    for name in list(remaining):
        if name not in remaining or (wishes := Wishes.of(graph, {}, [name])) is None:
            continue
        in_vain += not _covered(graph, Found(wishes.values, {}, frozenset()), alive, remaining)
        if in_vain == _MOST_IN_VAIN or _is_enough(graph, alive) or not budget.left:
            return


def _is_enough(graph: Graph, alive: Alive) -> bool:
    return len(alive.runs) * graph.weight > MOST_SHOWN


def _search(graph: Graph, solver: Solver, alive: Alive, remaining: dict[str, None]) -> None:
    while remaining:
        if _is_enough(graph, alive):
            reason = f"{len(alive.runs)} runs of {len(graph.tasks)} tasks were gone through, and no more"
            alive.findings.append(_doubt(graph, remaining, reason))
            return
        question = disjunction(Runs(name) for name in remaining)
        answer = solver.ask(question, calm=True)
        if isinstance(answer, Never):
            answer = solver.ask(question)
        match answer:
            case Undecided(reason):
                alive.findings.append(_doubt(graph, remaining, reason))
                return
            case Never():
                _dead(graph, solver, alive, remaining)
                return
            case Found() if not _widely_covered(graph, answer, alive, remaining):
                alive.findings.append(_doubt(graph, remaining, "a run of the solver could not be replayed"))
                return


def _widely_covered(graph: Graph, found: Found, alive: Alive, remaining: dict[str, None]) -> bool:
    """As `_covered`, first with values under which others run as well."""
    running = [name for name in remaining if found.outcomes[name] not in (Outcome.ABSENT, Outcome.SKIPPED)]
    wishes = Wishes.of(graph, found.values, running)
    wider = [] if wishes is None else [Found(wishes.values, {}, frozenset()), replace(found, values=wishes.values)]
    return any(_covered(graph, one, alive, remaining) for one in (*wider, found))


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
        task = graph.tasks[name]
        if task.idle is not Idle.NO or any(graph.tasks[one].idle is Idle.CALLED for one in because):
            continue
        if not because and isinstance(solver.ask(task.presence), Never):
            because = (name,)  # it is in no configuration: that is said by its own condition
        branches = _apart(solver, task, remaining)
        finding = _never_join(task, branches) if branches else _never_runs(graph, task, because, remaining)
        alive.findings.append(finding)


def _apart(solver: Solver, task: Task, dead: dict[str, None]) -> tuple[Edge, Edge] | None:
    """Two predecessors, each of which can run, that never run both."""
    edges = [edge for edge in task.edges if edge.before not in dead]
    if task.join is Join.ANY or len(edges) != len(task.edges) or len(edges) > _MOST_BRANCHES:
        return None
    for one, other in combinations(edges, 2):
        if isinstance(solver.ask(conjunction((Runs(one.before), Runs(other.before)))), Never):
            return one, other
    return None


def _never_join(task: Task, branches: tuple[Edge, Edge]) -> Finding:
    one, other = branches
    message = f"{task.name!r} can never run: it waits for {one.before!r} and {other.before!r}, which never both run"
    notes = tuple(Note(edge.span, f"{task.name!r} waits for {edge.before!r}") for edge in branches)
    return Finding("G015", message, task.span, notes, about=(task.name, one.before, other.before))


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
    return Finding("G004", f"{task.name!r} can never run: {why}", span, notes, about=(task.name,))


def _listed(names: list[str], before: str = "") -> str:
    return " and ".join(f"{before}{name!r}" for name in names)


def _doubt(graph: Graph, remaining: dict[str, None], reason: str) -> Finding:
    first = next(iter(remaining))
    return undecided(f"whether {_some(list(remaining))} can run", reason, graph.tasks[first].span)


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
