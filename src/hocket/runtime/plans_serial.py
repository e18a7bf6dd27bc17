"""Two executors for one thread, one task at a time, depth first: *recursive* and *stack*.

The recursive one runs the plan's own text (`hocket.plan.unfold`): the fastest there is, for plans of a size that Python
compiles in a moment. The other walks over the nodes in their order and keeps what is open in lists, so that neither the
depth nor the number of the tasks matters: a chain of a million runs. They are observably the same (YO-11, Y-I6).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hocket.plan.adapters import Outcome
from hocket.plan.attempts import OURS, conduct, theirs
from hocket.plan.bind import Bound
from hocket.plan.context import Context
from hocket.plan.layouts import Layout
from hocket.plan.plan import Plan
from hocket.plan.results import OK, Status, StepResult
from hocket.plan.unfold import Unfolding
from hocket.runtime.plans_job import Slots, Teller, ending, perform, stops

__all__ = ["Unfolded", "run_on_stack", "unfolded"]

Unfolded = Callable[[Context, Teller | None, Callable[[], bool]], StepResult]


def run_on_stack(slots: Slots, tell: Teller | None, cancelled: Callable[[], bool], isolate: bool = False) -> StepResult:
    """Every node in turn, unless something that it needs did not succeed; ends where something ends the run."""
    plan, succeeded = slots.plan, bytearray(len(slots.plan))
    over = plan.over_after if tell is None else plan.left_after
    ended: list[StepResult] = []
    for node in range(len(plan)):
        if _may_begin(plan, node, succeeded):
            if cancelled():
                ended.append(StepResult.abort_execution())
            elif tell is None:
                succeeded[node] = _went_on(slots, node, perform(slots.steps(node)), ended)
            else:
                tell.entered(node)
                succeeded[node] = _went_on(slots, node, perform(slots.steps(node)), ended, tell)
            if ended and stops(ended[-1], isolate):
                ended[:-1] = []
                break
        for left in over.get(node, ()):
            slots.release(left)
            if tell is not None:
                tell.left(left)
    slots.clear()
    if tell is not None:
        tell.broke()
    del ended[1:]
    return ended.pop() if ended else OK


def _went_on(slots: Slots, node: int, outcome: Outcome, ended: list[StepResult], tell: Teller | None = None) -> bool:
    """Keep what came of a node; whether what comes after it may run, and what it makes of the run."""
    if outcome is not OK or node in slots.plan.staged:
        outcome = slots.keep(node, outcome)
    if tell is not None:
        tell.came_of(node, outcome)
    if outcome is OK or outcome.ok:
        return True
    result = ending(slots.plan, node, outcome)
    if result is not None:
        ended.append(result)
    return False


def _may_begin(plan: Plan, node: int, succeeded: bytearray) -> bool:
    if plan.is_tree:
        return not node or bool(succeeded[plan.parents[node]])
    return all(succeeded[before] for before in plan.earlier[node])


# -- the text ----------------------------------------------------------------------------------------------------------


_FILE = "<hocket plan>"  # one name for all: what is kept by name would outlive its plan
OURS.add(_FILE)


class Stop(Exception):
    """The run ends, and this is its result."""

    def __init__(self, result: StepResult) -> None:
        self.result = result


def unfolded(plan: Plan, layout: Layout, watched: bool, cancellable: bool) -> Unfolded:
    """The function that runs a plan, made of its text."""
    unfolding = Unfolding(plan, layout, watched, cancellable)
    names = {
        "__name__": __name__,
        **unfolding.names,
        "Stop": Stop,
        "went_on": _asker(plan),
        "attempts": _attempts,
        "stopped": _stopped,
        "failed": _failer(plan),
    }
    exec(compile(unfolding.text, _FILE, "exec"), names)
    run: Unfolded = names["run"]
    return run


def _asker(plan: Plan) -> Callable[[int, Outcome, Teller | None], bool]:
    def went_on(node: int, outcome: Outcome, tell: Teller | None) -> bool:
        """Whether what comes after a node may run. Raises Stop where nothing may."""
        if outcome.ok:
            return True
        if tell is not None:
            tell.ended(node, outcome.status)
        result = ending(plan, node, outcome)
        if result is not None:
            raise Stop(result)
        return False

    return went_on


def _attempts(task: Bound, take: Callable[[], tuple[Any, ...]], cancelled: Callable[[], bool]) -> Outcome:
    return perform(conduct(task, take, cancelled))


def _stopped(stop: Stop, tell: Teller | None) -> StepResult:
    if tell is not None:
        tell.broke()
    return stop.result


def _failer(plan: Plan) -> Callable[[int, Exception, Teller | None], StepResult]:
    def failed(node: int, error: Exception, tell: Teller | None) -> StepResult:
        if tell is not None:
            tell.ended(node, Status.FAILURE)
            tell.broke()
        return StepResult(Status.FAILURE, theirs(error), plan.names[node])

    return failed
