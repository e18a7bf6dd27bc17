"""What is asked about a graph: rows, each a name and a function that looks at one inquiry and adds what it found.

Shape comes first, and a cycle ends the inquiry, since nothing has an order there; then
what is linear, then what a solver is asked. A question that has nothing to ask of a
graph (no channels, no deadlines) costs nothing.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hocket.verify import times
from hocket.verify.accesses import Races, races
from hocket.verify.answers import Decided
from hocket.verify.assertions import Assertion
from hocket.verify.budget import UNLIMITED, Budget, NoSolver
from hocket.verify.channels import channel_findings
from hocket.verify.circles import cycle_findings
from hocket.verify.denials import Answered
from hocket.verify.docket import Docket
from hocket.verify.findings import Finding
from hocket.verify.formula import Runs, conjunction
from hocket.verify.gaps import in_vain, left_out, orphans
from hocket.verify.groups import deadlocks
from hocket.verify.liveness import Alive, liveness, without_groups
from hocket.verify.model import Graph
from hocket.verify.notes import redundant, skipped
from hocket.verify.replay import Mismatch, Run, replay
from hocket.verify.resources import too_much, with_workers
from hocket.verify.smt import Found, Never, Solver
from hocket.verify.starvation import Starved, least_workers, starvation
from hocket.verify.structure import Shape, shape
from hocket.verify.timeline import schedule

__all__ = ["QUESTIONS", "Inquiry"]


@dataclass
class Inquiry:
    """One graph, what is asked about it, and what came out: findings for people, the rest for the certificate."""

    graph: Graph
    findings: list[Finding]
    workers: int | None = None
    notes: bool = False
    budget: Budget = UNLIMITED
    claims: list[Assertion] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    shape: Shape = field(init=False)
    rank: array[int] = field(init=False)
    gaps: Answered = field(default_factory=Answered)
    alive: Alive = field(default_factory=Alive)
    grouped: Answered = field(default_factory=Answered)
    starved: Starved = field(default_factory=Starved)
    races: Races = field(default_factory=Races)
    decided: list[Decided] = field(default_factory=list)

    def run(self) -> bool:
        """Ask everything; returns whether all questions were asked (a cycle ends them)."""
        self.counts |= {"tasks": len(self.graph.tasks), "edges": self.graph.size}
        self.shape = shape(self.graph)
        circles, self.rank = cycle_findings(self.graph, self.shape)
        self.findings += circles
        if circles:
            return False
        for ask in QUESTIONS.values():
            ask(self)
        return True

    @property
    def docket(self) -> Docket:
        return Docket(self.graph, self.shape, self.rank, self.budget)

    def add(self, findings: Iterable[Finding]) -> None:
        """What one question found, without what the reader has said of the same place already."""
        told = {finding.span for finding in self.findings if finding.is_error and finding.span.line}
        self.findings += [finding for finding in findings if finding.code not in _GENERAL or finding.span not in told]


_GENERAL = frozenset({"G012", "G013"})  # readers may know better why, in the words of their format


def _waits(inquiry: Inquiry) -> None:
    inquiry.add(in_vain(inquiry.graph))
    inquiry.add(orphans(inquiry.graph))


def _presence(inquiry: Inquiry) -> None:
    inquiry.gaps = left_out(inquiry.graph, inquiry.budget)
    inquiry.add(inquiry.gaps.findings)


def _running(inquiry: Inquiry) -> None:
    """Which tasks can run; whoever waits in vain was told so, and is not told again that it never runs."""
    inquiry.alive = liveness(inquiry.graph, inquiry.budget)
    told = {finding.about[0] for finding in inquiry.findings if finding.code == "G012"}
    inquiry.add(one for one in inquiry.alive.findings if not (one.about and one.about[0] in told))
    inquiry.counts["runs replayed"] = len(inquiry.alive.runs)


def _groups(inquiry: Inquiry) -> None:
    inquiry.grouped = deadlocks(inquiry.graph, inquiry.budget)
    inquiry.add(inquiry.grouped.findings)
    inquiry.counts["groups compared"] = inquiry.grouped.asked


def _resources(inquiry: Inquiry) -> None:
    over = list(too_much(inquiry.graph))
    inquiry.add(over)
    told = frozenset(finding.about[1] for finding in [*inquiry.grouped.findings, *over] if finding.about)
    graph = inquiry.graph if inquiry.workers is None else with_workers(inquiry.graph, inquiry.workers)
    inquiry.starved = starvation(graph, told, inquiry.budget)
    inquiry.add(inquiry.starved.findings)
    if inquiry.workers is None and not inquiry.starved.findings and _keeps_workers(inquiry.graph):
        inquiry.counts["workers needed"] = least_workers(inquiry.graph, inquiry.budget)


def _keeps_workers(graph: Graph) -> bool:
    """Whether some task keeps a worker while it waits, so that their number matters."""
    return graph.uses("awaits") or any(graph.tasks[name].works for name in graph.children)


def _accesses(inquiry: Inquiry) -> None:
    if inquiry.graph.uses("accesses"):
        inquiry.races = races(inquiry.graph, inquiry.shape, inquiry.rank, inquiry.docket.decide)
        inquiry.add(inquiry.races.findings)


def _times(inquiry: Inquiry) -> None:
    graph, form, rank = inquiry.graph, inquiry.shape, inquiry.rank
    if not times.is_timed(graph):
        return
    inquiry.add(times.limits(graph))
    show = partial(_together, graph, inquiry.budget)
    inquiry.add(times.deadlines(graph, form, rank, inquiry.workers, show))
    shortest, longest = times.makespan(graph, form, rank, inquiry.workers)
    inquiry.counts["seconds at least"] = shortest
    if longest < math.inf:
        inquiry.counts["seconds at most"] = longest


def _together(graph: Graph, budget: Budget, names: Sequence[str]) -> Run | str:
    """A run in which these tasks all run, or why none is known."""
    free = without_groups(graph)
    found = Found({}, {}, frozenset())
    if not graph.plain:
        try:
            answer = Solver(free, names, budget).ask(conjunction(Runs(name) for name in names), calm=True)
        except NoSolver as error:
            return str(error)
        if isinstance(answer, Never):
            return "the tasks on the longest way never all run, and shorter ways were not looked at"
        if not isinstance(answer, Found):
            return answer.reason
        found = answer
    try:
        run = schedule(free, found.values, found.outcomes, found.interrupted, unready=found.unready)
        story = replay(free, run)
    except Mismatch as error:
        return f"the run that was found could not be replayed: {error}"
    return run if story.ran.issuperset(names) else "the run that was found does not have all of them"


def _channels(inquiry: Inquiry) -> None:
    inquiry.add(channel_findings(inquiry.graph, inquiry.budget))


def _claims(inquiry: Inquiry) -> None:
    inquiry.decided = inquiry.docket.decide_all(inquiry.claims)
    inquiry.add(one.finding for one in inquiry.decided if one.finding is not None)
    inquiry.counts["assertions"] = len(inquiry.claims)


def _remarks(inquiry: Inquiry) -> None:
    if inquiry.notes:
        inquiry.add(redundant(inquiry.graph, inquiry.shape, inquiry.rank))
        dead = {finding.about[0] for finding in inquiry.findings if finding.code in ("G004", "G015")}
        inquiry.add(one for one in skipped(inquiry.graph, inquiry.budget) if one.about[0] not in dead)


QUESTIONS: dict[str, Callable[[Inquiry], None]] = {
    "waits that cannot be fulfilled": _waits,
    "needed tasks that are left out": _presence,
    "tasks that can never run": _running,
    "deadlocks between callers and called": _groups,
    "resources held while waiting": _resources,
    "unordered uses of one resource": _accesses,
    "time limits and deadlines": _times,
    "channels": _channels,
    "assertions": _claims,
    "notes": _remarks,
}
