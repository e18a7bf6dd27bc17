"""An idle task belongs to the body that spawned it until `run()`, or until that body is over: no end arms it before.

The tasks of a block are idle until the end of the block; a body that was given one of them says `run()` in time or not,
and both are right. Every interleaving of two workers is gone through in `tests/chain` ("a body builds at the end").
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hocket import AsyncScheduler, Scheduler
from hocket.errors import Refused
from tests.runtimes import GUARD, Inline, concurrent


def _closing(s: Any) -> None:
    """Wait, in a body, until the scheduler has begun to close."""
    waiting = threading.Event()
    while s._closing is None:
        waiting.wait(0.001)


@concurrent
def test_what_a_body_is_building_is_not_armed_by_a_scheduler_that_closes(scheduler):
    ran: list[str] = []

    def maker(context: Any) -> None:
        first, second = (context.spawn(name, lambda name=name: ran.append(name), run=False) for name in ("1", "2"))
        _closing(context.scheduler)
        first.depend_on(second)
        second.depend_on(context.scheduler.spawn("0", lambda: ran.append("0")))
        assert (first.outcome, second.outcome) == (None, None)
        first.run()
        second.run()

    with scheduler(2) as s:
        s.spawn("maker", maker, context=True)
    assert ran == ["0", "2", "1"]


@concurrent
def test_what_a_body_leaves_idle_is_armed_when_it_is_over_though_others_wait_for_it(scheduler):
    ran = threading.Event()

    def waits() -> bool:
        return ran.wait(GUARD)

    def maker(context: Any) -> None:
        context.spawn("left idle", ran.set, run=False)
        _closing(context.scheduler)

    with scheduler(3) as s:
        waiting = s.spawn("waits", waits)
        s.spawn("maker", maker, context=True)
    assert waiting.result


@concurrent
def test_the_idle_tasks_of_many_bodies_wait_for_the_last_of_them(scheduler):
    made: list[Any] = []
    first_is_over = threading.Event()

    def body(context: Any, number: int) -> None:
        if number:
            assert first_is_over.wait(GUARD)
            _closing(context.scheduler)
            made[0].depend_on(context.scheduler.spawn("before", lambda: None)).run()
        else:
            made.append(context.spawn("made by the first", lambda: None, run=False))
            first_is_over.set()

    with scheduler(2) as s:
        s.multi("m", 2, body, context=True)
    assert str(made[0].outcome) == "finished"


@pytest.mark.parametrize("scheduler", [Inline, Scheduler], ids=["inline", "threads"])
def test_a_body_that_waits_for_what_nobody_has_armed_is_not_left_waiting_at_the_end(scheduler):
    with scheduler(1) as s:
        made = s.spawn("maker", lambda context: context.spawn("mine", lambda: 7, run=False).join(), context=True)
    assert made.result == 7


def test_a_body_that_awaits_what_nobody_has_armed_is_not_left_waiting_at_the_end():
    async def awaits(context: Any) -> Any:
        return await context.spawn("mine", lambda: 7, run=False)

    async def main() -> Any:
        async with AsyncScheduler() as s:
            made = s.spawn("maker", awaits, context=True)
        return made.result

    assert asyncio.run(main()) == 7


@concurrent
def test_run_may_still_be_said_once_of_what_the_end_of_the_block_has_armed(scheduler):
    refused: list[str] = []

    def runs(context: Any) -> None:
        _closing(context.scheduler)
        late.run()
        try:
            late.run()
        except Refused as error:
            refused.append(str(error))

    with scheduler(2) as s:
        late = s.spawn("late", lambda: None, run=False)
        s.spawn("runs", runs, context=True)
    assert str(late.outcome) == "finished"
    assert len(refused) == 1


def test_run_is_refused_when_all_is_over():
    with Scheduler(1) as s:
        late = s.spawn("late", None, run=False)
    with pytest.raises(Refused, match="'late' was armed but it is closed"):
        late.run()


@concurrent
def test_what_a_body_builds_while_all_is_broken_off_is_cancelled_without_an_error_in_the_body(scheduler):
    made: list[Any] = []
    building = threading.Event()

    def maker(context: Any) -> None:
        made.append(context.spawn("mine", pytest.fail, run=False))
        building.set()
        _closing(context.scheduler)
        made[0].depend_on(context.spawn("other", pytest.fail)).run()

    with pytest.raises(ZeroDivisionError), scheduler(2) as s:  # noqa: PT012
        task = s.spawn("maker", maker, context=True)
        assert building.wait(GUARD)
        raise ZeroDivisionError
    assert (str(task.outcome), made[0].is_done) == ("finished", True)
    assert str(made[0].outcome) in ("cancelled", "skipped")


def _families(spawn: Callable[..., Any]) -> None:
    for _ in range(3):
        spawn("armed", lambda: None, run=False).run()
        spawn("cancelled", lambda: None, run=False).cancel()
    spawn("left", lambda: None, run=False)


@pytest.mark.parametrize("scheduler", [Inline, Scheduler], ids=["inline", "threads"])
def test_nothing_is_kept_of_who_has_built_what(scheduler):
    with scheduler(1) as s:
        s.spawn("maker", lambda: _families(s.spawn)).join()
        assert (s._built_by, s._builds) == ({}, {})


def test_nothing_is_kept_of_who_has_built_what_on_a_loop():
    async def builds(context: Any) -> None:
        _families(context.spawn)
        assert {node.name for node in context.scheduler._built_by} == {"left"}

    async def main() -> None:
        async with AsyncScheduler() as s:
            await s.spawn("maker", builds, context=True)
            await s.spawn("in a thread", lambda: _families(s.spawn))
            assert (s._built_by, s._builds) == ({}, {})

    asyncio.run(main())
