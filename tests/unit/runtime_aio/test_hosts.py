"""A body that awaits nothing shares a task of asyncio's with others, and none of them can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from hocket import AsyncScheduler


async def goes_on() -> int:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return 40


async def returns() -> int:
    return 40


def test_bodies_that_await_nothing_share_few_tasks_and_each_has_its_own_name_and_variables():
    tasks, names, seen, variable = set(), [], [], ContextVar("variable", default="outside")

    async def body() -> None:
        tasks.add(id(asyncio.current_task()))
        names.append(asyncio.current_task().get_name())
        seen.append(variable.get())
        variable.set("changed inside")

    async def main() -> None:
        async with AsyncScheduler() as s:
            for number in range(200):
                s.spawn(f"t{number}", body)

    asyncio.run(main())
    assert len(tasks) <= 2
    assert (names, seen) == ([f"t{number}" for number in range(200)], ["outside"] * 200)


def _cancels_itself(kept: Any) -> None:
    asyncio.current_task().cancel()


def _cancels_itself_and_takes_it_back(kept: Any) -> None:
    asyncio.current_task().cancel()
    asyncio.current_task().uncancel()


def _leaves_word(kept: Any) -> None:
    asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)


def _is_cancelled_by_a_timer(kept: Any) -> None:
    asyncio.get_running_loop().call_later(0, asyncio.current_task().cancel)


def _is_kept(kept: Any) -> None:
    kept.append(asyncio.current_task())


def _is_waited_for(kept: Any) -> None:
    asyncio.current_task().add_done_callback(lambda task: kept.append("told"))


def _has_a_part(kept: Any) -> None:
    kept.append(asyncio.create_task(goes_on()))


@pytest.mark.parametrize(
    "leaves",
    [_cancels_itself, _cancels_itself_and_takes_it_back, _leaves_word, _is_cancelled_by_a_timer, _is_kept,
     _is_waited_for, _has_a_part],
    ids=lambda leaves: leaves.__name__.strip("_"),
)  # fmt: skip
def test_what_a_body_leaves_on_its_task_reaches_no_other_body(leaves: Callable[[Any], None]):
    kept: list[Any] = []
    tasks: list[Any] = []

    async def body() -> None:
        leaves(kept)
        tasks.append(asyncio.current_task())

    async def next_body() -> int:
        assert asyncio.current_task() not in tasks
        assert asyncio.current_task().cancelling() == 0
        return await goes_on()

    async def main() -> list[int]:
        async with AsyncScheduler() as s:
            s.spawn("first", body)
            others = [s.spawn("next", next_body) for _ in range(5)]
        return [other.result for other in others]

    assert asyncio.run(main()) == [40] * 5


def test_who_keeps_something_for_a_task_of_asyncios_finds_nothing_of_another_body():
    known: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
    numbers = count()

    async def body() -> None:
        number = next(numbers)
        assert known.setdefault(asyncio.current_task(), number) == number

    async def main() -> None:
        async with AsyncScheduler() as s:
            for _ in range(5):
                s.spawn("t", body)

    asyncio.run(main())


def test_timeouts_and_task_groups_of_a_body_are_its_own():
    async def hurried() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "in time"
        return "late"

    async def group() -> int:
        async with asyncio.TaskGroup() as children:
            parts = [children.create_task(goes_on()) for _ in range(2)]
        return sum(part.result() for part in parts)

    async def main() -> list[Any]:
        async with AsyncScheduler() as s:
            handles = [s.spawn("t", body) for body in (returns, hurried, returns, group, goes_on, returns)]
        return [handle.result for handle in handles]

    assert asyncio.run(main()) == [40, "in time", 40, 80, 40, 40]


def test_others_on_the_loop_have_their_turns_between_bodies_that_await_nothing():
    turns = []

    async def other() -> None:
        while len(turns) < 5:
            turns.append(begun[0])
            await asyncio.sleep(0)

    begun = [0]

    async def body() -> None:
        begun[0] += 1

    async def main() -> None:
        beside = asyncio.create_task(other())
        async with AsyncScheduler() as s:
            for _ in range(1_000):
                s.spawn("t", body)
        await beside

    asyncio.run(main())
    assert turns == [0, 32, 64, 96, 128]
