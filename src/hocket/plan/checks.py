"""The seven checks of a plan, in their order: the first that a plan fails is what is reported.

Each is a row: a code, and a function that yields what is wrong, node by node. The order is YOrch's (section 5.2 of the
seeds), so that the same mistake gets the same diagnosis. Two rules differ on purpose: `auto` refuses a child with
exclusive access only where another child touches the payload as well (Y-B7), and a retry over a payload that the
attempts would change is refused like one that consumes (Y-B4).

Graphs have the same checks. Where a tree looks at siblings, a graph looks at everybody who takes a payload: exclusive
access must be ordered before or after every other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hocket.errors import PlanError
from hocket.plan.adapters import Retry
from hocket.plan.bind import Bound, fits
from hocket.plan.plan import NOBODY, Plan
from hocket.plan.sources import ANY, EXCLUSIVE, PREV, Mode, name_of
from hocket.plan.tree import Fanout

__all__ = ["CHECKS", "Check", "Fault", "check"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a node, and how to mend it."""

    node: int
    message: str
    cure: str = ""


Faults = Iterator[Fault]


@dataclass(frozen=True, slots=True)
class Check:
    code: str
    faults: Callable[[Plan], Faults]


def check(plan: Plan) -> None:
    """Raise PlanError for the first fault of the first check that finds one."""
    for row in CHECKS:
        for fault in row.faults(plan):
            raise PlanError(row.code, plan.names[fault.node], fault.message, fault.cure)


def _takers(plan: Plan) -> Iterator[int]:
    """The nodes that take a payload and give one of their own, or none."""
    return (node for node in plan.users if not plan.forwards(node))


def _forwarders(plan: Plan) -> Iterator[int]:
    return (node for node in plan.users if plan.forwards(node))


def _prev_at_root(plan: Plan) -> Faults:
    for node in _takers(plan):
        if any(giver == NOBODY for giver, _ in plan.accesses(node)):
            yield Fault(node, "does not allow prev access at the root", "nothing is before it: use value or from_ctx")


def _prev_of_nothing(plan: Plan) -> Faults:
    for node in _takers(plan):
        for giver, source in plan.accesses(node):
            if plan.owner[giver] == NOBODY:
                told = f"requires a payload of {plan.names[giver]!r}, which has none"
                yield Fault(node, told, "a payload is what a task returns: declare it there")
            given = plan.tasks[plan.owner[giver]].payload
            if not fits(given, source.type):
                told = f"requires {name_of(source.type)}, and the payload of {plan.names[giver]!r} is {name_of(given)}"
                yield Fault(node, told, "make the types the same")


def _forward_at_root(plan: Plan) -> Faults:
    for node in _forwarders(plan):
        if any(giver == NOBODY for giver, _ in plan.accesses(node)):
            yield Fault(node, "does not allow forward-prev nodes at the root", "there is nothing to hand on")


def _forward_of_nothing(plan: Plan) -> Faults:
    for node in _forwarders(plan):
        for giver, _ in plan.accesses(node):
            if plan.owner[giver] == NOBODY:
                told = f"requires forward-prev parents to have a payload, and {plan.names[giver]!r} has none"
                yield Fault(node, told, "a payload is what a task returns: declare it there")


def _forward_of_another_type(plan: Plan) -> Faults:
    for node in _forwarders(plan):
        for giver, _ in plan.accesses(node):
            given, wanted = plan.tasks[plan.owner[giver]].payload, plan.tasks[node].payload
            if given != wanted and ANY not in (given, wanted):
                told = f"requires forward-prev output type {name_of(wanted)} to be that of its parent"
                yield Fault(node, told, f"{plan.names[giver]!r} has {name_of(given)}, and it stays what it is")


def _prev_mode(plan: Plan) -> Faults:
    for node in plan.users:
        yield from (Fault(node, *wrong) for wrong in _modes_of(plan.tasks[node]))


