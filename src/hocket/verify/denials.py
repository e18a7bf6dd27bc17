"""What a certificate says can never be: as clauses with a refutation where there is one, else as a solver's text.

Whoever asks (`gaps`, `groups`, `starvation`, `assertions`) makes a `Denial` of what a
solver has answered "never" to; the audit makes the same ones again from the source,
and checks the refutation against clauses that it has written itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hocket.verify.budget import UNLIMITED, Budget
from hocket.verify.findings import Finding
from hocket.verify.formula import TRUE, Formula
from hocket.verify.model import Edge, Graph, Hold, Join, Point, Task
from hocket.verify.propositions import Clause, Propositions
from hocket.verify.refutation import refutation, refutes
from hocket.verify.resources import Key, keys_of
from hocket.verify.smt import slice_of

__all__ = ["Answered", "Denial", "Denied", "denied"]

_LARGEST = 2_000  # tasks of which the clauses are made
_MOST_SUMS = 50_000  # partial sums of one resource


@dataclass(frozen=True)
class Denial:
    """There is no run of `graph` of which `question` is true; with `stops`, none that stops before all has closed.

    `roots` are the tasks that the question is about; with `calm` runs count that nobody cancels.
    """

    claim: str
    graph: Graph
    roots: tuple[str, ...] = ()
    question: Formula = TRUE
    calm: bool = False
    stops: bool = False

    def clauses(self, whole: bool = True) -> list[Clause] | None:
        """Clauses that cannot all be true if this is so; None where they would be too many.

        If not the `whole`, without what every configuration fulfils: often that takes no part, and is the larger.
        """
        tasks = self.graph.tasks if self.stops else slice_of(self.graph, self.roots)
        if len(tasks) > _LARGEST:
            return None
        graph = self.graph if whole else replace(self.graph, given=TRUE)
        said = Propositions(graph, tasks)
        if self.calm or self.stops:
            said.clauses += [(-said.stopped(name),) for name in tasks]
        if self.stops and not _Stopped(said).write():
            return None
        said.clauses.append((said.of(self.question),))
        return said.finish()

    def shown_by(self, lemmas: Sequence[Sequence[int]], whole: bool) -> bool:
        """Whether this list of clauses is a refutation of what is denied."""
        clauses = self.clauses(whole)
        return clauses is not None and refutes(clauses, lemmas)


@dataclass(frozen=True)
class Denied:
    """A denial and its reason: a refutation that anybody can check, or else the text that a solver has refuted."""

    denial: Denial
    lemmas: list[list[int]] | None
    smtlib: str = ""
    whole: bool = True


@dataclass
class Answered:
    """What came of a question that is asked of many places: findings, and what was denied, for the certificate."""

    findings: list[Finding] = field(default_factory=list)
    unsat: list[Denied] = field(default_factory=list)
    asked: int = 0


def denied(denial: Denial, text: Callable[[], str], budget: Budget = UNLIMITED) -> Denied:
    """A denial with the best reason that there is in this time; `text` gives the question as SMT-LIB."""
    lemmas = None
    for whole in (False, True) if denial.graph.given != TRUE else (True,):
        clauses = denial.clauses(whole) if budget.left else None
        lemmas = None if clauses is None else refutation(clauses, budget=budget)
        if lemmas is not None:
            return Denied(denial, lemmas, whole=whole)
    return Denied(denial, None, text())


@dataclass(frozen=True)
class _Stopped:
    """A prefix of a run after which nothing can happen, and something has not closed; see `starvation`."""

    said: Propositions

    def write(self) -> bool:
        """Add its clauses; False if the sums of some resource are too many."""
        said, graph = self.said, self.said.graph
        holds = [hold for task in graph.tasks.values() for hold in task.holds]
        if len(holds) * max((hold.group.capacity for hold in holds), default=0) > _MOST_SUMS:
            return False
        taken = self._taken()
        for task in graph.tasks.values():
            self._task(task, taken)
        said.clauses.append(tuple(-self.closed(name) for name in graph.tasks))
        return True

    def _task(self, task: Task, taken: dict[Key, list[tuple[int, int]]]) -> None:
        said, opened, closed = self.said, self.opened(task.name), self.closed(task.name)
        runs, turn, done = said.runs(task.name), self._turn(task), self._done(task)
        around = [(-opened, self.opened(task.parent))] if task.parent else []
        possible = [(-opened, runs), (-opened, turn), (-closed, turn), (-closed, -runs, opened), (-closed, -runs, done)]
        could = (-turn, opened, closed)
        said.clauses += [*possible, *around, (-opened, closed, -done)]
        said.clauses += [(*could, runs), (*could, self._no_room(task, taken))]

    def opened(self, task: str) -> int:
        return self.said.number_of(("opened", task))

    def closed(self, task: str) -> int:
        return self.said.number_of(("closed", task))

    def _turn(self, task: Task) -> int:
        said = self.said
        past = [self._past(edge) for edge in task.edges]
        come = said.some(past) if task.join is Join.ANY and past else said.all(past)
        around = [said.some([self.opened(task.parent), self.closed(task.parent)])] if task.parent else []
        return said.all([come, *around])

    def _past(self, edge: Edge) -> int:
        opened, closed = self.opened(edge.before), self.closed(edge.before)
        match edge.point:
            case Point.OPENED:
                return self.said.some([opened, closed])
            case Point.READY:
                return self.said.some([self.said.all([opened, self.said.ready(edge.before)]), closed])
            case Point.CLOSED:
                return closed

    def _done(self, task: Task) -> int:
        inside = [self.closed(child) for child in self.said.graph.children.get(task.name, ())]
        return self.said.all([*inside, *(self._past(edge) for edge in task.awaits)])

    def _taken(self) -> dict[Key, list[tuple[int, int]]]:
        """Of each resource who takes how much: (amount, the number under which it is so)."""
        found: dict[Key, list[tuple[int, int]]] = {}
        for key, amount, guard in self._amounts(self.said.graph.holds, ""):
            found.setdefault(key, []).append((amount, guard))
        for name, task in self.said.graph.tasks.items():
            holding = self.said.all([self.opened(name), -self.closed(name)])
            for key, amount, guard in self._amounts(task.holds, name):
                found.setdefault(key, []).append((amount, self.said.all([holding, guard])))
        return found

    def _amounts(self, holds: Iterable[Hold], place: str) -> Iterator[tuple[Key, int, int]]:
        for hold in holds:
            for key in keys_of(hold):
                guards = [self.said.of(case.guard, place) for case in hold.group.cases if case.parts == key]
                yield key, hold.amount, self.said.some(guards)

    def _no_room(self, task: Task, taken: dict[Key, list[tuple[int, int]]]) -> int:
        reasons = []
        for key in dict.fromkeys(key for hold in task.holds for key in keys_of(hold)):
            wanted = [(amount, guard) for one, amount, guard in self._amounts(task.holds, task.name) if one == key]
            capacity = min(hold.group.capacity for hold in task.holds if key in keys_of(hold))
            full = self._at_least([*taken[key], *wanted], capacity + 1)
            reasons.append(self.said.all([self.said.some(guard for _, guard in wanted), full]))
        return self.said.some(reasons)

    def _at_least(self, amounts: list[tuple[int, int]], needed: int) -> int:
        """What is so if these come to so much: for each sum that can be missing, item by item."""
        row = dict.fromkeys(range(1, needed + 1), -self.said.true)
        for amount, guard in amounts:
            row = {
                missing: self.said.some([less, self.said.all([guard, row.get(missing - amount, self.said.true)])])
                for missing, less in row.items()
            }
        return row[needed]
