"""Certificates: why a graph was said to hold, and how a stranger checks it with neither z3 nor trust in us.

A certificate carries, for one graph (named by a digest of its tasks and edges):
- a rank for every point: the length of the longest way to it, so that exactly one
  list of numbers is right and any changed bit is refused;
- runs, which together show that every task can run; each is replayed;
- for each assertion the path of edges that enforces it, or the run that shows it;
- a rank for the resources that are held while waiting: what is waited for with one in
  hand only needs higher ones, so somebody can always go on;
- what conditions make impossible ("no configuration …"): a list of clauses that
  refutes it by unit propagation (`refutation`); where there is none, because regular
  expressions decide or the search was too long, the question as SMT-LIB text.

The audit reads the source again and checks all of it but such texts; what is linear
(waits in vain, uses of one resource, deadlines, channels) it asks once more, and it
asks itself what there has to be denied. Where a text is all there is it says
`Unknown`, with their number: it has not checked them, and what is not checked does
not hold here. Any solver can be given their text.
"""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain, pairwise
from typing import Any

from hocket.errors import SourceError
from hocket.verdict import Basis, Certificate, Counterexample, Holds, Unknown, Verdict, Violated
from hocket.verify import gaps, groups, times
from hocket.verify.accesses import races
from hocket.verify.answers import Decided, one_group, shows
from hocket.verify.assertions import Assertion, parse_assertion
from hocket.verify.channels import never_stops
from hocket.verify.denials import Denial
from hocket.verify.docket import Docket
from hocket.verify.findings import Finding, undecided
from hocket.verify.formula import FALSE, TRUE, Outcome
from hocket.verify.inquiry import Inquiry
from hocket.verify.liveness import is_success, without_groups
from hocket.verify.model import NOWHERE, SUCCEEDED, Bare, Edge, Graph, Hold, Idle, Join, Point, Task, Timing
from hocket.verify.order import enforced, task_pairs
from hocket.verify.readers import Reading
from hocket.verify.replay import Did, Event, Mismatch, Run, Story, replay
from hocket.verify.resources import Key, Table, too_much, with_workers
from hocket.verify.starvation import denial_of
from hocket.verify.structure import Shape, shape

__all__ = ["KIND", "Refuted", "audit", "check_ranks", "digest", "seal", "write"]

KIND = "hocket.verify/3"


class Refuted(Exception):
    """A certificate says something that is not so."""


def write(inquiry: Inquiry) -> Certificate:
    """The certificate of a graph of which all questions came out well; JSON throughout."""
    decided = inquiry.decided + inquiry.races.decided
    denied = [*inquiry.gaps.unsat, *inquiry.grouped.unsat, *inquiry.starved.unsat]
    denied += [one.denied for one in decided if one.denied]
    data = {
        "graph": digest(inquiry.graph, inquiry.shape),
        "workers": inquiry.workers,
        "rank": list(inquiry.rank),
        "runs": [_run_to_json(run) for run in inquiry.alive.runs],
        "orders": [{"claim": str(one.assertion), "path": list(one.path)} for one in decided if one.path],
        "ordered": [str(one.assertion) for one in decided if one.ordered],
        "apart": [str(one.assertion) for one in decided if one.apart],
        "shown": [{"claim": str(one.assertion), "run": _run_to_json(one.run)} for one in decided if one.run],
        "resources": [[_key_to_json(key), number] for key, number in inquiry.starved.known.rank.items()],
        "never": [
            {"claim": one.denial.claim, "lemmas": one.lemmas, "whole": one.whole, "smtlib": one.smtlib}
            for one in denied
        ],
    }
    return Certificate(KIND, data | {"seal": seal(data)})


