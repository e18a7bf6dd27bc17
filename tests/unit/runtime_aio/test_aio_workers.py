"""The workers of an event loop come and go by name, and say what those of threads say."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hocket import AsyncScheduler
from hocket.errors import DeadlockError, Refused, Stranded
from tests.unit.runtime_aio.test_aio_scheduler import forty, looped


class Crowd:
    """Bodies that wait to be let go; how many are in flight."""

    def __init__(self) -> None:
        self.inside, self.go_on = 0, asyncio.Event()

    async def body(self) -> None:
        self.inside += 1
        await self.go_on.wait()
        self.inside -= 1


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@looped
async def test_as_many_bodies_are_in_flight_as_there_are_workers_however_these_come_and_go():
    crowd = Crowd()
    async with AsyncScheduler(["a"]) as s:
        for n in range(6):
            s.spawn(f"t{n}", crowd.body)
        await turns()
        assert crowd.inside == 1
        with s.worker("b"):
            s.add_worker("c")
            await turns()
            assert crowd.inside == 3
        s.remove_worker("c")
        await turns()
        assert crowd.inside == 3  # nobody is interrupted
        crowd.go_on.set()
    assert crowd.inside == 0


@looped
async def test_a_place_that_was_removed_is_not_given_away_again():
    first, second = Crowd(), Crowd()
    async with AsyncScheduler(2) as s:
        for _ in range(2):
            s.spawn("first", first.body)
        for _ in range(2):
            s.spawn("second", second.body)
        await turns()
        s.remove_worker("worker-1")
        first.go_on.set()
        await turns()
        assert (first.inside, second.inside) == (0, 1)
        second.go_on.set()


@looped
async def test_whoever_sends_the_last_worker_away_is_told_what_waits_and_so_is_whoever_joins_it():
    async with AsyncScheduler(["only"]) as s:
        go_on = asyncio.Event()
        running = s.spawn("running", go_on.wait)
        await turns()
        waits = s.spawn("waits", forty)
        joiner = asyncio.create_task(waits.join())
        await turns()
        with pytest.warns(Stranded, match="'only' was the last worker, and 'waits' waits: add one"):
            s.remove_worker("only")
        await turns()
        assert not joiner.done()  # a body is at work, which may yet do something about it
        go_on.set()
        assert await running is True
        with pytest.raises(DeadlockError, match="nobody can run 'waits': there is no worker"):
            await joiner
        with pytest.raises(DeadlockError, match="nobody can run 'waits': there is no worker"):
            await waits
        assert await waits.join(help=True) == 40
        left = s.spawn("left to the end of the block", forty)
    assert (left.result, s._joiners) == (40, {})


@looped
async def test_a_body_that_joins_goes_on_though_its_worker_has_been_removed():
    async def parent(context: Any) -> int:
        child = context.fork("child", forty)
        with pytest.warns(Stranded, match="'child' waits"):
            s.remove_worker("only")
        return 2 + await child

    async with AsyncScheduler(["only"]) as s:
        assert await s.spawn("parent", parent, context=True).join() == 42
        assert s._places == 0


@looped
async def test_a_body_in_a_thread_adds_and_removes_workers():
    async with AsyncScheduler(["a"]) as s:
        await s.spawn("sync", lambda: (s.add_worker("b"), s.remove_worker("a")))
        await turns()
        assert (list(s._workers), s._places) == (["b"], 1)


@looped
async def test_workers_have_names_of_their_own_and_are_counted_only_where_there_is_a_number_of_them():
    async with AsyncScheduler(["w"]) as s:
        with pytest.raises(Refused, match="'w' was added but it is at work already"):
            s.add_worker("w")
        with pytest.raises(Refused, match="'v' was removed but it is no worker; expected: w"):
            s.remove_worker("v")
    async with AsyncScheduler() as s:
        for call in (s.add_worker, s.remove_worker):
            with pytest.raises(Refused, match=r"any number of bodies is in flight; expected: AsyncScheduler\(workers"):
                call("w")
    with pytest.raises(Refused, match="too late"):
        AsyncScheduler.add_worker(s, "late")


@looped
async def test_a_join_with_a_timeout_is_told_at_once_that_nobody_is_there():
    async with AsyncScheduler(0) as s:
        task = s.spawn("t", forty)
        with pytest.raises(DeadlockError, match="nobody can run 't'"):
            await task.join(timeout=60)
    assert task.result == 40
