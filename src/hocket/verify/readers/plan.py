"""Compiled plans, and trees that can be compiled: who comes before whom, so that claims about order can be asked.

A task runs when all that it needs have succeeded; it may fail, and one that can end its branch may count as skipped.
What the order of siblings adds in a serial run is left out: what is said holds for parallel runs too. A tree that
cannot be compiled is a source that cannot be used, for the reason that the compiler gives. Places are where the bodies
are written.
"""

from __future__ import annotations

import inspect
from typing import Any

from hocket.errors import PlanError, SourceError
from hocket.plan.bind import Bound
from hocket.plan.compile import compile_plan
from hocket.plan.plan import Plan
from hocket.plan.tree import TaskTree
from hocket.verify.formula import Outcome
from hocket.verify.model import NOWHERE, Edge, Graph, Span, Task
from hocket.verify.readers import Reading

__all__ = ["Plans"]

_SUCCEEDED = frozenset({Outcome.SUCCEEDED})
_MAY = frozenset({Outcome.SUCCEEDED, Outcome.FAILED})


class Plans:
    """The reader of plans."""

    def sniff(self, source: object) -> bool:
        return isinstance(source, Plan | TaskTree)

    def read(self, source: Any) -> Reading:
        plan = source if isinstance(source, Plan) else _compiled(source)
        tasks = {}
        for node, name in enumerate(plan.names):
            place = _place(plan.tasks[node])
            edges = tuple(Edge(plan.names[before], place, _SUCCEEDED) for before in plan.befores(node))
            tasks[name] = Task(name, place, edges, may=_may(plan.tasks[node]))
        path = next((task.span.path for task in tasks.values() if task.span.path), "")
        return Reading(Graph(path, "plan", tasks))


def _compiled(tree: TaskTree) -> Plan:
    try:
        return compile_plan(tree)
    except PlanError as error:
        raise SourceError(f"the plan cannot be compiled: {error}") from error


def _may(task: Bound) -> frozenset[Outcome]:
    return _MAY | {Outcome.SKIPPED} if task.control or task.adapters else _MAY


def _place(task: Bound) -> Span:
    """Where the body is written, as far as Python knows it."""
    try:
        code = inspect.unwrap(task.body).__code__
    except AttributeError:
        return NOWHERE
    return Span(code.co_filename, code.co_firstlineno, 1)