def seal(data: Mapping[str, Any]) -> str:
    """A digest of everything else in a certificate: what was changed on its way is noticed, whatever it was."""
    plain = {name: value for name, value in data.items() if name != "seal"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def audit(certificate: Certificate, reading: Reading) -> Verdict:
    """Check a certificate against a source, without z3: Holds, Violated (it lies), or Unknown (a solver's word)."""
    claim = f"the certificate of {reading.graph.path or 'this graph'}"
    try:
        wrong = [finding for finding in reading.findings if finding.is_error]
        if wrong:
            raise Refuted(f"it says that all is well, but {wrong[0].message}")
        counts = _check(certificate, reading.graph)
    except Refuted as lie:
        return Violated(claim, Counterexample(str(lie)))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, SourceError) as error:
        return Violated(claim, Counterexample(f"it is malformed: {type(error).__name__}: {error}"))
    if counts["claims of a solver"]:
        return Unknown(
            claim, f"{counts['claims of a solver']} of its claims rest on a solver, and were not checked here"
        )
    return Holds(claim, Basis.PROVED, counts=counts, certificate=certificate)


def _check(certificate: Certificate, graph: Graph) -> dict[str, int]:
    if certificate.kind != KIND:
        raise Refuted(f"a certificate of kind {certificate.kind!r} is not one of {KIND!r}")
    data = certificate.data
    form = shape(graph)
    if data["graph"] != digest(graph, form):
        raise Refuted("it is of another graph, or the source has changed")
    if data["seal"] != seal(data):
        raise Refuted("it was changed after it was written")
    check_ranks(form, data["rank"])
    _check_runs(graph, data["runs"])
    for order in data["orders"]:
        _check_order(graph, order["claim"], order["path"])
    _check_ordered(graph, form, data)
    _check_apart(graph, data["apart"])
    for example in data["shown"]:
        _check_shown(graph, example["claim"], example["run"])
    _check_claims_of_the_file(graph, data)
    believed = _check_never(graph, form, data)
    _check_linear(graph, form, data)
    return {
        "ranks": len(data["rank"]),
        "runs": len(data["runs"]) + len(data["shown"]),
        "orders": len(data["orders"]) + len(data["ordered"]) + len(data["apart"]),
        "refutations": len(data["never"]) - believed,
        "claims of a solver": believed,
    }


def _check_never(graph: Graph, form: Shape, data: Mapping[str, Any]) -> int:
    """Check each refutation against clauses made here; how many claims have none, and are a solver's."""
    rows: dict[str, list[Any]] = {}
    for row in data["never"]:
        rows.setdefault(row["claim"], []).append(row)
    believed = 0
    for denial in chain(gaps.denials(graph), groups.denials(graph), _denials_of_resources(graph, data)):
        if not rows.get(denial.claim):
            raise Refuted(f"it does not account for '{denial.claim}'")
        believed += _is_believed(denial, rows[denial.claim].pop(0))
    docket = Docket(graph, form, array("q", data["rank"]))
    for claim, left in rows.items():
        if left:
            said = docket.denial(parse_assertion(claim))
            if said is None:
                raise Refuted(f"'{claim}' is no claim that something never happens")
            believed += sum(_is_believed(said, row) for row in left)
    return believed


def _is_believed(denial: Denial, row: Mapping[str, Any]) -> bool:
    """Whether only a solver says so; raises Refuted where a refutation is given that is none."""
    if row["lemmas"] is None:
        if "(check-sat)" not in row["smtlib"]:
            raise Refuted(f"it gives no reason for '{denial.claim}'")
        return True
    if row["smtlib"] or not denial.shown_by(row["lemmas"], row["whole"]):
        raise Refuted(f"the clauses given for '{denial.claim}' do not refute its contrary")
    return False


def _denials_of_resources(graph: Graph, data: Mapping[str, Any]) -> Iterator[Denial]:
    """Check the ranks of the resources; yields what has to be denied of those that have none."""
    if not graph.uses("holds") and data["workers"] is None:
        return
    table = Table(graph if data["workers"] is None else with_workers(graph, int(data["workers"])))
    ample = set(table.ample())
    rank = {_key_from_json(key): number for key, number in data["resources"]}
    if len(rank) < len(data["resources"]) or any(type(number) is not int for number in rank.values()):
        raise Refuted("a resource has two ranks, or one that is no number")
    above = {key: after - ample for key, after in table.above.items() if key not in ample}
    for key, after in above.items():
        if key in rank and any(not rank[key] < rank.get(other, rank[key]) for other in after):
            raise Refuted(f"something above the resource {key!r} has no higher rank")
    left = {key: after - rank.keys() for key, after in above.items() if key not in rank}
    yield from (denial_of(table.graph, knot) for knot in table.knots(left))


