"""What is light has no node until somebody asks for more: whenever that is, it comes to the same.

Each program asks for more of a task while a worker may be anywhere in it: waiting, not begun, in its body, over. All
interleavings of its locks are tried, with the kernel's counters checked at the end; beside it runs the same program
with tasks that have nodes from the beginning, which has to end in the same ways.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hocket
from hocket import AsyncScheduler, Monitor, Scheduler
from hocket.errors import HocketError, Refused
from hocket.graph import Graph, Task
from hocket.kernel.lifecycle import Moment, Policy
from hocket.runtime.pickers import PICKERS


def _nothing(moment: Moment, node: object) -> None:
    """Who watches has every task entered at once."""


def _cancelled(s: Scheduler) -> object:
    task = s.spawn("t", int)
    with suppress(Refused):
        task.cancel()
    s.close()
    return str(task.outcome)


def _followed(s: Scheduler) -> object:
    task = s.spawn("t", int)
    later = s.spawn("later", str, after={"object": task})
    return later.join()


def _lost(s: Scheduler) -> object:
    task = s.spawn("t", lambda: 1 / 0)
    later = s.spawn("later", int, after=[task])
    s.close()
    return str(task.outcome), str(later.outcome), repr(task.exception)


def _joined_within(s: Scheduler) -> object:
    def outer() -> object:
        return s.spawn("inner", lambda: 7).join()

    return s.spawn("outer", outer).join()


def _holding(s: Scheduler) -> object:
    task = s.spawn("parent", lambda context: context.fork("child", lambda: 5), context=True)
    s.close()
    return task.value().value()


def _asked(s: Scheduler) -> object:
    task = s.spawn("t", int)
    story = s.story(task)
    task.join()
    return story


def _row(s: Scheduler) -> list[Any]:
    """A task, and one that comes after it and gets what it gave."""
    first = s.spawn("first", lambda: 3)
    return [first, s.spawn("second", lambda given: given + 1, after={"given": first})]


def _rowed(s: Scheduler) -> object:
    *_, second = _row(s)
    last = s.spawn("last", int, after=[second, second])
    s.close()
    return second.value(), str(last.outcome)


def _row_cancelled(s: Scheduler) -> object:
    first, second = _row(s)
    last = s.spawn("last", int, after=[second])
    with suppress(Refused):
        second.cancel()
    s.close()
    return str(first.outcome), str(second.outcome), str(last.outcome)


def _row_lost(s: Scheduler) -> object:
    first = s.spawn("first", lambda: 1 / 0)
    last = s.spawn("last", int, after=[s.spawn("second", int, after=[first])])
    s.close()
    return str(first.outcome), repr(first.exception), str(last.outcome)


def _row_in_a_graph(s: Scheduler) -> object:
    one, two, three = s.add_graph(Graph(tuple(Task(name, int) for name in "abc"), ((1, 0), (2, 1))))
    with suppress(Refused):
        three.cancel()
    s.close()
    return str(one.outcome), str(two.outcome), str(three.outcome)


STORIES = {"t is ready: no executor has taken it", "t is running", "t finished"}
F, C = "finished", "cancelled"

# what is done, all that may come of it, and in how many interleavings of one worker and whoever spawns
PROGRAMS: list[tuple[Callable[[Scheduler], object], set[object], int]] = [
    (_cancelled, {"cancelled", "finished"}, 10),
    (_followed, {"0"}, 20),
    (_lost, {("failed", "skipped", "ZeroDivisionError('division by zero')")}, 12),
    (_joined_within, {7}, 12),
    (_holding, {5}, 10),
    (_asked, STORIES, 12),
    (_rowed, {(4, F)}, 70),
    (_row_cancelled, {(F, F, F), (F, C, "skipped")}, 142),
    (_row_lost, {("failed", "ZeroDivisionError('division by zero')", "skipped")}, 20),
    (_row_in_a_graph, {(F, F, F), (F, F, C)}, 24),
]


def _explored(program: Callable[[Scheduler], object], watch: Any, workers: int = 1) -> Any:
    def body() -> object:
        s = Scheduler(workers=workers, watch=watch)
        try:
            return program(s)
        finally:
            s.close()
            s.check()

    return hocket.explore(body, data="off")


@pytest.mark.parametrize(("program", "outcomes", "classes"), PROGRAMS, ids=lambda value: getattr(value, "__name__", ""))
def test_it_ends_the_same_whenever_more_is_asked_of_it(program, outcomes, classes):
    light = _explored(program, None)
    assert (light.verdict, set(light.outcomes), light.classes) == ("proved", outcomes, classes)
    entered = _explored(program, _nothing)
    assert (entered.verdict, entered.outcomes, entered.classes) == ("proved", light.outcomes, classes)


def _two_and_one(s: Scheduler) -> object:
    """Two at once, and one that comes after both."""
    order: list[str] = []
    s.add_graph(Graph(tuple(Task(name, partial(order.append, name)) for name in "abc"), ((2, 0), (2, 1))))
    s.close()
    return "".join(order)


def test_two_workers_end_it_the_same():
    """By hand, task by task and joined with help, it is 9,466 classes, light or not: gone through once."""
    light, entered = (_explored(_two_and_one, watch, workers=2) for watch in (None, _nothing))
    assert (light.verdict, light.outcomes) == ("proved", {"abc": 748})  # a body is called as it is taken
    assert (entered.verdict, entered.outcomes) == ("proved", light.outcomes)


def _watched() -> tuple[str, tuple[str, ...]]:
    with Scheduler(workers=1) as s:
        tasks = [s.spawn(name, int) for name in "ab"]
        monitor = Monitor()
        monitor.join(s)
    return str(monitor.refused), tuple(str(task.outcome) for task in tasks)


def test_a_monitor_that_joins_late_finds_what_was_light():
    result = hocket.explore(_watched, data="off")
    assert (result.verdict, result.outcomes) == ("proved", {("None", ("finished", "finished")): 44})


def test_the_last_worker_that_leaves_names_what_was_light():
    def leave():
        left = [s.spawn(name, int) for name in ("second", "third")]
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            s.remove_worker("only")
        return told[0].message.tasks, [task.outcome for task in left]

    with Scheduler(workers=["only"]) as s:
        assert s.spawn("leaves", leave).join() == (("second", "third"), [None, None])


def test_what_a_body_makes_after_a_stop_does_not_start():
    def stopped(context: Any) -> list[Any]:
        with s._lock:
            s._stop()  # as close(cancel=True) does, from another thread
        graph = Graph((Task("b", int), Task("c", int)), ((1, 0),))
        return [context.spawn("a", int), *context.scheduler.add_graph(graph)]

    s = Scheduler(workers=0)
    first, waits = s.spawn("first", stopped, context=True), s.spawn("waits", int)
    made = first.join(help=True)
    s.close()
    assert [str(task.outcome) for task in (waits, *made)] == [C, C, C, "skipped"]


# -- at random ---------------------------------------------------------------------------------------------------------

KINDS = ["spawn", "spawn", "after", "idle", "fails", "child", "cancel", "look", "join", "ask", "join in"]
DEEDS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 30), st.integers(0, 30)), max_size=14)


def _parts(story: str) -> list[str]:
    """What is waited for is told in the order in which the kernel came to know of it, which nobody is promised."""
    return sorted(story.split("; "))


def _done(deeds: list[tuple[str, int, int]], **options: Any) -> object:
    """What came of some deeds: in which order bodies ran, what each deed came to, how the tasks ended."""
    ran, told = [], []
    s = Scheduler(0, **options)
    tasks = [s.spawn("0", lambda: ran.append("0"))]

    def perform(kind: str, one: Any, other: Any, name: str) -> object:
        body = partial(ran.append, name)
        if kind in ("spawn", "after", "idle"):
            tasks.append(s.spawn(name, body, after=[one, other] if kind == "after" else (), run=kind != "idle"))
        elif kind == "fails":
            tasks.append(s.spawn(name, lambda: ran.append(name) or 1 // 0))
        elif kind == "child":
            tasks.append(s.spawn(name, lambda context: context.fork(f"{name}'s", body), context=True))
        elif kind == "join in":
            tasks.append(s.spawn(name, lambda: ran.append(name) or joined(one)))
        elif kind == "cancel":
            one.cancel()
        elif kind == "ask":
            return _parts(s.story(one)), one.node.name, str(one)
        else:
            return joined(one) if kind == "join" else str(one.outcome)
        return None

    def joined(task: Any) -> object:
        """What waits for an idle one would be joined for ever."""
        return task.join(help=True) if task.is_done or task in s._ready else "not asked"

    for number, (kind, one, other) in enumerate(deeds, 1):
        try:
            told.append(str(perform(kind, tasks[one % len(tasks)], tasks[other % len(tasks)], str(number))))
        except (HocketError, ZeroDivisionError) as error:
            told.append(f"{type(error).__name__}: {error}")
        s.check()
    with suppress(BaseException):
        s.__exit__(None, None, None)
    return ran, told, [(task.name, str(task.outcome), repr(task.exception)) for task in tasks]


@settings(max_examples=60, deadline=None)
@given(DEEDS, st.sampled_from(list(PICKERS)), st.sampled_from(list(Policy)))
def test_whatever_is_done_it_runs_and_ends_as_if_all_had_nodes_from_the_beginning(deeds, picker, policy):
    """Without workers everything happens in one order: the same bodies, answers, refusals and outcomes, one by one."""
    options = {"picker": picker, "policy": policy}
    assert _done(deeds, **options) == _done(deeds, watch=_nothing, **options)


# -- on an event loop --------------------------------------------------------------------------------------------------

LOOP_KINDS = ["spawn", "awaits", "after", "after", "idle", "fails", "child", "cancel", "ask", "await", "turn", "graph"]
LOOP_DEEDS = st.lists(st.tuples(st.sampled_from(LOOP_KINDS), st.integers(0, 30), st.integers(0, 30)), max_size=14)


async def _done_on_a_loop(deeds: list[tuple[str, int, int]], **options: Any) -> object:
    """The same of deeds on a loop: there is one order of its callbacks, with nodes or without."""
    ran, told = [], []

    async def body(name: str, turns: int = 0, fails: bool = False) -> str:
        ran.append(name)
        for _ in range(turns):
            await asyncio.sleep(0)
        ran.append(f"{name} over")
        return name if not fails else str(1 // 0)

    async def forks(name: str, context: Any) -> None:
        ran.append(name)
        context.fork(f"{name}'s", partial(body, f"{name}'s", 1))

    async def perform(s: Any, kind: str, one: Any, other: Any, name: str) -> object:
        if kind in ("spawn", "awaits", "fails"):
            tasks.append(s.spawn(name, partial(body, name, 2 * (kind == "awaits"), kind == "fails")))
        elif kind in ("after", "idle"):
            tasks.append(s.spawn(name, partial(body, name), after=[one, other], run=kind == "after"))
        elif kind == "child":
            tasks.append(s.spawn(name, partial(forks, name), context=True))
        elif kind == "graph":
            three = tuple(Task(f"{name}{part}", partial(body, f"{name}{part}", 1)) for part in "abc")
            tasks.extend(s.add_graph(Graph(three, ((2, 0), (2, 1)))))
        elif kind == "cancel":
            one.cancel()
        elif kind == "ask":
            return _parts(s.story(one)), one.node.name, str(one)
        elif kind == "turn":
            await asyncio.sleep(0)
        elif one.is_done or one in s._ready:
            return await one
        return None

    with suppress(BaseExceptionGroup, ZeroDivisionError):
        async with AsyncScheduler(**options) as s:
            tasks = [s.spawn("0", partial(body, "0"))]
            for number, (kind, one, other) in enumerate(deeds, 1):
                try:
                    come = await perform(s, kind, tasks[one % len(tasks)], tasks[other % len(tasks)], str(number))
                except (HocketError, ZeroDivisionError) as error:
                    come = f"{type(error).__name__}: {error}"
                told.append(str(come))
                s.check()
    return ran, told, [(task.name, str(task.outcome), repr(task.exception)) for task in tasks]


@settings(max_examples=40, deadline=None)
@given(LOOP_DEEDS, st.sampled_from([None, 1, 2]), st.sampled_from(["fifo", "lifo", "priority"]))
def test_on_a_loop_it_runs_and_ends_as_if_all_had_nodes_from_the_beginning(deeds, workers, picker):
    options = {"workers": workers, "picker": picker}
    light, entered = (asyncio.run(_done_on_a_loop(deeds, **options, watch=watch)) for watch in (None, _nothing))
    assert light == entered


def test_what_is_armed_as_it_is_made_has_no_node_until_somebody_asks_for_one():
    with Scheduler(workers=0) as s:
        tasks = [s.spawn(str(n), int) for n in range(3)]
        later = s.spawn("later", int, after=[tasks[1]])
        assert (list(s._kernel.nodes), tasks[0].node.name) == ([], "0")
        assert [task._node is None for task in [*tasks, later]] == [False, True, True, True]
        assert list(s._kernel.nodes) == [tasks[0].node]  # nothing relates it to others
        node = later.node
        assert list(s._kernel.nodes) == [tasks[0].node, tasks[1].node, tasks[2].node, node]
        assert tasks[1].node.after == [node]
    assert {str(task.outcome) for task in [*tasks, later]} == {"finished"}
