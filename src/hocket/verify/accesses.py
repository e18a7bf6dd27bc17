"""Two tasks that can run at the same time and use one resource, at least one of them writing (G017).

Which pairs have to be looked at is the question: a hundred thousand tasks that write
one table make five thousand million pairs. But if all is well the accesses of one
resource stand in a row, writer after readers after writer; so each access is only
compared with its neighbours in that row, and only where a neighbour is unordered are
its pairs looked at one by one. What the order does not settle, conditions and locks
may: that is the claim "A never with B", decided and replayed as any claim is.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from hocket.verify.answers import Decided
from hocket.verify.assertions import Assertion
from hocket.verify.findings import Finding, Note, undecided
from hocket.verify.model import Access, Graph, Mode, Task
from hocket.verify.order import enforced, task_pairs
from hocket.verify.structure import Shape

__all__ = ["Races", "races"]

_MOST = 20  # pairs of one resource that are told one by one, and ...
_LARGE = 5_000  # ... in a graph of so many tasks only two: each takes a run through all of it
_WHOLE = 300  # uses of one resource of which all pairs are looked at

Rival = tuple[Task, Access, Task, Access]


@dataclass
class Races:
    """What came of it: findings, what was decided about pairs that no edge orders, and how many pairs were compared."""

    findings: list[Finding] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    compared: int = 0


def races(graph: Graph, shape: Shape, rank: array[int], decide: Callable[[Assertion], Decided]) -> Races:
    """Every pair of accesses that nothing keeps apart; `decide` answers "A never with B"."""
    found = Races()
    rivals = [rival for uses in _uses(graph).values() for rival in _neighbours(shape, rank, uses)]
    found.compared = len(rivals)
    pairs = [(one.name, other.name) for one, _, other, _ in rivals]
    ordered = enforced(shape, rank, task_pairs(shape, pairs))
    loose = {rival[1].resource for rival, fine in zip(rivals, ordered, strict=True) if not fine}
    for resource in loose and dict.fromkeys(rival[1].resource for rival in rivals):
        if resource in loose:
            _pairs(graph, shape, rank, _uses(graph)[resource], decide, found)
    for task in graph.tasks.values():
        found.findings.extend(_with_itself(task))
    return found


def _uses(graph: Graph) -> dict[str, list[tuple[Task, Access]]]:
    """Who uses each resource that somebody writes."""
    uses: dict[str, list[tuple[Task, Access]]] = {}
    for task in graph.tasks.values():
        for access in task.accesses:
            uses.setdefault(access.resource, []).append((task, access))
    return {
        resource: users
        for resource, users in uses.items()
        if len(users) > 1 and any(access.mode is Mode.WRITE for _, access in users)
    }


def _neighbours(shape: Shape, rank: array[int], uses: list[tuple[Task, Access]]) -> Iterator[Rival]:
    """By rank: each writer with the one before it, and each reader with the writers around it."""
    row = sorted(uses, key=lambda use: rank[shape.opening[use[0].name]])
    writers = [place for place, (_, access) in enumerate(row) if access.mode is Mode.WRITE]
    for one, other in pairwise(writers):
        yield from _both(row[one], row[other])
    last, following = -1, iter([*writers, -1])
    coming = next(following)
    for place, _ in enumerate(row):
        if place == coming:
            last, coming = place, next(following)
            continue
        for writer in (last, coming):
            if writer >= 0:
                first, second = sorted((place, writer))
                yield from _both(row[first], row[second])


def _both(one: tuple[Task, Access], other: tuple[Task, Access]) -> Iterator[Rival]:
    if one[0] is not other[0]:
        yield (*one, *other)


def _pairs(
    graph: Graph, shape: Shape, rank: array[int], uses: list[tuple[Task, Access]],
    decide: Callable[[Assertion], Decided], found: Races,
) -> None:  # fmt: skip
    """All pairs of one resource, a few findings at most: the rest is said in a number."""
    row = sorted(uses, key=lambda use: rank[shape.opening[use[0].name]])
    whole = len(row) <= _WHOLE
    rivals = list(_all(graph, row) if whole else _neighbours(shape, rank, uses))
    fine = enforced(shape, rank, task_pairs(shape, [(one.name, other.name) for one, _, other, _ in rivals]))
    unordered = [rival for rival, ordered in zip(rivals, fine, strict=True) if not ordered]
    most = _MOST if len(graph.tasks) < _LARGE else 2
    for one, mine, other, theirs in unordered[:most]:
        answer = decide(Assertion("never with", one.name, other.name))
        if answer.finding is None:
            found.decided.append(answer)
        else:
            found.findings.append(_race(answer.finding, one, mine, other, theirs))
    if len(unordered) > most or not whole:
        task, access = row[0]
        what = f"which other of the {len(row)} uses of {access.resource!r} can meet"
        span = access.span if access.span.line else task.span
        found.findings.append(undecided(what, "only some were looked at one by one", span))


def _all(graph: Graph, row: list[tuple[Task, Access]]) -> Iterator[Rival]:
    for (one, mine), (other, theirs) in combinations(row, 2):
        if Mode.WRITE in (mine.mode, theirs.mode) and one is not other and not _is_around(graph, one, other):
            yield one, mine, other, theirs


def _race(answer: Finding, one: Task, mine: Access, other: Task, theirs: Access) -> Finding:
    """The answer "they can run at the same time", told as what it means here."""
    if answer.code == "G090":
        return answer
    resource = mine.resource
    if mine.mode is theirs.mode:
        message = f"{one.name!r} and {other.name!r} both write {resource!r}, and can run at the same time"
    else:
        message = (
            f"{one.name!r} {mine.mode.value} {resource!r}, which {other.name!r} {theirs.mode.value}, "
            "and both can run at the same time"
        )
    notes = (
        Note(mine.span, f"{one.name!r} {mine.mode.value} it here"),
        Note(theirs.span, f"{other.name!r} {theirs.mode.value} it here"),
    )
    span = theirs.span if theirs.span.line else other.span
    return Finding("G017", message, span, notes, answer.witness, about=(one.name, other.name, resource))


def _is_around(graph: Graph, one: Task, other: Task) -> bool:
    """Whether one runs within the other: then what they use is theirs together."""
    around = _parents(graph.tasks, one) | _parents(graph.tasks, other)
    return one.name in around or other.name in around


def _parents(tasks: Mapping[str, Task], task: Task) -> set[str]:
    found = set()
    while task.parent:
        found.add(task.parent)
        task = tasks[task.parent]
    return found


def _with_itself(task: Task) -> Iterator[Finding]:
    """A task that is there several times side by side races with itself, unless a lock keeps its copies apart."""
    if task.copies.most is not None and task.copies.most < 2:
        return
    if any(2 * hold.amount > hold.group.capacity for hold in task.holds):
        return
    for access in task.accesses:
        if access.mode is Mode.WRITE:
            number = "any number of" if task.copies.most is None else str(task.copies.most)
            message = f"{number} copies of {task.name!r} can write {access.resource!r} at the same time"
            span = access.span if access.span.line else task.span
            note = Note(task.copies.span, f"here {task.name!r} is multiplied")
            notes = (note,) if task.copies.span.line else ()
            yield Finding("G017", message, span, notes, about=(task.name, access.resource))