def _check_ordered(graph: Graph, form: Shape, data: Mapping[str, Any]) -> None:
    """Orders that were given without a path: one pass over the graph shows all of them."""
    said = [parse_assertion(claim) for claim in data["ordered"]]
    if any(claim.form not in ("before", "never with") for claim in said):
        raise Refuted("only an order can be shown by edges")
    ways = [(one, other) for claim in said for one, other in ((claim.first, claim.second), (claim.second, claim.first))]
    found = enforced(form, array("q", data["rank"]), task_pairs(form, ways))
    for place, claim in enumerate(said):
        if not (found[2 * place] or (claim.form == "never with" and found[2 * place + 1])):
            raise Refuted(f"edges do not enforce '{claim}'")


def _check_apart(graph: Graph, claims: list[str]) -> None:
    """Tasks that a resource keeps apart, whatever the configuration."""
    names = {name.lower(): name for name in graph.tasks}
    for claim in claims:
        said = parse_assertion(claim)
        both = graph.tasks[names[said.first.lower()]], graph.tasks[names[said.second.lower()]]
        if said.form != "never with" or one_group(graph, *both) != TRUE:
            raise Refuted(f"no resource keeps '{claim}'")


def _check_claims_of_the_file(graph: Graph, data: Mapping[str, Any]) -> None:
    said = {str(parse_assertion(text)).lower() for text, _ in graph.claims}
    missing = said - {claim.lower() for claim in _claimed(data)}
    if missing:
        raise Refuted(f"it does not account for the claim '{min(missing)}'")


def _claimed(data: Mapping[str, Any]) -> set[str]:
    """Every claim that the certificate gives some reason for."""
    rows = (row["claim"] for part in ("orders", "shown", "never") for row in data[part])
    return {*rows, *data["ordered"], *data["apart"]}


def _check_linear(graph: Graph, form: Shape, data: Mapping[str, Any]) -> None:
    """What costs one pass is asked again, without a solver; anything it finds refutes the certificate."""
    claimed, rank = _claimed(data), array("q", data["rank"])

    def known(claim: Assertion) -> Decided:
        fine = str(claim) in claimed
        return Decided(claim, None if fine else undecided(f"'{claim}'", "the certificate does not speak of it"))

    found: list[Finding] = [*gaps.in_vain(graph), *too_much(graph)]
    if graph.uses("accesses"):
        found += races(graph, form, rank, known).findings
    if times.is_timed(graph):
        found += times.limits(graph)
        found += times.deadlines(graph, form, rank, data["workers"], lambda path: "a deadline can be missed")
    if found:
        raise Refuted(f"it says that all is well, but {found[0].message}")
    if graph.uses("transfers") and (graph.conditional or not never_stops(graph)):
        raise Refuted("its tasks can wait for each other over channels")


def check_ranks(form: Shape, rank: list[int]) -> None:
    """Each rank is 0 without predecessors, else one above its highest predecessor; raises Refuted where it is not."""
    if len(rank) != form.size:
        raise Refuted(f"{len(rank)} ranks for {form.size} points")
    due = [0] * form.size
    for point in range(form.size):
        above = rank[point] + 1
        for target in form.targets[form.offsets[point] : form.offsets[point + 1]]:
            if due[target] < above:
                due[target] = above
    for point, (said, right) in enumerate(zip(rank, due, strict=True)):
        if type(said) is not int or said != right:
            raise Refuted(
                f"the rank of {form.names[point]!r} is said to be {said!r}, but by its predecessors it is {right}"
            )


def _check_runs(graph: Graph, runs: list[Any]) -> None:
    if graph.plain:
        return
    ran: set[str] = set()
    free = without_groups(graph)
    for said in runs:
        ran |= _replayed(free, said).ran
    idle = _behind_idle(graph)
    missing = [name for name in graph.tasks if name not in ran and name not in idle]
    if missing:
        raise Refuted(f"no run shows that {missing[0]!r} can run")


