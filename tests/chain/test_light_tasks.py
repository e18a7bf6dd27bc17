"""What is related to nobody has no node until somebody asks for more: whenever that is, it comes to the same.

Each program asks for more of a task while a worker may be anywhere in it: not begun, in its body, over. All
interleavings of its locks are tried, with the kernel's counters checked at the end; beside it runs the same program
with tasks that have nodes from the beginning, which has to end in the same ways.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hocket
from hocket import Monitor, Scheduler
from hocket.errors import HocketError, Refused
from hocket.kernel.lifecycle import Moment


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


STORIES = {"t is ready: no executor has taken it", "t is running", "t finished"}

# what is done, all that may come of it, and in how many interleavings of one worker and whoever spawns
PROGRAMS: list[tuple[Callable[[Scheduler], object], set[object], int]] = [
    (_cancelled, {"cancelled", "finished"}, 10),
    (_followed, {"0"}, 20),
    (_lost, {("failed", "skipped", "ZeroDivisionError('division by zero')")}, 12),
    (_joined_within, {7}, 12),
    (_holding, {5}, 10),
    (_asked, STORIES, 12),
]


def _explored(program: Callable[[Scheduler], object], watch: Any) -> hocket.explore:  # type: ignore[valid-type]
    def body() -> object:
        s = Scheduler(workers=1, watch=watch)
        try:
            return program(s)
        finally:
            s.close()
            s.check()

    return hocket.explore(body, data="off")


@pytest.mark.parametrize(("program", "outcomes", "classes"), PROGRAMS, ids=lambda value: getattr(value, "__name__", ""))
def test_it_ends_the_same_whenever_more_is_asked_of_it(program, outcomes, classes):
    alone = _explored(program, None)
    assert (alone.verdict, set(alone.outcomes), alone.classes) == ("proved", outcomes, classes)
    entered = _explored(program, _nothing)
    assert (entered.verdict, entered.outcomes, entered.classes) == ("proved", alone.outcomes, classes)


def _watched() -> tuple[str, tuple[str, ...]]:
    with Scheduler(workers=1) as s:
        tasks = [s.spawn(name, int) for name in "ab"]
        monitor = Monitor()
        monitor.join(s)
    return str(monitor.refused), tuple(str(task.outcome) for task in tasks)


def test_a_monitor_that_joins_late_finds_what_was_alone():
    result = hocket.explore(_watched, data="off")
    assert (result.verdict, result.outcomes) == ("proved", {("None", ("finished", "finished")): 44})


def test_the_last_worker_that_leaves_names_what_was_alone():
    def leave():
        left = [s.spawn(name, int) for name in ("second", "third")]
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            s.remove_worker("only")
        return told[0].message.tasks, [task.outcome for task in left]

    with Scheduler(workers=["only"]) as s:
        assert s.spawn("leaves", leave).join() == (("second", "third"), [None, None])


# -- at random ---------------------------------------------------------------------------------------------------------

KINDS = ["spawn", "spawn", "after", "idle", "fails", "child", "cancel", "look", "join", "ask", "join in"]
DEEDS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 30), st.integers(0, 30)), max_size=14)


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
            return s.story(one), one.node.name, str(one)
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
@given(DEEDS, st.sampled_from(["fifo", "lifo", "random"]), st.sampled_from(["isolate", "branch", "fail_fast"]))
def test_whatever_is_done_it_runs_and_ends_as_if_all_had_nodes_from_the_beginning(deeds, picker, policy):
    """Without workers everything happens in one order: the same bodies, answers, refusals and outcomes, one by one."""
    options = {"picker": picker, "policy": policy}
    assert _done(deeds, **options) == _done(deeds, watch=_nothing, **options)


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
