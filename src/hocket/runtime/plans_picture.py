"""`draw_plan`: a compiled plan as a picture of its tasks, where their arguments come from, and its slots."""

from __future__ import annotations

from hocket.plan.bind import Bound
from hocket.plan.layouts import Layout, lay_out
from hocket.plan.plan import NOBODY, Plan
from hocket.plan.sources import Mode, name_of
from hocket.render.plan_picture import Bar, Mark, PlanRow, draw

__all__ = ["draw_plan"]

_HOW = {Mode.BORROW: "read", Mode.BORROW_MUT: "change", Mode.COPY: "copy", Mode.CONSUME: "take"}


def draw_plan(plan: Plan, slots: str | Layout = "compact", title: str = "") -> str:
    """The plan as SVG: a row for each task, in the order of a serial run, and a column for each slot.

    A bar is a payload's life; two tasks share a slot where their bars lie in one column.

    >>> from hocket.plan import compile_plan, task_tree
    >>> def five() -> int: return 5
    >>> draw_plan(compile_plan(task_tree(five, five))).count('class="life')
    3

    (Two payloads, and one in the legend.) Raises what `lay_out` raises.
    """
    layout = lay_out(plan, slots)
    rows = [_row(plan, layout, node) for node in range(len(plan))]
    shared = f"{sum(map(plan.owns, range(len(plan))))} payloads in {layout.count} slots ({layout.name})"
    return draw(rows, layout.count, f"{title or f'A plan of {len(plan)} tasks'}: {shared}")


def _row(plan: Plan, layout: Layout, node: int) -> PlanRow:
    task = plan.tasks[node]
    bar = None
    if plan.owns(node):
        taken = _taken(plan, node)
        bar = Bar(layout.slot[node], plan.last[node], name_of(task.payload), node in plan.staged, taken)
    marks = tuple(
        Mark(plan.owner[giver], _HOW[source.mode], source.mode is Mode.COPY and plan.takes_stage(node))
        for giver, source in plan.accesses(node)
    )
    parent = plan.parents[node] if plan.is_tree and plan.parents[node] != NOBODY else None
    return PlanRow(plan.names[node], plan.levels[node], parent, _takes(plan, task, node), bar, marks)


def _taken(plan: Plan, owner: int) -> int | None:
    """Who takes the payload out of its slot."""
    for user in plan.users:
        for giver, source in plan.accesses(user):
            if source.mode is Mode.CONSUME and plan.owner[giver] == owner:
                return user
    return None


def _takes(plan: Plan, task: Bound, node: int) -> str:
    """Its sources, and, in a graph, whose payload each is."""
    told = []
    for giver, source in zip(plan.givers[node], task.sources, strict=True):
        whose = f" of {plan.names[giver]}" if giver != NOBODY and not plan.is_tree and not source.of else ""
        told.append(f"{source}{whose}")
    return ", ".join(told)
