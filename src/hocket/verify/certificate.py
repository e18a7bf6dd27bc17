"""Certificates: why a graph was said to hold, and how a stranger checks it with neither z3 nor trust in us.

A certificate carries, for one graph (named by a digest of its tasks and edges):
- a rank for every point: the length of the longest way to it, so that exactly one
  list of numbers is right and any changed bit is refused;
- runs, which together show that every task can run; each is replayed;
- for each assertion the path of edges that enforces it, or the run that shows it;
- the claims that rest on a solver alone ("no configuration …"), as SMT-LIB text.

The audit reads the source again and checks all of it but the last. Where there are
such claims the audit says `Unknown`, with their number: it has not checked them,
and what is not checked does not hold here. Any solver can be given their text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hocket.verdict import Basis, Certificate, Counterexample, Holds, Unknown, Verdict, Violated
from hocket.verify.formula import Outcome
from hocket.verify.model import Edge, Graph, Join, Point, Task
from hocket.verify.questions import Alive, Grouped, is_plain, is_success, shared_groups, without_groups
from hocket.verify.replay import Did, Event, Mismatch, Run, replay
from hocket.verify.structure import Shape, shape

if TYPE_CHECKING:
    from hocket.verify.assertions import Decided

__all__ = ["KIND", "Refuted", "audit", "check_ranks", "digest", "write"]

KIND = "hocket.verify/1"


class Refuted(Exception):
    """A certificate says something that is not so."""


def write(
    graph: Graph, form: Shape, rank: Sequence[int], alive: Alive, grouped: Grouped, decided: Iterable[Decided]
) -> Certificate:
    """The certificate of a graph of which all questions came out well; JSON throughout."""
    orders = [{"claim": str(one.assertion), "path": list(one.path)} for one in decided if one.path]
    shown = [{"claim": str(one.assertion), "run": _run_to_json(one.run)} for one in decided if one.run is not None]
    unsat = [{"claim": claim, "smtlib": text} for claim, text in grouped.unsat]
    unsat += [{"claim": str(one.assertion), "smtlib": one.unsat} for one in decided if one.unsat]
    return Certificate(
        KIND,
        {
            "graph": digest(graph),
            "rank": list(rank),
            "runs": [_run_to_json(run) for run in alive.runs],
            "orders": orders,
            "shown": shown,
            "unsat": unsat,
        },
    )


def audit(certificate: Certificate, graph: Graph) -> Verdict:
    """Check a certificate against a graph, without z3: Holds, Violated (it lies), or Unknown (solver claims remain)."""
    claim = f"the certificate of {graph.path or 'this graph'}"
    try:
        counts = _check(certificate, graph)
    except Refuted as lie:
        return Violated(claim, Counterexample(str(lie)))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
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
    if data["graph"] != digest(graph):
        raise Refuted("it is of another graph, or the source has changed")
    form = shape(graph)
    check_ranks(form, data["rank"])
    _check_runs(graph, data["runs"])
    for order in data["orders"]:
        _check_order(graph, order["claim"], order["path"])
    for example in data["shown"]:
        _check_shown(graph, example["claim"], example["run"])
    needed = sum(1 for _ in shared_groups(graph))
    if sum("never share a group" in claim["claim"] for claim in data["unsat"]) != needed:
        raise Refuted(
            f"{needed} pairs of groups share a name in some case, and the certificate accounts for another number"
        )
    return {
        "ranks": len(data["rank"]),
        "runs": len(data["runs"]) + len(data["shown"]),
        "orders": len(data["orders"]),
        "claims of a solver": len(data["unsat"]),
    }


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
    if is_plain(graph):
        return
    ran: set[str] = set()
    free = without_groups(graph)
    for said in runs:
        ran |= _replayed(free, said).ran
    missing = [name for name in graph.tasks if name not in ran]
    if missing:
        raise Refuted(f"no run shows that {missing[0]!r} can run")


def _replayed(graph: Graph, said: Any) -> Any:
    try:
        return replay(graph, _run_from_json(said))
    except Mismatch as error:
        raise Refuted(f"a run of the certificate cannot happen: {error}") from None


def _check_order(graph: Graph, claim: str, path: list[str]) -> None:
    """Every step of the path is an edge, or goes into or out of a parent; and it joins the claim's two tasks."""
    from hocket.verify.assertions import parse_assertion

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
    from hocket.verify.assertions import parse_assertion, shows

    _replayed(graph, said)
    if not shows(parse_assertion(claim), _run_from_json(said), graph):
        raise Refuted(f"the run given for '{claim}' does not show it")


def digest(graph: Graph) -> str:
    """A name for everything that a certificate speaks about: tasks, edges, conditions and groups, but no places."""
    total = hashlib.sha256()
    for task in graph.tasks.values():
        edges = [(edge.before, edge.optional, _ways(edge.accepts)) for edge in task.edges]
        groups = [
            (hold.until.value, hold.group.text, [(str(c.guard), c.parts) for c in hold.group.cases])
            for hold in task.holds
        ]
        total.update(
            repr(
                (task.name, task.parent, edges, str(task.presence), str(task.activation), _ways(task.may), groups)
            ).encode()
        )
    for variable in graph.variables.values():
        kinds = sorted(kind.value for kind in variable.kinds)
        total.update(repr((variable.name, kinds, variable.values, variable.owner)).encode())
    total.update(str(graph.given).encode())
    total.update(
        repr([(hold.group.text, [(str(c.guard), c.parts) for c in hold.group.cases]) for hold in graph.holds]).encode()
    )
    return total.hexdigest()


@cache
def _ways(outcomes: frozenset[Outcome] | None) -> list[str] | None:
    return None if outcomes is None else sorted(way.value for way in outcomes)


def _run_to_json(run: Run) -> dict[str, Any]:
    events = [[event.did.value, event.task, event.outcome.value if event.outcome else None] for event in run.events]
    return {"values": dict(run.values), "events": events}


def _run_from_json(said: Any) -> Run:
    events = (Event(Did(did), task, Outcome(outcome) if outcome else None) for did, task, outcome in said["events"])
    return Run(dict(said["values"]), tuple(events))
