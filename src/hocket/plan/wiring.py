"""A plan in the words of the kernel: tasks that come after each other, and lives that hold them.

The kernel knows no slots. So that it says when a payload is over, each payload gets a *life*: a task without a body
that holds whoever gives it and whoever needs it, and closes when they have (a parent's life holds the lives of its
children). In serial order each task has a *turn* as well, which holds it and which the next one comes after: a turn
closes however its task ends, so that a branch that was aborted keeps nobody waiting. Under the policy "branch" a loss
goes to what comes after a task and never to what holds it, which is what `abort_branch` means.

So the runtimes that run graphs run plans, and what is proved of the kernel is true of both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hocket.graph import Graph, Task
from hocket.plan.plan import Order, Plan

__all__ = ["Wiring", "wire"]

Body = Callable[[], Any]


class Wiring:
    """`graph`: tasks 0 to n - 1 are the plan's nodes; `life[name]`: which node is over when that task closes.

    A node that nobody holds open is its own life.
    """

    def __init__(self, plan: Plan, order: Order, body: Callable[[int], Body]) -> None:
        self.tasks = [Task(name, body(node)) for node, name in enumerate(plan.names)]
        self._taken = set(plan.names)
        self.after: list[tuple[int, int]] = []
        self.hold: list[tuple[int, int]] = []
        self.life: dict[str, int] = {}
        for node in range(len(plan)):
            self.after += [(node, before) for before in plan.befores(node)]
        self._add_lives(plan)
        if order == "serial":
            self._take_turns(plan)
        self.graph = Graph(tuple(self.tasks), tuple(self.after), (), tuple(self.hold))

    def _add_lives(self, plan: Plan) -> None:
        lives = list(range(len(plan)))
        for node in reversed(range(len(plan))):
            held = plan.children(node) if plan.is_tree else plan.holders[node]
            if held:
                lives[node] = self._bodiless(f"life of {plan.names[node]}")
                others = (lives[other] if plan.is_tree else other for other in held)
                self.hold += [(lives[node], one) for one in (node, *others)]
            self.life[self.tasks[lives[node]].name] = node

    def _take_turns(self, plan: Plan) -> None:
        turn = None
        for node in range(len(plan)):
            if turn is not None:
                self.after.append((node, turn))
            turn = self._bodiless(f"turn of {plan.names[node]}")
            self.hold.append((turn, node))

    def _bodiless(self, name: str) -> int:
        while name in self._taken:  # somebody called a task so
            name += "'"
        self.tasks.append(Task(name))
        return len(self.tasks) - 1


def wire(plan: Plan, order: Order, body: Callable[[int], Body] = lambda node: lambda: None) -> Wiring:
    """The graph that a runtime runs for a plan in an order; `body(i)` is what it calls for node i.

    >>> from hocket.plan import compile_plan, task_tree
    >>> def five() -> int: return 5
    >>> graph = wire(compile_plan(task_tree(five, five)), "parallel").graph
    >>> [task.name for task in graph.tasks], graph.after, graph.hold
    (['five', 'five#2', 'life of five'], ((1, 0),), ((2, 0), (2, 1)))
    """
    return Wiring(plan, order, body)