def _modes_of(task: Bound) -> Iterator[tuple[str, str]]:
    for source, asked in zip(task.sources, task.declared, strict=True):
        if asked is not None and source.mode is not asked:
            told = f"has an invalid prev-access mode: a parameter asks for {asked.value}, not for {source.mode.value}"
            yield told, "say the same in both places, or in the annotation only"
    modes = [source.mode for source in task.sources if source.mode in PREV]
    exclusive = next((mode for mode in modes if mode in EXCLUSIVE), None)
    if exclusive is None:
        return
    named = {source.of for source in task.sources if source.mode in PREV}
    if len(modes) > len(named):
        told = f"has an invalid prev-access mode: {exclusive.value} together with another access to the same payload"
        yield told, "exclusive access is the only one that a task has"
    if any(isinstance(adapter, Retry) for adapter in task.adapters):
        told = f"has an invalid prev-access mode: {exclusive.value} under retry"
        yield told, "a second attempt would find what the first one left: use copy_prev"


def _fanout(plan: Plan) -> Faults:
    return _fanout_of_tree(plan) if plan.is_tree else _fanout_of_graph(plan)


def _fanout_of_tree(plan: Plan) -> Faults:
    """Children that touch the payload, by parent, against the parent's policy."""
    touching: dict[int, list[tuple[int, set[Mode]]]] = {}
    for node in plan.users:
        modes = {source.mode for _, source in plan.accesses(node)}
        touching.setdefault(plan.parents[node], []).append((node, modes))
    for parent, children in touching.items():
        policy = plan.fanouts.get(parent, Fanout.AUTO)
        why = _FANOUTS[policy](children)
        if why:
            told = f"has a fanout policy, {policy.value}, incompatible with child prev-access modes"
            yield Fault(parent, told, f"{', '.join(plan.names[child] for child, _ in children)}: {why}")


Children = list[tuple[int, set[Mode]]]


def _auto(children: Children) -> str:
    exclusive = [child for child, modes in children if modes & EXCLUSIVE]
    return "one has it for itself, and others touch it" if exclusive and len(children) > 1 else ""


def _readonly(children: Children) -> str:
    return "one changes or takes it" if any(modes & EXCLUSIVE for _, modes in children) else ""


def _with_copies(children: Children) -> str:
    if any(modes - {Mode.COPY, Mode.CONSUME} for _, modes in children):
        return "each may only copy or consume"
    return "two consume" if sum(Mode.CONSUME in modes for _, modes in children) > 1 else ""


_FANOUTS: dict[Fanout, Callable[[Children], str]] = {
    Fanout.AUTO: _auto,
    Fanout.SHARED_READONLY: _readonly,
    Fanout.CONSUME_WITH_COPIES: _with_copies,
}


def _fanout_of_graph(plan: Plan) -> Faults:
    """Whoever has a payload for itself is ordered against everybody else who takes it; after a consume comes nobody."""
    for owner, users in enumerate(plan.holders):
        for one in users:
            modes = {source.mode for giver, source in plan.accesses(one) if plan.owner[giver] == owner}
            for other in users:
                if other == one or not modes & EXCLUSIVE:
                    continue
                if not plan.precedes(other, one) and (Mode.CONSUME in modes or not plan.precedes(one, other)):
                    told = f"has a payload with incompatible prev-access modes: {plan.names[one]!r} has it for itself"
                    yield Fault(owner, told, f"nothing puts {plan.names[other]!r} before it: order them, or copy")


CHECKS: tuple[Check, ...] = (
    Check("prev-at-root", _prev_at_root),
    Check("prev-of-nothing", _prev_of_nothing),
    Check("forward-at-root", _forward_at_root),
    Check("forward-of-nothing", _forward_of_nothing),
    Check("forward-type", _forward_of_another_type),
    Check("prev-mode", _prev_mode),
    Check("fanout", _fanout),
)
"""The order in which they are asked: the first fault of the first check is the one that is reported."""
