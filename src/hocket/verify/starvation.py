"""Can tasks that wait hold everything that others need? Asked of a solver, shown by a run that stops.

A run that has stopped is a *prefix*: some tasks are open, some have closed, and
nothing can happen any more. Besides the constraints of `smt`, which say how each
task would end if there were room for all, there are two booleans a task, "has opened"
and "has closed", and three demands: the prefix respects every wait; whoever is open
waits for something that has not closed; whoever could open finds no room. That is
linear in the edges, and it needs no order: if such a prefix could not be reached, the
run would have stopped before, at another one.

Every answer is a run of `timeline`, replayed until nothing is possible (`replay`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hocket.verify.budget import UNLIMITED, Budget, NoSolver
from hocket.verify.denials import Answered, Denial, denied
from hocket.verify.findings import Finding, Note, undecided
from hocket.verify.model import Edge, Graph, Hold, Join, Point, Task
from hocket.verify.replay import Did, Mismatch, Run, Story, group_name, replay
from hocket.verify.resources import WORKERS, Key, Resources, Table, key_text, keys_of, resources, with_workers
from hocket.verify.smt import Found, Never, Solver, Undecided
from hocket.verify.timeline import schedule
from hocket.verify.unrolling import TooMany, unrolled

__all__ = ["Starved", "Stopped", "denial_of", "least_workers", "starvation", "stopped_run"]

_MANY = 60  # tasks; of more, the number of workers is only looked into if somebody names one
_LARGEST = 20_000  # tasks; beyond them the terms alone take longer than anybody waits


@dataclass
class Starved(Answered):
    """What came of it, and what could be said without a solver."""

    known: Resources = field(default_factory=Resources)


def starvation(graph: Graph, told: frozenset[str] = frozenset(), budget: Budget = UNLIMITED) -> Starved:
    """Every knot of resources that no order explains: a run that stops, or the solver's word that there is none.

    `told` are groups of which a deadlock is known already.
    """
    starved = Starved(known=resources(graph))
    for knot in starved.known.doubtful:
        if told.isdisjoint(key_text(key) for key in knot):
            _one(graph, knot, starved, budget)
    return starved


def _one(graph: Graph, knot: tuple[Key, ...], starved: Starved, budget: Budget) -> None:
    table = Table(graph)
    span = next(hold.span for task in table.waiting_holders for hold in task.holds if set(keys_of(hold)) & set(knot))
    try:
        denial = denial_of(graph, knot)
    except TooMany as error:
        starved.findings.append(undecided(f"whether tasks that wait can hold all of {_keys(knot)}", error, span))
        return
    whole = denial.graph
    if (run := _greedy(whole)) is not None:
        starved.findings.append(_finding(whole, graph, run))
        return
    try:
        answer = stopped_run(whole, budget)
    except NoSolver as error:
        answer = Undecided(str(error))
    if isinstance(answer, Never):
        starved.unsat.append(denied(denial, partial(str, answer.because[0]), budget))
        return
    run = _shown(whole, answer) if isinstance(answer, Stopped) else None
    if run is None:
        reason = answer.reason if isinstance(answer, Undecided) else "the run that was found could not be replayed"
        starved.findings.append(undecided(f"whether '{denial.claim}'", reason, span))
        return
    starved.findings.append(_finding(whole, graph, run))


def _greedy(graph: Graph) -> Run | None:
    """The run in which whoever holds and waits starts before all others, if it stops: found without a solver."""
    keen: set[str] = set()
    waiting = [task.name for task in Table(graph).waiting_holders]
    while waiting:
        name = waiting.pop()
        if name not in keen:
            keen.add(name)
            task = graph.tasks[name]
            waiting += [edge.before for edge in task.edges] + ([task.parent] if task.parent else [])
    try:
        run = schedule(graph, {}, until_stuck=True, last=frozenset(graph.tasks) - keen)
        replay(graph, run)
    except Mismatch:
        return None
    return run if run.events and run.events[-1].did is Did.STUCK else None


def denial_of(graph: Graph, knot: tuple[Key, ...]) -> Denial:
    """What a certificate has to deny of a knot: that tasks which wait hold all of it. Raises `TooMany`."""
    capacity = Table(graph).capacity
    whole = unrolled(graph, sum(capacity[key] for key in knot) + 1, _LARGEST)
    return Denial(f"tasks that wait never hold all of {_keys(knot)}", whole, stops=True)


def _keys(knot: tuple[Key, ...]) -> str:
    return ", ".join(sorted(map(key_text, knot)))


# -- the question -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stopped:
    """A prefix after which nothing happens: the configuration, who has opened, who has closed."""

    found: Found
    opened: frozenset[str]
    closed: frozenset[str]


def stopped_run(graph: Graph, budget: Budget = UNLIMITED) -> Stopped | Never | Undecided:
    """A prefix of some run after which nothing can happen although not everything has closed."""
    if len(graph.tasks) > _LARGEST:
        return Undecided(f"{len(graph.tasks)} tasks are too many to ask about resources that are held while waiting")
    prefix = _Prefix(Solver(graph, graph.tasks, budget))
    return prefix.ask()


class _Prefix:
    """The constraints of a stopped prefix, over those of a solver that has all tasks of its graph."""

    def __init__(self, solver: Solver) -> None:
        self.solver, self.graph = solver, solver.graph
        self.opened = {name: solver.z3.Bool(f"{name} has opened", solver.context) for name in solver.tasks}
        self.closed = {name: solver.z3.Bool(f"{name} has closed", solver.context) for name in solver.tasks}
        self.any, self.all, self.no, self.so = solver._or, solver._and, solver._not, solver._implies

    def ask(self) -> Stopped | Never | Undecided:
        solver = self.solver
        room = self._room()
        for task in solver.tasks.values():
            solver.solver.add(*self._possible(task), *self._stopped(task, room))
        solver.solver.add(self.any(*(self.no(term) for term in self.closed.values())))
        solver.limited()
        answer = solver.asked(solver.calm, *solver._named.values())
        if answer == solver.z3.sat:
            model = solver.solver.model()
            opened, closed = ({name for name, term in terms.items() if solver._is_true(model, term)}
                              for terms in (self.opened, self.closed))  # fmt: skip
            return Stopped(solver._found(model), frozenset(opened), frozenset(closed))
        if answer == solver.z3.unsat:
            fresh = solver.z3.Solver(ctx=solver.context)
            fresh.add(*solver.solver.assertions(), solver.calm, *solver._named.values())
            return Never((str(fresh.to_smt2()),))
        return Undecided(f"z3 gave up: {solver.solver.reason_unknown()}")

    def _possible(self, task: Task) -> Iterator[Any]:
        """The prefix is one of the run that the solver has in mind."""
        name, runs = task.name, self.solver.runs[task.name]
        opened, closed = self.opened[name], self.closed[name]
        yield self.so(opened, self.all(runs, self._turn(task)))
        yield self.so(closed, self.all(self._turn(task), self.so(runs, self.all(opened, self._inside_done(task)))))
        if task.parent:
            yield self.so(opened, self.opened[task.parent])

    def _turn(self, task: Task) -> Any:
        past = [self._past(edge) for edge in task.edges]
        around = [self.any(self.opened[task.parent], self.closed[task.parent])] if task.parent else []
        return self.all(*around, self.any(*past) if task.join is Join.ANY and past else self.all(*past))

    def _past(self, edge: Edge) -> Any:
        opened, closed = self.opened[edge.before], self.closed[edge.before]
        match edge.point:
            case Point.OPENED:
                return self.any(opened, closed)
            case Point.READY:
                return self.any(self.all(opened, self.solver.ready[edge.before]), closed)
            case Point.CLOSED:
                return closed

    def _inside_done(self, task: Task) -> Any:
        inside = [self.closed[child] for child in self.graph.children.get(task.name, ())]
        return self.all(*inside, *(self._past(edge) for edge in task.awaits))

    def _stopped(self, task: Task, room: Any) -> Iterator[Any]:
        """Nothing can happen to this task."""
        opened, closed = self.opened[task.name], self.closed[task.name]
        yield self.so(self.all(opened, self.no(closed)), self.no(self._inside_done(task)))
        could = self.all(self._turn(task), self.no(opened), self.no(closed))
        yield self.so(could, self.all(self.solver.runs[task.name], self._no_room(task, room)))

    def _no_room(self, task: Task, room: Any) -> Any:
        reasons = []
        for key in dict.fromkeys(key for hold in task.holds for key in keys_of(hold)):
            wanted = self._sum(self._amount(hold, key, task.name) for hold in task.holds if key in keys_of(hold))
            capacity = min(hold.group.capacity for hold in task.holds if key in keys_of(hold))
            reasons.append(self.all(wanted > 0, room[key] + wanted > capacity))
        return self.any(*reasons)

    def _room(self) -> dict[Key, Any]:
        """How much of each resource is taken."""
        taken: dict[Key, list[Any]] = {}
        for hold in self.graph.holds:
            for key in keys_of(hold):
                taken.setdefault(key, []).append(self._amount(hold, key, ""))
        for name, task in self.solver.tasks.items():
            holds = self.all(self.opened[name], self.no(self.closed[name]))
            for hold in task.holds:
                for key in keys_of(hold):
                    amount = self._amount(hold, key, name)
                    taken.setdefault(key, []).append(self.solver.z3.If(holds, amount, self._number(0)))
        return {key: self._sum(parts) for key, parts in taken.items()}

    def _amount(self, hold: Hold, key: Key, place: str) -> Any:
        guards = [self.solver.term(case.guard, place) for case in hold.group.cases if case.parts == key]
        return self.solver.z3.If(self.any(*guards), self._number(hold.amount), self._number(0))

    def _sum(self, parts: Any) -> Any:
        return self.solver.z3.Sum([self._number(0), *parts])

    def _number(self, value: int) -> Any:
        return self.solver.z3.IntVal(value, self.solver.context)


# -- the answer -------------------------------------------------------------------------------------------------------


def _shown(graph: Graph, stopped: Stopped) -> Run | None:
    """A run that comes to this prefix, or to another one after which nothing happens."""
    found = stopped.found
    late = frozenset((Did.STARTED, name) for name in stopped.opened - stopped.closed)
    last = frozenset(graph.tasks) - stopped.opened - stopped.closed
    try:
        run = schedule(graph, found.values, found.outcomes, frozenset(), late, True, found.unready, last)
        replay(graph, run)
    except Mismatch:
        return None
    return run if run.events and run.events[-1].did is Did.STUCK else None


def _finding(graph: Graph, asked: Graph, run: Run) -> Finding:
    """Who holds what while waiting, and who cannot start: read off the end of the run."""
    story = replay(graph, run)
    blocked = {
        name: group for name, task in graph.tasks.items()
        if name not in story.opened and name not in story.closed and story.its_turn(task)
        and (group := story.blocked(task)) is not None
    }  # fmt: skip
    groups = list(dict.fromkeys(group for group, _ in blocked.values()))
    holders = {group: list(dict.fromkeys(filter(None, story.held.get(group, ())))) for group in groups}
    names = list(dict.fromkeys(name for group in groups for name in holders[group]))
    notes = [Note(_hold_span(graph, name, group, story), f"{name!r} holds {group!r} while it waits")
             for group in groups for name in holders[group][:5]]  # fmt: skip
    notes += [Note(graph.tasks[name].span, f"{name!r} needs {blocked[name][0]!r}") for name in list(blocked)[:5]]
    about = (*names, *groups)
    span = notes[0].span if notes else graph.tasks[run.events[-1].task].span
    if len(groups) == 1:
        pool, capacity = groups[0], _capacity(graph, groups[0], story)
        what = f"all {capacity} places of {pool!r}" if capacity > 1 else f"{pool!r}"
        verb = "gets" if len(blocked) == 1 else "get"
        message = f"{_listed(names)} can hold {what} while waiting, so that {_listed(list(blocked))} never {verb} it"
        cure = "" if pool == WORKERS or capacity == 1 else f"give {pool!r} more places, or wait without holding one"
        return Finding("G018", message, span, tuple(notes), run, cure, about)
    told = "; ".join(f"{_listed(holders[group])} holds {group!r} while {_listed(_wanting(blocked, group))} waits for it"
                     for group in groups)  # fmt: skip
    return Finding("G019", f"a deadlock over {len(groups)} resources: {told}", span, tuple(notes), run, about=about)


def _wanting(blocked: dict[str, tuple[str, str]], group: str) -> list[str]:
    return [name for name, (wanted, _) in blocked.items() if wanted == group]


def _capacity(graph: Graph, group: str, story: Story) -> int:
    return min(
        hold.group.capacity for task in graph.tasks.values() for hold in task.holds
        if group_name(hold.group, story) == group
    )  # fmt: skip


def _hold_span(graph: Graph, name: str, group: str, story: Story) -> Any:
    task = graph.tasks[name]
    spans = (hold.span for hold in task.holds if group_name(hold.group, story) == group)
    return next((span for span in spans if span.line), task.span)


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:4]))
    return shown + (f" and {len(names) - 4} more" if len(names) > 4 else "")


# -- workers ----------------------------------------------------------------------------------------------------------


def least_workers(graph: Graph, budget: Budget = UNLIMITED) -> int | None:
    """The fewest workers with which no run stops because all of them wait; None if that is not decided.

    Where nobody waits while keeping a worker one is enough; else the number is found by halving, each time with a
    run that stops or the solver's word that none does.
    """
    waiting = Table(with_workers(graph, 1)).waiting_holders
    enough = 1 + sum(1 if task.copies.most is None else task.copies.most for task in waiting)
    if any(task.copies.most is None for task in waiting) or (waiting and len(graph.tasks) > _MANY):
        return None
    low, high = 1, enough
    while low < high:
        middle = (low + high) // 2
        starved = starvation(with_workers(graph, middle), budget=budget)
        if any(finding.code == "G090" for finding in starved.findings):
            return None
        if starved.findings:
            low = middle + 1
        else:
            high = middle
    return low
