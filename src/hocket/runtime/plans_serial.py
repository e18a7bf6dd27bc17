"""Two executors for one thread, one task at a time, depth first: *recursive* and *stack*.

The recursive one runs the plan's own text (`hocket.plan.unfold`): the fastest there is, for plans of a size that Python
compiles in a moment. The other walks over the nodes in their order and keeps what is open in lists, so that neither the
depth nor the number of the tasks matters: a chain of a million runs. They are observably the same (YO-11, Y-I6).
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any
from zlib import crc32

from hocket.plan.adapters import Outcome
from hocket.plan.attempts import OURS, conduct, theirs
from hocket.plan.bind import Bound
from hocket.plan.context import Context
from hocket.plan.layouts import Layout
from hocket.plan.plan import NOBODY, Plan
from hocket.plan.results import Status, StepResult, named
from hocket.plan.unfold import Unfolding
from hocket.runtime.plans_job import Job, Teller, perform

__all__ = ["Unfolded", "run_on_stack", "unfolded"]

Unfolded = Callable[[Context, Teller | None, Callable[[], bool]], StepResult]


def run_on_stack(job: Job) -> StepResult:
    """Every node in turn, unless something that it needs did not succeed; ends where something ends the run."""
    plan, succeeded = job.plan, bytearray(len(job.plan))
    over = plan.over_after if job.tell is None else plan.left_after
    node = 0
    try:
        for node in range(len(plan)):
            if _may_begin(plan, node, succeeded):
                if not job.enter(node):
                    break
                succeeded[node] = job.finish(node, perform(job.steps(node)))
                if job.result is not None:
                    break
            for left in over.get(node, ()):
                job.leave(left)
    finally:
        if job.result is not None and job.tell is not None:
            job.tell.broke(node, job.result.status, entered=False)
    return job.over()


def _may_begin(plan: Plan, node: int, succeeded: bytearray) -> bool:
    if plan.is_tree:
        return not node or bool(succeeded[plan.parents[node]])
    return all(succeeded[before] for before in plan.earlier[node])


# -- the text ----------------------------------------------------------------------------------------------------------


class Stop(Exception):
    """The run ends at a node; NOBODY: before one, because it was cancelled."""

    def __init__(self, node: int, result: StepResult) -> None:
        self.node, self.result = node, result


def unfolded(plan: Plan, layout: Layout, watched: bool, cancellable: bool) -> Unfolded:
    """The function that runs a plan, made of its text."""
    unfolding = Unfolding(plan, layout, watched, cancellable)
    file = f"<hocket plan {crc32(unfolding.text.encode()):08x}>"
    linecache.cache[file] = (len(unfolding.text), None, unfolding.text.splitlines(keepends=True), file)
    OURS.add(file)
    names = {
        "__name__": __name__,
        **unfolding.names,
        "Stop": Stop,
        "went_on": _asker(plan),
        "attempts": _attempts,
        "stopped": _stopper(plan),
        "failed": _failer(plan),
    }
    exec(compile(unfolding.text, file, "exec"), names)
    run: Unfolded = names["run"]
    return run


def _asker(plan: Plan) -> Callable[[int, Outcome], bool]:
    root = 0 if plan.is_tree else NOBODY  # its branch is everything

    def went_on(node: int, outcome: Outcome) -> bool:
        """Whether what comes after a node may run. Raises Stop where nothing may."""
        if outcome.ok:
            return True
        if outcome.status is Status.ABORT_BRANCH and node != root:
            return False
        raise Stop(node, outcome if isinstance(outcome, StepResult) else outcome.step)

    return went_on


def _attempts(task: Bound, take: Callable[[], tuple[Any, ...]], cancelled: Callable[[], bool]) -> Outcome:
    return perform(conduct(task, take, cancelled))


def _stopper(plan: Plan) -> Callable[[Stop, Teller | None], StepResult]:
    def stopped(stop: Stop, tell: Teller | None) -> StepResult:
        if tell is not None:
            tell.broke(stop.node, stop.result.status, entered=stop.node != NOBODY)
        return stop.result if stop.node == NOBODY else named(stop.result, plan.names[stop.node])

    return stopped


def _failer(plan: Plan) -> Callable[[int, Exception, Teller | None], StepResult]:
    def failed(node: int, error: Exception, tell: Teller | None) -> StepResult:
        if tell is not None:
            tell.broke(node, Status.FAILURE)
        return StepResult(Status.FAILURE, theirs(error), plan.names[node])

    return failed
