"""Slot layouts: where payloads lie while a plan runs, and whether two of them could ever lie in one place at once.

- *one_to_one*: a slot for each payload.
- *compact* (trees): the slot of a payload is the number of payloads above it, so that siblings share. Sound where
  siblings run in turn, which is proved for trees of any size (`proofs/slots_proof.py`), and wrong where they run
  at once (Y-B5).
- *intervals*: each payload gets the first slot whose payloads are all over before it comes to be, in every run of the
  order that is asked for. Every sharing has a reason that `conflict` finds again without trusting who laid it out.

Register allocation by interval (Poletto and Sarkar 1999), with "is over before" taken from the order of the plan
instead of from a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hocket.errors import PlanError
from hocket.plan.plan import NOBODY, Order, Plan

__all__ = ["LAYOUTS", "Conflict", "Layout", "conflict", "lay_out", "why_not"]


@dataclass(frozen=True, slots=True)
class Layout:
    """`slot[i]`: where the payload of node i lies, NOBODY (-1) if it owns none; `count`: how many slots there are."""

    name: str
    slot: tuple[int, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two nodes whose payloads share a slot, and may be there at once."""

    one: int
    other: int
    slot: int


def lay_out(plan: Plan, layout: str | Layout, order: Order = "serial") -> Layout:
    """The layout of that name for a plan; raises ValueError for an unknown name, PlanError where it cannot be.

    >>> from hocket.plan import bind, compile_plan, task_tree
    >>> def five() -> int: return 5
    >>> plan = compile_plan(task_tree(five, five, task_tree(five, five)))
    >>> lay_out(plan, "one_to_one").slot, lay_out(plan, "compact").slot
    ((0, 1, 2, 3), (0, 1, 1, 2))
    """
    if isinstance(layout, Layout):
        if len(layout.slot) != len(plan):
            raise ValueError(f"a layout of {len(layout.slot)} nodes is not of this plan, which has {len(plan)}")
        return layout
    if layout not in LAYOUTS:
        raise ValueError(f"there is no layout {layout!r}; there are {', '.join(map(repr, LAYOUTS))}")
    key = (layout, order)
    if key not in plan.compiled:
        plan.compiled[key] = LAYOUTS[layout](plan, order)
    found: Layout = plan.compiled[key]
    return found


def conflict(plan: Plan, layout: Layout, order: Order) -> Conflict | None:
    """Two payloads that could lie in one slot at once, in some run of that order; None if there are none.

    It looks at neighbours only: where of all payloads of a slot, in the plan's order, each is over before the next
    comes, each is over before every later one.
    """
    latest: dict[int, int] = {}
    for node, slot in enumerate(layout.slot):
        if slot == NOBODY:
            continue
        before = latest.get(slot)
        if before is not None and not plan.is_over_before(before, node, order):
            return Conflict(before, node, slot)
        latest[slot] = node
    return None


def why_not(plan: Plan, layout: Layout, order: Order) -> PlanError | None:
    """The error that says why a layout cannot be used in an order; None where it can."""
    found = conflict(plan, layout, order)
    if found is None:
        return None
    one, other = plan.names[found.one], plan.names[found.other]
    told = f"would share slot {found.slot} with {one!r}, and in {order} order nothing says that one is over before"
    return PlanError("slots-overlap", other, told, 'slots="intervals" or "one_to_one", or order="serial"')


def _owners(plan: Plan) -> Iterator[int]:
    return (node for node in range(len(plan)) if plan.owns(node))


def _numbered(plan: Plan, name: str, slots: dict[int, int]) -> Layout:
    found = tuple(slots.get(node, NOBODY) for node in range(len(plan)))
    return Layout(name, found, 1 + max(found, default=NOBODY))


def _one_to_one(plan: Plan, order: Order) -> Layout:
    return _numbered(plan, "one_to_one", {node: slot for slot, node in enumerate(_owners(plan))})


def _compact(plan: Plan, order: Order) -> Layout:
    """How many payloads lie above each."""
    if not plan.is_tree:
        cure = 'in a graph there is no one way down: slots="intervals" shares what can be shared'
        raise PlanError("layout", "compact", "is a layout of trees", cure)
    above = [0] * len(plan)
    slots = {}
    for node in range(len(plan)):
        parent = plan.parents[node]
        if parent != NOBODY:
            above[node] = above[parent] + plan.owns(parent)
        if plan.owns(node):
            slots[node] = above[node]
    return _numbered(plan, "compact", slots)


def _intervals(plan: Plan, order: Order) -> Layout:
    """The first slot that is certainly empty by then."""
    latest: list[int] = []
    slots = {}
    for node in _owners(plan):
        free = (slot for slot, before in enumerate(latest) if plan.is_over_before(before, node, order))
        slot = next(free, len(latest))
        latest[slot : slot + 1] = [node]
        slots[node] = slot
    return _numbered(plan, "intervals", slots)


LAYOUTS: dict[str, Callable[[Plan, Order], Layout]] = {
    "one_to_one": _one_to_one,
    "compact": _compact,
    "intervals": _intervals,
}
