"""Who may have the same part of the context at the same time, when tasks run in parallel (Y-B6).

`from_ctx(T)` gives a task the object itself, to change it if it likes. In serial order that is an order of changes; in
parallel it is a race, unless one of the two is certainly over before the other begins, or both say `shared=True`, or
nobody can change a T.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hocket.errors import PlanError
from hocket.plan.copies import is_immutable
from hocket.plan.plan import Plan
from hocket.plan.sources import Mode, name_of

__all__ = ["race_for_context", "wanted_of_context"]


def wanted_of_context(plan: Plan) -> tuple[Any, ...]:
    """The types that a run's context must have, each once."""
    return tuple(dict.fromkeys(kind for _, kind, _ in _uses(plan)))


def race_for_context(plan: Plan) -> PlanError | None:
    """The error that names two tasks that may have one part of the context at once; None if there are none."""
    by_type: dict[Any, list[tuple[int, bool]]] = {}
    for node, kind, shared in _uses(plan):
        if not is_immutable(kind):
            by_type.setdefault(kind, []).append((node, shared))
    for kind, users in by_type.items():
        for one, shared in users:
            other = None if shared else _beside(plan, one, users)
            if other is not None:
                told = f"takes {name_of(kind)} from the context, and so may {plan.names[other]!r} at the same time"
                cure = "say from_ctx(…, shared=True) in both, if it guards itself or is only read; or order the two"
                return PlanError("context-shared", plan.names[one], told, cure)
    return None


def _beside(plan: Plan, one: int, users: list[tuple[int, bool]]) -> int | None:
    others = (other for other, _ in users if other != one)
    return next((other for other in others if not plan.precedes(one, other) and not plan.precedes(other, one)), None)


def _uses(plan: Plan) -> Iterator[tuple[int, Any, bool]]:
    for node, task in enumerate(plan.tasks):
        for source in task.sources:
            if source.mode is Mode.CONTEXT:
                yield node, source.type, source.shared
