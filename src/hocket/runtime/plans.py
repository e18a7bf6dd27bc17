"""`run_plan`: a compiled plan, a context, a layout for its payloads, and somebody who runs it.

Two questions are kept apart. *Which order*: "serial", one task at a time, depth first; or "parallel", each task as soon
as what it needs has succeeded. *Who*: "recursive" and "stack" in the caller's thread; "inline", "threads" and "asyncio"
on the runtimes of graphs. A layout is checked for the order before anything runs: a slot that two payloads could be in
at once is refused with the two tasks (Y-B5), and so are two tasks that could have one part of the context at once
(Y-B6).

What tasks raise does not come out of here: a run ends with a result, and `result.raise_if_failed()` raises it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hocket.errors import PlanError, Refused
from hocket.plan.attempts import never
from hocket.plan.context import Context
from hocket.plan.layouts import Layout, lay_out, why_not
from hocket.plan.plan import Order, Plan
from hocket.plan.results import StepResult
from hocket.plan.sharing import race_for_context, wanted_of_context
from hocket.plan.sources import name_of
from hocket.plan.unfold import LARGEST
from hocket.runtime.plans_job import Event, Job, Slots, Teller
from hocket.runtime.plans_serial import Unfolded, run_on_stack, unfolded

__all__ = ["EXECUTORS", "run_plan", "run_plan_async"]

EXECUTORS: dict[str, tuple[Order, ...]] = {
    "recursive": ("serial",),
    "stack": ("serial",),
    "inline": ("serial", "parallel"),
    "threads": ("parallel", "serial"),
    "asyncio": ("parallel", "serial"),
}
"""Who can run a plan, and in which orders; the first is what it does unless told."""

_NOTHING = Context({})
Watch = Callable[[Event], object]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A way of running a plan that was checked: all that need not be asked again at the next run."""

    executor: str
    order: Order
    layout: Layout
    wanted: tuple[Any, ...]
    run: Unfolded | None


