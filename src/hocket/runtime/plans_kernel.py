"""Plans on the runtimes of graphs: inline, worker threads, and an event loop.

The plan is wired as a graph (`hocket.plan.wiring`) and given to the runtime like any other; the kernel decides what may
run, what an aborted branch leaves out, and when a payload is over. What is added here is the body of a task: enter,
call with arguments from slots, keep the payload.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hocket.errors import Refused
from hocket.kernel import Node, Policy
from hocket.kernel.kernel import Watch
from hocket.kernel.lifecycle import Moment
from hocket.plan.plan import Order
from hocket.plan.results import StepResult
from hocket.plan.wiring import Wiring, wire
from hocket.runtime.aio import run_async
from hocket.runtime.plans_job import Ended, Job, perform, perform_async
from hocket.runtime.run import run

__all__ = ["run_in_new_loop", "run_on_kernel", "run_on_loop"]


def run_on_kernel(job: Job, order: Order, runtime: str, workers: int, watch: Watch | None = None) -> StepResult:
    """Run it on a runtime of `hocket.run`; `watch` is told of the kernel's moments."""
    wiring = wire(job.plan, order, lambda node: _body(job, node))
    options: dict[str, Any] = {"policy": Policy.BRANCH, "watch": _leaving(job, wiring, watch), "check": False}
    try:
        run(wiring.graph, runtime, workers=workers, **options)
        return job.over()
    finally:
        job.clear()


async def run_on_loop(job: Job, order: Order, workers: int | None, watch: Watch | None = None) -> StepResult:
    """Run it on this event loop; tasks that are not coroutines run in threads beside it."""
    wiring = wire(job.plan, order, lambda node: _body(job, node))
    options: dict[str, Any] = {"policy": Policy.BRANCH, "watch": _leaving(job, wiring, watch), "check": False}
    try:
        await run_async(wiring.graph, workers=workers, **options)
        return job.over()
    finally:
        job.clear()


def run_in_new_loop(job: Job, order: Order, workers: int) -> StepResult:
    """Run it on a loop of its own. Raises Refused where one runs already."""
    if asyncio._get_running_loop() is not None:
        cure = "Say await hocket.run_plan_async()."
        raise Refused("run_plan", "called with coroutines", "in a running event loop", "a thread without one", cure)
    return asyncio.run(run_on_loop(job, order, workers))


def _body(job: Job, node: int) -> Callable[[], Any]:
    """What the runtime calls for a node. It raises Ended where what comes after the node is to be left out."""

    def called() -> None:
        if not job.enter(node):
            raise Ended
        try:
            went_on = job.finish(node, perform(job.slots.steps(node)))
        except BaseException as error:
            job.escape(error)
            raise
        if not went_on:
            raise Ended

    async def awaited() -> None:
        if not job.enter(node):
            raise Ended
        try:
            went_on = job.finish(node, await perform_async(job.slots.steps(node)))
        except BaseException as error:
            job.escape(error)
            raise
        if not went_on:
            raise Ended

    return awaited if job.plan.tasks[node].is_async else called


def _leaving(job: Job, wiring: Wiring, watch: Watch | None) -> Watch:
    """A watcher that ends the life of a payload when the kernel closes it, before what waited for that begins."""

    def watched(moment: Moment, node: Node) -> None:
        if moment is Moment.CLOSE and node.name in wiring.life:
            job.leave(wiring.life[node.name])
        if watch is not None:
            watch(moment, node)

    return watched
