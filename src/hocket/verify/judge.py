"""The whole of a verification: read, ask every question, decide the assertions, and write the certificate.

The questions are rows: each has a name and a function that looks at one inquiry and
adds what it found. Shape comes first, and a cycle ends the inquiry, since nothing has
an order there; then what is linear, then what a solver is asked. A question that has
nothing to ask of a graph (no channels, no deadlines) costs nothing.
"""

from __future__ import annotations

import gc
import math
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hocket.errors import SourceError
from hocket.verify import times
from hocket.verify.accesses import Races, races
from hocket.verify.answers import Decided
from hocket.verify.assertions import Assertion, parse_assertion
from hocket.verify.budget import SECONDS, UNLIMITED, Budget, NoSolver, budget_of
from hocket.verify.channels import channel_findings
from hocket.verify.circles import cycle_findings
from hocket.verify.codes import CODES, Severity
from hocket.verify.denials import Answered
from hocket.verify.docket import Docket
from hocket.verify.findings import Finding, Report
from hocket.verify.formula import Runs, conjunction
from hocket.verify.gaps import in_vain, left_out, orphans
from hocket.verify.groups import deadlocks
from hocket.verify.liveness import Alive, liveness, without_groups
from hocket.verify.model import Graph
from hocket.verify.notes import redundant, skipped
from hocket.verify.readers import Reading, reader_for
from hocket.verify.readers.discover import is_text, opened
from hocket.verify.readers.quick import quick_graph
from hocket.verify.replay import Mismatch, Run, replay
from hocket.verify.resources import too_much, with_workers
from hocket.verify.smt import Found, Never, Solver
from hocket.verify.source import Source
from hocket.verify.starvation import Starved, least_workers, starvation
from hocket.verify.structure import Shape, shape
from hocket.verify.timeline import schedule

__all__ = ["QUESTIONS", "Inquiry", "judge", "judge_graph", "read_graph", "read_quickly"]


def judge(
    source: Any,
    format: str | None = None,
    assertions: Iterable[str | Assertion] = (),
    workers: int | None = None,
    notes: bool = False,
    seconds: float = SECONDS,
) -> Report:
    """See `hocket.verify.verify`, which is this function's public face."""
    budget = budget_of(seconds)
    text = _text(source, format)
    claims = list(assertions)
    if (graph := _quickly(text, format)) is not None:
        report = judge_graph(Reading(graph), claims, workers, notes, budget)
        if not report.findings:
            return report
        if all(span.line for one in report.findings for span in (one.span, *(note.span for note in one.notes))):
            return replace(report, lines={text.path: text.lines})
    return judge_graph(read_graph(text, format), claims, workers, notes, budget)


def read_quickly(source: Any, format: str | None = None) -> Reading:
    """As `read_graph`, for somebody who asks for no places: those of a large graph may be left out."""
    text = _text(source, format)
    graph = _quickly(text, format)
    return read_graph(text, format) if graph is None else Reading(graph)


def _quickly(source: Any, format: str | None) -> Graph | None:
    """The graph with places that are looked up when they are asked for, if it is one that can be read so."""
    if not isinstance(source, Source) or format not in (None, "hocket"):
        return None
    with _no_collection():
        return quick_graph(source)


def judge_graph(
    reading: Reading,
    assertions: Iterable[str | Assertion] = (),
    workers: int | None = None,
    notes: bool = False,
    budget: Budget = UNLIMITED,
) -> Report:
    """Every question of a graph that was read; what there is no time for is unknown."""
    claims = [parse_assertion(claim) if isinstance(claim, str) else claim for claim in assertions]
    if workers is not None and workers < 1:
        raise SourceError(f"workers={workers!r}: a graph needs at least one worker", cure="leave it out for any number")
    inquiry = Inquiry(reading.graph, list(reading.findings), workers, notes, budget)
    inquiry.claims = [*_own_claims(inquiry), *claims]
    certified = inquiry.run()
    cured = (replace(finding, cure=finding.cure or CODES[finding.code].cure) for finding in inquiry.findings)
    shown = (one for one in cured if notes or CODES[one.code].severity is not Severity.NOTE)
    ordered = tuple(sorted(dict.fromkeys(shown), key=lambda finding: (finding.span, finding.code)))
    lines = {path: text.lines for path, text in reading.sources.items()}
    report = Report(reading.graph.path, ordered, None, reading.graph, lines, inquiry.counts)
    if certified and report.verdict == "holds":
        from hocket.verify.certificate import write

        return replace(report, certificate=write(inquiry))
    return report


def read_graph(source: Any, format: str | None = None) -> Reading:
    """The graph behind a path, a text, a `Source` or a Python object; raises SourceError."""
    source = _text(source, format)
    with _no_collection():
        return reader_for(source, format).read(source)


def _text(source: Any, format: str | None) -> Any:
    """The text of a path or string; a Python object as it is."""
    if isinstance(source, str) and is_text(source, format):
        return Source("<text>", source)
    return opened(source) if isinstance(source, str | os.PathLike) else source


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the cyclic garbage collector, which would look through all tasks again and again while they are made."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _own_claims(inquiry: Inquiry) -> list[Assertion]:
    """The claims that stand in the graph file itself; one that cannot be read is a finding."""
    found = []
    for text, span in inquiry.graph.claims:
        try:
            found.append(replace(parse_assertion(text), place=span))
        except SourceError as error:
            inquiry.findings.append(Finding("G021", error.message, span, cure=error.cure))
    return found


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