def run_plan(
    plan: Plan,
    context: Context | None = None,
    *,
    slots: str | Layout = "one_to_one",
    order: Order | None = None,
    executor: str | None = None,
    policy: str = "fail_fast",
    workers: int = 2,
    watch: Watch | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> StepResult:
    """Run every task of a plan; the result says how it ended (`.ok`, `.status`, `.task`, `.exception`).

    `slots`: "one_to_one", "compact" or "intervals". `order`: "serial" or "parallel". `executor`: "recursive" (the
    default up to 5,000 tasks), "stack" (any number, any depth), "inline", "threads" (so many `workers`) or "asyncio"
    (which runs a loop; in a coroutine, await `run_plan_async`). `policy`: after a failure nothing else begins
    ("fail_fast"), or only what comes after it is left out ("isolate"; the result is the first failure). `watch` is told
    ("enter", task), ("succeed", task), ("end", task, status) and ("leave", task). `cancelled` is asked before every
    task and every further attempt; once it says so, the run ends with abort_execution.

    >>> from hocket.plan import bind, borrow_prev, compile_plan, task_tree
    >>> def five() -> int: return 5
    >>> seen = []
    >>> plan = compile_plan(task_tree(five, bind(seen.append, borrow_prev(int), returns=None)))
    >>> run_plan(plan).ok, run_plan(plan, slots="compact", executor="threads").ok, seen
    (True, True, [5, 5])

    Raises PlanError where the context lacks something, or where the layout or the context does not suit the order;
    Refused for a combination that cannot be, or in a running event loop; ValueError for an unknown word. What tasks
    raise is in the result.
    """
    key = (slots, order, executor, policy, watch is None, cancelled is None)
    ready: _Ready | None = plan.compiled.get(key)
    if ready is None:
        chosen = _who_and_how(plan, executor, order, policy)
        ready = plan.compiled[key] = _prepared(plan, slots, *chosen, watch is not None, cancelled is not None)
    if ready.wanted:
        _check_context(ready.wanted, context)
    tell = None if watch is None else Teller(plan, watch)
    if ready.run is not None:
        return ready.run(context or _NOTHING, tell, cancelled or never)
    places = Slots(plan, ready.layout, context or _NOTHING, cancelled or never)
    if ready.executor == "stack":
        return run_on_stack(places, tell, cancelled or never, policy == "isolate")
    return _on_kernel(Job(places, tell, cancelled or never, policy == "isolate"), ready, workers)


async def run_plan_async(
    plan: Plan,
    context: Context | None = None,
    *,
    slots: str | Layout = "one_to_one",
    order: Order | None = None,
    policy: str = "fail_fast",
    workers: int | None = None,
    watch: Watch | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> StepResult:
    """As `run_plan` with executor="asyncio", on the event loop that is running; `workers` None: any number at once.

    >>> import asyncio
    >>> from hocket.plan import compile_plan, task_tree
    >>> async def five() -> int: return 5
    >>> asyncio.run(run_plan_async(compile_plan(task_tree(five)))).ok
    True
    """
    from hocket.runtime.plans_kernel import run_on_loop

    ready = _prepared(plan, slots, *_who_and_how(plan, "asyncio", order, policy), watch is not None, False)
    _check_context(ready.wanted, context)
    tell = None if watch is None else Teller(plan, watch)
    places = Slots(plan, ready.layout, context or _NOTHING, cancelled or never)
    return await run_on_loop(Job(places, tell, cancelled or never, policy == "isolate"), ready.order, workers)


def _on_kernel(job: Job, ready: _Ready, workers: int) -> StepResult:
    if ready.executor == "asyncio":
        from hocket.runtime.plans_kernel import run_in_new_loop

        return run_in_new_loop(job, ready.order, workers)
    from hocket.runtime.plans_kernel import run_on_kernel

    return run_on_kernel(job, ready.order, ready.executor, workers)


# -- what is asked once ------------------------------------------------------------------------------------------------


def _prepared(plan: Plan, slots: str | Layout, executor: str, order: Order, watched: bool, cancellable: bool) -> _Ready:
    """What can be refused of layout and context is refused here."""
    layout = lay_out(plan, slots, order)
    refusal = why_not(plan, layout, order) or (race_for_context(plan) if order == "parallel" else None)
    if refusal is not None:
        raise refusal
    run = unfolded(plan, layout, watched, cancellable) if executor == "recursive" else None
    return _Ready(executor, order, layout, wanted_of_context(plan), run)


def _who_and_how(plan: Plan, executor: str | None, order: Order | None, policy: str) -> tuple[str, Order]:
    if order not in (None, "serial", "parallel"):
        raise ValueError(f"there is no order {order!r}; there are 'serial' and 'parallel'")
    if policy not in ("fail_fast", "isolate"):
        raise ValueError(f"there is no policy {policy!r} for plans; there are 'fail_fast' and 'isolate'")
    if executor is None:
        executor = _default(plan, order, policy)
    if executor not in EXECUTORS:
        raise ValueError(f"there is no executor {executor!r}; there are {', '.join(map(repr, EXECUTORS))}")
    possible = EXECUTORS[executor]
    if order is not None and order not in possible:
        raise Refused("the plan", f"run in {order} order", f"given to {executor!r}", 'executor="threads" or "asyncio"')
    if executor == "recursive" and policy == "isolate":
        cure = "In its text an exception has nowhere to go on."
        raise Refused("the plan", "run recursively", "to be isolated", 'executor="stack", or another', cure)
    if executor == "recursive" and len(plan) > LARGEST:
        cure = f"It is written out as Python for up to {LARGEST} tasks."
        raise Refused("the plan", "run recursively", f"of {len(plan)} tasks", 'executor="stack"', cure)
    if executor != "asyncio" and plan.is_async:
        name = next(plan.names[node] for node, task in enumerate(plan.tasks) if task.is_async)
        raise Refused(name, f"run by {executor!r}", "a coroutine function", 'executor="asyncio", or run_plan_async')
    return executor, order or possible[0]


def _default(plan: Plan, order: Order | None, policy: str) -> str:
    if plan.is_async:
        return "asyncio"
    if order == "parallel":
        return "threads"
    return "recursive" if len(plan) <= LARGEST and policy == "fail_fast" else "stack"


def _check_context(wanted: tuple[Any, ...], context: Context | None) -> None:
    for kind in wanted:
        if context is None or kind not in context:
            there = ", ".join(map(name_of, context or ())) or "nothing"
            told = f"takes {name_of(kind)} from the context, which has {there}"
            raise PlanError("context-missing", "the plan", told, "give run_plan a context(…) with such an object")