def _behind_idle(graph: Graph) -> set[str]:
    """Tasks of which nobody has to show that they can run: what is idle, what comes after it, and what is within."""
    found = {name for name, task in graph.tasks.items() if task.idle is not Idle.NO}
    if not found:
        return found
    behind: dict[str, list[str]] = {}
    for name, task in graph.tasks.items():
        for before in (*(edge.before for edge in task.edges), task.parent):
            behind.setdefault(before, []).append(name)
    waiting = list(found)
    while waiting:
        fresh = [name for name in behind.get(waiting.pop(), ()) if name not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return found


def _replayed(graph: Graph, said: Any) -> Story:
    try:
        return replay(graph, _run_from_json(said))
    except Mismatch as error:
        raise Refuted(f"a run of the certificate cannot happen: {error}") from None


def _check_order(graph: Graph, claim: str, path: list[str]) -> None:
    """Every step of the path is an edge, or goes into or out of a parent; and it joins the claim's two tasks."""
    said = parse_assertion(claim)
    ends = (path[0].lower(), path[-1].lower())
    there, back = (said.first.lower(), said.second.lower()), (said.second.lower(), said.first.lower())
    shown = {"before": (there,), "never with": (there, back), "requires": (back,)}.get(said.form, ())
    if ends not in shown or len(path) < 2:
        raise Refuted(f"the path given for '{claim}' does not show it")
    opened = False  # where we stand: at the end of the first task
    for before, after in pairwise(path):
        opened = _step(graph, before, after, opened, strict=said.form == "requires")
    if not opened:
        raise Refuted(f"the path given for '{claim}' does not reach the start of {path[-1]!r}")


def _step(graph: Graph, before: str, after: str, opened: bool, strict: bool) -> bool:
    """One step on: by an edge (of success only, if `strict`), into a child of what was opened, or out to the parent.

    Returns whether we now stand where `after` opens (True) or where it closes.
    """
    one, other = graph.tasks[before], graph.tasks[after]
    if any(_leads(edge, before, opened, strict) for edge in other.edges if not _is_loose(other)):
        return True
    if not strict and opened and other.parent == before:
        return True
    if not strict and (one.parent == after or any(_leads(edge, before, opened, strict) for edge in other.awaits)):
        return False
    raise Refuted(f"{after!r} does not wait for {before!r}, as is said")


def _leads(edge: Edge, before: str, opened: bool, strict: bool) -> bool:
    """Whether this edge is one from where we stand: who waits only for a beginning does not wait for the end."""
    if edge.before != before or (edge.point is not Point.CLOSED and not opened):
        return False
    return not strict or is_success(edge)


def _is_loose(task: Task) -> bool:
    return task.join is Join.ANY and len(task.edges) > 1


def _check_shown(graph: Graph, claim: str, said: Any) -> None:
    _replayed(graph, said)
    if not shows(parse_assertion(claim), _run_from_json(said), graph):
        raise Refuted(f"the run given for '{claim}' does not show it")


def digest(graph: Graph, form: Shape | None = None) -> str:
    """A name for everything that a certificate speaks about: all that the questions look at, but no places."""
    form = form or shape(graph)
    total = hashlib.sha256(repr(form.names).encode())
    for numbers in (form.offsets, form.targets):
        packed = array("q", numbers)
        if sys.byteorder == "big":
            packed.byteswap()
        total.update(packed.tobytes())
    for row in _told(graph):
        total.update(row.encode())
    for variable in graph.variables.values():
        kinds = sorted(kind.value for kind in variable.kinds)
        total.update(repr((variable.name, kinds, variable.values, variable.owner, variable.guess)).encode())
    channels = [(channel.name, channel.capacity) for channel in graph.channels.values()]
    claims = [text for text, _ in graph.claims]
    total.update(repr((str(graph.given), _held(graph.holds), channels, graph.entries, claims, graph.deadline)).encode())
    total.update(repr(graph.finals).encode() if graph.finals else b"")
    return total.hexdigest()


def _told(graph: Graph) -> Iterator[str]:
    """What is to be said of each task that is not common, then how each task can end."""
    if isinstance(graph.tasks, Bare):
        yield repr(_ways(_TYPICAL.may)) * len(graph.tasks)
        return
    usual = _all_usual(graph)
    ways: dict[int, str] = {}  # by identity: most tasks of a graph share how they can end
    ends: list[str] = []
    for task in graph.tasks.values():
        may = ways.get(id(task.may))
        if may is None:
            may = ways[id(task.may)] = repr(_ways(task.may))
        ends.append(may)
        if not (_is_common(task) and (usual or all(map(_is_usual, task.edges)))):
            yield repr((task.name, _rare(task)))
    yield "".join(ends)


def _is_usual(edge: Edge) -> bool:
    """An edge that only success passes."""
    return edge.accepts == SUCCEEDED and edge.point is Point.CLOSED and not edge.optional


def _all_usual(graph: Graph) -> bool:
    """Whether all edges are: each kind of them, as told apart by identity, is looked at once."""
    kinds = {
        (id(edge.accepts), id(edge.point), edge.optional): edge for task in graph.tasks.values() for edge in task.edges
    }
    return all(map(_is_usual, kinds.values()))


def _is_common(task: Task) -> bool:
    """A task of which its name, its place in the shape, its edges and its outcomes say everything."""
    return (
        (task.presence is TRUE or task.presence == TRUE)
        and (task.activation is TRUE or task.activation == TRUE)
        and not (task.parent or task.holds or task.awaits or task.accesses or task.transfers)
        and (task.lost is FALSE or task.lost == FALSE)
        and task.join is Join.ALL
        and task.ready
        and task.works is None
        and (task.timing is _TYPICAL.timing or _times(task.timing) == _times(_TYPICAL.timing))
        and (task.copies is _TYPICAL.copies or (task.copies.least, task.copies.most) == (1, 1))
    )


def _times(timing: Timing) -> tuple[float, ...]:
    return (timing.least, timing.most, timing.timeout, timing.retries, timing.delay, timing.deadline)


_TYPICAL = Task("", NOWHERE)


def _rare(task: Task) -> tuple[Any, ...]:
    """All of a task, for one that is not common."""
    return (
        task.parent,
        [(edge.before, edge.optional, _ways(edge.accepts), edge.point.value) for edge in task.edges],
        str(task.presence),
        str(task.activation),
        _held(task.holds),
        task.join.value,
        str(task.lost),
        task.ready,
        task.works,
        [(edge.before, edge.optional, edge.point.value) for edge in task.awaits],
        [(access.resource, access.mode.value) for access in task.accesses],
        [(step.channel, step.way.value, step.times) for step in task.transfers],
        _times(task.timing),
        (task.copies.least, task.copies.most),
    )


def _held(holds: tuple[Hold, ...]) -> list[Any]:
    return [
        (hold.until.value, hold.amount, hold.group.capacity, hold.group.text,
         [(str(case.guard), case.parts) for case in hold.group.cases])
        for hold in holds
    ]  # fmt: skip


@cache
def _ways(outcomes: frozenset[Outcome] | None) -> list[str] | None:
    return None if outcomes is None else sorted(way.value for way in outcomes)


def _run_to_json(run: Run) -> dict[str, Any]:
    events = [
        [event.did.value, event.task, event.outcome.value if event.outcome else None, event.channel]
        for event in run.events
    ]
    return {"values": dict(run.values), "events": events}


def _run_from_json(said: Any) -> Run:
    events = (
        Event(Did(did), task, Outcome(outcome) if outcome else None, channel)
        for did, task, outcome, channel in said["events"]
    )
    return Run(dict(said["values"]), tuple(events))


def _key_to_json(key: Key) -> list[Any]:
    return [part if isinstance(part, str) else list(part) for part in key]


def _key_from_json(said: list[Any]) -> Key:
    return tuple(part if isinstance(part, str) else (str(part[0]), str(part[1])) for part in said)
