"""The parallel executors' real code, in every interleaving: small trees, exact counts, only runs that the model allows.

The code that ships runs under the explorer with plain `threading` locks, conditions and threads (or on the explorer's
event loop). Counts change when a runtime synchronises otherwise, and are then looked at anew.
"""

from __future__ import annotations

import asyncio
import os

import pytest

import hocket
from hocket.plan import StepResult, bind, borrow_prev, compile_plan, task_tree
from hocket.runtime.plans import run_plan, run_plan_async
from hocket.spec.refine import Accepted
from models.plans import InParallel, Plan


def five() -> int:
    return 5


def nothing() -> None: ...


def _reads(name):
    return bind(lambda n: None, borrow_prev(int), returns=None, name=name)


def _says(name, result):
    return bind(lambda: result, returns=StepResult, name=name)


def _idle(name):
    return bind(nothing, name=name)


PASSES = bind(lambda n: n, borrow_prev(int), returns=int, name="m")

TREES = {
    "pair": lambda: task_tree(five, _reads("a")),
    "chain": lambda: task_tree(five, task_tree(PASSES, _reads("c"))),
    "wide": lambda: task_tree(five, _reads("a"), _reads("b")),
    "aborted branch": lambda: task_tree(
        nothing, task_tree(_says("a", StepResult.abort_branch()), _idle("b")), _idle("c")
    ),
    "failure": lambda: task_tree(five, _says("a", StepResult.failure()), _reads("b")),
}


def _run_is_the_models(plan, events, model):
    names = list(plan.names)
    parents = [None if parent < 0 else names[parent] for parent in plan.parents]
    given = {
        "child": {(parent, name) for parent, name in zip(parents, names, strict=True) if parent is not None},
        "earlier": {(a, b) for n, b in enumerate(names) for m, a in enumerate(names[:n]) if parents[m] == parents[n]},
        "pays": {name for node, name in enumerate(names) if plan.owns(node)},
        "slot": dict(zip(names, range(len(names)), strict=True)),
        "may_end": set(names),
    }
    found = model.accepts(events, given, Node=names, Slot=range(len(names)))
    assert isinstance(found, Accepted), found
    assert not {name for name, place in found.state["at"].items() if place in ("at_work", "live")}


def _explored(tree, order, workers, **options):
    plan = compile_plan(TREES[tree]())

    def body():
        events: list = []
        result = run_plan(plan, executor="threads", order=order, workers=workers, watch=events.append)
        return result.status.value, tuple(events)

    result = hocket.explore(body, data="off", **options)
    for _, events in result.outcomes:
        _run_is_the_models(plan, events, Plan if order == "serial" else InParallel)
    return result


EXPLORED = [
    ("pair", "parallel", 1, 8, 1),
    ("pair", "parallel", 2, 312, 1),
    ("chain", "parallel", 1, 10, 1),
    ("chain", "parallel", 2, 478, 1),
    ("wide", "parallel", 1, 10, 1),
    ("aborted branch", "parallel", 1, 10, 1),
    ("aborted branch", "serial", 2, 478, 1),
    ("failure", "parallel", 1, 10, 1),
]


@pytest.mark.parametrize(("tree", "order", "workers", "classes", "outcomes"), EXPLORED)
def test_every_interleaving_of_worker_threads_is_a_run_of_the_model(tree, order, workers, classes, outcomes):
    result = _explored(tree, order, workers)
    assert result.verdict == "proved", str(result.failure)
    assert (result.executions, result.classes, len(result.outcomes)) == (classes, classes, outcomes)


BOUNDED = [("wide", 76, 4), ("aborted branch", 76, 3), ("failure", 76, 3)]


@pytest.mark.parametrize(("tree", "classes", "outcomes"), BOUNDED)
def test_two_workers_on_two_branches_with_one_preemption(tree, classes, outcomes):
    result = _explored(tree, "parallel", 2, bound=1)
    assert result.verdict == "bounded", str(result.failure)
    assert (result.classes, len(result.outcomes)) == (classes, outcomes)


@pytest.mark.skipif(not os.environ.get("HOCKET_WHOLE"), reason="about ten seconds: HOCKET_WHOLE=1")
def test_two_workers_on_two_branches():
    result = _explored("wide", "parallel", 2)
    assert result.verdict == "proved", str(result.failure)
    assert (result.executions, result.classes, len(result.outcomes)) == (5536, 5536, 20)


def test_the_plain_data_of_a_run_is_guarded():
    """Slots, stages and results as operations of their own: no two race, and no class is added."""
    plan, classes = compile_plan(TREES["pair"]()), 8
    rooms = ["hocket.runtime", "hocket.kernel", "hocket.plan"]
    result = hocket.explore(lambda: run_plan(plan, executor="threads", workers=1).ok, track=rooms)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", classes, {True: classes}), str(
        result.failure
    )


# -- event loops ------------------------------------------------------------------------------------------------------


async def five_later() -> int:
    await asyncio.sleep(0)
    return 5


async def read_later(n) -> None:
    await asyncio.sleep(0)


async def fail_later() -> StepResult:
    await asyncio.sleep(0)
    return StepResult.failure()


def _reads_later(name):
    return bind(read_later, borrow_prev(int), name=name)


COROUTINES = [
    ("wide", lambda: task_tree(five_later, _reads_later("a"), _reads_later("b")), 1, 6),
    ("failure", lambda: task_tree(five_later, fail_later, _reads_later("b")), 1, 6),
    (
        "deep",
        lambda: task_tree(five_later, task_tree(bind(five_later, name="m"), _reads_later("c")), _reads_later("b")),
        1,
        15,
    ),
]


@pytest.mark.parametrize(("name", "tree", "in_order", "in_any"), COROUTINES, ids=[row[0] for row in COROUTINES])
def test_every_order_of_an_event_loop_is_a_run_of_the_model(name, tree, in_order, in_any):
    plan = compile_plan(tree())

    async def body():
        events: list = []
        result = await run_plan_async(plan, watch=events.append)
        return result.status.value, tuple(events)

    for options, classes in (({}, in_order), ({"order": "any"}, in_any)):
        result = hocket.explore(body, data="off", **options)
        assert (result.verdict, result.classes) == ("proved", classes), str(result.failure)
        for _, events in result.outcomes:
            _run_is_the_models(plan, events, InParallel)
